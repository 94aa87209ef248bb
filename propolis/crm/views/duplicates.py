"""Duplicates: pairs that look like one record, to be merged or kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.models import Account
from propolis.accounts.policy import Verb, needs
from propolis.crm import cells, duplicate_search, paging
from propolis.crm import duplicates as suggestions
from propolis.crm.fields import Kind
from propolis.crm.models import Duplicate, NotDuplicate
from propolis.crm.views.kinds import WORDS, inside, say_with_button

_TURNED_DOWN = "turned-down"


@dataclass(frozen=True)
class Line:
    """One fact of two records; `same`: filled and equal."""

    label: str
    one: Any
    other: Any
    same: bool


@needs(Verb.SEE)
def duplicates(request: HttpRequest, account: str) -> HttpResponse:
    """`?kind=contact`, `?show=turned-down`. Opening the page starts a search where an import came since; `empty`:
    what asks how far it is shows no pairs, so they may come by themselves."""
    here = inside(request)
    kind = Kind.CONTACT if request.GET.get("kind") == Kind.CONTACT else Kind.COMPANY
    last = duplicate_search.last_search()
    run = duplicate_search.under_way(here.account)
    if run is None and duplicate_search.is_stale(last):
        run, _new = duplicate_search.search(here.account, by=here.membership)
    context: dict[str, Any] = {"kind": kind, "words": WORDS[kind], "run": run, "last": last}
    if here.htmx and run is None and "empty" in request.GET:
        return HttpResponse(headers={"HX-Refresh": "true"})
    if here.htmx:
        return render(request, "crm/duplicates_search.html", context)
    params = {key: str(value) for key, value in request.GET.items()}
    context |= {"counts": suggestions.counts(), "down": params.get("show") == _TURNED_DOWN}
    context |= _turned_down(kind, params) if context["down"] else _suggested(here.account, kind, params)
    return render(request, "crm/duplicates.html", context)


def _suggested(account: Account, kind: Kind, params: dict[str, str]) -> dict[str, Any]:
    found = suggestions.shown(kind, params)
    said = f"{paging.count_words(found.count)} {'pair' if found.count == 1 else 'pairs'}"
    pairs = [(twins, lines(twins, account.phone_region)) for twins in found.twins]
    return {"pairs": pairs, "page": found.page, "says": said}


def _turned_down(kind: Kind, params: dict[str, str]) -> dict[str, Any]:
    found, page = suggestions.turned_down(kind, params)
    return {"said": found, "page": page, "says": ""}


def lines(twins: suggestions.Twins, region: str) -> list[Line]:
    """What tells the two apart, side by side; nothing that is blank in both."""
    shown = [_line(label, getter(twins.one), getter(twins.other), region) for label, getter in _FACTS]
    return [line for line in shown if line.one or line.other]


def _line(label: str, one: Any, other: Any, region: str) -> Line:
    if label in _NUMBERS:
        one, other = cells.phone_words(one, region), cells.phone_words(other, region)
    same = bool(one) and label != "Date created" and str(one).casefold() == str(other).casefold()
    return Line(label, one, other, same)


_NUMBERS = ("Phone", "Mobile")
_FACTS: tuple[tuple[str, Any], ...] = (
    ("Company", lambda row: getattr(row, "company", None) and row.company.name),
    ("Title", lambda row: getattr(row, "title", "")),
    ("Domain", lambda row: getattr(row, "domain", "")),
    ("E-mail", lambda row: row.email),
    ("Phone", lambda row: row.phone),
    ("Mobile", lambda row: row.mobile),
    ("City", lambda row: row.city),
    ("Salesperson", lambda row: row.salesperson and str(row.salesperson)),
    ("Date created", lambda row: cells.day(row.created_at)),
)


@needs(Verb.EDIT_CRM)
@require_POST
def search(request: HttpRequest, account: str) -> HttpResponse:
    """ "Search again"."""
    here = inside(request)
    duplicate_search.search(here.account, by=here.membership)
    return redirect(_page(request, request.POST.get("kind", "")))


@needs(Verb.EDIT_CRM)
@require_POST
def not_duplicates(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """These two are two: remembered, with an Undo in the message."""
    pair = get_object_or_404(Duplicate, pk=pk)
    said = suggestions.turn_down(Kind(pair.kind), pair.a, pair.b, actor=inside(request).membership)
    again = url(request, "crm:duplicates_again", said.pk)
    say_with_button(request, "Kept apart. They are not suggested again.", again)
    return redirect(_page(request, pair.kind))


@needs(Verb.EDIT_CRM)
@require_POST
def again(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """They may be duplicates after all."""
    said = get_object_or_404(NotDuplicate, pk=pk)
    suggestions.ask_again(said)
    messages.success(request, "Suggested again.")
    return redirect(_page(request, said.kind))


def _page(request: HttpRequest, kind: str) -> str:
    where = url(request, "crm:duplicates")
    return f"{where}?kind={kind}" if kind == Kind.CONTACT else where
