"""What a backup holds: one table per object, each column with its heading, where it is read and how written.

Rows name each other by what outlives a database: records by uid, people by e-mail, statuses by name, Syncro
records by kind and id. No row carries a local id, so the files of a backup restored elsewhere are the same.
The token, password hashes, keys derived from other columns and `rev` are not in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import models

from propolis.accounts.models import Membership
from propolis.bridge.models import Connection, Erasure, Link, RemoteUser, StatusMap
from propolis.crm.fields import FIELDS, Field, Kind, Shape
from propolis.crm.models import (
    Company,
    Contact,
    List,
    ListMember,
    NotDuplicate,
    Note,
    Opportunity,
    OppStatus,
    Suppression,
)
from propolis.history.models import Change


@dataclass(frozen=True, slots=True)
class Column:
    """`name`: heading in the file. `path`: ORM path read. `shape`: how the cell is written
    (backup_cells.py). `attribute`: the model's attribute a restore sets, "" for what it never sets.
    `to`: which table a reference names a row of."""

    name: str
    path: str
    shape: str
    attribute: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One object's file. `key`: the columns that name a row. `order`: ORM ordering, or () to sort the whole
    (small) table by its key, so that two databases give one order. `ours_stay`: a restore adds what is
    missing and leaves every row that is here as it is now."""

    name: str
    model: type[models.Model]
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    order: tuple[str, ...] = ("id",)
    only: models.Q | None = None
    ours_stay: bool = False

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @property
    def headings(self) -> list[str]:
        return [column.name for column in self.columns]

    def places(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Positions of the named columns."""
        headings = self.headings
        return tuple(headings.index(name) for name in names)


NAMED_BY = {
    "people": "email_key",
    "companies": "uid",
    "contacts": "uid",
    "opportunities": "uid",
    "lists": "uid",
    "statuses": "name",
}
_SHAPES = {
    Shape.YES_NO: "bool",
    Shape.DATE: "date",
    Shape.INSTANT: "moment",
    Shape.MONEY: "decimal",
    Shape.PERCENT: "int",
    Shape.NUMBER: "int",
    Shape.FACTS: "json",
}
_REFERS = {
    Shape.COMPANY: "companies",
    Shape.CONTACT: "contacts",
    Shape.PERSON: "people",
    Shape.STATUS: "statuses",
}


def _of(shape: str) -> Callable[..., tuple[Column, ...]]:
    return lambda *names: tuple(Column(name, name, shape, name) for name in names)


_text, _int, _bool, _json = _of("text"), _of("int"), _of("bool"), _of("json")
_moment, _uid, _nullable = _of("moment"), _of("uid"), _of("nullable")


def _ref(name: str, to: str) -> Column:
    return Column(name, f"{name}__{NAMED_BY[to]}", "ref", f"{name}_id", to)


def _field(field: Field) -> Column:
    if field.shape in _REFERS:
        return _ref(field.name, _REFERS[field.shape])
    return Column(field.name, field.name, _SHAPES.get(field.shape, "text"), field.name)


def _record(kind: Kind, table: str, *, merges: bool, more: tuple[Column, ...] = ()) -> tuple[Column, ...]:
    return (
        *_uid("uid"),
        *(_field(field) for field in FIELDS[kind].values()),
        *more,
        *_moment("created_at", "edited_at", "deleted_at"),
        _ref("deleted_by", "people"),
        *((_ref("merged_into", table),) if merges else ()),
    )


PEOPLE = Table(
    "people",
    Membership,
    ("email_key",),
    (*_text("email_key", "name"), *_bool("is_admin", "is_marketer", "is_salesperson")),
    order=(),
    ours_stay=True,
)
STATUSES = Table(
    "statuses",
    OppStatus,
    ("name",),
    (*_text("name"), *_int("position"), *_text("outcome"), *_bool("archived")),
    order=(),
)
COMPANIES = Table("companies", Company, ("uid",), _record(Kind.COMPANY, "companies", merges=True))
CONTACTS = Table(
    "contacts",
    Contact,
    ("uid",),
    _record(Kind.CONTACT, "contacts", merges=True, more=_text("mail_state")),
)
OPPORTUNITIES = Table(
    "opportunities", Opportunity, ("uid",), _record(Kind.OPPORTUNITY, "opportunities", merges=False)
)
SUPPRESSIONS = Table(
    "suppressions",
    Suppression,
    ("email_key", "kind"),
    (
        *_text("email_key", "kind", "source", "reason"),
        _ref("by", "people"),
        *_moment("at", "lifted_at"),
        _ref("lifted_by", "people"),
        *_text("lifted_reason"),
    ),
    ours_stay=True,
)
LISTS = Table(
    "lists",
    List,
    ("uid",),
    (*_uid("uid"), *_text("name"), *_nullable("system_key"), *_bool("leads"), *_moment("created_at")),
    order=(),
)
LIST_MEMBERS = Table(
    "list_members",
    ListMember,
    ("list", "contact"),
    (
        _ref("list", "lists"),
        _ref("contact", "contacts"),
        *_text("state"),
        _ref("by", "people"),
        *_moment("at"),
    ),
)
NOTES = Table(
    "notes",
    Note,
    ("uid",),
    (
        *_uid("uid"),
        *_text("kind"),
        _ref("company", "companies"),
        _ref("contact", "contacts"),
        _ref("opportunity", "opportunities"),
        *_text("body"),
        _ref("by", "people"),
        *_moment("at", "deleted_at"),
    ),
)
NOT_DUPLICATES = Table(
    "not_duplicates",
    NotDuplicate,
    ("kind", "a", "b"),
    (
        *_text("kind"),
        Column("a", "a", "record", "a"),
        Column("b", "b", "record", "b"),
        _ref("by", "people"),
        *_moment("at"),
    ),
)
CONNECTION = Table(
    "connection",
    Connection,
    (),
    (
        *_text("label", "host", "remote_account"),
        *_int("remote_user_id"),
        *_text("rule"),
        *_json("field_rules", "fields_chosen", "custom_fields"),
        *_bool("include_disabled"),
        *_text("mail_leads"),
        *_int("old_leads_months"),
        *_text("send_without_opportunity", "users_step"),
        *_moment(
            "users_read_at", "companies_read_at", "contacts_read_at", "opportunities_read_at", "watermark"
        ),
        *_int("max_changes"),
    ),
)
REMOTE_USERS = Table(
    "remote_users",
    RemoteUser,
    ("remote_id",),
    (
        *_int("remote_id"),
        *_text("name", "email_key", "group"),
        _ref("membership", "people"),
        *_text("choice"),
        *_moment("first_seen_at", "left_at", "read_at"),
    ),
    order=("remote_id",),
)
STATUS_MAP = Table(
    "status_map",
    StatusMap,
    ("remote_status", "became_ticket"),
    (
        *_text("remote_status"),
        *_bool("became_ticket"),
        _ref("status", "statuses"),
        *_text("choice"),
        *_bool("send_back"),
        *_int("seen"),
    ),
    order=(),
)
LINKS = Table(
    "links",
    Link,
    ("kind", "remote_id"),
    (
        *_text("kind"),
        *_int("remote_id"),
        _ref("company", "companies"),
        _ref("contact", "contacts"),
        _ref("opportunity", "opportunities"),
        *_text("state"),
        *_int("parent_id"),
        *_json("agreed"),
        *_moment("agreed_at", "remote_updated_at"),
        *_text("remote_hash", "rule"),
        Column("candidates", "candidates", "candidates", "candidates"),
        *_text("choice"),
        _ref("choice_by", "people"),
        *_moment("choice_at"),
        *_text("reason"),
        *_bool("newer_here"),
        *_json("newer_fields"),
        *_moment("created_at"),
    ),
    order=("kind", "remote_id"),
)
ERASURES = Table(
    "erasures",
    Erasure,
    ("kind", "remote_id", "email_hash"),
    (*_text("kind"), *_int("remote_id"), *_text("email_hash", "salt"), *_moment("at")),
    ours_stay=True,
)
TIMELINE = Table(
    "timeline",
    Change,
    (),
    (
        *_text("kind"),
        Column("record", "local_id", "record", "local_id"),
        *_text("action", "state"),
        Column("fields", "fields", "changes", "fields"),
        Column("args", "args", "effects", "args"),
        *_text("reason"),
        _ref("actor", "people"),
        *_moment("at"),
    ),
    only=models.Q(run__isnull=True, local_id__isnull=False, state__in=["applied", "undone"]),
)

# In the order a restore writes them: whoever is referred to comes first.
TABLES = (
    PEOPLE,
    STATUSES,
    SUPPRESSIONS,
    COMPANIES,
    CONTACTS,
    OPPORTUNITIES,
    LISTS,
    LIST_MEMBERS,
    NOTES,
    NOT_DUPLICATES,
    CONNECTION,
    REMOTE_USERS,
    STATUS_MAP,
    LINKS,
    ERASURES,
    TIMELINE,
)
BY_NAME = {table.name: table for table in TABLES}
# Which table a Change's, Link's or not-duplicate's record of a kind is in.
RECORDS_OF = {
    "company": COMPANIES,
    "contact": CONTACTS,
    "opportunity": OPPORTUNITIES,
    "list": LISTS,
    "note": NOTES,
    "customer": COMPANIES,
    "customer_person": CONTACTS,
    "lead": OPPORTUNITIES,
}
