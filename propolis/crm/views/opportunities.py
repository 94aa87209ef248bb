"""Opportunities: table, board, profile, moving from status to status, filling in amounts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import typed_id, url
from propolis.accounts.policy import Verb, needs
from propolis.crm import edit as editing
from propolis.crm import pipeline
from propolis.crm.fields import Kind
from propolis.crm.forms import NoteForm
from propolis.crm.listing import OPPORTUNITIES, salespeople
from propolis.crm.models import Opportunity, OppStatus
from propolis.crm.profile import facts
from propolis.crm.tables import View, view
from propolis.crm.views.kinds import (
    get_record,
    inside,
    profile_url,
    say_with_undo,
    story_of,
    to_deleted,
)
from propolis.crm.views.tables import table_page
from propolis.history.models import Change
from propolis.ui import panels as ui_panels

_CARDS = 20  # a column of the board; the rest is in the table


@needs(Verb.SEE)
def opportunities(request: HttpRequest, account: str) -> HttpResponse:
    shown = view(request, OPPORTUNITIES).load()
    says = sums_of(request, shown, shown.count)
    return table_page(request, shown, "Opportunities", "crm:opportunity_new", "New opportunity", says=says)


def sums_of(request: HttpRequest, shown: View, count: int) -> str:
    """ "12 open, 3 with amount: $18,400. …" of everything the filters leave."""
    state = shown.chosen.key if shown.chosen.key in OppStatus.Outcome else "in all"
    return pipeline.told(shown.query, count, state, inside(request).account.currency)


@needs(Verb.SEE)
def opportunity(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    row: Opportunity = get_record(Kind.OPPORTUNITY, pk, deleted=True)
    context = {
        "row": row,
        "kind": "opportunity",
        "facts": facts(row, request),
        "statuses": _on_offer(row),
        "is_prospect": editing.is_prospect(row),
        "story": story_of(request, row),
        "note_form": NoteForm(),
    }
    return render(request, "crm/opportunity.html", context)


def _on_offer(row: Opportunity) -> list[OppStatus]:
    return list(OppStatus.objects.filter(archived=False).exclude(pk=row.status_id))


@needs(Verb.SEE)
def board(request: HttpRequest, account: str) -> HttpResponse:
    """A column per status; the newest cards of each. `?salesperson=ID` narrows."""
    person = request.GET.get("salesperson", "")
    alive = Opportunity.objects.filter(deleted_at=None)
    if person == "none":
        alive = alive.filter(salesperson=None)
    elif (one := typed_id(person)) is not None:
        alive = alive.filter(salesperson=one)
    found = pipeline.stages(alive)
    currency = inside(request).account.currency
    columns = [
        {
            "stage": stage,
            "count": stage.sums.count,
            "words": stage.words(currency),
            "weighted": stage.weighted_words(currency),
            "cards": cards,
        }
        for stage, cards in zip(found, _cards(alive, found), strict=True)
    ]
    context = {"columns": columns, "people": list(salespeople(request)), "person": person, "most": _CARDS}
    context["narrowing"] = request.GET.urlencode()
    return render(request, "crm/board.html", context)


def _cards(alive: Any, found: list[pipeline.Stage]) -> list[list[Opportunity]]:
    """The newest of each status; one query per column, whose number is the account's choice."""
    joined = alive.select_related("company", "salesperson")
    return [
        list(joined.filter(status=stage.status).order_by("-pk")[:_CARDS]) if stage.sums.count else []
        for stage in found
    ]


@needs(Verb.OPPORTUNITIES)
@to_deleted
def move(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """GET asks where to; POST moves, and goes back to the board or the profile it was pressed on."""
    here = inside(request)
    row = get_record(Kind.OPPORTUNITY, pk)
    if request.method != "POST":
        return render(request, "crm/move.html", {"row": row, "statuses": _on_offer(row)})
    wanted = typed_id(request.POST.get("status"))
    status = get_object_or_404(OppStatus, pk=wanted or 0, archived=False)
    was = typed_id(request.POST.get("was"))
    if was is not None and row.status_id not in (was, status.pk):
        now = f"{row.name} is in {row.status.name} now: somebody moved it meanwhile."
        messages.warning(request, f"{now} Move it again if you still want to.")
    elif change := editing.move(here.account, row, status, actor=here.membership):
        _say_moved(request, row, status, change)
    if request.POST.get("from") == "board":
        narrowing = request.POST.get("narrowing", "")
        where = url(request, "crm:board")
        return redirect(f"{where}?{narrowing}#card-{row.pk}" if narrowing else f"{where}#card-{row.pk}")
    return redirect(profile_url(request, row))


def _say_moved(request: HttpRequest, row: Opportunity, status: OppStatus, change: Change) -> None:
    say_with_undo(request, f"Moved {row.name} to {status.name}.", change)
    for said in (draw(request, row) for draw in ui_panels.panels("opportunity.moved")):
        if said:
            messages.info(request, said)


@needs(Verb.OPPORTUNITIES)
@require_POST
@to_deleted
def add_company(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """ "Create company and contact" of an opportunity that knows only a prospect."""
    here = inside(request)
    row: Opportunity = get_record(Kind.OPPORTUNITY, pk)
    if row.company_id:
        messages.info(request, "This opportunity has a company already.")
        return redirect(profile_url(request, row))
    if not editing.is_prospect(row):
        messages.info(
            request, "Nothing is known of a prospect to make them from. Choose the company instead."
        )
        return redirect(profile_url(request, row))
    editing.settle_prospect(here.account, row, actor=here.membership)
    messages.success(request, f"Added {row.prospect_name or row.prospect_email or row.prospect_phone}.")
    return redirect(profile_url(request, row))
