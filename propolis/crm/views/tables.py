"""What every table page does: showing itself, remembering columns, acting on the selected rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.models import Membership
from propolis.accounts.policy import Verb, may, needs
from propolis.crm import lists
from propolis.crm.assign import assign
from propolis.crm.fields import Kind
from propolis.crm.forms import people
from propolis.crm.models import List
from propolis.crm.panels import table_of
from propolis.crm.tables import View, remember_columns, view
from propolis.crm.views.kinds import ids_of, inside

_KINDS = {"companies": Kind.COMPANY, "contacts": Kind.CONTACT, "opportunities": Kind.OPPORTUNITY}


def table_page(
    request: HttpRequest, shown: View, title: str, new: str, new_words: str, **more: Any
) -> HttpResponse:
    """A whole table page, or only the table for htmx."""
    page = shown.table.page
    context = {
        "table": shown.load(),
        "title": title,
        "page": page,
        "new_url": url(request, new),
        "new_words": new_words,
        "selectable": page in ("companies", "contacts", "opportunities"),
        "people": people(),
        "lists": List.objects.order_by("name_key") if page == "contacts" else [],
        **more,
    }
    return render(request, "crm/table_page.html", context)


@needs(Verb.SEE)
@require_POST
def columns(request: HttpRequest, account: str, page: str) -> HttpResponse:
    """Remembers the chosen columns and goes back to the table as it was."""
    remember_columns(_table(page), inside(request).membership, request.POST.getlist("column"))
    return redirect(_back(request, page))


@needs(Verb.SEE)
@require_POST
def bulk(request: HttpRequest, account: str, page: str) -> HttpResponse:
    """Acts on the ticked rows, or with `all` on everything the filters leave: list, unlist, salesperson."""
    ids = _chosen(request, page)
    action = request.POST.get("action", "")
    if action in ("add", "remove") and page == "contacts":
        _on_list(request, ids, add=action == "add")
    elif action == "assign":
        _give(request, page, ids)
    else:
        messages.error(request, "Choose what to do with the selected rows.")
    return redirect(_back(request, page))


def _chosen(request: HttpRequest, page: str) -> Iterable[int]:
    if "all" not in request.POST:
        return ids_of(request.POST.getlist("id"))
    shown = _filtered(request, page)
    # Read whole before anything is written: what is written changes what the filters leave.
    return list(shown.query.order_by().values_list("pk", flat=True))


def _filtered(request: HttpRequest, page: str) -> View:
    """The table as the address the form came from filtered it."""
    was = QueryDict(mutable=True)
    was.update(dict(parse_qsl(request.POST.get("narrowing", ""))))
    request.GET = was  # type: ignore[assignment]
    return view(request, _table(page))


def _on_list(request: HttpRequest, ids: Iterable[int], *, add: bool) -> None:
    wanted = request.POST.get("list", "")
    if not wanted.isdigit():
        messages.error(request, "Choose a list.")
        return
    chosen = get_object_or_404(List, pk=int(wanted))
    member = inside(request).membership
    if add:
        count = lists.add(chosen, ids, actor=member)
        messages.success(request, f"Put {count:,} {_contacts(count)} on {chosen.name}.")
    else:
        count = lists.remove(chosen, ids, actor=member)
        messages.success(request, f"Took {count:,} {_contacts(count)} off {chosen.name}.")


def _contacts(count: int) -> str:
    return "contact" if count == 1 else "contacts"


def _give(request: HttpRequest, page: str, ids: Iterable[int]) -> None:
    here = inside(request)
    kind = _KINDS[page]
    verb = Verb.OPPORTUNITIES if kind is Kind.OPPORTUNITY else Verb.EDIT_CRM
    if not may(here.membership, verb):
        raise Http404
    wanted = request.POST.get("salesperson", "")
    person: Membership | None = None
    if wanted != "none":
        person = get_object_or_404(people(), pk=int(wanted) if wanted.isdigit() else 0)
    count = assign(kind, ids, person, actor=here.membership)
    noun = table_of(page).noun[count != 1]
    messages.success(request, f"{count:,} {noun} given to {person or 'nobody'}.")


def _table(page: str) -> Any:
    try:
        return table_of(page)
    except KeyError:
        raise Http404 from None


def _back(request: HttpRequest, page: str) -> str:
    narrowing = request.POST.get("narrowing", "")
    where = url(request, f"crm:{page}")
    if page == "contacts" and request.POST.get("of_list", "").isdigit():
        where = url(request, "crm:list", int(request.POST["of_list"]))
    return f"{where}?{narrowing}" if narrowing else where
