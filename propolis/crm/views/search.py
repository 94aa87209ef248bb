"""Searching everything at once, and picking a record while typing."""

from __future__ import annotations

from typing import Any

from django.db import OperationalError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from propolis.accounts.policy import Verb, needs
from propolis.crm import paging
from propolis.crm.finding import can_forgive, forgiving, narrowed
from propolis.crm.forms import picked_words
from propolis.crm.models import Company, Contact, Opportunity
from propolis.crm.views.kinds import inside

_FEW = 6
_MANY = 25
_PICKED = 12


@needs(Verb.SEE)
def search(request: HttpRequest, account: str) -> HttpResponse:
    """Results of `?q=`: a page, or for htmx the list under the search field."""
    text = request.GET.get("q", "").strip()
    few = bool(inside(request).htmx)
    most = _FEW if few else _MANY
    found = _found(text, most) if len(text) > 1 else []
    if found and not any(rows for _label, _page, rows in found) and can_forgive():
        found = _alike(text, most)
    context = {"q": text, "found": found, "any": any(rows for _label, _page, rows in found)}
    return render(request, "crm/search_results.html" if few else "crm/search.html", context)


def _alike(text: str, most: int) -> list[tuple[str, str, list[Any]]]:
    try:
        with forgiving():
            return _found(text, most)
    except OperationalError:
        return []


def _found(text: str, most: int) -> list[tuple[str, str, list[Any]]]:
    """(heading, url name, rows) for each kind; two queries each."""
    contacts = Contact.objects.select_related("company")
    deals = Opportunity.objects.select_related("company", "status")
    kinds: tuple[tuple[str, str, Any], ...] = (
        ("Companies", "company", Company.objects.all()),
        ("Contacts", "contact", contacts),
        ("Opportunities", "opportunity", deals),
    )
    return [(label, name, _first(query, text, most)) for label, name, query in kinds]


def _first(query: QuerySet[Any], text: str, most: int) -> list[Any]:
    """The first by name of those that match."""
    alive = query.filter(deleted_at=None)
    found = paging.found(narrowed(alive, text), query, narrowed(alive, text, many=True))
    return paging.first_rows(found.rows, "sort_name", most, whole=found.whole)


@needs(Verb.SEE)
def pick(request: HttpRequest, account: str, page: str) -> HttpResponse:
    """Options for a field that names a company or a contact."""
    models: dict[str, Any] = {"companies": Company, "contacts": Contact}
    if page not in models:
        raise Http404
    text = request.GET.get("q", "").strip()
    rows = _first(models[page].objects.all(), text, _PICKED) if text else []
    return render(request, "crm/pick.html", {"options": [picked_words(row) for row in rows]})
