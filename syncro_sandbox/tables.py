"""One table of rows with its orders: pages are cut from a list of ids that is sorted once and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Generic, TypeVar

from .model import Kind, Row

R = TypeVar("R", bound=Row)


class Table(Generic[R]):
    """Rows by id. Change rows only through the store, or the kept orders and search texts go stale."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.rows: dict[int, R] = {}
        self.version = 0
        self._orders: dict[str, tuple[int, list[int]]] = {}
        self._created: Counter[int] = Counter()
        self._structure = 0
        self.texts: dict[int, str] = {}

    def __getitem__(self, row_id: int) -> R:
        return self.rows[row_id]

    def __contains__(self, row_id: object) -> bool:
        return row_id in self.rows

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[R]:
        return iter(self.rows.values())

    def get(self, row_id: int | None) -> R | None:
        return None if row_id is None else self.rows.get(row_id)

    def add(self, row: R) -> None:
        self.rows[row.id] = row
        self._created[row.created_ms] += 1
        self._structure += 1
        self.version += 1

    def remove(self, row_id: int) -> R:
        row = self.rows.pop(row_id)
        self.texts.pop(row_id, None)
        self._created[row.created_ms] -= 1
        self._structure += 1
        self.version += 1
        return row

    def changed(self, row: R, touch: int) -> None:
        """A row got new values: what was kept about it goes, and it moves among the rows of its instant."""
        row.cached = None
        row.touch = touch
        self.texts.pop(row.id, None)
        self.version += 1
        if self._created[row.created_ms] > 1:
            self._structure += 1

    def forget_rendered(self) -> None:
        for row in self.rows.values():
            row.cached = None

    def by_created(self) -> list[int]:
        def key(row_id: int) -> tuple[int, int]:
            row = self.rows[row_id]
            return row.created_ms, row.touch

        return self._kept("created", self._structure, lambda: sorted(self.rows, key=key))

    def by_id_desc(self) -> list[int]:
        return self._kept("id_desc", self._structure, lambda: sorted(self.rows, reverse=True))

    def by_value(self, name: str, value: Callable[[R], Any], descending: bool) -> list[int]:
        """Sorted by one value, blanks last when ascending (as PostgreSQL does); ties in heap order."""

        def key(row_id: int) -> tuple[bool, Any]:
            held = value(self.rows[row_id])
            return held is None, 0 if held is None else held

        return self._kept(
            f"{name} {descending}",
            self.version,
            lambda: sorted(self.by_created(), key=key, reverse=descending),
        )

    def _kept(self, name: str, version: int, make: Callable[[], list[int]]) -> list[int]:
        kept = self._orders.get(name)
        if kept is None or kept[0] != version:
            kept = (version, make())
            self._orders[name] = kept
        return kept[1]

    def slice_with_random_ties(self, ids: list[int], start: int, stop: int, chance: Random) -> list[int]:
        """`ids[start:stop]` as if rows created in one instant had been ordered by lot for this request."""
        stop = min(stop, len(ids))
        if start >= stop:
            return []
        first, last = start, stop
        while first > 0 and self._created_at(ids, first - 1) == self._created_at(ids, first):
            first -= 1
        while last < len(ids) and self._created_at(ids, last) == self._created_at(ids, last - 1):
            last += 1
        lots = {row_id: chance.random() for row_id in ids[first:last]}
        window = sorted(ids[first:last], key=lambda row_id: (self.rows[row_id].created_ms, lots[row_id]))
        return window[start - first : stop - first]

    def _created_at(self, ids: list[int], index: int) -> int:
        return self.rows[ids[index]].created_ms
