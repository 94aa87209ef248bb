"""The columns of a complete CSV export: everything a record holds, named as on screen, readable by our own import."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from propolis.crm.fields import FIELDS, Field, Kind, Shape
from propolis.crm.keys import join_name
from propolis.crm.models import Contact, ListMember

RECORD_ID = "Propolis ID"
CREATED, EDITED = "Date created (UTC)", "Last changed (UTC)"
MAILING, LISTS = "Mailing", "Lists"
DOMAIN, COMPANY_DOMAIN = "Domain", "Company domain"

_QUOTE = '"'

Row = Mapping[str, Any]


@dataclass(frozen=True)
class CsvColumn:
    """`paths`: what the text is made of, in the ORM's words; `text` gets their values."""

    heading: str
    paths: tuple[str, ...]
    text: Callable[..., str]

    def cell(self, row: Row) -> str:
        return self.text(*(row[path] for path in self.paths))


def columns_of(kind: Kind) -> list[CsvColumn]:
    """In the order of the file."""
    made = [CsvColumn(RECORD_ID, ("uid",), _plain)]
    for field in FIELDS[kind].values():
        if field.shape is not Shape.NUMBER:  # numbers of somebody elsewhere mean nothing in a file
            made += _of_field(field)
        if kind is Kind.COMPANY and field.name == "website":
            made.append(CsvColumn(DOMAIN, ("domain",), _plain))
        if kind is Kind.CONTACT and field.name == "company":
            made.append(CsvColumn(COMPANY_DOMAIN, ("company__domain", "company__deleted_at"), _alive))
    if kind is Kind.CONTACT:
        made.append(CsvColumn(MAILING, ("mail_state",), _mailing))
        made.append(CsvColumn(LISTS, (LISTS,), listed))
    made.append(CsvColumn(CREATED, ("created_at",), _plain))
    made.append(CsvColumn(EDITED, ("edited_at",), _plain))
    return made


def paths_of(columns: Sequence[CsvColumn]) -> set[str]:
    """What to ask the database for."""
    return {path for column in columns for path in column.paths} - {LISTS}


def complete(kind: Kind, rows: Sequence[dict[str, Any]]) -> None:
    """Adds what is no column of the database: the lists of contacts; one query."""
    if kind is not Kind.CONTACT:
        return
    names: dict[int, list[str]] = {}
    here = ListMember.objects.filter(contact__in=[row["pk"] for row in rows], state=ListMember.State.IN)
    for pk, name in here.order_by("list__name_key").values_list("contact_id", "list__name"):
        names.setdefault(pk, []).append(name)
    for row in rows:
        row[LISTS] = names.get(row["pk"], [])


def _of_field(field: Field) -> list[CsvColumn]:
    name = field.name
    if field.shape is Shape.COMPANY:
        return [CsvColumn(field.label, (f"{name}__name", f"{name}__deleted_at"), _alive)]
    if field.shape is Shape.CONTACT:
        paths = (f"{name}__first", f"{name}__last", f"{name}__email", f"{name}__deleted_at")
        return [CsvColumn(field.label, paths, _person)]
    if field.shape is Shape.PERSON:
        return [CsvColumn(field.label, (f"{name}__name", f"{name}__email_key"), _first_given)]
    if field.shape is Shape.STATUS:
        return [CsvColumn(field.label, (f"{name}__name",), _plain)]
    return [CsvColumn(_heading(field), (field.attribute,), _plain)]


def _heading(field: Field) -> str:
    return f"{field.label} (UTC)" if field.shape is Shape.INSTANT else field.label


def listed(names: Sequence[str]) -> str:
    """ "News; VIP"; a name with a semicolon or a quote of its own in quotes, or it would come back as two."""
    return "; ".join(f'"{n.replace(_QUOTE, 2 * _QUOTE)}"' if {";", _QUOTE} & set(n) else n for n in names)


def unlisted(cell: str) -> list[str]:
    """The names again."""
    reader = csv.reader([cell.replace("\n", " ")], delimiter=";", skipinitialspace=True)
    return next(reader, [])


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {each}" for name, each in value.items())
    return str(value)


def _alive(value: str | None, deleted_at: datetime | None) -> str:
    return "" if deleted_at else value or ""


def _person(first: str | None, last: str | None, email: str | None, deleted_at: datetime | None) -> str:
    return "" if deleted_at else join_name(first or "", last or "") or email or ""


def _first_given(*values: str | None) -> str:
    return next((value for value in values if value), "")


def _mailing(state: str) -> str:
    return Contact.MailState(state).label
