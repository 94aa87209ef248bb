"""Putting the old values back in Syncro: what a send replaced there, field by field, where it is still as sent.

An undo is a send of its own, through the same intent, re-reading and looking: its Change `undoes` the one it takes
back. Here nothing changes: our values stay, and are newer here again. A record that the send made can be deleted in
Syncro instead, as long as nothing hangs on it and nobody has touched it since.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from propolis.bridge.export_fields import NOTES, Line, Record, keys_of, notes_hidden, values_of
from propolis.bridge.mapping import fingerprint
from propolis.bridge.models import Connection, Link
from propolis.crm import comparing
from propolis.crm.fields import label_of
from propolis.history.models import Change
from propolis.syncro import Customer, Lead, Resource, SyncroClient, parse_page

CHANGED: Final = "Changed in Syncro since."
_HANGING: Final = (("ticket_links", "tickets"), ("invoice_links", "invoices"), ("contracts", "contracts"))


def lines_back(change: Change, raw: Mapping[str, Any], region: str, connection: Connection) -> list[Line]:
    """What putting back would do to each field that was sent; `same` where it cannot go back, with `note` why."""
    kind = Link.Kind(change.remote_kind)
    # In the fields' own order: PostgreSQL's JSON keeps none.
    sent = [name for name in keys_of(kind) if name in change.args["seen"]]
    return [_line(change, kind, name, raw, region, connection) for name in sent]


def _line(
    change: Change, kind: Link.Kind, name: str, raw: Mapping[str, Any], region: str, connection: Connection
) -> Line:
    names = [key for key in keys_of(kind)[name] if key in change.args["to"]]
    before, after = change.args["before"], change.args["after"]
    normalise = comparing.normaliser(region)
    as_sent = all((normalise(name, raw.get(k)) or "") == (normalise(name, after.get(k)) or "") for k in names)
    number = change.remote_id or 0
    was, becomes = (
        str(values_of(kind, {**raw, **put}, number).get(name) or "")
        for put in ({}, {key: before.get(key) for key in names})
    )
    hidden = name == NOTES and notes_hidden(connection, kind)
    return Line(
        name=name,
        label=label_of(change.kind, name),
        now=was,
        after="Not shown: notes are not imported" if hidden and becomes else becomes,
        to={key: before.get(key) or "" for key in names},
        seen=fingerprint({"now": {key: raw.get(key) for key in names}}),
        same=not as_sent,
        ticked=as_sent,
        note="" if as_sent else CHANGED,
    )


def hangs_on(client: SyncroClient, change: Change, record: Record) -> str:
    """Why a record that a send made cannot be deleted in Syncro, as a sentence; "" if it can."""
    updated = record.updated_at.isoformat() if isinstance(record.updated_at, datetime) else None
    if updated != change.args.get("updated"):
        return "It was changed in Syncro since it was sent, so it stays there."
    if isinstance(record, Customer):
        for name, words in _HANGING:
            held = getattr(record, name)
            if not isinstance(held, list):
                return f"Syncro does not tell whether it has {words}, so it stays there."
            if held:
                return f"It has {words} in Syncro, so it stays there."
        if client.contacts_of(record.id):
            return "It has contacts in Syncro, so it stays there."
    if _has_leads(client, record):
        return "It has leads in Syncro, so it stays there."
    return ""


def _has_leads(client: SyncroClient, record: Record) -> bool:
    """Leads are looked for by name and e-mail; those that were sent or imported are known by their Links."""
    name = "customer_id" if isinstance(record, Customer) else "contact_id"
    own = {f"agreed__{name}": record.id}
    if Link.objects.filter(kind=Link.Kind.LEAD, **own).exists():
        return True
    words = record.business_name if isinstance(record, Customer) else getattr(record, "name", "")
    query = str(record.email or words or "")
    page = client.page(Resource.LEADS, 1, {"query": query})
    leads = [one for one in parse_page(Resource.LEADS, page.raw) if isinstance(one, Lead)]
    return any(getattr(one, name) == record.id for one in leads)


def forget(change: Change) -> None:
    """The record is gone from Syncro: no Link, and the send that made it is taken back. Call in a transaction."""
    kinds = [change.remote_kind]
    if change.remote_kind == Link.Kind.CUSTOMER:
        kinds.append(Link.Kind.PERSON)
    Link.objects.filter(kind__in=kinds, remote_id=change.remote_id or 0).delete()
    Change.objects.filter(pk=change.undoes_id or 0).update(state=Change.State.UNDONE)
