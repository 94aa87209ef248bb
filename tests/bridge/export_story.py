"""Sending in a test as a person does it: open the dialog, tick, press."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.bridge import export_dialog, exporting
from propolis.bridge.export_check import Row
from propolis.bridge.export_dialog import Draft
from propolis.bridge.models import Connection
from propolis.bridge.statuses import ensure_status_map
from propolis.crm import edit
from propolis.crm.fields import Kind
from propolis.crm.models import Company, Contact, Opportunity, OppStatus
from propolis.runs.models import Run
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import connected

# Nobody is there yet.
EMPTY = SeedOptions(companies=0, contacts=0, leads=0, seed=3)


def ready_to_send(account: Account, syncro: Running) -> Connection:
    """Connected and mapped, as after the five steps; nothing imported."""
    connection = connected(account, syncro)
    now = timezone.now()
    connection.users_step = "read"
    for name in ("users", "companies", "contacts", "opportunities"):
        setattr(connection, f"{name}_read_at", now)
    connection.save()
    ensure_status_map(connection)
    syncro.sandbox.forget_requests()
    return connection


def a_company(account: Account, name: str = "Brightwater Dental", **values: Any) -> Company:
    row = edit.create(account, Kind.COMPANY, {"name": name, **values}, actor=None)
    assert isinstance(row, Company)
    return row


def a_contact(account: Account, company: Company | None, first: str, last: str, **values: Any) -> Contact:
    given = {"first": first, "last": last, "company": company.pk if company else None, **values}
    row = edit.create(account, Kind.CONTACT, given, actor=None)
    assert isinstance(row, Contact)
    return row


def an_opportunity(account: Account, row: Row, status: str = "New") -> Opportunity:
    found = OppStatus.objects.get(name=status)
    about = {"company": row.pk} if isinstance(row, Company) else {"contact": row.pk}
    made = edit.create(
        account, Kind.OPPORTUNITY, {"name": "Managed backup", "status": found.pk, **about}, actor=None
    )
    assert isinstance(made, Opportunity)
    return made


def opened(connection: Connection, row: Row, chosen: Mapping[str, str] | None = None) -> Draft:
    """The dialog, as it is drawn."""
    with exporting.JOB.client(connection) as client:
        return export_dialog.draft(connection, fresh(row), client, chosen)


def fresh(row: Any) -> Any:
    return export_dialog.rows_of(row._meta.model_name, row.pk)


def pressed(
    connection: Connection, draft: Draft, ticks: Iterable[str] | None = None, by: Membership | None = None
) -> Run:
    """Presses Send with these fields ticked ("company.phone"); without them with those that start ticked."""
    wanted = (
        [f"{part.noun}.{line.name}" for part in draft.parts for line in part.changed if line.ticked]
        if ticks is None
        else list(ticks)
    )
    row = fresh(draft.row)
    return exporting.press(connection, row, export_dialog.parts_of(row, draft.token, wanted), by)


def sent(connection: Connection, row: Row, *ticks: str, by: Membership | None = None) -> Run:
    return pressed(connection, opened(connection, row), ticks or None, by)


def writes(syncro: Running) -> list[tuple[str, str, Any]]:
    """What was written in Syncro: method, path, body; exactly and in order."""
    return [
        (each["method"], each["path"].removeprefix("/api/v1"), each["body"])
        for each in syncro.sandbox.requests
        if each["method"] != "GET"
    ]


def asked(syncro: Running) -> list[str]:
    return [f"{each['method']} {each['path'].removeprefix('/api/v1')}" for each in syncro.sandbox.requests]
