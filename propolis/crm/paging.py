"""Paging by key: page 2,000 is as fast as page 1, and rows that come meanwhile never shift the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

SIZE = 50
COUNTED = 10_000
_POSITION = ("after", "before", "end")


@dataclass(frozen=True)
class Page:
    """`rows` in order. The four addresses are query strings, "" where there is nothing to go to."""

    rows: list[Any]
    first: str
    prev: str
    next: str
    last: str


@dataclass(frozen=True)
class Sort:
    """`column`: NOT NULL and indexed with the account; the id breaks ties."""

    key: str
    column: str
    down: bool

    @property
    def param(self) -> str:
        return f"-{self.key}" if self.down else self.key


def parse_sort(text: str, columns: Mapping[str, str], default: str) -> Sort:
    """`-created` → newest first; the default for anything outside the closed set."""
    key = text.removeprefix("-")
    if key not in columns:
        text, key = default, default.removeprefix("-")
    return Sort(key, columns[key], text.startswith("-"))


def page(query: QuerySet[Any], sort: Sort, params: Mapping[str, str], size: int = SIZE) -> Page:
    """One page of the query, at the place `params` names: after=ID, before=ID, end=1, or the start."""
    backwards = "end" in params or "before" in params
    anchor = _anchor(query, sort, params.get("before") or params.get("after"))
    down = sort.down != backwards
    if anchor is not None:
        query = query.filter(_beyond(sort.column, anchor, down))
    sign = "-" if down else ""
    rows = list(query.order_by(f"{sign}{sort.column}", f"{sign}pk")[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    return _page(rows, params, more=more, backwards=backwards, inside=anchor is not None or "end" in params)


def _page(rows: list[Any], params: Mapping[str, str], *, more: bool, backwards: bool, inside: bool) -> Page:
    kept = {key: value for key, value in params.items() if key not in _POSITION}
    has_prev = (more if backwards else inside) and bool(rows)
    has_next = ("end" not in params and inside if backwards else more) and bool(rows)

    def to(**place: object) -> str:
        return "?" + urlencode({**kept, **place})

    return Page(
        rows,
        first=to() if has_prev else "",
        prev=to(before=rows[0].pk) if has_prev else "",
        next=to(after=rows[-1].pk) if has_next else "",
        last=to(end=1) if has_next else "",
    )


def _anchor(query: QuerySet[Any], sort: Sort, pk: str | None) -> tuple[Any, int] | None:
    """Where the row named in the address stands; None if there is none (any more)."""
    if not pk or not pk.isdigit() or len(pk) > 18:
        return None
    found = query.model._default_manager.filter(pk=pk).values_list(sort.column, flat=True)[:1]
    values = list(found)
    return (values[0], int(pk)) if values else None


def _beyond(column: str, anchor: tuple[Any, int], down: bool) -> Q:
    """The rows past the anchor; one range of the index, with ties settled by id."""
    value, pk = anchor
    near, past = ("lte", "lt") if down else ("gte", "gt")
    return Q(**{f"{column}__{near}": value}) & (Q(**{f"{column}__{past}": value}) | Q(**{f"pk__{past}": pk}))


def counted(query: QuerySet[Any]) -> int:
    """How many, exact up to `COUNTED`; one more than that means "more"."""
    return query.order_by().values("pk")[: COUNTED + 1].count()


def count_words(count: int) -> str:
    """ "2,310", or "10,000+"."""
    return f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"
