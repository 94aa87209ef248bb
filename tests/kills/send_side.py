"""What the kill tests of sending call inside a process of their house."""

from __future__ import annotations

from django.utils import timezone

from propolis.accounts.founding import create_account
from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge import export_dialog, exporting
from propolis.bridge.connecting import connect
from propolis.bridge.models import Connection, connection_of
from propolis.bridge.statuses import ensure_status_map
from propolis.crm import edit
from propolis.crm.fields import Kind
from propolis.crm.models import Company, Contact, OppStatus


def ready(base_url: str, token: str) -> None:
    """An account that may send: connected, mapped, with a company, its contact and an opportunity."""
    account = create_account("acme", "Acme")
    with in_account(account):
        found = connect(account, address_or_base_url=base_url, token=token, by=None, allow_any_url=True)
        assert isinstance(found, Connection), found
        found.users_step = "read"
        for name in ("users", "companies", "contacts", "opportunities"):
            setattr(found, f"{name}_read_at", timezone.now())
        found.save()
        ensure_status_map(found)
        company = edit.create(account, Kind.COMPANY, {"name": "Brightwater Dental"}, actor=None)
        named = {"first": "Priya", "last": "Raman", "company": company.pk}
        edit.create(account, Kind.CONTACT, named, actor=None)
        deal = {"name": "Backup", "company": company.pk, "status": OppStatus.objects.get(name="New").pk}
        edit.create(account, Kind.OPPORTUNITY, deal, actor=None)


def press() -> str:
    """Opens the contact's dialog, with the company in it, and presses Send; how the run stands then."""
    account = Account.objects.get()
    with in_account(account):
        connection = connection_of(account)
        assert connection is not None
        row = export_dialog.rows_of("contact", Contact.objects.get().pk)
        with exporting.JOB.client(connection) as client:
            draft = export_dialog.draft(connection, row, client)
        wanted = [f"{part.noun}.{line.name}" for part in draft.parts for line in part.changed]
        run = exporting.press(connection, row, export_dialog.parts_of(row, draft.token, wanted), None)
    return str(run.state)


def links() -> list[list[object]]:
    """What is linked now: kind, Syncro's id."""
    account = Account.objects.get()
    with in_account(account):
        company, contact = Company.objects.get(), Contact.objects.get()
        return [
            *([link.kind, link.remote_id] for link in company.links.all()),
            *([link.kind, link.remote_id] for link in contact.links.all()),
        ]
