"""Wake-ups over a broker, for operators who run one: RabbitMQ preferred, Redis possible.

PROPOLIS_TASKS_BACKEND=propolis.runs.celery_backend.CeleryBackend   the switch
PROPOLIS_BROKER_URL                                                  amqp://… or redis://…

Needs `celery` (and for Redis `redis`) installed besides. Nothing is kept in the broker but bells: a message
lost or delivered twice changes nothing, the Run row is the truth.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from celery import Celery, signals
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections
from django.utils import timezone
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskResult, TaskResultStatus
from django_tasks.utils import get_random_id

from propolis.runs import leaving

QUEUE = "propolis"
WAKE = "propolis.wake"


@cache
def celery_app() -> Celery:
    """The Celery application, which knows one task. ImproperlyConfigured without a broker's address."""
    broker = os.environ.get("PROPOLIS_BROKER_URL")
    if not broker:
        raise ImproperlyConfigured("Set PROPOLIS_BROKER_URL, e.g. amqp://user:password@host:5672//")
    app = Celery("propolis", broker=broker, set_as_current=False)
    app.conf.update(
        task_default_queue=os.environ.get("PROPOLIS_BROKER_QUEUE", QUEUE),
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"max_retries": 1},
        task_publish_retry=False,
    )
    app.task(name=WAKE)(_wake)
    return app


class CeleryBackend(BaseTaskBackend):
    """Sends a wake-up as one message."""

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        self.validate_task(task)
        sent = celery_app().send_task(WAKE, args=list(args))
        return TaskResult(
            task=task,
            id=str(sent.id or get_random_id()),
            status=TaskResultStatus.READY,
            enqueued_at=timezone.now(),
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=list(args),
            kwargs=dict(kwargs),
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )


def run_celery_worker() -> None:
    """Answers bells from the broker, one at a time; returns when asked to leave."""
    from propolis.runs.engine import new_owner
    from propolis.runs.reaper import Reaper

    signals.worker_shutting_down.connect(_leave, weak=False)
    Reaper(new_owner()).start()
    options = ["--pool=solo", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    celery_app().worker_main(["worker", *options, "--loglevel=WARNING"])


def _wake(run_id: int) -> None:
    from propolis.runs.tasks import wake

    close_old_connections()
    wake.call(run_id)
    close_old_connections()


def _leave(**details: Any) -> None:
    leaving.ask()
