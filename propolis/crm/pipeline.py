"""Opportunities by status: how many, how many with an amount, how much; never 0 for what nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from propolis.crm import cells
from propolis.crm.models import Opportunity, OppStatus
from propolis.crm.paging import COUNTED, count_words


@dataclass(frozen=True)
class Sums:
    """`amount`: of those with one. `weighted`: of those with a likelihood too; None where none has. What nobody
    knows counts neither as nothing nor as certain: it is left out, and said so."""

    count: int = 0
    with_amount: int = 0
    amount: Decimal | None = None
    with_both: int = 0
    weighted: Decimal | None = None

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.count + other.count,
            self.with_amount + other.with_amount,
            _plus(self.amount, other.amount),
            self.with_both + other.with_both,
            _plus(self.weighted, other.weighted),
        )

    def words(self, state: str, currency: str) -> str:
        """ "12 open, 3 with amount: $18,400"."""
        if not self.count:
            return f"0 {state}"
        if not self.with_amount:
            return f"{self.count:,} {state}, none with amount"
        amount = cells.money(self.amount, currency)
        return f"{self.count:,} {state}, {self.with_amount:,} with amount: {amount}"

    def weighted_words(self, currency: str) -> str:
        """ "Weighted by likelihood: $9,200, 2 without one left out"; "" without amounts."""
        if not self.with_amount:
            return ""
        without = self.with_amount - self.with_both
        if not self.with_both:
            return "Weighted by likelihood: none has one"
        left_out = f", {without:,} without one left out" if without else ""
        return f"Weighted by likelihood: {cells.money(self.weighted, currency)}{left_out}"


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one if other is None else one + other


@dataclass(frozen=True)
class Stage:
    """A status and the opportunities in it."""

    status: OppStatus
    sums: Sums

    def words(self, currency: str) -> str:
        return self.sums.words(self.status.outcome, currency)

    def weighted_words(self, currency: str) -> str:
        """Only of what is open, the rest is settled, and only where there is something to weigh."""
        is_open = self.status.outcome == OppStatus.Outcome.OPEN
        return self.sums.weighted_words(currency) if is_open and self.sums.with_both else ""


_SUMS: dict[str, Any] = {
    # Of rows, not of ids: the index that sums them up has none.
    "count": Count("*"),
    "with_amount": Count("amount"),
    "total": Sum("amount"),
    "with_both": Count(F("amount") * F("likelihood")),
    # Divided by 100 afterwards: SQLite keeps whole amounts as integers and would drop what is left over of each.
    "weighted": Sum(F("amount") * F("likelihood")),
}


def stages(query: QuerySet[Opportunity] | None = None) -> list[Stage]:
    """Every status in use or on offer, in order; two queries."""
    alive = Opportunity.objects.filter(deleted_at=None) if query is None else query
    found = {each["status"]: _sums(each) for each in alive.order_by().values("status").annotate(**_SUMS)}
    statuses = OppStatus.objects.order_by("position", "pk")
    return [Stage(s, found.get(s.pk, Sums())) for s in statuses if not s.archived or s.pk in found]


def open_stages() -> list[Stage]:
    """Those of the pipeline; what was won and lost, which only grows, is not looked at."""
    is_open = OppStatus.Outcome.OPEN
    found = stages(Opportunity.objects.filter(deleted_at=None, status__outcome=is_open))
    return [stage for stage in found if stage.status.outcome == is_open]


def _sums(found: Mapping[str, Any]) -> Sums:
    weighted = found["weighted"]
    return Sums(
        found["count"],
        found["with_amount"],
        found["total"],
        found["with_both"],
        None if weighted is None else (Decimal(weighted) / 100).quantize(Decimal("0.01")),
    )


def told(query: QuerySet[Opportunity], count: int, state: str, currency: str) -> str:
    """The sums of any opportunities in words; without amounts where they are too many to add up at once.
    `count`: as `paging.counted` gives it."""
    if count > COUNTED or not count:
        return f"{count_words(count)} {state}"
    sums = _sums(query.order_by().aggregate(**_SUMS))
    weighted = sums.weighted_words(currency) if state == OppStatus.Outcome.OPEN else ""
    return ". ".join(part for part in (sums.words(state, currency), weighted) if part)


def total(found: Iterable[Stage]) -> Sums:
    return sum((stage.sums for stage in found), Sums())


MONTHS = 6


@dataclass(frozen=True)
class Month:
    """What was won and lost in one month; amounts None where none has one. `first`: its first day."""

    first: date
    won: int = 0
    lost: int = 0
    won_amount: Decimal | None = None
    lost_amount: Decimal | None = None


def closed_by_month(today: date, months: int = MONTHS) -> list[Month]:
    """The months up to this one, the oldest first, those without anything too; one query."""
    ahead = today.year * 12 + today.month - 1
    firsts = [date(n // 12, n % 12 + 1, 1) for n in range(ahead - months + 1, ahead + 1)]
    since = timezone.make_aware(datetime.combine(firsts[0], time()))
    closed = Opportunity.objects.filter(deleted_at=None, closed_at__gte=since)
    sums = closed.annotate(month=TruncMonth("closed_at")).order_by().values("month", "status__outcome")
    found: dict[date, dict[str, Any]] = {first: {} for first in firsts}
    for each in sums.annotate(count=Count("pk"), amount=Sum("amount")):
        first, outcome = timezone.localtime(each["month"]).date(), each["status__outcome"]
        if outcome != OppStatus.Outcome.OPEN and first in found:
            found[first] |= {outcome: each["count"], f"{outcome}_amount": each["amount"]}
    return [Month(first, **values) for first, values in found.items()]
