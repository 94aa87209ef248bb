"""The history of imports: all of them, one with its changes, as CSV, and trying again what failed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge import retrying
from propolis.bridge.import_changes import Narrowing, as_csv, listing
from propolis.bridge.import_history import history
from propolis.bridge.import_pages import busy_words, run_panel
from propolis.bridge.import_words import title_of
from propolis.bridge.importing import KIND
from propolis.bridge.models import connection_of
from propolis.runs.models import Run


@needs(Verb.IMPORT)
def imports(request: AccountRequest, account: str) -> HttpResponse:
    """Every import, newest first."""
    return render(request, "bridge/imports.html", {"history": history(request.account, request.GET)})


@needs(Verb.IMPORT)
def one_import(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """One import: while it runs, at its preview, and ever after with all it did."""
    return run_page(request, _run(number))


def run_page(request: AccountRequest, run: Run) -> HttpResponse:
    connection = connection_of(request.account)
    panel = run_panel(request.account, connection, run, request.GET.dict())
    shown = {"panel": panel, "run": run, "title": title_of(run), "connection": connection, "on": "run"}
    if panel.state == "result":
        csv_at = url(request, "bridge:import_csv", run.number)
        shown["listing"] = listing(request.account, connection, run, request.GET.dict(), csv_at)
    return render(request, "bridge/import_run.html", shown)


@needs(Verb.IMPORT)
def changes_csv(request: AccountRequest, account: str, number: int) -> HttpResponseBase:
    """The changes as a file, narrowed as the page was."""
    run = _run(number)
    lines = as_csv(request.account, connection_of(request.account), run, Narrowing.parse(request.GET.dict()))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="import-{run.number}.csv"'
    return response


@needs(Verb.IMPORT)
@require_POST
def retry(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """Reads one failed record again, or all that failed for a reason, and imports it by the same rules."""
    failed = _run(number)
    wanted = [request.POST["record"]] if "record" in request.POST else None
    only = retrying.failed_records(failed, reason=request.POST.get("reason", ""), wanted=wanted)
    if not only:
        messages.info(request, "There is nothing left to retry: these records have been imported since.")
        return redirect(url(request, "bridge:import_run", number))
    run, started = retrying.start_retry(request.account, only, by=request.membership)
    if not started and run.kind != KIND:
        messages.warning(request, f"{busy_words(run)}. Press Retry again when that has ended.")
        return redirect(url(request, "bridge:import_run", number))
    return redirect(url(request, "bridge:import_run", run.number))


def _run(number: int) -> Run:
    return get_object_or_404(Run.objects.select_related("by", "account"), number=number, kind=KIND)
