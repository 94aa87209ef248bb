"""Companies: the table, the profile."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from propolis.accounts.policy import Verb, needs
from propolis.crm import panels
from propolis.crm.fields import Kind
from propolis.crm.forms import NoteForm
from propolis.crm.listing import COMPANIES
from propolis.crm.models import Company, Opportunity
from propolis.crm.profile import facts
from propolis.crm.tables import view
from propolis.crm.views.kinds import get_record, profile_url, story_of
from propolis.crm.views.tables import table_page

_PEOPLE = 20
_DEALS = 20


@needs(Verb.SEE)
def companies(request: HttpRequest, account: str) -> HttpResponse:
    """The table; `?sort=-created` is "Contacts – Companies, sorted by date created"."""
    return table_page(request, view(request, COMPANIES).load(), "Companies", "crm:company_new", "New company")


@needs(Verb.SEE)
def company(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """The profile; a merged company leads to the one it became."""
    row: Company = get_record(Kind.COMPANY, pk, deleted=True)
    if row.merged_into_id:
        return redirect(profile_url(request, get_record(Kind.COMPANY, row.merged_into_id, deleted=True)))
    people = row.contacts.filter(deleted_at=None).order_by("sort_name", "pk")
    deals = Opportunity.objects.filter(company=row, deleted_at=None).select_related("status")
    context = {
        "row": row,
        "kind": "company",
        "customer": Company.objects.filter(panels.is_customer(), pk=row.pk).exists(),
        "facts": facts(row, request),
        "people": list(people[: _PEOPLE + 1]),
        "most_people": _PEOPLE,
        "deals": list(deals.order_by("closed_at", "-pk")[: _DEALS + 1]),
        "most_deals": _DEALS,
        "story": story_of(request, row),
        "note_form": NoteForm(),
    }
    return render(request, "crm/company.html", context)
