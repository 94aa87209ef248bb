"""Working on runs: claim, step until the slice is used, let go.

The one door for other apps: everything of this package that they call is named here.
"""

from __future__ import annotations

import gc
import logging
import os
import random
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import in_account
from propolis.runs.asking import (
    back,
    begin,
    confirm,
    discard,
    end,
    ending,
    holder,
    lay_out,
    overtaken,
    pause,
    resume,
    start,
    stop,
)
from propolis.runs.clock import later
from propolis.runs.jobs import (
    Continue,
    Finish,
    Gate,
    Job,
    LeaseLost,
    NeedsAttention,
    Refused,
    Step,
    StopRequested,
    TryAgain,
    UnknownJob,
    job_for,
    register,
    working_state,
)
from propolis.runs.lease import Batch, Lease
from propolis.runs.models import Run
from propolis.runs.rows import all_runs, claimable
from propolis.runs.tasks import ring_on_commit

__all__ = [
    "Batch",
    "Continue",
    "Finish",
    "Gate",
    "Job",
    "Lease",
    "LeaseLost",
    "NeedsAttention",
    "Refused",
    "Step",
    "StopRequested",
    "TryAgain",
    "UnknownJob",
    "WorkResult",
    "back",
    "begin",
    "claim",
    "confirm",
    "discard",
    "follow",
    "holder",
    "job_for",
    "lay_out",
    "overtaken",
    "pause",
    "register",
    "resume",
    "start",
    "start_held",
    "stop",
    "work",
    "work_on",
]

logger = logging.getLogger(__name__)

# Unforeseen errors in a row, without progress, after which a run has failed.
MAX_LOSSES = 5
# The database was busy or away for a moment: try again after so many seconds.
DATABASE_PAUSE = 2.0
MADE_BEFORE_COLLECTING = 50_000

Outcome = Literal["busy", "slice", "waiting", "ended", "gate", "needs_attention", "paused", "left", "lost"]


@dataclass(frozen=True)
class WorkResult:
    """How one slice of work ended: "busy" (nothing to claim), "slice" (time used up, there is more),
    "waiting", "ended", "gate", "needs_attention", "paused", "left" (this process was asked to go away),
    "lost" (the lease; nothing more was written)."""

    outcome: Outcome
    steps: int = 0


