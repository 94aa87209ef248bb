"""Which runs may be claimed. The engine belongs to no account, so these see the runs of all of them."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from propolis.accounts.scoping import unscoped
from propolis.runs.models import Run

FREE = Q(lease_until=None) | Q(lease_until__lte=Now())
HELD = Q(lease_until__gt=Now())
DUE = Q(next_at=None) | Q(next_at__lte=Now())


def all_runs() -> QuerySet[Run]:
    """Runs of every account. Writes through it name the run."""
    with unscoped():
        return Run.objects.all()


def claimable() -> QuerySet[Run]:
    """Runs with work to do, nobody working on them and no wait before them."""
    return all_runs().filter(FREE, DUE, state__in=Run.WORKING)
