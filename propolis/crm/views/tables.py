"""What every table page does: showing itself, remembering columns, acting on the selected rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import typed_id, url
from propolis.accounts.models import Membership
from propolis.accounts.policy import Verb, may, needs
from propolis.crm import hand_jobs, list_jobs
from propolis.crm.fields import Kind
from propolis.crm.forms import people
from propolis.crm.listing import on_list
from propolis.crm.models import List
from propolis.crm.panels import table_of
from propolis.crm.tables import View, remember_columns, view
from propolis.crm.views.handing import BUSY, THE_REST
from propolis.crm.views.kinds import ids_of, inside, say_with_button
from propolis.runs.models import Run

KINDS = {"companies": Kind.COMPANY, "contacts": Kind.CONTACT, "opportunities": Kind.OPPORTUNITY}


def table_page(
    request: HttpRequest, shown: View, title: str, new: str, new_words: str, **more: Any
) -> HttpResponse:
    """A whole page of a table that is loaded."""
    page, of_list = shown.table.page, more.get("of_list")
    context = {
        "table": shown,
        "title": title,
        "page": page,
        "new_url": f"{url(request, new)}?list={of_list.pk}" if of_list else url(request, new),
        "new_words": new_words,
        "export_url": _export_url(request, shown, of_list),
        "selectable": page in ("companies", "contacts", "opportunities"),
        "people": people(),
        "lists": List.objects.order_by("name_key") if page == "contacts" else [],
        **more,
    }
    return render(request, "crm/table_page.html", context)


def _export_url(request: HttpRequest, shown: View, of_list: List | None) -> str:
    """The same records as a file; of contacts there is a choice of two files first."""
    query = {**dict(parse_qsl(shown.narrowing)), **({"of_list": of_list.pk} if of_list else {})}
    if shown.table.page == "contacts":
        where = url(request, "crm:contact_export")
    else:
        where = url(request, "crm:export_csv", shown.table.page)
    return f"{where}?{urlencode(query)}" if query else where


@needs(Verb.SEE)
@require_POST
def columns(request: HttpRequest, account: str, page: str) -> HttpResponse:
    """Remembers the chosen columns and goes back to the table as it was."""
    remember_columns(table_of_page(page), inside(request).membership, request.POST.getlist("column"))
    return redirect(_back(request, page))


@needs(Verb.SEE)
@require_POST
def bulk(request: HttpRequest, account: str, page: str) -> HttpResponse:
    """Acts on the ticked rows, or with `all` on everything the filters leave: list, unlist, salesperson."""
    ids = _chosen(request, page)
    action = request.POST.get("action", "")
    if not ids:
        messages.error(request, "Tick at least one row.")
    elif action in ("add", "remove") and page == "contacts":
        _on_list(request, ids, add=action == "add")
    elif action == "assign":
        _give(request, page, ids)
    else:
        messages.error(request, "Choose what to do with the selected rows.")
    return redirect(_back(request, page))


def _chosen(request: HttpRequest, page: str) -> list[int]:
    if "all" not in request.POST:
        return ids_of(request.POST.getlist("id"))
    shown = _filtered(request, page)
    # Read whole before anything is written: what is written changes what the filters leave.
    return list(shown.query.order_by().values_list("pk", flat=True))


def _filtered(request: HttpRequest, page: str) -> View:
    """The table as the address the form came from filtered it."""
    asked = dict(parse_qsl(request.POST.get("narrowing", "")))
    return narrowed_table(request, page, asked, request.POST.get("of_list", ""))


def narrowed_table(request: HttpRequest, page: str, asked: Mapping[str, str], of_list: str = "") -> View:
    """The table as these words of an address filter it; `of_list`: the id of the list whose page it is on."""
    table = table_of_page(page)
    base = on_list(table.rows(), of_list) if of_list and page == "contacts" else None
    return view(request, table, base, asked)


def _on_list(request: HttpRequest, ids: list[int], *, add: bool) -> None:
    here, wanted = inside(request), typed_id(request.POST.get("list"))
    if not may(here.membership, Verb.LIST_MEMBERS):
        raise Http404
    if wanted is None:
        messages.error(request, "Choose a list.")
        return
    chosen = get_object_or_404(List, pk=wanted)
    options = {"list": chosen.pk, "ids": ids, "on": add}
    named = {"list": chosen.name}
    run = hand_jobs.at_once(here.account, list_jobs.ON_LIST, options, by=here.membership, named=named)
    if run is None:
        messages.warning(request, BUSY)
        return
    count = run.counts.get("changed", 0)
    contacts = "contact" if count == 1 else "contacts"
    done = f"Put {count:,} {contacts} on" if add else f"Took {count:,} {contacts} off"
    if len(ids) == 1:
        nothing = f"That one was {'' if add else 'not '}on {chosen.name}{' already' if add else ''}."
    else:
        nothing = f"{'All' if add else 'None'} of them were on {chosen.name}{' already' if add else ''}."
    _say_done(request, run, count, f"{done} {chosen.name}.", nothing)


def _give(request: HttpRequest, page: str, ids: list[int]) -> None:
    here = inside(request)
    kind = KINDS[page]
    verb = Verb.OPPORTUNITIES if kind is Kind.OPPORTUNITY else Verb.EDIT_CRM
    if not may(here.membership, verb):
        raise Http404
    wanted = request.POST.get("salesperson", "")
    if not wanted:
        messages.error(request, "Choose a salesperson.")
        return
    person: Membership | None = None
    if wanted != "none":
        person = get_object_or_404(people(), pk=typed_id(wanted) or 0)
    options = {"what": kind.value, "ids": ids, "to": person.pk if person else 0}
    run = hand_jobs.at_once(here.account, hand_jobs.GIVE, options, by=here.membership)
    if run is None:
        messages.warning(request, BUSY)
        return
    count = run.counts.get("given", 0)
    noun = table_of(page).noun[count != 1]
    one = len(ids) == 1
    if person is None:
        nothing = "That one had no salesperson." if one else "None of them had a salesperson."
    else:
        nothing = f"{'That one' if one else 'All of them'} belonged to {person} already."
    _say_done(request, run, count, f"{count:,} {noun} given to {person or 'nobody'}.", nothing)


def _say_done(request: HttpRequest, run: Run, count: int, words: str, nothing: str) -> None:
    """`nothing`: what to say where none had to be changed."""
    if not run.ended:
        words = f"{words} {THE_REST}"
    if count or not run.ended:
        say_with_button(request, words, url(request, "crm:hand_back", run.pk))
    else:
        messages.info(request, nothing)


def table_of_page(page: str) -> Any:
    try:
        return table_of(page)
    except KeyError:
        raise Http404 from None


def _back(request: HttpRequest, page: str) -> str:
    narrowing = request.POST.get("narrowing", "")
    where = url(request, f"crm:{page}")
    of_list = typed_id(request.POST.get("of_list"))
    if page == "contacts" and of_list is not None:
        where = url(request, "crm:list", of_list)
    return f"{where}?{narrowing}" if narrowing else where
