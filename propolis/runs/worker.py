"""The worker: answers bells one at a time, each for one slice, and looks after forgotten runs.

Any number of workers may run at once, on any machines that reach the database.
"""

from __future__ import annotations

import logging
import signal
import time
from types import FrameType
from typing import Any

from django.db import DatabaseError, close_old_connections, connection, transaction
from django_tasks_db.models import DBTaskResult

from propolis.runs import leaving
from propolis.runs.engine import new_owner
from propolis.runs.reaper import Reaper
from propolis.runs.tasks import in_database

logger = logging.getLogger(__name__)

# How often an idle worker looks for bells, in seconds.
POLL = 0.3


def run_worker() -> None:
    """Works until SIGTERM or Ctrl-C; then lets go of its run within about two seconds and returns."""
    if not in_database():
        from propolis.runs.celery_backend import run_celery_worker

        run_celery_worker()
        return
    obey_signals()
    owner = new_owner()
    reaper = Reaper(owner)
    reaper.start()
    while not leaving.asked():
        try:
            close_old_connections()
            if not answer_next(owner):
                leaving.sleep(POLL)
        except DatabaseError as error:
            logger.warning("The database is busy or away: %s", error)
            connection.close()
            leaving.sleep(1)
    reaper.join(timeout=2)
    connection.close()


def obey_signals() -> None:
    """SIGTERM and SIGINT ask to leave; a second one ends the process at once."""

    def handler(number: int, frame: FrameType | None) -> None:
        if leaving.asked():
            raise SystemExit(128 + number)
        leaving.ask()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def answer_next(owner: str) -> bool:
    """Takes the oldest bell and works on its run for a slice; False if there was none."""
    bell = _take(owner)
    if bell is None:
        return False
    _answer(bell)
    return True


def _take(owner: str) -> DBTaskResult[Any, Any] | None:
    ready = DBTaskResult.objects.ready().filter(backend_name="default")
    if not ready.exists():
        return None
    with transaction.atomic():
        bell: DBTaskResult[Any, Any] | None = ready.get_locked()
        if bell is not None:
            bell.claim(owner[:64])
    return bell


def _answer(bell: DBTaskResult[Any, Any]) -> None:
    began = time.monotonic()
    try:
        bell.task.call(*bell.args_kwargs["args"], **bell.args_kwargs["kwargs"])
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("A wake-up failed after %.1f s", time.monotonic() - began)
        bell.set_failed(error)
    else:
        bell.set_successful(None)
