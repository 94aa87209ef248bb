"""Starting, watching and steering an import; every answer works with and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.models import audit
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge import choices, import_pages
from propolis.bridge.import_pill import pill_html
from propolis.bridge.import_progress import look, state_of
from propolis.bridge.import_words import state_badge, title_of
from propolis.bridge.importing import KIND, OBJECTS, start_import
from propolis.bridge.models import connection_of
from propolis.bridge.sentences import sentence
from propolis.bridge.steps import IMPORTED, Step, StepLocked, require_step
from propolis.bridge.views_import_runs import run_page
from propolis.bridge.views_wizard import import_page
from propolis.runs import engine
from propolis.runs.engine import Refused
from propolis.runs.models import Run
from propolis.runs.pace import Mark
from propolis.ui.toasts import announce

# Where a form was sent from: a step's page, or the page of the import.
_STEPS: Final = {step.value: step for step in IMPORTED}
CONFIRMED: Final = (
    "Somebody confirmed this preview meanwhile. Nothing was stopped; this is how it stands now."
)
_BUSY: Final = "Another import is at work. Press Import again when it has ended."


@needs(Verb.IMPORT)
@require_POST
def start(request: AccountRequest, account: str) -> HttpResponse:
    """Starts the import of `objects`; at any number of presses at once there is one, and all see it."""
    step = _STEPS.get(request.POST.get("on", ""), Step.COMPANIES)
    wanted = request.POST.get("objects", "").split(",")
    objects = [noun for noun in OBJECTS if noun in wanted] or [step.value]
    try:
        require_step(connection_of(request.account), Step(objects[-1]))
    except StepLocked as locked:
        messages.error(request, locked.sentence)
        return redirect(url(request, f"bridge:{step.value}"))
    run, started = start_import(
        request.account, objects, by=request.membership, show_first="show_first" in request.POST
    )
    if started:
        _clear_previews(request, run)
        audit(request.account, request.membership, "run.start", run=run.pk)
    elif run.kind != KIND:
        messages.warning(request, f"{import_pages.busy_words(run)}. Press Import again when that has ended.")
    return redirect(url(request, f"bridge:{step.value}"))


def _clear_previews(request: AccountRequest, run: Run) -> None:
    """A new import takes the place of a preview of the same objects that was never imported."""
    for old in Run.objects.filter(kind=KIND, state=Run.State.PLANNED).exclude(pk=run.pk):
        if old.options.get("objects") == run.options.get("objects"):
            engine.stop(old, request.membership)


@needs(Verb.IMPORT)
def progress(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """What a watching page asks every two seconds: the numbers, or the whole page once it is another one."""
    run = _run(number)
    if not request.htmx:
        return redirect(_address(request, run))
    if state_of(run) != request.GET.get("state"):
        return _whole_page(request, run)
    seen = look(run, Mark.parse(request.GET.get("mark", "")))
    words = {"seen": seen, "on": _on(request)}
    response = render(request, "bridge/import_running.html", words)
    return announce(response, seen.announce) if seen.announce else response


@needs(Verb.IMPORT)
@require_POST
def pause(request: AccountRequest, account: str, number: int) -> HttpResponse:
    return _steer(request, number, engine.pause)


@needs(Verb.IMPORT)
@require_POST
def resume(request: AccountRequest, account: str, number: int) -> HttpResponse:
    return _steer(request, number, engine.resume)


def discarded(request: AccountRequest, run: Run) -> bool:
    """Discards a preview, and says so where somebody has confirmed it meanwhile."""
    gone = engine.discard(run, request.membership)
    if not gone:
        messages.warning(request, CONFIRMED)
    return gone


@needs(Verb.IMPORT)
@require_POST
def stop(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """ "Stop and keep what is done"; of a preview: "Discard preview", unless somebody has imported it meanwhile."""
    if "preview" not in request.POST:
        return _steer(request, number, engine.stop)
    run = _run(number)
    discarded(request, run)
    return redirect(_address(request, run))


@needs(Verb.IMPORT)
@require_POST
def confirm(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """ "Import 2,310 companies": exactly the plan that was shown."""
    run = _run(number)
    if run.gate_reason != "preview" and "agree" not in request.POST:
        messages.error(request, "Tick the box to confirm the numbers first.")
        return redirect(_address(request, run))
    try:
        if engine.confirm(run, request.membership):
            _settle(request, run)
        elif _run(number).state == Run.State.PLANNED:
            messages.warning(request, _BUSY)
    except Refused as refused:
        messages.error(request, sentence(refused.code))
    return redirect(_address(request, run))


def _settle(request: AccountRequest, run: Run) -> None:
    connection = connection_of(request.account)
    if connection is not None and "opportunities" in run.options["objects"]:
        choices.settle_questions(connection, request.membership)


@needs(Verb.SEE)
def pill(request: AccountRequest, account: str) -> HttpResponse:
    """The sign of work under way in the side bar, by itself; nothing once there is none."""
    return HttpResponse(pill_html(request))


def _steer(request: AccountRequest, number: int, ask: Callable[[Run, Any], bool]) -> HttpResponse:
    run = _run(number)
    ask(run, request.membership)
    if request.htmx:
        return _whole_page(request, _run(number))
    return redirect(_address(request, run))


def _whole_page(request: AccountRequest, run: Run) -> HttpResponse:
    """The page as it is now, in place of the one that asked; a screen reader hears what it has become."""
    step = _STEPS.get(_on(request))
    response = import_page(request, step) if step else run_page(request, run)
    response.headers["HX-Retarget"] = response.headers["HX-Reselect"] = "#main"
    response.headers["HX-Reswap"] = "outerHTML"
    return announce(response, f"{title_of(run)}: {state_badge(run).text}")


def _on(request: AccountRequest) -> str:
    return request.POST.get("on", "") or request.GET.get("on", "")


def _run(number: int) -> Run:
    return get_object_or_404(Run.objects.select_related("by", "account"), number=number, kind=KIND)


def _address(request: AccountRequest, run: Run) -> str:
    step = _STEPS.get(_on(request))
    return url(request, f"bridge:{step.value}") if step else url(request, "bridge:import_run", run.number)
