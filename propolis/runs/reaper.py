"""What a worker looks after besides its run: bells for the forgotten, schedules, signs of life, old rows."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from propolis.runs import leaving
from propolis.runs.clock import later
from propolis.runs.models import Beat, Run, RunPage
from propolis.runs.rows import claimable
from propolis.runs.schedules import start_due
from propolis.runs.tasks import LOST_BELL_SECONDS, ring

logger = logging.getLogger(__name__)

BEAT_EVERY = 5.0
TIDY_EVERY = 60.0
# The pages of a preview nobody confirmed are kept so many days.
PREVIEW_DAYS = 7
PAGES_A_TIME = 200


def ring_forgotten() -> int:
    """Rings for runs that are due and nobody's: expired leases, waits that are over, lost bells."""
    silent = Q(rung_at=None) | Q(rung_at__lt=later(-LOST_BELL_SECONDS))
    forgotten = claimable().filter(silent).order_by("pk").values_list("pk", flat=True)[:500]
    return sum(ring(run_id) for run_id in list(forgotten))


def beat(owner: str) -> None:
    """This worker is alive, by the database's clock; signs of workers gone for an hour are removed."""
    Beat.objects.filter(seen_at__lt=later(-3600)).delete()
    if not Beat.objects.filter(owner=owner).update(seen_at=Now()):
        Beat.objects.create(owner=owner, seen_at=timezone.now())


def tidy() -> None:
    """Drops answered bells and the pages of runs that have ended or were never confirmed."""
    answered = Q(status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED])
    old = timezone.now() - timedelta(minutes=10)
    DBTaskResult.objects.filter(answered, finished_at__lt=old).delete()
    # A worker that died left its bell behind; the run itself is rung again by its lease.
    abandoned = timezone.now() - timedelta(days=1)
    DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING, started_at__lt=abandoned).delete()
    drop_pages()


def drop_pages() -> None:
    """Empties page bodies that nothing needs any more, some at a time so that nobody waits for it."""
    ended = Q(run__state__in=Run.ENDED)
    unconfirmed = Q(run__state=Run.State.PLANNED, run__planned_at__lt=later(-PREVIEW_DAYS * 86400))
    needless = RunPage.objects.filter(ended | unconfirmed, body__isnull=False).values_list("pk", flat=True)
    RunPage.objects.filter(pk__in=list(needless[:PAGES_A_TIME])).update(body=None)


class Reaper(threading.Thread):
    """Does all that every few seconds, on its own connection, until the process is asked to leave."""

    def __init__(self, owner: str) -> None:
        super().__init__(name="reaper", daemon=True)
        self.owner = owner
        self._beaten = self._tidied = float("-inf")

    def run(self) -> None:
        every = min(2.0, settings.PROPOLIS_LEASE_SECONDS / 4)
        while not leaving.asked():
            try:
                self.tick()
            except DatabaseError as error:
                logger.warning("The database is busy or away: %s", error)
                connection.close()
            except Exception:
                logger.exception("Unforeseen error while looking after runs")
            leaving.sleep(every)
        connection.close()

    def tick(self) -> None:
        ring_forgotten()
        start_due()
        now = time.monotonic()
        if now - self._beaten >= BEAT_EVERY:
            beat(self.owner)
            self._beaten = now
        if now - self._tidied >= TIDY_EVERY:
            tidy()
            self._tidied = now
