"""Alice's account with one of everything a backup holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from propolis.accounts.models import Account, Membership, User
from propolis.accounts.scoping import in_account
from propolis.bridge.models import Connection, Erasure, Link, RemoteUser, StatusMap
from propolis.crm.models import (
    DEFAULT_STATUSES,
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
from propolis.crm.rows import fill_company, fill_contact, fill_opportunity
from propolis.history.models import Change

TOKEN = "T-secret-token-1234567890"
NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


def new_account(slug: str = "brightwater", name: str = "Brightwater IT") -> Account:
    """An account as `propolis createadmin` leaves it: Alice its Admin, the usual statuses."""
    account = Account.objects.create(slug=slug, name=name, phone_region="US")
    with in_account(account):
        alice, _ = User.objects.get_or_create(email="alice@example.com", defaults={"name": "Alice"})
        Membership.objects.create(
            account=account, user=alice, email_key=alice.email, name="Alice", is_admin=True, state="active"
        )
        for position, (status, outcome) in enumerate(DEFAULT_STATUSES):
            OppStatus.objects.create(account=account, name=status, position=position, outcome=outcome)
    return account


def company(account: Account, **values: Any) -> Company:
    row = fill_company(Company(account=account, edited_at=NOON), values, "US")
    row.save()
    return row


def contact(account: Account, **values: Any) -> Contact:
    row = fill_contact(Contact(account=account, edited_at=NOON), values, "US")
    row.save()
    return row


def opportunity(account: Account, **values: Any) -> Opportunity:
    row = fill_opportunity(Opportunity(account=account, edited_at=NOON), values)
    row.save()
    return row


def furnish(account: Account) -> None:
    """One of everything, with the cells that are hard to write."""
    with in_account(account):
        bob = Membership.objects.create(
            account=account, email_key="bob@example.com", name="Bob", is_salesperson=True, state="invited"
        )
        _records(account, bob)
        _choices(account, bob)


def _records(account: Account, bob: Membership) -> None:
    acme = company(
        account,
        name='=HYPERLINK("http://x")',
        phone="+1 (555) 010-0100",
        website="https://acme.example",
        notes='first line\nsecond, with "quotes"\r\nthird',
        salesperson=bob.pk,
        facts={"Seats": 12, "Ünïcode": "žluťoučký 🐝"},
    )
    gone = company(account, name="'t Hooft BV", residential=False)
    Company.objects.filter(pk=gone.pk).update(merged_into=acme, deleted_at=NOON, deleted_by=bob)
    jo = contact(account, first="Jo", last="Lindqvist", email="jo@acme.example", company=acme.pk)
    sam = contact(account, first="@Sam", last="-Okafor", mobile="555 010 0111")
    status = OppStatus.objects.get(account=account, name="Proposal")
    deal = opportunity(
        account,
        name="\tServer",
        company=acme.pk,
        contact=jo.pk,
        status=status.pk,
        amount="1200.50",
        expected_close="2026-12-24",
        next_step="Call",
        next_step_on="2026-11-30",
        next_step_by=bob.pk,
    )
    general = List.objects.create(
        account=account, name="Syncro General", name_key="syncro general", system_key="syncro_general"
    )
    ListMember.objects.create(account=account, list=general, contact=jo, at=NOON)
    ListMember.objects.create(account=account, list=general, contact=sam, state="removed", by=bob, at=NOON)
    Suppression.objects.create(
        account=account, email_key="jo@acme.example", kind="unsub", source="hand", by=bob, at=NOON
    )
    Contact.objects.filter(pk=jo.pk).update(mail_state="unsubscribed")
    for on in ({"company": acme}, {"contact": jo}, {"opportunity": deal}):
        Note.objects.create(account=account, body="- called them", by=bob, at=NOON, **on)
    NotDuplicate.objects.create(account=account, kind="contact", a=jo.pk, b=sam.pk, by=bob, at=NOON)
    Change.objects.create(
        account=account,
        kind="contact",
        local_id=jo.pk,
        action="update",
        fields={"phone": ["", "555", "edit"], "company": [None, acme.pk, "edit"]},
        actor=bob,
        at=NOON,
    )
    general_id = general.pk
    Change.objects.create(
        account=account,
        kind="company",
        local_id=acme.pk,
        action="combine",
        args={"loser": gone.pk, "moved": {"contacts": [jo.pk]}, "lists": [general_id]},
        actor=bob,
        at=NOON,
    )
    Change.objects.create(account=account, kind="contact", local_id=999_999, action="update", actor=bob)


def _choices(account: Account, bob: Membership) -> None:
    connection = Connection.objects.create(
        account=account,
        label="brightwater",
        host="syncromsp.com",
        base_url="https://brightwater.syncromsp.com",
        token_cipher=TOKEN.encode(),
        last4="7890",
        state="connected",
        rule="more_current",
        field_rules={"phone": "propolis"},
        fields_chosen={"company": ["name", "phone"]},
        watermark=NOON,
    )
    RemoteUser.objects.create(
        account=account, connection=connection, remote_id=7, name="Bob", membership=bob, first_seen_at=NOON
    )
    won = OppStatus.objects.get(account=account, name="Won")
    StatusMap.objects.create(
        account=account, connection=connection, remote_status="Won", status=won, choice="map", send_back=True
    )
    acme = Company.objects.filter(account=account).order_by("id")[0]
    jo = Contact.objects.filter(account=account).order_by("id")[0]
    Link.objects.create(
        account=account,
        connection=connection,
        kind="customer",
        remote_id=123,
        company=acme,
        agreed={"business_name": "Acme", "notes": None},
        agreed_at=NOON,
        remote_updated_at=NOON,
        rule="domain",
        created_at=NOON,
    )
    Link.objects.create(
        account=account,
        connection=connection,
        kind="contact",
        remote_id=9,
        state="review",
        candidates=[{"local_id": jo.pk, "reason": "email"}],
        created_at=NOON,
    )
    Erasure.objects.create(account=account, kind="contact", remote_id=66, salt="ab", at=NOON)
