"""The dashboard: what to do next first, then where things stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, When, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from propolis.accounts.policy import Verb, needs
from propolis.crm import cells, pipeline
from propolis.crm.fields import Kind
from propolis.crm.kinds import MODELS
from propolis.crm.models import Company, Opportunity
from propolis.crm.views.kinds import WORDS, AccountRequest, inside, profile_url
from propolis.history.models import Change

_STEPS = 40  # of each group
_LISTED = 8
_LOOKED_AT = 40  # changes, of which several may be of one record


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
    open_stages = pipeline.open_stages()
    sums = pipeline.total(open_stages)
    currency = here.account.currency
    deals = Opportunity.objects.filter(deleted_at=None, closed_at=None, salesperson=here.membership)
    months = _months(today, currency)
    context = {
        "groups": _groups(here, today, mine=mine),
        "mine": mine,
        "stages": [(s, s.words(currency), s.weighted_words(currency)) for s in open_stages],
        "charted": open_stages,
        "sums": sums,
        "says": sums.words("open", currency),
        "weighted": sums.weighted_words(currency),
        "deals": list(deals.select_related("status", "company").order_by("-pk")[: _LISTED + 1]),
        "listed": _LISTED,
        "changed": _changed(here),
        "months": months,
        "months_charted": [month for month, _won, _lost in months],
    }
    return render(request, "crm/dashboard.html", context)


def _months(today: date, currency: str) -> list[tuple[pipeline.Month, str, str]]:
    """Each month, and what was won and lost in words: "3, $18,400"."""
    return [
        (m, _sum(m.won, m.won_amount, currency), _sum(m.lost, m.lost_amount, currency))
        for m in pipeline.closed_by_month(today)
    ]


def _sum(count: int, amount: Decimal | None, currency: str) -> str:
    return ", ".join(part for part in (f"{count:,}", cells.money(amount, currency)) if part)


@dataclass(frozen=True)
class Changed:
    """A record somebody or an import changed."""

    name: str
    href: str
    icon: str
    kind: str
    at: datetime


def _changed(here: AccountRequest) -> list[Changed]:
    """The latest of all three kinds, by whatever changed them: seven queries."""
    found: dict[tuple[str, int], Changed] = {}
    by_hand = _by_hand()
    for kind, model in MODELS.items():
        objects: Any = model.objects
        alive = objects.filter(deleted_at=None)
        latest = list(alive.order_by("-edited_at", "-pk")[:_LISTED])
        # What is not synced moves no clock: an amount, a salesperson, a next step.
        touched = alive.filter(pk__in=[pk for each, pk in by_hand if each == kind] or [0])
        for row in [*latest, *touched]:
            words, at = WORDS[Kind(kind)], max(row.edited_at, by_hand.get((kind, row.pk), row.edited_at))
            found[kind, row.pk] = Changed(row.name, profile_url(here, row), words.icon, words.singular, at)
    return sorted(found.values(), key=lambda each: each.at, reverse=True)[:_LISTED]


def _by_hand() -> dict[tuple[str, int], datetime]:
    """(kind, id) → when a person last changed it here, of the latest such changes."""
    # Only what the index of such changes knows: anything more and another one might be walked through.
    latest = Change.objects.filter(run=None).order_by("-at").values_list("kind", "local_id", "at")
    found: dict[tuple[str, int], datetime] = {}
    for kind, pk, at in latest[:_LOOKED_AT]:
        if pk is not None:
            found.setdefault((kind, pk), at)
    return found


_GROUPS = (("overdue", "Overdue"), ("today", "Today"), ("week", "This week"))


def _groups(here: AccountRequest, today: date, *, mine: bool) -> list[tuple[str, int, list[Step]]]:
    """(heading, how many, the first of them) for what is due within a week, the oldest first; two queries."""
    counts: dict[str, int] = {}
    found: list[Step] = []
    for model in (Company, Opportunity):
        for row in _due(model, here, today, mine=mine):
            step = _step(here, row, today)
            counts.setdefault(f"{step.when} {model.__name__}", row.due)
            found.append(step)
    found.sort(key=lambda step: (step.on, step.name))
    return [
        (
            words,
            sum(count for each, count in counts.items() if each.startswith(key)),
            [step for step in found if step.when == key][:_STEPS],
        )
        for key, words in _GROUPS
    ]


def _due(model: Any, here: AccountRequest, today: date, *, mine: bool) -> Any:
    """The first of each group, each with `due`: how many its group has."""
    until = today + timedelta(days=7)
    rows = model.objects.filter(deleted_at=None, next_step_on__lte=until, next_step_on__isnull=False)
    if mine:
        rows = rows.filter(next_step_by=here.membership)
    when = Case(When(next_step_on__lt=today, then=0), When(next_step_on=today, then=1), default=2)
    place = Window(RowNumber(), partition_by="when", order_by=["next_step_on", "pk"])
    grouped = rows.annotate(when=when).annotate(place=place, due=Window(Count("*"), partition_by="when"))
    return grouped.filter(place__lte=_STEPS).select_related("next_step_by")


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
