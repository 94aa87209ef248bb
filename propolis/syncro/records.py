"""Syncro's records as they arrive: frozen, every documented key may be null, unknown keys are left aside.

A key that is *absent* is `UNSET`, which is never the same as null: nested customers come without
`contacts`, and some keys of a lead can only be written. Times are in UTC whatever offset Syncro sent.
Attributes have Syncro's own names. Evidence grades: [A] documented or observed live · [B] seen in
production code · [C] assumed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

__all__ = [
    "UNSET",
    "Contact",
    "Customer",
    "Lead",
    "Me",
    "Phone",
    "SearchHit",
    "Settings",
    "Tabs",
    "UnsetType",
    "User",
    "UserRef",
]

# Ids are global and pass 2**31 [A]; 2**63 - 1 is what a database's bigint holds.
Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Text = str | None | UnsetType
Flag = bool | None | UnsetType
Ref = Id | None | UnsetType
When = Instant | None | UnsetType
Properties = dict[str, Any] | None | UnsetType


class _Timed(msgspec.Struct, frozen=True, kw_only=True):
    created_at: When = UNSET
    updated_at: When = UNSET

    def __post_init__(self) -> None:
        if isinstance(self.created_at, datetime) and self.created_at.tzinfo is not UTC:
            msgspec.structs.force_setattr(self, "created_at", self.created_at.astimezone(UTC))
        if isinstance(self.updated_at, datetime) and self.updated_at.tzinfo is not UTC:
            msgspec.structs.force_setattr(self, "updated_at", self.updated_at.astimezone(UTC))


# https://api-docs.syncromsp.com/#/Phones [A]. Labels seen: Phone, Mobile, Office, Home, Fax, Other.
class Phone(_Timed, frozen=True, kw_only=True):
    id: Id
    label: Text = UNSET
    number: Text = UNSET
    extension: Text = UNSET
    customer_id: Ref = UNSET


# https://api-docs.syncromsp.com/#/Contacts [A]; processed_* and ticket_matching_emails [B] are not read.
class Contact(_Timed, frozen=True, kw_only=True):
    id: Id
    name: Text = UNSET
    address1: Text = UNSET
    address2: Text = UNSET
    city: Text = UNSET
    state: Text = UNSET
    zip: Text = UNSET
    email: Text = UNSET
    phone: Text = UNSET
    extension: Text = UNSET
    mobile: Text = UNSET
    notes: Text = UNSET
    opt_out: Flag = UNSET
    customer_id: Ref = UNSET
    account_id: Ref = UNSET
    vendor_id: Ref = UNSET
    properties: Properties = UNSET

    @property
    def title(self) -> Text:
        """The job title, kept by Syncro under `properties.title` [A]; UNSET where that key is absent."""
        if not isinstance(self.properties, dict):
            return UNSET
        value = self.properties.get("title", UNSET)
        return value if isinstance(value, str | UnsetType) or value is None else str(value)


# https://api-docs.syncromsp.com/#/Customers [A]. Left aside: online_profile_url (holds a key that signs in),
# tax, invoice and location settings. `phones` comes with a single customer only [B].
class Customer(_Timed, frozen=True, kw_only=True):
    """`contacts` UNSET: not told, or not readable in full (read them from the contacts list then).

    What hangs on a customer (`ticket_links`, `invoice_links`, `contracts`) comes with a single one only [B].
    """

    id: Id
    firstname: Text = UNSET
    lastname: Text = UNSET
    fullname: Text = UNSET
    business_name: Text = UNSET
    business_and_full_name: Text = UNSET
    business_then_name: Text = UNSET
    email: Text = UNSET
    phone: Text = UNSET
    mobile: Text = UNSET
    address: Text = UNSET
    address_2: Text = UNSET
    city: Text = UNSET
    state: Text = UNSET
    zip: Text = UNSET
    notes: Text = UNSET
    referred_by: Text = UNSET
    notification_email: Text = UNSET
    invoice_cc_emails: Text = UNSET
    get_sms: Flag = UNSET
    opt_out: Flag = UNSET
    no_email: Flag = UNSET
    disabled: Flag = UNSET
    ref_customer_id: Ref = UNSET
    properties: Properties = UNSET
    phones: list[Phone] | UnsetType | None = UNSET
    contacts: list[Contact] | UnsetType | None = UNSET
    ticket_links: list[Any] | UnsetType | None = UNSET
    invoice_links: list[Any] | UnsetType | None = UNSET
    contracts: list[Any] | UnsetType | None = UNSET


# https://api-docs.syncromsp.com/#/Leads [A]. opportunity_amount_dollars, likelihood and
# opportunity_start_date can be written and are normally not given back [A]: UNSET there says nothing.
class Lead(_Timed, frozen=True, kw_only=True):
    id: Id
    first_name: Text = UNSET
    last_name: Text = UNSET
    business_then_name: Text = UNSET
    email: Text = UNSET
    phone: Text = UNSET
    mobile: Text = UNSET
    address: Text = UNSET
    city: Text = UNSET
    state: Text = UNSET
    zip: Text = UNSET
    status: Text = UNSET
    ticket_subject: Text = UNSET
    ticket_description: Text = UNSET
    ticket_problem_type: Text = UNSET
    ticket_id: Ref = UNSET
    customer_id: Ref = UNSET
    contact_id: Ref = UNSET
    user_id: Ref = UNSET
    location_id: Ref = UNSET
    mailbox_id: Ref = UNSET
    mailbox_name: Text = UNSET
    has_attachments: Flag = UNSET
    message_read: Flag = UNSET
    opportunity_amount_dollars: Decimal | UnsetType | None = UNSET
    likelihood: int | UnsetType | None = UNSET


# https://api-docs.syncromsp.com/#/Users: pairs of id and full name, no pages [A]; objects accepted as well
# [B].
class UserRef(msgspec.Struct, frozen=True):
    id: Id
    name: str


# https://api-docs.syncromsp.com/#/Users [A]. Nested users elsewhere say "admin?" instead of "admin" [B].
class User(_Timed, frozen=True, kw_only=True):
    id: Id
    email: Text = UNSET
    full_name: Text = UNSET
    group: Text = UNSET
    admin: Flag = UNSET


# https://api-docs.syncromsp.com/#/Me [A]. Its `user_token` is a secret and is never taken in. It tells the
# person's rights, not the token's.
class Me(msgspec.Struct, frozen=True, kw_only=True):
    user_id: Ref = UNSET
    user_name: Text = UNSET
    user_email: Text = UNSET
    subdomain: Text = UNSET
    admin: Flag = UNSET


class Locale(msgspec.Struct, frozen=True, kw_only=True):
    iso_code: Text = UNSET
    currency_symbol: Text = UNSET
    date_format: Text = UNSET
    time_format: Text = UNSET
    time_zone: Text = UNSET
    time_offset: Text = UNSET


# https://api-docs.syncromsp.com/#/Settings [A]. The shapes of what customers must have are not documented:
# kept open.
class CustomerSettings(msgspec.Struct, frozen=True, kw_only=True):
    required_fields: Any = None
    customer_fields: list[Any] | None = None
    customer_field_answers: list[Any] | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    customers: CustomerSettings | None = None
    locale: Locale | None = None


# https://api-docs.syncromsp.com/#/Settings, /settings/tabs [A]: which parts the account has switched on.
class Tabs(msgspec.Struct, frozen=True, kw_only=True):
    customers: Flag = UNSET
    leads: Flag = UNSET


# https://api-docs.syncromsp.com/#/Search [A]; customer_id within a contact's hit [B]. A search index: may
# lag [C].
class SearchHit(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is Syncro's word: customer, contact, lead, asset…"""

    kind: str
    id: int
    customer_id: int | None
    fields: dict[str, Any]
