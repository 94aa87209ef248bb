"""Paging by key: page 2,000 is as fast as page 1, and rows that come meanwhile never shift the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, F, Func, IntegerField, Q, QuerySet, Subquery, When

from propolis.accounts.addressing import typed_id

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
    """`column`: NOT NULL and indexed with the account; the id breaks ties. `made`: what it is, if it is no column of
    the model but made of some."""

    key: str
    column: str
    down: bool
    made: Func[Any] | None = None

    def over(self, query: QuerySet[Any]) -> QuerySet[Any]:
        """The query, which then has the column."""
        return query if self.made is None else query.annotate(**{self.column: self.made})

    @property
    def param(self) -> str:
        return f"-{self.key}" if self.down else self.key


def parse_sort(text: str, columns: Mapping[str, str | Func[Any]], default: str) -> Sort:
    """`-created` → newest first; the default for anything outside the closed set."""
    key = text.removeprefix("-")
    if key not in columns:
        text, key = default, default.removeprefix("-")
    column, down = columns[key], text.startswith("-")
    if isinstance(column, str):
        return Sort(key, column, down)
    return Sort(key, f"order_by_{key}", down, column)


def page(
    query: QuerySet[Any],
    sort: Sort,
    params: Mapping[str, str],
    size: int = SIZE,
    whole: QuerySet[Any] | None = None,
) -> Page:
    """One page of the query, at the place `params` names: after=ID, before=ID, end=1, or the start.

    `whole`: as in `Found`."""
    backwards = "end" in params or "before" in params
    query, whole = sort.over(query), whole if whole is None else sort.over(whole)
    anchor = _anchor(query, sort, params.get("before") or params.get("after"))
    down = sort.down != backwards
    if anchor is not None:
        query = query.filter(_beyond(sort.column, anchor, down))
    rows = first_rows(query, sort.column, size + 1, down=down, whole=whole)
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    return _page(rows, params, more=more, backwards=backwards, inside=anchor is not None or "end" in params)


def first_rows(
    query: QuerySet[Any], column: str, most: int, *, down: bool = False, whole: QuerySet[Any] | None = None
) -> list[Any]:
    """So many by the column and the id. `whole`: as in `Found`."""
    if whole is None:
        return list(_in_order(query, F(column), down=down)[:most])
    # What is no column has no index to walk; every id is above 0. Only those shown are joined with what they show.
    hidden = Case(When(pk__gt=0, then=F(column)))
    some = _in_order(query, hidden, down=down).values("pk")[:most]
    return list(_in_order(whole.filter(pk__in=some), F(column), down=down))


def _in_order(query: QuerySet[Any], key: Any, *, down: bool) -> QuerySet[Any]:
    return query.order_by(key.desc(), F("pk").desc()) if down else query.order_by(key.asc(), F("pk").asc())


def walked(query: QuerySet[Any], sort: Sort, names: set[str], size: int) -> Iterator[list[dict[str, Any]]]:
    """Every row of the query as a dict of these columns and "pk", in order, so many at a time.

    Each batch is a query of its own that goes on by key: no cursor, no transaction, flat memory.
    """
    columns, sign = {*names, sort.column, "pk"}, "-" if sort.down else ""
    some = sort.over(query).order_by(f"{sign}{sort.column}", f"{sign}pk").values(*columns)
    rows = list(some[:size])
    while rows:
        yield rows
        if len(rows) < size:
            return
        last = rows[-1]
        rows = list(some.filter(_beyond(sort.column, (last[sort.column], last["pk"]), sort.down))[:size])


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
    wanted = typed_id(pk)
    if wanted is None:
        return None
    found = sort.over(query.model._default_manager.filter(pk=wanted))
    values = list(found.values_list(sort.column, flat=True)[:1])
    return (values[0], wanted) if values else None


def _beyond(column: str, anchor: tuple[Any, int], down: bool) -> Q:
    """The rows past the anchor; one range of the index, with ties settled by id."""
    value, pk = anchor
    near, past = ("lte", "lt") if down else ("gte", "gt")
    return Q(**{f"{column}__{near}": value}) & (Q(**{f"{column}__{past}": value}) | Q(**{f"pk__{past}": pk}))


@dataclass(frozen=True)
class Found:
    """How many, as `counted`, and a query for the same rows that is quick to order.

    `whole`: what they are among, if they are to be sorted; None if the order's index is to be walked for them."""

    count: int
    rows: QuerySet[Any]
    whole: QuerySet[Any] | None


def found(query: QuerySet[Any], whole: QuerySet[Any], many: QuerySet[Any] | None = None) -> Found:
    """Counts and finds with one question.

    As many as are counted are asked for by their ids, among `whole`, and sorted: the order's index might have to be
    walked to its end for them, for all whose name begins with Z. Of more, walking it finds the first ones soon.
    `many`: the same rows, asked for so that it is walked, if `query` would rather sort them.
    """
    ids = list(query.order_by().values_list("pk", flat=True)[: COUNTED + 1])
    if len(ids) > COUNTED:
        return Found(len(ids), query if many is None else many, None)
    # Of none too, by an id nobody has: a page asks as many questions whatever there is.
    return Found(len(ids), whole.filter(pk__among=ids or [0]), whole)


def counted(query: QuerySet[Any]) -> int:
    """How many, exact up to `COUNTED`; one more than that means "more"."""
    return query.order_by().values("pk")[: COUNTED + 1].count()


class HowMany(Subquery):
    """`counted` as an expression, so that several numbers come with one question."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"

    def __init__(self, query: QuerySet[Any]) -> None:
        super().__init__(query.values("pk")[: COUNTED + 1], output_field=IntegerField())


def count_words(count: int) -> str:
    """ "2,310", or "10,000+"."""
    return f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"
