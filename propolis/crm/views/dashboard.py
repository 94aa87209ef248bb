"""The dashboard: what to do next first, then where things stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from propolis.accounts.policy import Verb, needs
from propolis.crm import cells, pipeline
from propolis.crm.models import Company, Opportunity
from propolis.crm.views.kinds import AccountRequest, inside, profile_url

_STEPS = 50
_LISTED = 8


@dataclass(frozen=True)
class Step:
    """A next step. `when`: overdue | today | week."""

    what: str
    name: str
    href: str
    day: str
    who: str
    when: str
    on: date


@needs(Verb.SEE)
def dashboard(request: HttpRequest, account: str) -> HttpResponse:
    here = inside(request)
    mine = request.GET.get("steps") != "all"
    today = timezone.localdate()
    steps = _steps(here, today, mine=mine)
    stages = pipeline.stages()
    open_stages = [s for s in stages if s.status.outcome == "open"]
    count, with_amount, amount, weighted = pipeline.total(open_stages)
    currency = here.account.currency
    deals = Opportunity.objects.filter(deleted_at=None, closed_at=None, salesperson=here.membership)
    changed = Company.objects.filter(deleted_at=None, disabled_in_syncro=False).order_by("-edited_at", "-pk")
    context = {
        "groups": [(words, [s for s in steps if s.when == key]) for key, words in _GROUPS],
        "mine": mine,
        "stages": [(s, s.words(currency)) for s in open_stages],
        "most": max((s.count for s in open_stages), default=0),
        "open": count,
        "with_amount": with_amount,
        "amount": cells.money(amount, currency),
        "weighted": cells.money(weighted, currency),
        "deals": list(deals.select_related("status", "company").order_by("-pk")[:_LISTED]),
        "changed": list(changed[:_LISTED]),
    }
    return render(request, "crm/dashboard.html", context)


_GROUPS = (("overdue", "Overdue"), ("today", "Today"), ("week", "This week"))


def _steps(here: AccountRequest, today: date, *, mine: bool) -> list[Step]:
    """Due within a week, the oldest first; two queries."""
    until = today + timedelta(days=7)
    found: list[Step] = []
    for model in (Company, Opportunity):
        objects: Any = model.objects
        due = objects.filter(deleted_at=None, next_step_on__lte=until, next_step_on__isnull=False)
        if mine:
            due = due.filter(next_step_by=here.membership)
        for row in due.select_related("next_step_by").order_by("next_step_on", "pk")[:_STEPS]:
            found.append(_step(here, row, today))
    return sorted(found, key=lambda step: (step.on, step.name))[:_STEPS]


def _step(here: AccountRequest, row: Any, today: date) -> Step:
    when = "overdue" if row.next_step_on < today else "today" if row.next_step_on == today else "week"
    return Step(
        what=row.next_step or "Next step",
        name=row.name,
        href=profile_url(here, row),
        day=cells.day(row.next_step_on),
        who=str(row.next_step_by) if row.next_step_by else "",
        when=when,
        on=row.next_step_on,
    )
