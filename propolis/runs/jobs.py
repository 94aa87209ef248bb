"""What one kind of Run does: a Job, the answers its steps give, and the errors they may raise.

TryAgain         the other side is in trouble: the run waits, then the same step is tried again
NeedsAttention   only a person can help: the run keeps its slot and waits for "Resume"
LeaseLost        another worker has the run; nothing more may be written
StopRequested    somebody asked for a pause or a stop, or this worker is leaving
Refused          a person's request that cannot be granted now, with the reason's code
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from propolis.runs.models import Run, Schedule

if TYPE_CHECKING:
    from propolis.runs.lease import Lease

Asked = Literal["pause", "stop", "leave"]


@dataclass(frozen=True)
class Continue:
    """There is more to do: call `step` again."""


@dataclass(frozen=True)
class Gate:
    """The plan is made; a person decides. The run gives its slot back and keeps everything it read."""

    reason: str = "preview"


@dataclass(frozen=True)
class Finish:
    """The run has ended: complete, incomplete or failed, with the code of the sentence that says why."""

    state: Run.State
    code: str = ""
    detail: str = ""


Step = Continue | Gate | Finish


class TryAgain(Exception):
    """Wait, then try the same step again: after `seconds` (the other side's wish) or by the settings."""

    def __init__(self, code: str, detail: str = "", seconds: float | None = None) -> None:
        super().__init__(code)
        self.code, self.detail, self.seconds = code, detail, seconds


class NeedsAttention(Exception):
    """Stop here until a person has done something, e.g. replaced the token."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


class LeaseLost(Exception):
    """The lease has run out or another worker has claimed the run. Nothing was written."""


class StopRequested(Exception):
    """Leave the step between two batches: `asked` is "pause", "stop" or "leave" (the worker goes away)."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.asked: Asked = asked


class Refused(Exception):
    """What was asked cannot be done now; `code` names the sentence."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UnknownJob(LookupError):
    """No job of this kind is installed."""


class Job(ABC):
    """What a kind of Run does. Registered once, when its app is ready; holds no state of its own.

    `step` does one bounded piece of work (at most 1 to 2 s, its waits included) and is called until it
    answers Gate or Finish. It may be called again at the same cursor after a crash, also after it has
    answered: everything it keeps is written in `lease.batch()`, together with the cursor.
    """

    kind: ClassVar[str]
    slot: ClassVar[str] = "data"

    @abstractmethod
    def step(self, run: Run, lease: Lease) -> Step: ...

    def may_confirm(self, run: Run) -> str | None:
        """The code of the reason why this plan must not be applied any more, or None."""
        return None

    def working_state(self, run: Run) -> Run.State:
        """The state to show when a waiting or paused run is taken up again."""
        if run.confirmed_at is not None:
            return Run.State.APPLYING
        return Run.State.READING if run.phase else Run.State.QUEUED

    def ended(self, run: Run) -> None:  # noqa: B027
        """Called in the transaction that ends the run (also a stop or a failure), once."""

    def due(self, schedule: Schedule) -> None:
        """A schedule's time has come; the default starts a run with the schedule's options."""
        from propolis.runs.engine import start

        options = {**schedule.options, "scheduled": True}
        start(schedule.account, schedule.kind, options=options, by=schedule.by, slot=self.slot)


J = TypeVar("J", bound=Job)
_jobs: dict[str, Job] = {}


def register(job: J) -> J:
    """Makes the job known under its kind; one job per kind."""
    known = _jobs.setdefault(job.kind, job)
    if type(known) is not type(job):
        raise ValueError(f"two jobs of kind {job.kind!r}: {type(known).__name__} and {type(job).__name__}")
    return job


def job_for(kind: str) -> Job:
    """The job of this kind; UnknownJob if none is installed."""
    try:
        return _jobs[kind]
    except KeyError:
        raise UnknownJob(f"no job of kind {kind!r} is installed") from None


def working_state(run: Run) -> Run.State:
    """The state a waiting or paused run goes back to, as its job says."""
    try:
        return job_for(run.kind).working_state(run)
    except UnknownJob:
        return Run.State.QUEUED
