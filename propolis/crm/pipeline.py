"""Opportunities by status: how many, how many with an amount, how much; never 0 for what nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Coalesce

from propolis.crm import cells
from propolis.crm.models import Opportunity, OppStatus


@dataclass(frozen=True)
class Stage:
    """`amount`, `weighted`: sums over those with an amount; None where none has one."""

    status: OppStatus
    count: int
    with_amount: int
    amount: Decimal | None
    weighted: Decimal | None

    def words(self, currency: str) -> str:
        """ "12 open, 3 with amount: $18,400"."""
        state = self.status.outcome if self.status.outcome != "open" else "open"
        if not self.count:
            return "none"
        if not self.with_amount:
            return f"{self.count:,} {state}, none with amount"
        return (
            f"{self.count:,} {state}, {self.with_amount:,} with amount: {cells.money(self.amount, currency)}"
        )


def stages(query: QuerySet[Opportunity] | None = None) -> list[Stage]:
    """Every status in use or on offer, in order; two queries."""
    alive = Opportunity.objects.filter(deleted_at=None) if query is None else query
    found: dict[int, Any] = {
        each["status"]: each
        for each in alive.order_by()
        .values("status")
        .annotate(
            count=Count("pk"),
            with_amount=Count("amount"),
            total=Sum("amount"),
            weighted=Sum(F("amount") * Coalesce(F("likelihood"), 100) / 100),
        )
    }
    statuses = OppStatus.objects.order_by("position", "pk")
    return [_stage(s, found.get(s.pk)) for s in statuses if not s.archived or s.pk in found]


def _stage(status: OppStatus, sums: dict[str, Any] | None) -> Stage:
    if sums is None:
        return Stage(status, 0, 0, None, None)
    weighted = sums["weighted"]
    return Stage(
        status,
        sums["count"],
        sums["with_amount"],
        sums["total"],
        None if weighted is None else Decimal(weighted).quantize(Decimal("0.01")),
    )


def total(found: Iterable[Stage]) -> tuple[int, int, Decimal | None, Decimal | None]:
    """How many, how many with an amount, the sum, the weighted sum."""
    listed = list(found)
    amounts = [s.amount for s in listed if s.amount is not None]
    weighted = [s.weighted for s in listed if s.weighted is not None]
    return (
        sum(s.count for s in listed),
        sum(s.with_amount for s in listed),
        sum(amounts, Decimal(0)) if amounts else None,
        sum(weighted, Decimal(0)) if weighted else None,
    )
