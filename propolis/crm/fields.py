"""The closed list of fields per kind of record: the single place that knows what a record holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a record is; the values are stored on Changes."""

    COMPANY = "company"
    CONTACT = "contact"
    OPPORTUNITY = "opportunity"


class Shape(StrEnum):
    """How a field's value looks, in forms, tables and history."""

    TEXT = "text"
    LONG = "long"
    EMAIL = "email"
    PHONE = "phone"
    WEBSITE = "website"
    YES_NO = "yes_no"
    DATE = "date"
    INSTANT = "instant"
    MONEY = "money"
    PERCENT = "percent"
    NUMBER = "number"
    COMPANY = "company"
    CONTACT = "contact"
    PERSON = "person"
    STATUS = "status"
    FACTS = "facts"


REFERENCES = frozenset({Shape.COMPANY, Shape.CONTACT, Shape.PERSON, Shape.STATUS})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    `label`: as printed on screen. `synced`: exists on the other side too, so a person's edit moves the merge
    clock `edited_at`. `by_hand`: a person may type it here.
    """

    name: str
    label: str
    shape: Shape = Shape.TEXT
    synced: bool = False
    by_hand: bool = True

    @property
    def attribute(self) -> str:
        """The model's attribute that holds the plain value: the id where the field is a reference."""
        return f"{self.name}_id" if self.shape in REFERENCES else self.name


def _reachable(*, address_synced: bool = True) -> tuple[Field, ...]:
    return (
        Field("address_1", "Address", synced=address_synced),
        Field("address_2", "Address line 2", synced=address_synced),
        Field("city", "City", synced=address_synced),
        Field("state", "State", synced=address_synced),
        Field("zip", "ZIP", synced=address_synced),
        Field("country", "Country"),
        Field("notes", "Notes", Shape.LONG, synced=True),
    )


_NEXT_STEP = (
    Field("next_step", "Next step"),
    Field("next_step_on", "Next step on", Shape.DATE),
    Field("next_step_by", "Next step by", Shape.PERSON),
)
_SALESPERSON = Field("salesperson", "Salesperson", Shape.PERSON)
_FACTS = Field("facts", "Facts", Shape.FACTS, by_hand=False)

COMPANY_FIELDS = (
    Field("name", "Name", synced=True),
    Field("residential", "Residential", Shape.YES_NO),
    Field("website", "Website", Shape.WEBSITE),
    Field("email", "E-mail", Shape.EMAIL, synced=True),
    Field("phone", "Phone", Shape.PHONE, synced=True),
    Field("mobile", "Mobile", Shape.PHONE, synced=True),
    *_reachable(),
    _SALESPERSON,
    *_NEXT_STEP,
    Field("disabled_in_syncro", "Disabled in Syncro", Shape.YES_NO, by_hand=False),
    _FACTS,
)
CONTACT_FIELDS = (
    Field("first", "First name", synced=True),
    Field("last", "Last name", synced=True),
    Field("title", "Title", synced=True),
    Field("company", "Company", Shape.COMPANY, synced=True),
    Field("email", "E-mail", Shape.EMAIL, synced=True),
    Field("phone", "Phone", Shape.PHONE, synced=True),
    Field("extension", "Extension", synced=True),
    Field("mobile", "Mobile", Shape.PHONE, synced=True),
    *_reachable(),
    _SALESPERSON,
    _FACTS,
)
OPPORTUNITY_FIELDS = (
    Field("name", "Name", synced=True),
    Field("status", "Status", Shape.STATUS, synced=True),
    Field("company", "Company", Shape.COMPANY),
    Field("contact", "Contact", Shape.CONTACT),
    _SALESPERSON,
    Field("amount", "Amount", Shape.MONEY),
    Field("likelihood", "Likelihood", Shape.PERCENT),
    Field("expected_close", "Expected close", Shape.DATE),
    Field("notes", "Notes", Shape.LONG),
    *_NEXT_STEP,
    Field("prospect_name", "Prospect"),
    Field("prospect_email", "Prospect's e-mail", Shape.EMAIL),
    Field("prospect_phone", "Prospect's phone", Shape.PHONE),
    Field("closed_at", "Closed", Shape.INSTANT, by_hand=False),
    Field("waits_for_remote_user", "Waits for", Shape.NUMBER, by_hand=False),
    _FACTS,
)

FIELDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        kind: MappingProxyType({field.name: field for field in fields})
        for kind, fields in (
            (Kind.COMPANY, COMPANY_FIELDS),
            (Kind.CONTACT, CONTACT_FIELDS),
            (Kind.OPPORTUNITY, OPPORTUNITY_FIELDS),
        )
    }
)
_PLACE = ("address_1", "address_2", "city", "state", "zip", "country")
ORDER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        Kind.COMPANY: (
            *("name", "residential", "website", "email", "phone", "mobile"),
            *(*_PLACE, "salesperson", "notes"),
        ),
        Kind.CONTACT: (
            *("first", "last", "title", "company", "email", "phone", "extension", "mobile"),
            *(*_PLACE, "salesperson", "notes"),
        ),
        Kind.OPPORTUNITY: (
            *("name", "status", "company", "contact", "salesperson", "amount", "likelihood"),
            *("expected_close", "closed_at", "prospect_name", "prospect_email", "prospect_phone", "notes"),
        ),
    }
)
"""How forms and profiles list a record's fields."""
SYNCED: Mapping[str, frozenset[str]] = MappingProxyType(
    {kind: frozenset(f.name for f in fields.values() if f.synced) for kind, fields in FIELDS.items()}
)


def label_of(kind: str, name: str) -> str:
    """What the field is called on screen; its bare name where the kind has no such field."""
    field = FIELDS.get(kind, {}).get(name)
    return field.label if field else name.replace("_", " ").capitalize()
