"""Syncro record ⇄ neutral values ⇄ our row: the only file that names both sides' fields. No queries.

Each remote record first becomes a *raw* dict: Syncro's own keys and values, only those we map, absent keys
left out. The Link keeps that dict as what both sides agreed on, and `…_values` turns either (today's or the
agreed one) into our shape, so that both are always seen through the same mapping.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from propolis.crm import keys
from propolis.crm.models import Company, Contact
from propolis.merge.record import CompanyKeys, ContactKeys, Value
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


@dataclass(frozen=True, slots=True)
class Incoming:
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


def fingerprint(raw: Raw, salt: str = "") -> str:
    """32 characters that change whenever a mapped value does."""
    text = json.dumps(raw, separators=(",", ":"), sort_keys=True, default=str) + salt
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _raw(record: object, names: Sequence[str]) -> Raw:
    found: Raw = {}
    for name in names:
        value = getattr(record, name)
        if value is not UNSET:
            found[name] = keys.clean(value) if isinstance(value, str) else value
    return found


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


def company_keys(values: Mapping[str, Value], region: str, website: str = "") -> CompanyKeys:
    """What a company with these values is recognised by."""
    email, residential = _text(values, "email"), values.get("residential") is True
    domains = {keys.domain_of(email), keys.domain_of(website)} - {""}
    phones = {keys.phone_key(_text(values, name), region) for name in ("phone", "mobile")} - {""}
    name = _text(values, "name")
    return CompanyKeys(
        name=keys.person_key(name) if residential else keys.name_key(name),
        domains=frozenset(domains),
        email=keys.email_key(email),
        phones=frozenset(phones),
        city=keys.fold(_text(values, "city")),
        residential=residential,
        person=keys.person_key(name) if residential else "",
    )


def company_row_keys(row: Company) -> CompanyKeys:
    """The same of one of our rows, from its stored keys."""
    return CompanyKeys(
        name=row.name_key,
        domains=frozenset({row.domain, keys.domain_of(row.email)} - {""}),
        email=row.email_key,
        phones=frozenset({row.phone_key, row.mobile_key} - {""}),
        city=keys.fold(row.city),
        residential=row.residential,
        person=keys.person_key(row.name) if row.residential else "",
    )


# ---- contacts, and the person on a customer record


def contact_raw(contact: SyncroContact) -> Raw:
    raw = _raw(contact, _CONTACT_KEYS)
    title = contact.title
    if title is not UNSET:
        raw["title"] = keys.clean(str(title)) if title is not None else None
    return raw


def contact_values(raw: Mapping[str, Any], fields: frozenset[str]) -> Values:
    values: Values = {}
    if "name" in raw:
        values["name"] = _stripped(raw["name"])
    for ours, theirs in CONTACT_TEXTS.items():
        if ours in fields and theirs in raw:
            values[ours] = _stripped(raw[theirs])
    return values


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


def contact_keys(values: Mapping[str, Value], company: int | None) -> ContactKeys:
    """`company`: local id of the company its customer stands for here, if that is known."""
    email = _text(values, "email")
    return ContactKeys(
        name=keys.person_key(_text(values, "name")),
        email=keys.email_key(email),
        role_address=keys.is_role_address(email),
        company=company,
    )


def contact_row_keys(row: Contact) -> ContactKeys:
    return ContactKeys(
        name=row.name_key,
        email=row.email_key,
        role_address=keys.is_role_address(row.email),
        company=row.company_id,
    )


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


def normaliser(region: str) -> Callable[[str, Value], Value]:
    """How two values of a field are compared: phone digits, lower-cased e-mail, single spaces."""

    def normalise(field: str, value: Value) -> Value:
        if not isinstance(value, str):
            return value
        if field in ("phone", "mobile"):
            return keys.phone_key(value, region) or _digits(value)
        if field == "email":
            return keys.email_key(value) or value.strip().lower()
        return " ".join(value.split())

    return normalise


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit()) or " ".join(text.split()).lower()


def _stripped(value: object) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)


def _text(values: Mapping[str, Value], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
