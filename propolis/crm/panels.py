"""Places in the CRM's pages which other apps fill; the CRM never asks by whom.

HTML goes through `propolis.ui.panels.register_panel(place, draw)`; the places, and what they are about:
  company.side, company.header_actions, company.badges        a Company
  contact.side, contact.header_actions, contact.badges        a Contact
  opportunity.side, opportunity.header_actions                an Opportunity
  dashboard.cards, dashboard.notices                          None
  companies.notices, contacts.notices, opportunities.notices  None
  companies.selection, contacts.selection                     None (a line in the selection bar)
Tables ("companies", "contacts", "opportunities") take columns, filters and chips:
  add_column("companies", Column(…)), add_filter("companies", Filter(…)), add_chip("companies", Chip(…)),
  add_preparation("companies", fn) for what those columns need.
`add_customer_condition(fn)`: fn() → a condition on Company under which it is a customer, not a prospect.
`add_merge_notice(fn)`: fn(survivor, loser) → safe HTML shown before two records are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q

from propolis.crm.models import Opportunity, OppStatus
from propolis.crm.tables import Chip, Column, Filter, Table

_tables: dict[str, Table] = {}
_customer_conditions: list[Callable[[], Any]] = []
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


def add_customer_condition(condition: Callable[[], Any]) -> None:
    if condition not in _customer_conditions:
        _customer_conditions.append(condition)


def is_customer() -> Q:
    """A condition on Company: something was won, or another app says so."""
    won = Opportunity.objects.filter(
        company=OuterRef("pk"), deleted_at=None, status__outcome=OppStatus.Outcome.WON
    )
    found = Q(Exists(won))
    for condition in _customer_conditions:
        found |= Q(condition())
    return found


def add_merge_notice(notice: Callable[[Any, Any], str]) -> None:
    if notice not in _merge_notices:
        _merge_notices.append(notice)


def merge_notices(survivor: Any, loser: Any) -> list[str]:
    return [text for notice in _merge_notices if (text := notice(survivor, loser))]
