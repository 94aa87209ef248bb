""" "Put the old values back": what it would do in Syncro, then doing it; the dialog's own kin."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from propolis.accounts.addressing import url
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge import export_outcome, exporting
from propolis.bridge.connecting import as_told, patience
from propolis.bridge.export_check import Row
from propolis.bridge.export_fields import Line, Record, raw_of
from propolis.bridge.export_undo import hangs_on, lines_back
from propolis.bridge.export_words import word_diff
from propolis.bridge.exporting import Part
from propolis.bridge.models import Connection, Link, connection_of
from propolis.bridge.remote_pages import remote_href
from propolis.bridge.sentences import sentence
from propolis.bridge.vault import TokenUnreadable
from propolis.bridge.views_send import came, page_of, row_of, to_profile, under_way
from propolis.history.models import Change
from propolis.syncro import SyncroClient, SyncroError

SALT: Final = "bridge.send.undo"


@needs(Verb.SEND)
def undo(request: AccountRequest, account: str, kind: str, pk: int, change: int) -> HttpResponse:
    """GET shows what goes back and what cannot; POST puts the ticked fields back, or deletes what was made."""
    row = row_of(kind, pk)
    sent = get_object_or_404(
        Change,
        pk=change,
        kind=kind,
        local_id=pk,
        action=Change.Action.SEND,
        state=Change.State.APPLIED,
        undoes=None,
    )
    connection = connection_of(request.account)
    run = export_outcome.under_way(row)
    if run is not None:
        return under_way(request, row, run)
    if connection is None or connection.state != Connection.State.CONNECTED:
        messages.error(request, sentence("send.not_connected").format(whom=""))
        return to_profile(request, row)
    if request.method == "POST":
        return _put_back(request, row, connection, sent)
    return _preview(request, row, connection, sent)


def _preview(
    request: AccountRequest, row: Row, connection: Connection, sent: Change, error: str = ""
) -> HttpResponse:
    try:
        with exporting.JOB.client(connection, should_stop=patience(), priority=True) as client:
            record = _get(client, sent)
            used = hangs_on(client, sent, record) if sent.args["mode"] == "create" else ""
    except TokenUnreadable as refused:
        return page_of(request, "bridge/send_refused.html", row, {"problem": refused.sentence})
    except SyncroError as refused:
        return page_of(request, "bridge/send_refused.html", row, {"problem": as_told(refused).sentence})
    raw = raw_of(Link.Kind(sent.remote_kind), record)
    found = lines_back(sent, raw, request.account.phone_region, connection)
    words: dict[str, Any] = {
        "sent": sent,
        "error": error,
        "made": sent.args["mode"] == "create",
        "used": used,
        "noun": "contact" if sent.remote_kind == Link.Kind.CONTACT else "customer",
        "href": remote_href(connection, sent.remote_kind, sent.remote_id),
        "back": [_words(line) for line in found if not line.same],
        "kept": [line for line in found if line.same],
        "token": signing.dumps({line.name: line.seen for line in found if not line.same}, salt=SALT),
        "action": url(request, f"bridge:send_{sent.kind}_undo", row.pk, sent.pk),
    }
    return page_of(request, "bridge/send_undo.html", row, words)


def _get(client: SyncroClient, sent: Change) -> Record:
    remote_id = sent.remote_id or 0
    if sent.remote_kind == Link.Kind.CONTACT:
        return client.get_contact(remote_id)
    return client.get_customer(remote_id)


def _words(line: Line) -> dict[str, Any]:
    before, after = word_diff(line.now, line.after)
    return {"line": line, "before": before, "after": after}


def _put_back(request: AccountRequest, row: Row, connection: Connection, sent: Change) -> HttpResponse:
    deleting = sent.args["mode"] == "create"
    if deleting and request.POST.get("sure") != "yes":
        return _preview(request, row, connection, sent, "Tick that it may be deleted in Syncro.")
    try:
        seen: dict[str, str] = signing.loads(request.POST.get("token", ""), salt=SALT)
    except signing.BadSignature:
        return _preview(request, row, connection, sent, sentence("send.changed"))
    wanted = request.POST.getlist("field")
    ticked = {} if deleting else {name: mark for name, mark in seen.items() if name in wanted}
    if not deleting and not ticked:
        return _preview(request, row, connection, sent, sentence("send.nothing"))
    part = Part(
        row=row,
        kind=Link.Kind(sent.remote_kind),
        mode="delete" if deleting else "undo",
        ticked=ticked,
        remote_id=sent.remote_id,
        undoes=sent,
    )
    return came(request, row, exporting.press(connection, row, [part], request.membership))
