"""The records the sandbox holds, as small slotted rows: a hundred thousand must fit in memory.

Times are whole milliseconds since 1970 UTC. `properties` is replaced, never changed in place, because seeded
rows share the empty one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from re import compile, fullmatch
from typing import Any, Literal

Kind = Literal["customers", "contacts", "leads"]
KINDS: tuple[Kind, ...] = ("customers", "contacts", "leads")
JSON = Any  # whatever json.loads may give
NO_PROPERTIES: Mapping[str, JSON] = {}
_NOT_DIGITS = compile(r"[^0-9]+")
_LARGEST = 2**63 - 1  # what a bigint column holds


@dataclass(slots=True, kw_only=True)
class Row:
    """`touch` orders rows of one instant and moves with every change, as rows do in a database heap."""

    id: int
    created_ms: int
    updated_ms: int
    touch: int = 0
    cached: bytes | None = None
    override: dict[str, JSON] | None = None
    dropped: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Phone:
    id: int
    number: str
    label: str | None
    created_ms: int
    updated_ms: int
    extension: str | None = None


@dataclass(slots=True, kw_only=True)
class Customer(Row):
    firstname: str | None = None
    lastname: str | None = None
    business_name: str | None = None
    email: str | None = None
    address: str | None = None
    address_2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    notes: str | None = None
    get_sms: bool = False
    opt_out: bool = False
    disabled: bool = False
    no_email: bool = False
    location_name: str | None = None
    location_id: int | None = None
    properties: Mapping[str, JSON] = field(default_factory=lambda: NO_PROPERTIES)
    tax_rate_id: int | None = None
    notification_email: str | None = None
    invoice_cc_emails: str | None = None
    invoice_term_id: int | None = None
    referred_by: str | None = None
    ref_customer_id: int | None = None
    phones: list[Phone] = field(default_factory=list)
    hidden: dict[str, JSON] | None = None

    @property
    def fullname(self) -> str:
        return " ".join(part for part in (self.firstname, self.lastname) if part)

    @property
    def business_then_name(self) -> str:
        return self.business_name or self.fullname

    @property
    def business_and_full_name(self) -> str:
        return " - ".join(part for part in (self.business_name, self.fullname) if part)

    def number(self, label: str) -> str | None:
        """The oldest number under this label: what `phone` and `mobile` show."""
        return next((phone.number for phone in self.phones if phone.label == label), None)


@dataclass(slots=True, kw_only=True)
class Contact(Row):
    name: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    email: str | None = None
    phone: str | None = None
    mobile: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    customer_id: int | None = None
    notes: str | None = None
    vendor_id: int | None = None
    properties: Mapping[str, JSON] = field(default_factory=lambda: NO_PROPERTIES)
    opt_out: bool = False
    extension: str | None = None
    ticket_matching_emails: str | None = None


@dataclass(slots=True, kw_only=True)
class Lead(Row):
    """`hidden` holds what Syncro takes and never gives back: amount, likelihood, hidden notes and so on."""

    first_name: str | None = None
    last_name: str | None = None
    business_name: str | None = None
    email: str | None = None
    phone: str | None = None
    mobile: str | None = None
    address: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    ticket_subject: str | None = None
    ticket_description: str | None = None
    ticket_problem_type: str | None = None
    ticket_id: int | None = None
    customer_id: int | None = None
    contact_id: int | None = None
    mailbox_id: int | None = None
    mailbox_name: str | None = None
    has_attachments: bool = False
    message_read: bool = False
    status: str | None = "New"
    user_id: int | None = None
    location_id: int | None = None
    disabled: bool = False
    hidden: dict[str, JSON] | None = None

    @property
    def business_then_name(self) -> str:
        return self.business_name or " ".join(part for part in (self.first_name, self.last_name) if part)


@dataclass(slots=True, kw_only=True)
class User:
    id: int
    email: str
    full_name: str
    group: str
    admin: bool
    color: str
    created_ms: int
    updated_ms: int


LEAD_STATUSES = (
    "New", "Lead", "First Contact", "Opportunity", "Prospect", "Waiting on Client", "In Negotiation",
    "Pending", "Won", "Lost",
)  # fmt: skip
CLOSED_STATUSES = frozenset({"Won", "Lost"})

TEXT, FLAG, WHOLE, NUMBER = "text", "flag", "whole", "number"
CUSTOMER_FIELDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("business_name", "firstname", "lastname", "email", "address", "address_2", "city", "state", "zip",
         "notes", "notification_email", "invoice_cc_emails", "referred_by"), TEXT),
    **dict.fromkeys(("get_sms", "opt_out", "no_email"), FLAG),
    **dict.fromkeys(("ref_customer_id", "tax_rate_id", "invoice_term_id"), WHOLE),
}  # fmt: skip
CUSTOMER_HIDDEN = ("get_billing", "get_marketing", "get_reports", "consent")
CONTACT_FIELDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("name", "address1", "address2", "city", "state", "zip", "email", "phone", "mobile",
         "notes", "extension"), TEXT),
    "opt_out": FLAG,
    "customer_id": WHOLE,
}  # fmt: skip
LEAD_FIELDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("first_name", "last_name", "business_name", "email", "phone", "mobile", "address", "city", "state",
         "zip", "ticket_subject", "ticket_description", "ticket_problem_type", "status"), TEXT),
    **dict.fromkeys(("message_read", "disabled"), FLAG),
    **dict.fromkeys(("user_id", "customer_id", "contact_id", "location_id", "mailbox_id", "ticket_id"),
                    WHOLE),
}  # fmt: skip
OPPORTUNITY_FIELDS = ("opportunity_start_date", "opportunity_amount_dollars", "likelihood")
LEAD_HIDDEN = (
    *OPPORTUNITY_FIELDS, "hidden_notes", "converted", "properties", "ticket_properties", "ticket_type_id",
    "appointment_time", "appointment_type_id", "customer_purchase_id", "from_check_in", "signature_name",
    "signature_date", "signature_data",
)  # fmt: skip
# What a technician can change on the screen and the API cannot.
BY_HAND: Mapping[Kind, Mapping[str, str]] = {
    "customers": {"disabled": FLAG, "location_name": TEXT, "location_id": WHOLE},
    "contacts": {"vendor_id": WHOLE, "ticket_matching_emails": TEXT},
    "leads": {"mailbox_name": TEXT, "has_attachments": FLAG},
}
FIELDS: Mapping[Kind, Mapping[str, str]] = {
    "customers": CUSTOMER_FIELDS,
    "contacts": CONTACT_FIELDS,
    "leads": LEAD_FIELDS,
}
HIDDEN: Mapping[Kind, tuple[str, ...]] = {
    "customers": CUSTOMER_HIDDEN,
    "contacts": (),
    "leads": LEAD_HIDDEN,
}


def digits(text: str | None) -> str:
    """Only the digits of a phone number as typed."""
    return _NOT_DIGITS.sub("", text or "")


def whole_number(value: JSON) -> int | None:
    """The number in `5` or `" 5 "`; None for anything else, also where no column could hold it."""
    text = str(value).strip()
    number = int(text) if fullmatch(r"-?[0-9]{1,19}", text) else None
    return number if number is not None and abs(number) <= _LARGEST else None


def coerced(value: JSON, form: str) -> JSON:
    """A sent value as Rails would cast it for a column of this form. None stays None."""
    if value is None:
        return None
    if form == FLAG:
        return value not in (False, 0, "", "0", "f", "false", "off")
    if form == WHOLE:
        return whole_number(value)
    return value if isinstance(value, str) else str(value)
