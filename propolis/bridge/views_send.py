"""Send to Syncro: one address per record, a dialog with JavaScript and a page without."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.models import audit
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge import export_dialog, export_leads, export_outcome, exporting
from propolis.bridge.connecting import as_told, patience, token_died
from propolis.bridge.export_check import Row, Standing, standing
from propolis.bridge.export_dialog import NotReadable
from propolis.bridge.export_words import word_diff
from propolis.bridge.exporting import Part
from propolis.bridge.models import Connection, Link, connection_of
from propolis.bridge.sentences import SENDING, sentence
from propolis.bridge.vault import TokenUnreadable
from propolis.runs import engine
from propolis.runs.models import Run
from propolis.syncro import BadToken, MissingPermission, NotFound, SyncroClient, SyncroError


@needs(Verb.SEND)
def send(request: AccountRequest, account: str, kind: str, pk: int) -> HttpResponse:
    """GET compares with Syncro and asks; POST sends what is ticked."""
    row = row_of(kind, pk)
    if "watch" in request.GET:
        return _watched(request, row)
    connection = connection_of(request.account)
    found = standing(row, connection, request.membership)
    if found.run is not None:
        return under_way(request, row, found.run)
    if found.why_not is not None or connection is None:
        return page_of(request, "bridge/send_refused.html", row, {"why_not": found.why_not})
    if request.method == "POST" and "token" in request.POST:
        return _pressed(request, row, connection, found)
    return _dialog(request, row, connection, found)


@needs(Verb.SEND)
@require_POST
def settle(request: AccountRequest, account: str, kind: str, pk: int) -> HttpResponse:
    """An unclear outcome: look again now, tell what is in Syncro, or give up."""
    row = row_of(kind, pk)
    run = export_outcome.under_way(row)
    wanted = request.POST.get("answer", "")
    if run is None:
        return to_profile(request, row)
    if wanted == "give_up":
        engine.stop(run, request.membership)
        messages.warning(request, sentence("send.stopped"))
        return to_profile(request, row)
    if export_outcome.is_asking(run) and not exporting.answer(run, wanted):
        messages.error(request, sentence(run.error_code))
        return redirect(_address(request, row))
    engine.resume(run, request.membership)
    return came(request, row, exporting.take_up(run))


@needs(Verb.SETTINGS)
@require_POST
def rule(request: AccountRequest, account: str) -> HttpResponse:
    """Whether a linked record without an opportunity may be updated."""
    chosen = "refuse" if request.POST.get("without_opportunity") == "refuse" else "warn"
    Connection.objects.filter(account=request.account).update(send_without_opportunity=chosen)
    audit(request.account, request.membership, "syncro.send_rule", rule=chosen)
    messages.success(request, "Saved.")
    return redirect(url(request, "bridge:syncro"))


def row_of(kind: str, pk: int) -> Any:
    row = export_dialog.rows_of(kind, pk)
    if row is None:
        raise Http404("There is no such record.")
    return row


# ---- the dialog


def _dialog(
    request: AccountRequest,
    row: Row,
    connection: Connection,
    found: Standing,
    *,
    error: str = "",
    ticks: list[str] | None = None,
    run: Run | None = None,
) -> HttpResponse:
    chosen = {
        name: request.POST.get(f"as_{name}", "") or request.GET.get(f"as_{name}", "") for name in _NOUNS
    }
    try:
        with _client(connection) as client:
            shown = export_dialog.draft(connection, row, client, chosen)
    except TokenUnreadable as refused:
        return page_of(request, "bridge/send_refused.html", row, {"problem": refused.sentence})
    except SyncroError as refused:
        return page_of(
            request, "bridge/send_refused.html", row, {"problem": _told(connection, found, refused)}
        )
    if ticks is not None:
        shown = export_dialog.with_ticks(shown, ticks, request.POST.get("token", ""))
    if run is not None:
        shown = export_dialog.with_refusals(shown, export_outcome.changes_of(run))
    leads = export_leads.offered(connection, row)
    nothing = shown.nothing and not leads
    error = _still(error, nothing)
    words = {
        "draft": shown,
        "error": " ".join(text for text in (error, shown.error) if text),
        "warning": "" if nothing else found.warning,
        "chosen": chosen,
        "parts": [_part_words(part) for part in shown.parts],
        "leads": leads,
        "lead_ticks": request.POST.getlist("lead"),
    }
    template = "bridge/send_match.html" if shown.asking else "bridge/send.html"
    return page_of(request, template, row, words)


def _still(error: str, nothing: bool) -> str:
    """Where a colleague sent the very same meanwhile, there is nothing to look at, then send."""
    return "" if nothing and error == sentence("send.changed") else error


_NOUNS = ("company", "contact")


def _part_words(part: export_dialog.Shown) -> dict[str, Any]:
    changed = []
    for line in part.changed:
        before, after = word_diff(line.now, line.after)
        errors = part.errors.get(line.name, [])
        changed.append({"line": line, "before": before, "after": after, "errors": errors})
    return {"part": part, "changed": changed}


def _client(connection: Connection) -> SyncroClient:
    return exporting.JOB.client(connection, should_stop=patience(), priority=True)


def _told(connection: Connection, found: Standing, error: SyncroError) -> str:
    if isinstance(error, BadToken | MissingPermission):
        token_died(connection, error)
    if isinstance(error, NotFound) and found.link is not None:
        return SENDING["send.gone"].format(id=found.link.remote_id)
    return as_told(error).sentence


# ---- the press


def _pressed(request: AccountRequest, row: Row, connection: Connection, found: Standing) -> HttpResponse:
    ticks = request.POST.getlist("field")
    try:
        parts = export_dialog.parts_of(row, request.POST.get("token", ""), ticks)
    except NotReadable:
        return _dialog(request, row, connection, found, error=sentence("send.changed"))
    leads = export_leads.chosen(connection, row, request.POST.getlist("lead"))
    if export_dialog.is_empty(parts) and not leads:
        return _dialog(request, row, connection, found, error=sentence("send.nothing"), ticks=ticks)
    parts = [part for part in parts if part.ticked or part.mode != "update"]
    parts += [
        Part(deal, Link.Kind.LEAD, "create", {export_leads.FIELD: seen}) for deal, seen in leads.items()
    ]
    run = exporting.press(connection, row, parts, request.membership)
    return came(request, row, run, ticks)


def came(request: AccountRequest, row: Row, run: Run, ticks: list[str] | None = None) -> HttpResponse:
    """To the profile if all arrived, to the dialog with the reason if not, to the question if it is unclear."""
    if not run.ended:
        return under_way(request, row, run)
    changes = export_outcome.changes_of(run)
    if done := export_outcome.done_words(changes):
        messages.success(request, done)
    failed = export_outcome.failed_words(changes)
    if not failed:
        return to_profile(request, row)
    connection = connection_of(request.account)
    found = standing(row, connection, request.membership)
    if connection is None or found.why_not is not None or ticks is None:
        messages.error(request, failed)
        return to_profile(request, row)
    return _dialog(request, row, connection, found, error=failed, ticks=ticks, run=run)


def under_way(request: AccountRequest, row: Row, run: Run) -> HttpResponse:
    """Somebody sends it now, its process died, or nobody knows whether it arrived."""
    if run.state == Run.State.QUEUED:
        run = exporting.take_up(run)
        if run.ended:
            return came(request, row, run)
    words: dict[str, Any] = {"run": run, "who": str(run.by or "Somebody")}
    if export_outcome.is_asking(run):
        return page_of(request, "bridge/send_ask.html", row, words | exporting.question(run))
    waiting = run.state in (Run.State.WAITING, Run.State.NEEDS_ATTENTION)
    words["says"] = sentence("send.looking") if waiting else SENDING["send.under_way"].format(**words)
    words["detail"] = run.error_detail.partition("\n")[0] if waiting else ""
    words["waiting"] = waiting
    return page_of(request, "bridge/send_waiting.html", row, words)


def _watched(request: AccountRequest, row: Row) -> HttpResponse:
    """What the open dialog asks every other second: nothing new, the question, or how it ended."""
    run = export_outcome.under_way(row) or export_outcome.of(row, request.GET["watch"])
    if run is None:
        return to_profile(request, row)
    if run.ended or export_outcome.is_asking(run):
        return came(request, row, run)
    return HttpResponse(status=204)


def page_of(request: AccountRequest, template: str, row: Row, words: dict[str, Any]) -> HttpResponse:
    kind = str(row._meta.model_name)
    here = {
        "row": row,
        "kind": kind,
        "action": _address(request, row),
        "profile": url(request, f"crm:{kind}", row.pk),
        "settling": url(request, f"bridge:send_{kind}_settle", row.pk),
    }
    return render(request, template, here | words)


def _address(request: AccountRequest, row: Row) -> str:
    return url(request, f"bridge:send_{row._meta.model_name}", row.pk)


def to_profile(request: AccountRequest, row: Row) -> HttpResponse:
    profile = url(request, f"crm:{row._meta.model_name}", row.pk)
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": profile})
    return redirect(profile)
