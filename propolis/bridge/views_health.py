""" "Sync health": the numbers, a list and a CSV behind each, causes with Retry, remembered decisions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.csv_cells import inert
from propolis.accounts.models import audit
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge import health, remembered, retrying
from propolis.bridge.import_pages import busy_words
from propolis.bridge.import_words import state_badge, title_of, who
from propolis.bridge.models import Connection, Link, connection_of
from propolis.crm.models import Contact
from propolis.runs.models import Run

_HEADINGS: Final = ("Name", "Kind", "Syncro id", "About")


@needs(Verb.IMPORT)
def page(request: AccountRequest, account: str) -> HttpResponse:
    connection = connection_of(request.account)
    words: dict[str, Any] = {"connection": connection}
    if connection is not None:
        last = Run.objects.filter(account=request.account, kind="import").select_related("by")
        run = last.order_by("-id").first()
        words |= {
            "counters": health.counters(connection),
            "causes": health.causes(connection),
            "data": health.data_health(),
            "run": run,
            "last": {"title": title_of(run), "badge": state_badge(run), "who": who(run)} if run else None,
        }
    return render(request, "bridge/health.html", words)


@needs(Verb.IMPORT)
def listing(request: AccountRequest, account: str, key: str) -> HttpResponse:
    """The records behind one number."""
    connection = _connection(request, key)
    shown = health.listed(request.account, connection, key, request.GET.dict())
    return render(request, "bridge/health_list.html", {"listed": shown})


@needs(Verb.IMPORT)
def as_csv(request: AccountRequest, account: str, key: str) -> HttpResponseBase:
    """All of them as a file; no cell is a formula."""
    connection = _connection(request, key)
    response = StreamingHttpResponse(_lines(request, connection, key), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="syncro-{key.replace("_", "-")}.csv"'
    return response


def _lines(request: AccountRequest, connection: Connection, key: str) -> Iterator[str]:
    yield _line(_HEADINGS)
    for row in health.as_rows(request.account, connection, key):
        yield _line((row.name, row.kind, row.remote.removeprefix("#"), row.says))


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([inert(cell) for cell in cells])
    return out.getvalue()


@needs(Verb.IMPORT)
@require_POST
def retry(request: AccountRequest, account: str) -> HttpResponse:
    """Reads again what failed: all, of one cause, or one record."""
    connection = connection_of(request.account)
    reason, record = request.POST.get("reason", ""), request.POST.get("record", "")
    only = health.failed_only(connection, reason, record) if connection else []
    if not only:
        messages.info(request, "There is nothing left to retry: these records have been imported since.")
        return redirect(url(request, "bridge:health"))
    run, started = retrying.start_retry(request.account, only, by=request.membership)
    if not started and run.kind != "import":
        messages.warning(request, f"{busy_words(run)}. Press Retry again when that has ended.")
        return redirect(url(request, "bridge:health"))
    return redirect(url(request, "bridge:import_run", run.number))


@needs(Verb.IMPORT)
def decisions(request: AccountRequest, account: str) -> HttpResponse:
    """ "Remembered decisions": deleted here, taken off the list, several customers on one company."""
    words = {
        "deleted": remembered.deleted_here(),
        "removed": remembered.off_the_list(),
        "twins": remembered.twins(),
    }
    return render(request, "bridge/health_remembered.html", words)


@needs(Verb.IMPORT)
@require_POST
def bring_back(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    link = get_object_or_404(Link.objects.select_related("company", "contact", "opportunity"), pk=pk)
    if remembered.bring_back(link, request.membership):
        audit(request.account, request.membership, "syncro.bring_back", link=link.pk)
        messages.success(request, "Brought back. Imports follow it again.")
    else:
        messages.info(request, "It is here already.")
    return redirect(url(request, "bridge:remembered"))


@needs(Verb.IMPORT)
@require_POST
def put_back(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact, pk=pk)
    if remembered.put_back_on_list(request.account, contact.pk, request.membership):
        messages.success(request, "Put back on Syncro General.")
    return redirect(url(request, "bridge:remembered"))


def _connection(request: AccountRequest, key: str) -> Connection:
    connection = connection_of(request.account)
    if connection is None or not health.is_list(key):
        raise Http404
    return connection
