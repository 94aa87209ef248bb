"""Records of ours and of Syncro's for the stories of reviews and sync health."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from propolis.accounts.models import Account
from propolis.crm.models import Company, Contact
from propolis.crm.rows import fill_company, fill_contact
from syncro_sandbox import Running


def a_company(account: Account, name: str, **values: Any) -> Company:
    row = fill_company(Company(account=account), {"name": name, **values}, "US")
    row.save()
    return row


def a_contact(account: Account, first: str, last: str, **values: Any) -> Contact:
    row = Contact(account=account, company=values.pop("company", None))
    fill_contact(row, {"first": first, "last": last, **values}, "US").save()
    return row


def a_customer(syncro: Running, name: str, **values: Any) -> int:
    return int(syncro.sandbox.create("customers", {"business_name": name, **values}))


def someone(syncro: Running, customer: int, name: str, **values: Any) -> int:
    return int(syncro.sandbox.create("contacts", {"customer_id": customer, "name": name, **values}))


def a_lead(syncro: Running, subject: str, **values: Any) -> int:
    given = {"status": "New", "ticket_subject": subject, "mailbox_id": None, **values}
    return int(syncro.sandbox.create("leads", given))


def two_to_decide(account: Account, syncro: Running) -> None:
    """Brightwater and Harbor: each shares its domain with one of ours that has another name."""
    # An hour old, so that what Syncro has is surely the more current record.
    ours = a_company(account, "Something Else", website="brightwater.example", city="Reno")
    type(ours).objects.filter(pk=ours.pk).update(edited_at=timezone.now() - timedelta(hours=1))
    a_company(account, "Old Name", website="harbor.example")
    a_customer(syncro, "Harbor Freight", email="desk@harbor.example")
    a_customer(syncro, "Brightwater Dental", email="desk@brightwater.example", phone="503-555-0199")
