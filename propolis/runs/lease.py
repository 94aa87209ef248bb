"""Holding a run: the fence in front of every write, the thread that renews, the flags that ask to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, QuerySet

from propolis.runs import leaving
from propolis.runs.clock import later
from propolis.runs.jobs import LeaseLost, StopRequested
from propolis.runs.models import Run
from propolis.runs.rows import HELD, all_runs

logger = logging.getLogger(__name__)

# How often the stop flag is read, in seconds.
LOOK_EVERY = 0.5


class Batch:
    """What one transaction writes into the Run; applied as its last statement."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.requests = 0
        self.waited = 0.0

    def save(
        self,
        *,
        cursor: dict[str, Any] | None = None,
        progress: dict[str, Any] | None = None,
        counts: dict[str, Any] | None = None,
        phase: str | None = None,
        state: Run.State | None = None,
        requests: int = 0,
        waited: float = 0,
        **fields: Any,
    ) -> None:
        """Keeps these with the batch. `requests` and `waited` (seconds) are added, all else replaces.

        A new cursor or phase is progress: tries and losses start from 0 again.
        """
        named = {"cursor": cursor, "progress": progress, "counts": counts, "phase": phase, "state": state}
        given: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
        if "cursor" in given or "phase" in given:
            given |= {"attempt": 0, "losses": 0}
        self.fields |= given | fields
        self.requests += requests
        self.waited += waited


class Lease:
    """The right to work on one run, for PROPOLIS_LEASE_SECONDS at a time.

    Lost when it runs out (the process was frozen) or another worker claims the run; then every batch raises
    LeaseLost before it writes anything.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.attempts_here = run.losses
        self._flag = run.stop_flag
        self._lost = False
        self._done = threading.Event()
        self._spending = threading.Lock()
        self._requests, self._waited = 0, 0.0
        self._mark = self._looked = time.monotonic()

    def __repr__(self) -> str:
        return f"<Lease of run {self.run.pk}, fence {self.run.fence}>"

    @contextmanager
    def batch(self, *, repeatable: bool = False) -> Iterator[Batch]:
        """A transaction that holds the fence from its first statement on; raises LeaseLost without it.

        `repeatable`: all it does stands in this database beside the cursor, and nobody outside was told of it.
        PostgreSQL then need not have it on disk before we go on: a power cut that takes it takes the cursor along.
        """
        batch = Batch()
        with transaction.atomic(durable=True):
            self._write(lease_until=later(settings.PROPOLIS_LEASE_SECONDS))
            if repeatable and connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL synchronous_commit TO off")
            yield batch
            spent = self._spent(batch)
            self._write(**batch.fields, **{name: F(name) + much for name, much in spent.items()})
        self._remember(batch, spent)

    def touch(self) -> None:
        """Inside a long batch: renews the lease, which only the batch itself can do while it locks the run.

        LeaseLost if it has run out already: the process was frozen.
        """
        self._write(lease_until=later(settings.PROPOLIS_LEASE_SECONDS))

    def spent(self, *, requests: int = 0, waited: float = 0) -> None:
        """Counts requests and seconds waited outside a batch; kept by the next batch or at the release.

        May be called by any thread.
        """
        with self._spending:
            self._requests += requests
            self._waited += waited

    def check(self) -> None:
        """Raises LeaseLost or StopRequested when there is a reason to; costs nothing."""
        if self._lost:
            raise LeaseLost(f"run {self.run.pk} has another owner")
        if self._flag == "stop":
            raise StopRequested("stop")
        if self._flag == "pause":
            raise StopRequested("pause")
        if leaving.asked():
            raise StopRequested("leave")

    def should_stop(self) -> bool:
        """For waits: True as soon as `check` would raise."""
        return self._lost or bool(self._flag) or leaving.asked()

    def look(self, *, every: float = LOOK_EVERY) -> None:
        """Reads the flags from the database, if that was not done within the last seconds."""
        if time.monotonic() - self._looked < every:
            return
        self._looked = time.monotonic()
        # Not by the time it runs out: a batch under way has renewed it, which is not visible yet.
        flag = self._owned().values_list("stop_flag", flat=True).first()
        self._lost = self._lost or flag is None
        self._flag = flag or self._flag

    def let_go(self, **fields: Any) -> str:
        """Gives the lease back and writes these fields; answers the flag set meanwhile.

        LeaseLost if it is too late for that.
        """
        self._done.set()  # or the thread that renews would find the lease gone and warn of it
        with transaction.atomic():
            spent = self._spent(Batch())
            added = {name: F(name) + much for name, much in spent.items()}
            self._write(lease_owner="", lease_until=None, rung_at=None, **added, **fields)
            return all_runs().values_list("stop_flag", flat=True).get(pk=self.run.pk)

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Renews the lease from a thread while the body runs.

        Inside a surrounding transaction nobody else can see the run, so there is nothing to renew.
        """
        if connection.in_atomic_block:
            yield
            return
        thread = threading.Thread(target=self._renew, name=f"lease-{self.run.pk}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join(timeout=5)

    def _owned(self) -> QuerySet[Run]:
        return all_runs().filter(pk=self.run.pk, fence=self.run.fence, lease_owner=self.run.lease_owner)

    def _mine(self) -> QuerySet[Run]:
        return self._owned().filter(HELD)

    def _write(self, **fields: Any) -> None:
        if self._lost or not self._mine().update(**fields):
            self._lost = True
            raise LeaseLost(f"run {self.run.pk} has another owner")

    def _spent(self, batch: Batch) -> dict[str, float]:
        with self._spending:
            requests, waited = self._requests + batch.requests, self._waited + batch.waited
        worked = time.monotonic() - self._mark
        return {"requests": requests, "waited": waited, "worked": worked}

    def _remember(self, batch: Batch, spent: dict[str, float]) -> None:
        """The batch is committed: the run in memory says so too."""
        for name, value in batch.fields.items():
            if not hasattr(value, "resolve_expression"):
                setattr(self.run, name, value)
        for name, much in spent.items():
            setattr(self.run, name, getattr(self.run, name) + much)
        with self._spending:
            self._requests -= int(spent["requests"]) - batch.requests
            self._waited -= spent["waited"] - batch.waited
        self._mark = time.monotonic()
        self.attempts_here = self.run.losses

    def _renew(self) -> None:
        every = settings.PROPOLIS_LEASE_SECONDS / 6
        due = time.monotonic() + every
        try:
            while not self._done.wait(min(every, LOOK_EVERY)) and not self._lost:
                try:
                    if time.monotonic() >= due:
                        self._write(lease_until=later(settings.PROPOLIS_LEASE_SECONDS))
                        due = time.monotonic() + every
                    self.look()
                except DatabaseError as error:
                    logger.info("Renewing the lease of run %s: %s", self.run.pk, error)
                    connection.close()
        except LeaseLost:
            if not self._done.is_set():
                logger.warning("Run %s: the lease is lost", self.run.pk)
        finally:
            connection.close()