def new_owner() -> str:
    """A name for this claim, unique anywhere."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


def claim(run_id: int, owner: str) -> Lease | None:
    """Takes the run for this owner; None if it is held, not due or has nothing to do."""
    run = claimable().select_related("account").filter(pk=run_id).first()
    if run is None:
        return None
    fields: dict[str, Any] = {
        "fence": F("fence") + 1,
        "lease_owner": owner,
        "lease_until": later(settings.PROPOLIS_LEASE_SECONDS),
        "rung_at": None,
        "next_at": None,
        "started_at": Coalesce("started_at", Now()),
    }
    if run.lease_owner:
        fields["losses"] = F("losses") + 1
    if run.state == Run.State.WAITING:
        fields |= {"state": working_state(run), "error_code": "", "error_detail": ""}
    if not claimable().filter(pk=run_id, fence=run.fence, state=run.state).update(**fields):
        return None
    held = all_runs().select_related("account").get(pk=run_id)
    return Lease(held) if (held.fence, held.lease_owner) == (run.fence + 1, owner) else None


def work(run_id: int, *, seconds: float | None = None, owner: str | None = None) -> WorkResult:
    """Claims the run and works on it for one slice (default PROPOLIS_SLICE_SECONDS), then rings again."""
    lease = claim(run_id, owner or new_owner())
    return WorkResult("busy") if lease is None else work_on(lease, seconds=seconds)


def start_held(
    account: Account, kind: str, *, options: dict[str, Any], by: Membership | None, slot: str
) -> tuple[Run, Lease | None]:
    """Starts a run whose first slice the caller works on itself (`work_on`), because a person waits for it.

    No bell rings; should the caller die, the reaper rings when the lease has run out. None: another run holds
    the slot, and is answered. Call inside a transaction that also writes what the run is to do.
    """
    run, is_new = start(account, kind, options=options, by=by, slot=slot, bell=False)
    return run, claim(run.pk, new_owner()) if is_new else None


def work_on(lease: Lease, *, seconds: float | None = None) -> WorkResult:
    """Works under this lease for one slice, then lets it go; rings if there is more to do."""
    until = time.monotonic() + (settings.PROPOLIS_SLICE_SECONDS if seconds is None else seconds)
    with lease.renewing(), in_account(lease.run.account), _no_frozen_transaction(), _seldom_collecting():
        return _Slice(lease, until).run()


def follow(run: Run, *, every: float = 0.5) -> Iterator[Run]:
    """The run as it is now, again and again, until it has ended, is at the gate or needs attention."""
    resting = {Run.State.PLANNED, Run.State.NEEDS_ATTENTION}
    while True:
        now = all_runs().select_related("account").get(pk=run.pk)
        yield now
        if now.ended or now.state in resting:
            return
        time.sleep(every)


class _Slice:
    """One slice of work: steps, then exactly one way of letting go."""

    def __init__(self, lease: Lease, until: float) -> None:
        self.lease, self.run_row, self.until, self.steps = lease, lease.run, until, 0

    def run(self) -> WorkResult:
        try:
            return self._settled()
        except LeaseLost:
            logger.warning("Run %s: the lease went to somebody else", self.run_row.pk)
            return WorkResult("lost", self.steps)
        except DatabaseError as error:
            logger.warning("Run %s: could not be let go, its lease will run out: %s", self.run_row.pk, error)
            return WorkResult("lost", self.steps)

    def _settled(self) -> WorkResult:
        try:
            step = self._steps()
        except LeaseLost:
            raise
        except StopRequested as request:
            return self._asked(request)
        except TryAgain as error:
            return self._wait(error)
        except NeedsAttention as error:
            fields = {"error_code": error.code, "error_detail": error.detail, "stop_flag": ""}
            return self._rest(Run.State.NEEDS_ATTENTION, "needs_attention", **fields)
        except Exception as error:
            return self._unforeseen(error)
        except BaseException:
            self._leave("left")
            raise
        return self._answered(step)

    def _steps(self) -> Step:
        job = job_for(self.run_row.kind)
        while True:
            self.lease.look()
            self.lease.check()
            step = job.step(self.run_row, self.lease)
            self.steps += 1
            if not isinstance(step, Continue) or time.monotonic() >= self.until:
                return step

    def _answered(self, step: Step) -> WorkResult:
        if isinstance(step, Finish):
            told = {"error_code": step.code, "error_detail": step.detail} if step.code else {}
            return self._end(step.state, **told)
        if isinstance(step, Gate):
            gate = {"slot": None, "planned_at": Now(), "gate_reason": step.reason, "stop_flag": ""}
            return self._rest(Run.State.PLANNED, "gate", **gate)
        return self._leave("slice")

    def _asked(self, request: StopRequested) -> WorkResult:
        if request.asked == "stop":
            return self._end(Run.State.STOPPED)
        if request.asked == "pause":
            return self._rest(Run.State.PAUSED, "paused", stop_flag="")
        return self._leave("left")

    def _wait(self, error: TryAgain) -> WorkResult:
        seconds = _pause_before(self.run_row.attempt) if error.seconds is None else error.seconds
        told = {"error_code": error.code, "error_detail": error.detail}
        return self._leave(
            "waiting", state=Run.State.WAITING, next_at=later(seconds), attempt=F("attempt") + 1, **told
        )

    def _unforeseen(self, error: Exception) -> WorkResult:
        if _passing(error):
            logger.warning("Run %s: the database is busy or away: %s", self.run_row.pk, error)
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            return self._wait(TryAgain("propolis.database", str(error), DATABASE_PAUSE))
        logger.error("Run %s: unforeseen error", self.run_row.pk, exc_info=error)
        told = {
            "error_code": "propolis.unexpected",
            "error_detail": f"{type(error).__name__}: {error}"[:2000],
        }
        lost = {"losses": F("losses") + 1, "attempt": F("attempt") + 1}
        if self.run_row.losses + 1 >= MAX_LOSSES:
            return self._end(Run.State.FAILED, **told, **lost)
        wait = {"state": Run.State.WAITING, "next_at": later(_pause_before(self.run_row.attempt))}
        return self._leave("waiting", **wait, **told, **lost)

    def _leave(self, outcome: Outcome, **fields: Any) -> WorkResult:
        """Lets go of a run that has more to do; a flag raised at the last moment is obeyed."""
        with transaction.atomic():
            flag = self.lease.let_go(**fields)
            if flag == "stop":
                self._ended(ending(Run.State.STOPPED))
            elif flag == "pause":
                self._mine().update(state=Run.State.PAUSED, stop_flag="", next_at=None)
        if flag:
            return WorkResult("ended" if flag == "stop" else "paused", self.steps)
        if outcome != "waiting":
            ring_on_commit(self.run_row.pk)
        return WorkResult(outcome, self.steps)

    def _rest(self, state: Run.State, outcome: Outcome, **fields: Any) -> WorkResult:
        """Lets go of a run that only a person can take up again; a stop asked for meanwhile ends it."""
        with transaction.atomic():
            flag = self.lease.let_go(state=state, next_at=None, **{**fields, "stop_flag": F("stop_flag")})
            self._mine().update(stop_flag="")
            if flag == "stop":
                self._ended(ending(Run.State.STOPPED))
        return WorkResult("ended" if flag == "stop" else outcome, self.steps)

    def _end(self, state: Run.State, **fields: Any) -> WorkResult:
        with transaction.atomic():
            self.lease.let_go(**ending(state), **fields)
            end(self.run_row, state)
        return WorkResult("ended", self.steps)

    def _ended(self, fields: dict[str, Any]) -> None:
        self._mine().update(**fields)
        end(self.run_row, fields["state"])

    def _mine(self) -> Any:
        return all_runs().filter(pk=self.run_row.pk)


def _pause_before(attempt: int) -> float:
    """Seconds to wait before try number attempt + 2: the settings' steps, up to a fifth more or less."""
    steps = settings.PROPOLIS_RETRY_SECONDS
    return float(steps[min(attempt, len(steps) - 1)]) * random.uniform(0.8, 1.2)  # noqa: S311


def _passing(error: Exception) -> bool:
    """Trouble of the database that goes by: locked, restarted, deadlock, or we stood still in a transaction (which
    PostgreSQL's driver calls an internal error)."""
    if isinstance(error, InterfaceError):
        return True
    signs = ("locked", "connection", "deadlock", "terminat", "timeout", "shutting down", "starting up")
    passing = isinstance(error, (OperationalError, InternalError))
    return passing and any(sign in str(error).lower() for sign in signs)


@contextmanager
def _no_frozen_transaction() -> Iterator[None]:
    """PostgreSQL ends our transaction if this process is frozen in it for longer than the lease."""
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET idle_in_transaction_session_timeout = {int(settings.PROPOLIS_LEASE_SECONDS * 1000)}"
        )
    try:
        yield
    finally:
        try:
            with connection.cursor() as cursor:
                cursor.execute("RESET idle_in_transaction_session_timeout")
        except DatabaseError:
            connection.close()


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Batches make containers by the ten thousand and hardly a cycle: looking for cycles took 7 % of an import."""
    before = gc.get_threshold()
    gc.set_threshold(MADE_BEFORE_COLLECTING, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
