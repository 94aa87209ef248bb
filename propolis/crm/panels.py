"""Places in the CRM's pages which other apps fill; the CRM never asks by whom.

HTML goes through `propolis.ui.panels.register_panel(place, draw)`; the places, and what they are about:
  company.side, company.header_actions, company.badges        a Company
  contact.side, contact.header_actions, contact.badges        a Contact
  opportunity.side, opportunity.header_actions                an Opportunity
  opportunity.moved                                           an Opportunity, for the message after a move
  dashboard.cards, dashboard.notices                          None
  dashboard.first                                             None (where to begin in an empty account)
  companies.notices, contacts.notices, opportunities.notices  None
  companies.selection, contacts.selection                     None (a line in the selection bar)
Tables ("companies", "contacts", "opportunities") take columns, filters and chips:
  add_column("companies", Column(…)), add_filter("companies", Filter(…)), add_chip("companies", Chip(…)),
  add_preparation("companies", fn) for what those columns need.
`add_customer_reason(fn)`: fn() → rows of which any makes the company `OuterRef("pk")` a customer, not a prospect.
`add_status_use(use)`: somebody else points at statuses of opportunities, and follows one that is archived.
`add_merge_notice(fn)`: fn(survivor, loser) → safe HTML shown before two records are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Protocol

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull

from propolis.crm.models import Opportunity, OppStatus
from propolis.crm.tables import Chip, Column, Filter, Table

_tables: dict[str, Table] = {}
_customer_reasons: list[Callable[[], QuerySet[Any]]] = []
_merge_notices: list[Callable[[Any, Any], str]] = []


def register_table(table: Table) -> None:
    _tables[table.page] = table


def table_of(page: str) -> Table:
    """KeyError for a page without a table."""
    return _tables[page]


def add_column(page: str, column: Column) -> None:
    if all(known.key != column.key for known in table_of(page).columns):
        table_of(page).columns.append(column)


def add_filter(page: str, new: Filter) -> None:
    if all(known.key != new.key for known in table_of(page).filters):
        table_of(page).filters.append(new)


def add_chip(page: str, chip: Chip) -> None:
    if all(known.key != chip.key for known in table_of(page).chips):
        table_of(page).chips.append(chip)


def add_preparation(page: str, prepare: Callable[[Sequence[Any]], Mapping[str, Any]]) -> None:
    if prepare not in table_of(page).prepare:
        table_of(page).prepare.append(prepare)


def add_customer_reason(reason: Callable[[], QuerySet[Any]]) -> None:
    if reason not in _customer_reasons:
        _customer_reasons.append(reason)


def is_customer(*, each: bool = False) -> Q:
    """A condition on Company: something was won, or another app says so.

    `each`: to be looked up company by company, where PostgreSQL would begin by reading all customers."""
    if each:
        return reduce(or_, (Q(IsNull(Subquery(rows.values("pk")[:1]), False)) for rows in _reasons()))
    return reduce(or_, (Q(Exists(rows)) for rows in _reasons()))


def prospects(query: QuerySet[Any]) -> QuerySet[Any]:
    """The companies that are no customers. Each reason is denied by itself: PostgreSQL then joins against it,
    where it would look up company by company in "none of them"."""
    for rows in _reasons():
        query = query.filter(~Exists(rows))
    return query


def _reasons() -> list[QuerySet[Any]]:
    won = Opportunity.objects.filter(
        company=OuterRef("pk"), deleted_at=None, status__outcome=OppStatus.Outcome.WON
    )
    # What other apps say comes first, as it holds for more of them: the rest is then not even read.
    return [*(reason() for reason in _customer_reasons), won]


class StatusUse(Protocol):
    def says(self, status: OppStatus) -> str:
        """A sentence for the person who wants to archive it, "" where it is not used."""

    def moved(self, status: OppStatus, to: OppStatus) -> None:
        """Points at `to` from now on; called in the transaction that archives `status`."""


_status_uses: list[StatusUse] = []


def add_status_use(use: StatusUse) -> None:
    if use not in _status_uses:
        _status_uses.append(use)


def status_uses() -> Sequence[StatusUse]:
    return _status_uses


def add_merge_notice(notice: Callable[[Any, Any], str]) -> None:
    if notice not in _merge_notices:
        _merge_notices.append(notice)


def merge_notices(survivor: Any, loser: Any) -> list[str]:
    return [text for notice in _merge_notices if (text := notice(survivor, loser))]
