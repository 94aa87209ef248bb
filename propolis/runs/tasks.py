"""Wake-ups. A task is a door bell: it carries a run's id and nothing else, and may ring twice or never."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django_tasks import task
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from propolis.runs.clock import later
from propolis.runs.rows import all_runs

# A bell unanswered for so long counts as lost (a broker may drop it); the reaper rings again.
LOST_BELL_SECONDS = 60


@task()
def wake(run_id: int) -> None:
    """Works on the run for one slice, if it is still there to be worked on."""
    from propolis.runs.engine import work

    if work(run_id).outcome == "busy":
        all_runs().filter(pk=run_id).update(rung_at=None)


def ring(run_id: int) -> bool:
    """Wakes a worker for this run; False if a bell is under way already. Call after commit."""
    with transaction.atomic():
        silent = Q(rung_at=None) | Q(rung_at__lt=later(-LOST_BELL_SECONDS))
        if not all_runs().filter(silent, pk=run_id).update(rung_at=later(0)):
            return False
        if not _queued(run_id):
            wake.enqueue(run_id)
    return True


def ring_on_commit(run_id: int) -> None:
    """Rings once the surrounding transaction is committed, at once if there is none.

    A bell that cannot be rung (the broker is away) is logged; the reaper rings later.
    """
    transaction.on_commit(lambda: ring(run_id), robust=True)


def in_database() -> bool:
    """Whether wake-ups are rows of the database (the default) rather than messages of a broker."""
    return bool(settings.TASKS["default"]["BACKEND"] == "django_tasks_db.DatabaseBackend")


def _queued(run_id: int) -> bool:
    if not in_database():
        return False
    waiting = DBTaskResult.objects.filter(status=TaskResultStatus.READY, task_path=wake.module_path)
    return waiting.filter(args_kwargs={"args": [run_id], "kwargs": {}}).exists()
