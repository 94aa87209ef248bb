"""The account's records and everything that can happen to them. No HTTP, no permissions, no validation:
what a technician does on Syncro's own screens, and what the API does once it has accepted a request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from .model import (
    BY_HAND,
    FIELDS,
    HIDDEN,
    JSON,
    TEXT,
    Contact,
    Customer,
    Kind,
    Lead,
    Phone,
    Row,
    User,
    coerced,
    digits,
)
from .tables import Table

Fields = Mapping[str, JSON]


class Store:
    """`now_ms` gives the server's time. Every change gets a time later than the one before."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.customers: Table[Customer] = Table("customers")
        self.contacts: Table[Contact] = Table("contacts")
        self.leads: Table[Lead] = Table("leads")
        self.users: dict[int, User] = {}
        self.contacts_of: dict[int, list[int]] = {}
        self.emails: dict[str, list[int]] = {}
        self.changes: deque[tuple[int, Kind, int, str | None]] = deque(maxlen=20_000)
        self.next_id: dict[str, int] = {"customers": 1, "contacts": 1, "leads": 1, "phones": 1}
        self._last_ms = 0
        self._touch = 0

    def table(self, kind: Kind) -> Table[Any]:
        tables: dict[Kind, Table[Any]] = {
            "customers": self.customers,
            "contacts": self.contacts,
            "leads": self.leads,
        }
        return tables[kind]

    # -- loading (seeds) ------------------------------------------------------------------------------------

    def load(self, row: Row) -> None:
        """Put a finished row in, as the seed made it."""
        if isinstance(row, Customer):
            self.customers.add(row)
            self._own_email(row)
        elif isinstance(row, Contact):
            self.contacts.add(row)
            if row.customer_id is not None:
                self.contacts_of.setdefault(row.customer_id, []).append(row.id)
        elif isinstance(row, Lead):
            self.leads.add(row)
        row.touch = self._touched()
        self._last_ms = max(self._last_ms, row.updated_ms)

    def take_id(self, name: str) -> int:
        """Ids are not contiguous: other accounts on the same server take some."""
        taken = self.next_id[name]
        self.next_id[name] = taken + 1 + taken % 3
        return taken

    # -- changes --------------------------------------------------------------------------------------------

    def create(self, kind: Kind, fields: Fields, *, at_ms: int | None = None) -> Row:
        now = self._moment(at_ms)
        makers: dict[Kind, Callable[..., Row]] = {"customers": Customer, "contacts": Contact, "leads": Lead}
        row = makers[kind](id=self.take_id(kind), created_ms=now, updated_ms=now)
        self._write(kind, row, fields, now)
        self.load(row)
        self.changes.append((self._now_ms(), kind, row.id, None))
        return row

    def edit(self, kind: Kind, row_id: int, fields: Fields, *, at_ms: int | None = None) -> bool:
        """True if any value became another; only then `updated_at` moves."""
        row = self.table(kind)[row_id]
        before, text = _snapshot(row), search_text(row)
        owner = row.customer_id if isinstance(row, Contact) else None
        self._disown_email(row)
        now = self._moment(at_ms)
        self._write(kind, row, fields, now)
        self._own_email(row)
        if _snapshot(row) == before:
            return False
        if isinstance(row, Contact) and row.customer_id != owner:
            self._move_contact(row, owner)
        self._changed(kind, row, now, text)
        return True

    def delete(self, kind: Kind, row_id: int) -> None:
        """A customer's contacts go with it; leads keep pointing at what is gone."""
        row = self.table(kind)[row_id]
        if isinstance(row, Customer):
            for contact_id in list(self.contacts_of.get(row_id, ())):
                self.delete("contacts", contact_id)
            self.contacts_of.pop(row_id, None)
            self._disown_email(row)
        if isinstance(row, Contact) and row.customer_id is not None:
            self.contacts_of[row.customer_id].remove(row_id)
        self.table(kind).remove(row_id)

    def merge_customers(self, winner_id: int, loser_id: int) -> None:
        """The loser disappears; its contacts, leads and phones move to the winner."""
        winner, loser = self.customers[winner_id], self.customers[loser_id]
        if winner is loser:
            raise ValueError("a customer cannot be merged into itself")
        for contact_id in list(self.contacts_of.get(loser_id, ())):
            self.edit("contacts", contact_id, {"customer_id": winner_id})
        for lead in [lead for lead in self.leads if lead.customer_id == loser_id]:
            self.edit("leads", lead.id, {"customer_id": winner_id})
        text = search_text(winner)
        winner.phones += loser.phones
        loser.phones = []
        self.delete("customers", loser_id)
        self._changed("customers", winner, self._moment(None), text)

    def distort(self, kind: Kind, row_id: int, values: Fields, drop: tuple[str, ...] = ()) -> None:
        """Answer with these raw values, and without these keys, whatever the row says."""
        row: Row = self.table(kind)[row_id]
        row.override = {**(row.override or {}), **values} or None
        row.dropped = (*row.dropped, *drop)
        row.cached = None

    # -- phones ---------------------------------------------------------------------------------------------

    def add_phone(self, customer: Customer, number: str, label: str | None, extension: str | None) -> Phone:
        before, now = (customer.number("Phone"), customer.number("Mobile")), self._moment(None)
        phone = Phone(
            id=self.take_id("phones"),
            number=digits(number) or number,
            label=label,
            extension=extension,
            created_ms=now,
            updated_ms=now,
        )
        text = search_text(customer)
        customer.phones = [*customer.phones, phone]
        self._phones_changed(customer, before, now, text)
        return phone

    def edit_phone(self, customer: Customer, phone: Phone, fields: Fields) -> None:
        before, now = (customer.number("Phone"), customer.number("Mobile")), self._moment(None)
        text = search_text(customer)
        if "number" in fields:
            phone.number = digits(str(fields["number"])) or str(fields["number"])
        if "label" in fields:
            phone.label = coerced(fields["label"], TEXT)
        if "extension" in fields:
            phone.extension = coerced(fields["extension"], TEXT)
        phone.updated_ms = now
        self._phones_changed(customer, before, now, text)

    def delete_phone(self, customer: Customer, phone: Phone) -> None:
        before = (customer.number("Phone"), customer.number("Mobile"))
        text = search_text(customer)
        customer.phones = [other for other in customer.phones if other is not phone]
        self._phones_changed(customer, before, self._moment(None), text)

    def _phones_changed(
        self, customer: Customer, before: tuple[str | None, str | None], now: int, text: str
    ) -> None:
        if (customer.number("Phone"), customer.number("Mobile")) != before:
            self._changed("customers", customer, now, text)

    def touch_customer(self, customer: Customer) -> None:
        """`updated_at` moves although nothing of the customer's own changed."""
        self._changed("customers", customer, self._moment(None), search_text(customer))

    def email_taken(self, email: str, besides: int | None) -> bool:
        """True if another customer, disabled ones too, has this lower-case e-mail."""
        return any(holder != besides for holder in self.emails.get(email, ()))

    # -- inside ---------------------------------------------------------------------------------------------

    def _moment(self, at_ms: int | None) -> int:
        if at_ms is not None:
            return at_ms
        self._last_ms = max(self._now_ms(), self._last_ms + 1)
        return self._last_ms

    def _touched(self) -> int:
        self._touch += 1
        return self._touch

    def _changed(self, kind: Kind, row: Row, now: int, text_before: str) -> None:
        row.updated_ms = now
        self.table(kind).changed(row, self._touched())
        self.changes.append((self._now_ms(), kind, row.id, text_before))

    def _write(self, kind: Kind, row: Any, fields: Fields, now: int) -> None:
        for name, form in {**FIELDS[kind], **BY_HAND[kind]}.items():
            if name in fields:
                setattr(row, name, coerced(fields[name], form))
        if hidden := {name: fields[name] for name in HIDDEN[kind] if name in fields}:
            row.hidden = {**(row.hidden or {}), **hidden}
        if kind != "leads" and isinstance(fields.get("properties"), dict):
            row.properties = dict(fields["properties"])
        if isinstance(row, Contact) and "title" in fields:
            row.properties = {**row.properties, "title": fields["title"]}
        if isinstance(row, Customer):
            row.email = row.email.lower() if row.email else row.email
            for name, label in (("phone", "Phone"), ("mobile", "Mobile")):
                if name in fields:
                    self._set_number(row, label, coerced(fields[name], TEXT), now)

    def _set_number(self, customer: Customer, label: str, typed: str | None, now: int) -> None:
        """`phone` and `mobile` of a customer live in its phone rows: written without formatting, gone when
        blank.
        """
        number = digits(typed) or (typed or "").strip()
        held = next((phone for phone in customer.phones if phone.label == label), None)
        if held is not None and number:
            if held.number != number:
                held.number, held.updated_ms = number, now
        elif held is not None:
            customer.phones = [phone for phone in customer.phones if phone is not held]
        elif number:
            made = Phone(
                id=self.take_id("phones"), number=number, label=label, created_ms=now, updated_ms=now
            )
            customer.phones = [*customer.phones, made]

    def _move_contact(self, contact: Contact, former: int | None) -> None:
        if former is not None:
            self.contacts_of[former].remove(contact.id)
        if contact.customer_id is not None:
            self.contacts_of.setdefault(contact.customer_id, []).append(contact.id)

    def _own_email(self, row: Row) -> None:
        if isinstance(row, Customer) and row.email:
            self.emails.setdefault(row.email, []).append(row.id)

    def _disown_email(self, row: Row) -> None:
        if isinstance(row, Customer) and row.email:
            self.emails[row.email].remove(row.id)


_NOT_VALUES = frozenset(
    {"id", "created_ms", "updated_ms", "touch", "cached", "override", "dropped", "phones"}
)


def _snapshot(row: Row) -> list[JSON]:
    """Everything a person could have changed, to tell a change from a no-op."""
    names = [name for name in type(row).__dataclass_fields__ if name not in _NOT_VALUES]
    values = [getattr(row, name) for name in names]
    if isinstance(row, Customer):
        values += [(phone.id, phone.number) for phone in row.phones]
    return values


def search_text(row: Row) -> str:
    """What query and /search look through: names, e-mail, digits of the numbers, a lead's subject."""
    if isinstance(row, Customer):
        parts = [row.business_name, row.fullname, row.email, *(phone.number for phone in row.phones)]
    elif isinstance(row, Contact):
        parts = [row.name, row.email, digits(row.phone), digits(row.mobile)]
    elif isinstance(row, Lead):
        names = f"{row.first_name or ''} {row.last_name or ''}"
        parts = [
            names,
            row.business_name,
            row.email,
            digits(row.phone),
            digits(row.mobile),
            row.ticket_subject,
        ]
    else:
        parts = []
    return "\n".join(part for part in parts if part).lower()
