"""Tables of records: what may be shown, filtered and sorted, and one page of it.

A table is data (`Table`); other apps add columns, filters and chips of theirs by `propolis.crm.panels`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import Func, QuerySet
from django.http import HttpRequest

from propolis.accounts.models import Membership
from propolis.crm import paging
from propolis.crm.models import Columns
from propolis.crm.paging import Page, Sort

Cell = Callable[[Any, "View"], Any]
Options = Callable[[HttpRequest], Iterable[tuple[str, str]]]
Apply = Callable[[QuerySet[Any], str], QuerySet[Any]]
Named = Callable[[HttpRequest, str], tuple[str, str] | None]
Search = Callable[..., QuerySet[Any]]

_UPWARDS = frozenset({"name", "close"})


@dataclass(frozen=True)
class Column:
    """`cell(row, view)` gives text or safe HTML. `sort`: key in the table's `sorts`, "" for none.
    `shown`: without anybody having chosen."""

    key: str
    label: str
    cell: Cell
    sort: str = ""
    shown: bool = True
    number: bool = False


@dataclass(frozen=True)
class Filter:
    """A choice in the address: `?key=value`. `options(request)`: (value, words); `free`: any value goes.
    `many`: the same as `apply`, said as is quickest for many rows of which only the first are wanted.
    `named(request, value)`: (words, address) of the record it narrows to, None where there is none."""

    key: str
    label: str
    apply: Apply
    options: Options | None = None
    free: bool = False
    many: Apply | None = None
    named: Named | None = None


@dataclass(frozen=True)
class Chip:
    """One of the exclusive views of a table, `?show=key`. `counted`: how many is printed on it, and where
    there are none the chip stays away."""

    key: str
    label: str
    apply: Callable[[QuerySet[Any]], QuerySet[Any]]
    counted: bool = False


@dataclass
class Table:
    """`page`: its name, for remembered columns. `rows()`: every record it is about, related rows joined.
    `search`: as `finding.narrowed`. `prepare(rows)`: name → what cells need for this page's rows, with a constant
    number of queries."""

    page: str
    noun: tuple[str, str]
    rows: Callable[[], QuerySet[Any]]
    name: Column
    columns: list[Column]
    chips: list[Chip]
    filters: list[Filter]
    search: Search
    sorts: Mapping[str, str | Func[Any]]
    sort: str = "name"
    prepare: list[Callable[[Sequence[Any]], Mapping[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True)
class ShownFilter:
    key: str
    label: str
    value: str
    options: list[tuple[str, str]]


@dataclass(frozen=True)
class ShownChip:
    label: str
    href: str
    current: bool
    count: str


@dataclass(frozen=True)
class Heading:
    label: str
    href: str
    direction: str
    number: bool


@dataclass
class View:
    """One page of a table as one person sees it. `many`: the rows of `query`, asked for as is quickest for many."""

    request: HttpRequest
    table: Table
    params: dict[str, str]
    sort: Sort
    query: QuerySet[Any]
    many: QuerySet[Any]
    base: QuerySet[Any]
    columns: list[Column]
    chosen: Chip
    prepared: dict[str, Any] = field(default_factory=dict)
    page: Page = field(init=False)
    count: int = field(init=False)

    def load(self) -> View:
        """Reads the page, the count and what the cells need."""
        found = paging.found(self.query, self.table.rows(), self.many)
        self.count = found.count
        self.page = paging.page(found.rows, self.sort, self.params, whole=found.whole)
        for prepare in self.table.prepare:
            self.prepared |= prepare(self.page.rows)
        return self

    @property
    def count_words(self) -> str:
        return f"{paging.count_words(self.count)} {self.table.noun[self.count != 1]}"

    @property
    def filtered(self) -> bool:
        return any(key not in ("sort", "show", *paging._POSITION) for key in self.params)

    @property
    def narrowing(self) -> str:
        """The query string of filters and order, without the place."""
        return urlencode({k: v for k, v in self.params.items() if k not in paging._POSITION})

    def lines(self) -> list[tuple[Any, Any, list[tuple[Any, bool]]]]:
        """(row, name cell, [(cell, is a number)])."""
        name = self.table.name.cell
        return [
            (r, name(r, self), [(c.cell(r, self), c.number) for c in self.columns]) for r in self.page.rows
        ]

    def headings(self) -> list[Heading]:
        return [self._heading(column) for column in (self.table.name, *self.columns)]

    def _heading(self, column: Column) -> Heading:
        if not column.sort:
            return Heading(column.label, "", "", column.number)
        mine = self.sort.key == column.sort
        # Dates begin with the newest, names with A, what is to come with the soonest.
        down = not self.sort.down if mine else column.sort not in _UPWARDS
        direction = ("descending" if self.sort.down else "ascending") if mine else ""
        return Heading(
            column.label, self._to(sort=f"{'-' if down else ''}{column.sort}"), direction, column.number
        )

    def _to(self, **changed: str) -> str:
        kept = {k: v for k, v in self.params.items() if k not in paging._POSITION}
        return "?" + urlencode({k: v for k, v in {**kept, **changed}.items() if v})

    def chips(self) -> list[ShownChip]:
        shown = []
        for chip in self.table.chips:
            count = paging.counted(chip.apply(self.base)) if chip.counted else 0
            if chip.counted and not count and chip is not self.chosen:
                continue
            value = "" if chip is self.table.chips[0] else chip.key
            words = paging.count_words(count) if chip.counted else ""
            shown.append(ShownChip(chip.label, self._to(show=value), chip is self.chosen, words))
        return shown

    def filters(self) -> list[ShownFilter]:
        """Those with a list to choose from."""
        return [
            ShownFilter(f.key, f.label, self.params.get(f.key, ""), list(f.options(self.request)))
            for f in self.table.filters
            if f.options
        ]

    def kept(self) -> list[tuple[str, str]]:
        """What a form of filters has no field for and must not lose: the order, the view, the company whose contacts
        they are. Name and value."""
        names = ["sort", "show", *(each.key for each in self.table.filters if not each.options)]
        return [(name, self.params[name]) for name in names if name in self.params]

    def narrowed_to(self) -> list[tuple[str, str, str]]:
        """The records whose rows these are: "Company", its name, its address."""
        asked = [each for each in self.table.filters if each.named and each.key in self.params]
        found = [
            (each.label, each.named and each.named(self.request, self.params[each.key])) for each in asked
        ]
        return [(label, *named) for label, named in found if named]

    def all_columns(self) -> list[tuple[Column, bool]]:
        return [(column, column in self.columns) for column in self.table.columns]


def view(
    request: HttpRequest,
    table: Table,
    base: QuerySet[Any] | None = None,
    asked: Mapping[str, str] | None = None,
) -> View:
    """The table as the address says, or as the words of another one do (`asked`); not loaded yet. `base`: fewer
    records than the table's own."""
    params = {key: str(value) for key, value in (request.GET if asked is None else asked).items() if value}
    rows = table.rows() if base is None else base
    chosen = next((c for c in table.chips if c.key == params.get("show")), table.chips[0])
    query = many = chosen.apply(rows)
    for each in table.filters:
        if each.key in params:
            value, same = params[each.key], many is query and each.many is None
            query = each.apply(query, value)
            many = query if same else (each.many or each.apply)(many, value)
    if "q" in params:
        many = table.search(many, params["q"], many=True)
        query = table.search(query, params["q"])
    sort = paging.parse_sort(params.get("sort", ""), table.sorts, table.sort)
    columns = chosen_columns(table, getattr(request, "membership", None))
    return View(request, table, params, sort, query, many, rows, columns, chosen)


def chosen_columns(table: Table, membership: Membership | None) -> list[Column]:
    """In the table's order; those of a person's choice, else the usual."""
    kept = Columns.objects.filter(membership=membership, page=table.page).first() if membership else None
    if kept is None:
        return [column for column in table.columns if column.shown]
    return [column for column in table.columns if column.key in kept.columns]


def remember_columns(table: Table, membership: Membership, keys: Iterable[str]) -> None:
    wanted = set(keys)
    Columns.objects.update_or_create(
        account_id=membership.account_id,
        membership=membership,
        page=table.page,
        defaults={"columns": [column.key for column in table.columns if column.key in wanted]},
    )
