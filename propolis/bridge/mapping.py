"""Syncro record ⇄ neutral values ⇄ our row: the only file that names both sides' fields. No queries.

Each remote record first becomes a *raw* dict: Syncro's own keys and values, only those we map, absent keys
left out. The Link keeps that dict as what both sides agreed on, and `…_values` turns either (today's or the
agreed one) into our shape, so that both are always seen through the same mapping.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import msgspec

from propolis.crm import keys
from propolis.merge.record import Value
from propolis.syncro.records import UNSET, Customer, Lead
from propolis.syncro.records import Contact as SyncroContact

Raw = dict[str, Any]
Values = dict[str, Value]

# Ours → Syncro's key. The name is apart: several of theirs make one of ours.
COMPANY_TEXTS = {
    "email": "email",
    "phone": "phone",
    "mobile": "mobile",
    "address_1": "address",
    "address_2": "address_2",
    "city": "city",
    "state": "state",
    "zip": "zip",
    "notes": "notes",
}
CONTACT_TEXTS = {
    "title": "title",
    "email": "email",
    "phone": "phone",
    "extension": "extension",
    "mobile": "mobile",
    "address_1": "address1",
    "address_2": "address2",
    "city": "city",
    "state": "state",
    "zip": "zip",
    "notes": "notes",
}
PERSON_TEXTS = {"email": "email", "phone": "phone", "mobile": "mobile"}

# What comes unless an Admin chooses otherwise: technicians keep door codes and passwords in notes.
COMPANY_FIELDS = ("name", "residential", *COMPANY_TEXTS)
CONTACT_FIELDS = ("name", *CONTACT_TEXTS)
OFF_BY_DEFAULT = frozenset({"notes"})

_CUSTOMER_KEYS = ("business_name", "firstname", "lastname", *COMPANY_TEXTS.values(), "disabled")
_PERSON_KEYS = ("firstname", "lastname", "email", "phone", "mobile", "opt_out", "no_email")
_CONTACT_KEYS = ("name", *(k for k in CONTACT_TEXTS.values() if k != "title"), "opt_out", "customer_id")
_LEAD_KEYS = (
    "first_name",
    "last_name",
    "business_then_name",
    "email",
    "phone",
    "mobile",
    "status",
    "ticket_subject",
    "ticket_id",
    "customer_id",
    "contact_id",
    "user_id",
    "mailbox_id",
)


# Several times faster to make than a frozen dataclass.
class Incoming(msgspec.Struct, frozen=True):
    """One remote record as one page showed it.

    `kind`: Link.Kind. `parent`: the Syncro customer it hangs on. `read_at`: when its page was asked for.
    """

    kind: str
    remote_id: int
    raw: Raw
    hash: str
    updated_at: datetime | None
    read_at: datetime
    parent: int | None = None
    created_at: datetime | None = None


_sorted = msgspec.json.Encoder(order="sorted")


def fingerprint(raw: Raw, salt: str = "") -> str:
    """32 characters that change whenever a mapped value does."""
    try:
        body = _sorted.encode(raw)
    except (TypeError, ValueError):
        body = b"\xff"
    if not body.isascii():  # as older fingerprints were made, or all such records would look changed once
        body = json.dumps(raw, separators=(",", ":"), sort_keys=True, default=str).encode()
    return blake2b(body + salt.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def keys_left_out(texts: Mapping[str, str], fields: frozenset[str]) -> frozenset[str]:
    """Syncro's keys of the fields an Admin did not choose: they are kept nowhere here."""
    return frozenset(theirs for ours, theirs in texts.items() if ours not in fields)


def _raw(record: object, names: tuple[str, ...]) -> Raw:
    # No text needs cleaning: parsing has refused or cleaned what no database stores.
    values = zip(names, _taken(names)(record), strict=True)
    return {name: value for name, value in values if value is not UNSET}


@cache
def _taken(names: tuple[str, ...]) -> attrgetter[tuple[Any, ...]]:
    return attrgetter(*names)


# ---- customers and companies


def customer_raw(customer: Customer, custom: Sequence[str] = ()) -> Raw:
    """The mapped keys of a customer, and the chosen custom fields under "custom"."""
    raw = _raw(customer, _CUSTOMER_KEYS)
    if custom and isinstance(customer.properties, dict):
        raw["custom"] = {name: plain(customer.properties.get(name)) for name in custom}
    return raw


