"""What an undo comes to, counted: the same for its preview and for its receipt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from propolis.accounts import bulk
from propolis.bridge.undo_links import HELD_ONLY
from propolis.history.models import Change
from propolis.history.undo import UndoItem
from propolis.runs.models import Run

Action = Change.Action
EXAMPLES: Final = 3
_change = bulk.maker(Change)


@dataclass
class Tally:
    """`removed`, `separated`, `restored`: records by kind that go, are two again, have values back.

    `fields`: values back by "kind.field". `held`: records whose question or reason is forgotten, by action.
    `kept`: records by why something of them stays. `examples`: ids of a few Changes that go back whole, by
    "kind action", the earliest: kept here, as finding them among a hundred thousand takes long.
    """

    removed: dict[str, int] = field(default_factory=dict)
    separated: dict[str, int] = field(default_factory=dict)
    restored: dict[str, int] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[int]] = field(default_factory=dict)

    def add(self, item: UndoItem) -> None:
        change = item.change
        stays = reasons(item)
        for why in stays:
            _more(self.kept, why)
        if not item.can:
            return
        if not stays and change.action not in HELD_ONLY:
            some = self.examples.setdefault(f"{change.kind} {change.action}", [])
            # What comes later in an undo was done earlier.
            some[:] = [*some, change.pk][-EXAMPLES:]
        if change.action in HELD_ONLY:
            _more(self.held, change.action)
        elif change.action == Action.CREATE:
            _more(self.removed, change.kind)
        elif change.action == Action.MERGE:
            _more(self.separated, change.kind)
        elif item.back:
            _more(self.restored, change.kind)
        for name in item.back:
            _more(self.fields, f"{change.kind}.{name}")

    @property
    def going(self) -> int:
        """Records of which something is taken back."""
        return sum(sum(some.values()) for some in (self.removed, self.separated, self.restored, self.held))

    def to_dict(self) -> dict[str, dict[str, Any]]:
        return {name: dict(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Mapping[str, Any]]) -> Tally:
        return cls(**{name: dict(some) for name, some in stored.items()})


def _more(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def reasons(item: UndoItem) -> list[str]:
    """Why something of this record stays as it is; each reason once, none if all goes back."""
    if not item.can:
        return [item.why_not]
    return list(dict.fromkeys(item.kept.values()))


def kept_rows(run: Run, items: Iterable[UndoItem]) -> list[Change]:
    """One *held* Change of the undo for everything that stays, so that it can be listed with its reason."""
    return [_kept_row(run, item.change, why, _values(item, why)) for item in items for why in reasons(item)]


def _values(item: UndoItem, why: str) -> dict[str, Any]:
    """The fields that stay for this reason; of a record that stays as a whole, none are singled out."""
    return {
        name: item.change.fields[name] for name, reason in item.kept.items() if item.can and reason == why
    }


def _kept_row(run: Run, change: Change, why: str, fields: dict[str, Any]) -> Change:
    return _change(
        account_id=run.account_id,
        run_id=run.pk,
        seq=change.seq,
        kind=change.kind,
        local_id=change.local_id,
        remote_kind=change.remote_kind,
        remote_id=change.remote_id,
        action=change.action,
        state=Change.State.HELD.value,
        fields=fields,
        reason=why[:60],
        undoes_id=change.pk,
    )
