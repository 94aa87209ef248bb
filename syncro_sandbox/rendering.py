"""Rows as the JSON Syncro answers with. A row's bytes are kept until it changes: pages are joined of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b

from .model import JSON, OPPORTUNITY_FIELDS, Contact, Customer, Lead, Phone, Row, User, digits
from .switches import Switches, zone_named

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def dumps(value: JSON) -> bytes:
    """Compact UTF-8, with one encoder for all: building one per record takes longer than encoding it."""
    return _encode(value).encode()


class Renderer:
    """Knows the account (zone, number, subdomain) and the switches that change how a record looks."""

    def __init__(self, switches: Switches, account_id: int, subdomain: str) -> None:
        self._account_id = account_id
        self._subdomain = subdomain
        self.adjust(switches)

    def adjust(self, switches: Switches) -> None:
        """Take over changed switches. Kept bytes must be forgotten by the caller."""
        self.zone: tzinfo = zone_named(str(switches["time_zone"]))
        self._extra_keys = switches["contact_extra_keys"] == "present"
        self._opportunity = switches["opportunity_fields"] == "returned"
        nested = switches["nested_contacts"]
        self.nested_limit: int | None = None if isinstance(nested, str) else int(nested)

    def time(self, ms: int) -> str:
        """ISO 8601 with milliseconds and the account's own offset; a UTC account writes `Z`."""
        at = datetime.fromtimestamp(ms // 1000, self.zone).replace(microsecond=ms % 1000 * 1000)
        text = at.isoformat(timespec="milliseconds")
        return text.removesuffix("+00:00") + "Z" if self.zone is UTC else text

    def customer_bytes(self, customer: Customer, contacts: list[Contact]) -> bytes:
        """The customer as listed, its contacts inside."""
        nested = b",".join([self.contact_bytes(contact) for contact in contacts[: self.nested_limit]])
        if customer.override or customer.dropped:
            whole = {**self._customer(customer), "contacts": json.loads(b"[" + nested + b"]")}
            return dumps(_distorted(customer, whole))
        if customer.cached is None:
            customer.cached = dumps(self._customer(customer))[:-1]
        return customer.cached + b',"contacts":[' + nested + b"]}"

    def contact_bytes(self, contact: Contact) -> bytes:
        if contact.cached is None:
            contact.cached = dumps(self.contact(contact))
        return contact.cached

    def lead_bytes(self, lead: Lead) -> bytes:
        if lead.cached is None:
            lead.cached = dumps(self.lead(lead))
        return lead.cached

    def _customer(self, customer: Customer) -> dict[str, JSON]:
        return {
            "id": customer.id,
            "firstname": customer.firstname,
            "lastname": customer.lastname,
            "fullname": customer.fullname,
            "business_name": customer.business_name,
            "email": customer.email,
            "phone": customer.number("Phone"),
            "mobile": customer.number("Mobile"),
            "created_at": self.time(customer.created_ms),
            "updated_at": self.time(customer.updated_ms),
            "pdf_url": None,
            "address": customer.address,
            "address_2": customer.address_2,
            "city": customer.city,
            "state": customer.state,
            "zip": customer.zip,
            "latitude": customer.latitude,
            "longitude": customer.longitude,
            "notes": customer.notes,
            "get_sms": customer.get_sms,
            "opt_out": customer.opt_out,
            "disabled": customer.disabled,
            "no_email": customer.no_email,
            "location_name": customer.location_name,
            "location_id": customer.location_id,
            "properties": dict(customer.properties),
            "online_profile_url": self._profile_url(customer.id),
            "tax_rate_id": customer.tax_rate_id,
            "notification_email": customer.notification_email,
            "invoice_cc_emails": customer.invoice_cc_emails,
            "invoice_term_id": customer.invoice_term_id,
            "referred_by": customer.referred_by,
            "ref_customer_id": customer.ref_customer_id,
            "business_and_full_name": customer.business_and_full_name,
            "business_then_name": customer.business_then_name,
        }

    def _profile_url(self, customer_id: int) -> str:
        key = blake2b(f"{self._account_id}/{customer_id}".encode(), digest_size=10).hexdigest()
        return f"https://{self._subdomain}.syncromsp.example/my_profile/v2/index?portal_key={key}"

    def customer_detail(self, customer: Customer, contacts: list[Contact]) -> dict[str, JSON]:
        """GET /customers/{id}: the listed keys and a dozen more."""
        listed: dict[str, JSON] = json.loads(self.customer_bytes(customer, contacts))
        return {
            **listed,
            "ticket_links": [],
            "invoice_links": [],
            "kabuto_customer_id": None,
            "recurring_invoices": [],
            "prepay_hours": "0.0",
            "enable_internal_warning": False,
            "internal_warning_value": None,
            "default_device_policy_id": None,
            "since_updated_at": self.time(customer.updated_ms),
            "phones": [self.phone(phone, customer.id) for phone in reversed(customer.phones)],
            "contracts": [],
            "addresses": [],
        }

    def phone(self, phone: Phone, customer_id: int) -> dict[str, JSON]:
        return {
            "id": phone.id,
            "label": phone.label,
            "number": phone.number,
            "customer_id": customer_id,
            "created_at": self.time(phone.created_ms),
            "updated_at": self.time(phone.updated_ms),
            "extension": phone.extension,
        }

    def contact(self, contact: Contact, *, refused: bool = False) -> dict[str, JSON]:
        """`refused`: as inside a 422, without id and times, with the processed numbers."""
        shown: dict[str, JSON] = {
            "id": None if refused else contact.id,
            "name": contact.name,
            "address1": contact.address1,
            "address2": contact.address2,
            "city": contact.city,
            "state": contact.state,
            "zip": contact.zip,
            "email": contact.email,
            "phone": contact.phone,
            "mobile": contact.mobile,
            "latitude": contact.latitude,
            "longitude": contact.longitude,
            "customer_id": contact.customer_id,
            "account_id": self._account_id,
            "notes": contact.notes,
            "created_at": None if refused else self.time(contact.created_ms),
            "updated_at": None if refused else self.time(contact.updated_ms),
            "vendor_id": contact.vendor_id,
            "properties": dict(contact.properties),
            "opt_out": contact.opt_out,
            "extension": contact.extension,
        }
        if self._extra_keys or refused:
            shown["processed_phone"] = processed(contact.phone)
            shown["processed_mobile"] = processed(contact.mobile)
        if self._extra_keys and not refused:
            shown["ticket_matching_emails"] = contact.ticket_matching_emails
        return _distorted(contact, shown)

    def lead(self, lead: Lead) -> dict[str, JSON]:
        shown: dict[str, JSON] = {
            "id": lead.id,
            "first_name": lead.first_name,
            "last_name": lead.last_name,
            "email": lead.email,
            "phone": lead.phone,
            "mobile": lead.mobile,
            "created_at": self.time(lead.created_ms),
            "updated_at": self.time(lead.updated_ms),
            "address": lead.address,
            "city": lead.city,
            "state": lead.state,
            "zip": lead.zip,
            "ticket_subject": lead.ticket_subject,
            "ticket_description": lead.ticket_description,
            "ticket_problem_type": lead.ticket_problem_type,
            "ticket_id": lead.ticket_id,
            "customer_id": lead.customer_id,
            "contact_id": lead.contact_id,
            "mailbox_id": lead.mailbox_id,
            "mailbox_name": lead.mailbox_name,
            "business_then_name": lead.business_then_name,
            "has_attachments": lead.has_attachments,
            "message_read": lead.message_read,
            "status": lead.status,
            "user_id": lead.user_id,
            "location_id": lead.location_id,
        }
        if self._opportunity:
            shown |= {key: (lead.hidden or {}).get(key) for key in OPPORTUNITY_FIELDS}
        return _distorted(lead, shown)

    def user(self, user: User) -> dict[str, JSON]:
        return {
            "id": user.id,
            "email": user.email,
            "full_name": user.full_name,
            "created_at": self.time(user.created_ms),
            "updated_at": self.time(user.updated_ms),
            "group": user.group,
            "admin": user.admin,
            "color": user.color,
        }


def processed(number: str | None) -> str | None:
    """A contact's number as Syncro normalises it: the digits before any extension."""
    if number is None:
        return None
    return digits(number.lower().split("x")[0].split("ext")[0]) or None


def _distorted(row: Row, shown: dict[str, JSON]) -> dict[str, JSON]:
    if row.override:
        shown |= row.override
    return {key: value for key, value in shown.items() if key not in row.dropped} if row.dropped else shown
