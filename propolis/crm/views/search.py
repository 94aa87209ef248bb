"""Searching everything at once, and picking a record while typing."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from propolis.accounts.policy import Verb, needs
from propolis.crm.finding import narrowed
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
    found = _found(text, _FEW if few else _MANY) if len(text) > 1 else []
    context = {"q": text, "found": found, "any": any(rows for _label, _page, rows in found)}
    return render(request, "crm/search_results.html" if few else "crm/search.html", context)


def _found(text: str, most: int) -> list[tuple[str, str, list[Any]]]:
    """(heading, url name, rows) for each kind; one query each."""
    contacts = Contact.objects.select_related("company")
    deals = Opportunity.objects.select_related("company", "status")
    kinds: tuple[tuple[str, str, Any], ...] = (
        ("Companies", "company", Company.objects.all()),
        ("Contacts", "contact", contacts),
        ("Opportunities", "opportunity", deals),
    )
    return [
        (label, name, list(narrowed(query.filter(deleted_at=None), text).order_by("sort_name", "pk")[:most]))
        for label, name, query in kinds
    ]


@needs(Verb.SEE)
def pick(request: HttpRequest, account: str, page: str) -> HttpResponse:
    """Options for a field that names a company or a contact."""
    models: dict[str, Any] = {"companies": Company, "contacts": Contact}
    if page not in models:
        raise Http404
    text = request.GET.get("q", "").strip()
    alive = models[page].objects.filter(deleted_at=None)
    rows = narrowed(alive, text).order_by("sort_name", "pk")[:_PICKED] if text else []
    return render(request, "crm/pick.html", {"options": [picked_words(row) for row in rows]})
