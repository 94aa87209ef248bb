"""Plain values into rows, with every derived key, and back; no queries, nothing is saved.

A plain value is a str, bool, int or None, as JSON keeps it: dates and instants in ISO 8601, amounts as
decimal text, references as ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from propolis.crm import keys
from propolis.crm.fields import COMPANY_FIELDS, CONTACT_FIELDS, FIELDS, OPPORTUNITY_FIELDS, Field, Kind, Shape
from propolis.crm.models import Company, Contact, Opportunity

Plain = str | bool | int | None
Values = Mapping[str, Any]

_TEXTS = frozenset({Shape.TEXT, Shape.LONG, Shape.EMAIL, Shape.PHONE, Shape.WEBSITE})
_PHONES = frozenset({"phone", "mobile"})
_COMPANY_NAMES = frozenset({"name", "residential"})
_CONTACT_NAMES = frozenset({"first", "last", "email", "phone"})
_DOMAIN_SOURCES = frozenset({"website", "email"})

_TEXT_NAMES = {
    kind: frozenset(f.name for f in fields.values() if f.shape in _TEXTS) for kind, fields in FIELDS.items()
}

# For upserts: every column `fill_*` may set, keys included.
_KEYS = ("sort_name", "name_key", "email_key", "phone_key", "mobile_key")
COMPANY_COLUMNS = (*(f.name for f in COMPANY_FIELDS), *_KEYS, "domain")
CONTACT_COLUMNS = (*(f.name for f in CONTACT_FIELDS), *_KEYS)
OPPORTUNITY_COLUMNS = (*(f.name for f in OPPORTUNITY_FIELDS), "sort_name")


class NoSuchField(KeyError):
    """A value was given for a field that this kind of record does not have."""


def fill_company(row: Company, values: Values, region: str) -> Company:
    """Sets the given fields and every key that follows from them; `region` as in `keys.phone_key`."""
    _set(row, Kind.COMPANY, values)
    given = values.keys()
    if not _COMPANY_NAMES.isdisjoint(given) or not row.sort_name:
        row.sort_name = keys.sort_key(row.name)
        row.name_key = keys.person_key(row.name) if row.residential else keys.name_key(row.name)
    if not _DOMAIN_SOURCES.isdisjoint(given):
        row.domain = keys.domain_of(row.website) or keys.domain_of(row.email)
    _reach(row, given, region)
    return row


def fill_contact(row: Contact, values: Values, region: str) -> Contact:
    """Sets the given fields and every key that follows from them; `region` as in `keys.phone_key`."""
    _set(row, Kind.CONTACT, values)
    given = values.keys()
    if not _CONTACT_NAMES.isdisjoint(given) or not row.sort_name:
        whole = keys.join_name(row.first, row.last)
        row.name_key = keys.person_key(whole) if whole else ""
        row.sort_name = keys.sort_key(whole or row.email or row.phone)
    _reach(row, given, region)
    return row


def fill_opportunity(row: Opportunity, values: Values) -> Opportunity:
    """Sets the given fields and the key to sort by."""
    _set(row, Kind.OPPORTUNITY, values)
    if "name" in values or not row.sort_name:
        row.sort_name = keys.sort_key(row.name)
    return row


def fill(row: Company | Contact | Opportunity, values: Values, region: str) -> None:
    """Whichever of the three it is."""
    if isinstance(row, Company):
        fill_company(row, values, region)
    elif isinstance(row, Contact):
        fill_contact(row, values, region)
    else:
        fill_opportunity(row, values)


def _reach(row: Company | Contact, given: Any, region: str) -> None:
    if "email" in given:
        row.email_key = keys.email_key(row.email)
    if "phone" in given:
        row.phone_key = keys.phone_key(row.phone, region)
    if "mobile" in given:
        row.mobile_key = keys.phone_key(row.mobile, region)


def _set(row: Any, kind: Kind, values: Values) -> None:
    texts = _TEXT_NAMES[kind]
    for name, value in values.items():
        if name in texts:
            setattr(row, name, keys.clean(value))
            continue
        field = FIELDS[kind].get(name)
        if field is None:
            raise NoSuchField(f"{kind} has no field {name!r}")
        setattr(row, field.attribute, _typed(field, value))


def _typed(field: Field, value: Any) -> Any:
    if field.shape is Shape.YES_NO:
        return bool(value)
    if field.shape is Shape.FACTS:
        return value or {}
    if value is None or value == "":
        return None
    if field.shape is Shape.DATE:
        return value if isinstance(value, date) else date.fromisoformat(value)
    if field.shape is Shape.INSTANT:
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if field.shape is Shape.MONEY:
        return _money(value)
    return value.pk if hasattr(value, "pk") else int(value)


def _money(value: Any) -> Decimal:
    try:
        return Decimal(value).quantize(Decimal("0.01"))
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no amount") from error


def plain(value: Any) -> Any:
    """The value as JSON keeps it."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def kind_of(row: Company | Contact | Opportunity) -> Kind:
    """Which kind of record a row is."""
    return Kind(row._meta.model_name or "")


def values_of(row: Company | Contact | Opportunity) -> dict[str, Any]:
    """Every field of the row as a plain value; `fill_*` of them gives the same row."""
    fields = FIELDS[kind_of(row)].values()
    return {field.name: plain(getattr(row, field.attribute)) for field in fields}
