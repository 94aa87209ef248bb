"""The status map on "Map and import opportunities"."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.models import audit
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge.importing import plan_again
from propolis.bridge.models import Connection, StatusMap, connection_of
from propolis.bridge.restatusing import Move, apply_moves, moves_after
from propolis.bridge.reviewing import NotDecided, apply_mapped_status
from propolis.bridge.statuses import ensure_status_map, save_choices
from propolis.bridge.steps import Step, StepLocked, require_step
from propolis.crm.models import OppStatus

SKIP = "skip"
AGAIN = "The preview is being made again with that. Nothing is downloaded again."
_PAIR = re.compile(r"\d{1,18}:\d{1,18}")


def status_choices(connection: Connection) -> dict[str, Any]:
    """What the page needs: every Syncro status with the choice made, and our statuses to choose from."""
    ours = list(OppStatus.objects.filter(archived=False))
    rows = ensure_status_map(connection)
    return {
        "map_rows": [{"row": row, "label": _label(row), "chosen": _chosen(row)} for row in rows],
        "our_statuses": ours,
        "read": any(row.seen for row in rows),
    }


def _label(row: StatusMap) -> str:
    name = row.remote_status or "(no status)"
    return f"{name}, became a ticket" if row.became_ticket else name


def _chosen(row: StatusMap) -> str:
    if row.choice == StatusMap.Choice.SKIP:
        return SKIP
    return str(row.status_id) if row.choice == StatusMap.Choice.MAP and row.status_id else ""


@needs(Verb.IMPORT)
@require_POST
def save(request: AccountRequest, account: str) -> HttpResponse:
    """Saves the map; where that concerns opportunities imported before, asks about them."""
    connection = connection_of(request.account)
    try:
        connection = require_step(connection, Step.OPPORTUNITIES, talks=False)
    except StepLocked as locked:
        messages.error(request, locked.sentence)
        return redirect(url(request, "bridge:opportunities"))
    if "apply" in request.POST:
        return _apply(request, connection)
    changed = save_choices(connection, _choices(request, connection))
    if changed:
        ids = [row.pk for row, _ in changed]
        audit(request.account, request.membership, "syncro.statuses", rows=ids)
        messages.success(request, "Saved. The next import follows it.")
        _bring_in(request, connection)
        if plan_again(request.account, request.membership):
            messages.success(request, AGAIN)
    moves = moves_after(changed)
    if moves:
        return render(request, "bridge/statuses_apply.html", _question(moves))
    return redirect(url(request, "bridge:opportunities"))


def _bring_in(request: AccountRequest, connection: Connection) -> None:
    """Leads that were held because nobody had decided about their status come along now."""
    try:
        count = apply_mapped_status(connection, request.membership)
    except NotDecided:
        messages.info(request, "What waited for this comes with the next import: something is at work now.")
        return
    if count:
        was = "lead that waited was" if count == 1 else "leads that waited were"
        messages.success(request, f"{count:,} {was} settled at once.")


def _choices(request: AccountRequest, connection: Connection) -> dict[int, OppStatus | None]:
    """Only choices that exist, made on this page; a row left undecided, or as it was shown, stays as it is."""
    ours = {str(status.pk): status for status in OppStatus.objects.filter(archived=False)}
    found: dict[int, OppStatus | None] = {}
    for pk in StatusMap.objects.filter(connection=connection).values_list("pk", flat=True):
        given = request.POST.get(f"status-{pk}", "")
        if given == request.POST.get(f"shown-{pk}"):
            continue
        if given == SKIP:
            found[pk] = None
        elif given in ours:
            found[pk] = ours[given]
    return found


def _question(moves: list[Move]) -> dict[str, Any]:
    return {"moves": moves, "count": sum(move.count for move in moves)}


def _apply(request: AccountRequest, connection: Connection) -> HttpResponse:
    """The question's answer: the rows named in it, as they are mapped now."""
    befores = dict(pair.split(":") for pair in request.POST.getlist("row") if _PAIR.fullmatch(pair))
    rows = StatusMap.objects.filter(connection=connection, pk__in=befores).select_related("status")
    count = apply_moves([(row, int(befores[str(row.pk)])) for row in rows], by=request.membership)
    noun = "opportunity has" if count == 1 else "opportunities have"
    messages.success(request, f"{count:,} {noun} the new status.")
    return redirect(url(request, "bridge:opportunities"))
