"""Undoing an import: what it would do, the confirmation, the work under way, the receipt to print."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.policy import Verb, may, needs, refusal
from propolis.accounts.requests import AccountRequest
from propolis.bridge.import_pages import busy_words
from propolis.bridge.import_progress import look
from propolis.bridge.import_sums import run_address
from propolis.bridge.import_words import moment, title_of
from propolis.bridge.models import connection_of
from propolis.bridge.scheduling import standing
from propolis.bridge.sentences import run_sentence, sentence
from propolis.bridge.undo_words import kept_csv, told
from propolis.bridge.undoing import KIND, UNDOABLE, UndoJob, restored_since, start_undo, why_not
from propolis.bridge.views_imports import discarded
from propolis.crm.csv_import.job import verb_to_undo
from propolis.runs import engine
from propolis.runs.engine import Refused
from propolis.runs.models import Run
from propolis.runs.pace import Mark

_PHASES: Final = {"planning": "Looking at what goes back", "undoing": "Undoing", "planned": "Undoing"}


@needs(Verb.UNDO_OWN)
def page(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """One address from the first look to the receipt."""
    undone = _run(request, number)
    undo = _latest(undone)
    words: dict[str, Any] = {"undone": undone, "title": title_of(undone), "undo": undo}
    words["address"] = run_address(request.account, undone)
    scheduled = undone.kind != "csv_import"  # a file has nothing to do with the schedule
    words["state"] = _state(undo)
    if undo is None or words["state"] == "begin":
        words["why_not"] = why_not(undone)
        words["schedule"] = standing(request.account) if scheduled else None
    elif words["state"] == "working":
        words |= _progress(request, undo)
    elif words["state"] == "preview":
        stale = UndoJob().may_confirm(undo)
        words["stale"] = sentence(stale) if stale else ""
        words["schedule"] = standing(request.account) if scheduled else None
    if undo is not None and words["state"] in ("preview", "receipt", "ended"):
        after = words["state"] != "preview"
        words["told"] = told(request.account, connection_of(request.account), undo, after=after)
        words["reason"] = run_sentence(undo)
        words["when"] = moment(undo.finished_at)
    return render(request, "bridge/undo.html", words)


@needs(Verb.UNDO_OWN)
@require_POST
def begin(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """ "Show what would go back": plans, and then waits for a person."""
    undone = _run(request, number)
    try:
        found, _ = start_undo(undone, by=request.membership)
    except ValueError as refused:
        messages.error(request, str(refused))
    else:
        if found.undoes_id != undone.pk:
            messages.warning(request, f"{busy_words(found)}. Undo this import when that has ended.")
    return redirect(_address(request, number))


@needs(Verb.UNDO_OWN)
def progress(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """The polled part; when there is something to decide or it has ended, the whole page comes anew."""
    undo = _latest(_run(request, number))
    if undo is None or _state(undo) != "working":
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "bridge/undo_running.html", _progress(request, undo))


@needs(Verb.UNDO_OWN)
@require_POST
def confirm(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """ "Undo this import": as far as it is still as the preview found it."""
    undo = _latest(_run(request, number))
    try:
        if undo is None or not engine.confirm(undo, request.membership):
            messages.warning(request, "Something else is at work. Undo this import when that has ended.")
    except Refused as refused:
        messages.error(request, sentence(refused.code))
    return redirect(_address(request, number))


@needs(Verb.UNDO_OWN)
@require_POST
def cancel(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """Discards the preview; of an undo under way "Stop and keep what is undone"."""
    undo = _latest(_run(request, number))
    if undo is None:
        return redirect(_address(request, number))
    if "preview" in request.POST or undo.confirmed_at is None:
        if discarded(request, undo):
            messages.success(request, "Nothing was undone.")
            return redirect(run_address(request.account, _run(request, number)))
    elif not undo.ended:
        engine.stop(undo, request.membership)
    return redirect(_address(request, number))


@needs(Verb.UNDO_OWN)
@require_POST
def resume(request: AccountRequest, account: str, number: int) -> HttpResponse:
    undo = _latest(_run(request, number))
    if undo is not None:
        engine.resume(undo, request.membership)
    return redirect(_address(request, number))


@needs(Verb.UNDO_OWN)
def kept(request: AccountRequest, account: str, number: int) -> HttpResponseBase:
    """Everything that stays, with why, as a file."""
    undo = get_object_or_404(Run.objects.filter(kind=KIND, undoes=_run(request, number)).order_by("-id")[:1])
    lines = kept_csv(request.account, connection_of(request.account), undo)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="undo-{number}-kept.csv"'
    return response


def button(request: HttpRequest, about: Any) -> str:
    """For the place "bridge.import_actions": the way to the undo, of an import that can be undone."""
    if not _may_undo(request, about) or not about.ended or why_not(about):
        return ""
    return render_to_string("bridge/undo_button.html", {"run": about}, request)


def notice(request: HttpRequest, about: Any) -> str:
    """For the place "bridge.import_result": that it was undone, is about to be, or was before a backup."""
    if not _may_undo(request, about):
        return ""
    undo = _latest(about)
    if undo is None or (undo.state == Run.State.STOPPED and undo.confirmed_at is None):
        if about.ended and restored_since(about):
            return render_to_string("bridge/undo_notice.html", {"state": "restored"}, request)
        return ""
    words = {"run": about, "undo": undo, "state": _state(undo), "when": moment(undo.finished_at)}
    return render_to_string("bridge/undo_notice.html", words, request)


def _may_undo(request: HttpRequest, about: Any) -> bool:
    person = getattr(request, "membership", None)
    return isinstance(about, Run) and may(person, verb_to_undo(about, person))


def _run(request: AccountRequest, number: int) -> Run:
    """The import to undo, for whoever may undo it."""
    runs = Run.objects.select_related("by", "account").filter(kind__in=UNDOABLE)
    run = get_object_or_404(runs, number=number)
    verb = verb_to_undo(run, request.membership)
    if not may(request.membership, verb):
        raise PermissionDenied(refusal(verb))
    return run


def _latest(undone: Run) -> Run | None:
    return undone.undone_by.select_related("by", "account").filter(kind=KIND).order_by("-id").first()


def _state(undo: Run | None) -> str:
    """ "begin", "working", "preview", "receipt" or "ended" (stopped or failed after it had begun)."""
    if undo is None or (undo.ended and undo.confirmed_at is None):
        return "begin"
    if undo.state == Run.State.PLANNED:
        return "preview"
    if undo.ended:
        return "receipt" if undo.state == Run.State.COMPLETE else "ended"
    return "working"


def _progress(request: AccountRequest, undo: Run) -> dict[str, Any]:
    seen = look(undo, Mark.parse(request.GET.get("mark", "")))
    phase = _PHASES.get(undo.phase, "Starting")
    return {"seen": seen, "phase": phase, "undone": undo.undoes, "undo": undo}


def _address(request: AccountRequest, number: int) -> str:
    return url(request, "bridge:undo", number)