def plain(value: object) -> str:
    """A custom field as text, whatever its type."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "Yes", False: "No"}[value]
    return keys.clean(value if isinstance(value, str) else json.dumps(value, default=str))


def company_values(raw: Mapping[str, Any], remote_id: int, fields: frozenset[str]) -> Values:
    """Our values of a customer; a customer without a business name is a person (residential)."""
    values: Values = {}
    business = _stripped(raw.get("business_name"))
    if "business_name" in raw or "lastname" in raw or "firstname" in raw:
        values["name"] = business or _customer_person(raw) or _stand_in(raw, remote_id)
        values["residential"] = not business
    for ours, theirs in COMPANY_TEXTS.items():
        if ours in fields and theirs in raw:
            values[ours] = _stripped(raw[theirs])
    return values


def _customer_person(raw: Mapping[str, Any]) -> str:
    return keys.join_name(_stripped(raw.get("firstname")), _stripped(raw.get("lastname")))


def _stand_in(raw: Mapping[str, Any], remote_id: int) -> str:
    """A name for a customer without any: e-mail, phone, else its number."""
    for name in ("email", "phone", "mobile"):
        if found := _stripped(raw.get(name)):
            return found
    return f"Syncro customer #{remote_id}"


# ---- contacts, and the person on a customer record


def contact_raw(contact: SyncroContact) -> Raw:
    raw = _raw(contact, _CONTACT_KEYS)
    title = contact.title
    if title is not UNSET:
        raw["title"] = keys.clean(str(title)) if title is not None else None
    return raw


def contact_values(raw: Mapping[str, Any], fields: frozenset[str]) -> Values:
    values: Values = {"name": _stripped(raw["name"])} if "name" in raw else {}
    for ours, theirs in _contact_texts(fields):
        if theirs in raw:
            value = raw[theirs]
            values[ours] = value.strip() if isinstance(value, str) else _stripped(value)
    return values


@cache
def _contact_texts(fields: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple((ours, theirs) for ours, theirs in CONTACT_TEXTS.items() if ours in fields)


def person_raw(customer: Customer) -> Raw:
    return _raw(customer, _PERSON_KEYS)


def has_person(raw: Mapping[str, Any]) -> bool:
    """The customer record names a person."""
    return bool(_customer_person(raw))


def person_values(raw: Mapping[str, Any], fields: frozenset[str]) -> Values:
    values: Values = {}
    if "firstname" in raw or "lastname" in raw:
        values["name"] = _customer_person(raw)
    for ours, theirs in PERSON_TEXTS.items():
        if ours in fields and theirs in raw:
            values[ours] = _stripped(raw[theirs])
    return values


def wants_no_mail(raw: Mapping[str, Any]) -> bool:
    """Opted out in Syncro, or marked no-email there."""
    return raw.get("opt_out") is True or raw.get("no_email") is True


# ---- leads and opportunities


def lead_raw(lead: Lead) -> Raw:
    raw = _raw(lead, _LEAD_KEYS)
    amount = lead.opportunity_amount_dollars
    if isinstance(amount, Decimal):
        raw["opportunity_amount_dollars"] = str(amount)
    if isinstance(lead.likelihood, int):
        raw["likelihood"] = lead.likelihood
    return raw


def lead_person(raw: Mapping[str, Any]) -> str:
    whole = keys.join_name(_stripped(raw.get("first_name")), _stripped(raw.get("last_name")))
    return whole or _stripped(raw.get("business_then_name")) or _stripped(raw.get("email"))


_REPLY = ("re:", "fw:", "fwd:", "aw:", "wg:")


def lead_name(raw: Mapping[str, Any], created: str) -> str:
    """The subject without RE:/FW:, else "<business or person> – lead of 23 Oct 2019" (`created`)."""
    subject = _stripped(raw.get("ticket_subject"))
    while subject.lower().startswith(_REPLY):
        subject = subject.partition(":")[2].strip()
    if subject:
        return subject
    who = _stripped(raw.get("business_then_name")) or lead_person(raw) or "Unknown"
    return f"{who} – lead of {created}" if created else f"{who} – lead"


# ---- comparing


def _stripped(value: object) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)
