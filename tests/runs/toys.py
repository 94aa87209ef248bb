"""Jobs that do next to nothing, so that the engine around them can be watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.utils import timezone

from propolis.runs.engine import Continue, Finish, Job, Lease, Step
from propolis.runs.models import Run, RunPage

ROWS_PER_BATCH = 5


class Scripted(Job):
    """Does what the test says: a list of things to do, one a step."""

    kind: ClassVar[str] = "toy.scripted"

    def __init__(self) -> None:
        self.script: list[Callable[[Run, Lease], Step]] = []
        self.refusal: str | None = None
        self.ends: list[tuple[int, str]] = []

    def step(self, run: Run, lease: Lease) -> Step:
        return self.script.pop(0)(run, lease)

    def may_confirm(self, run: Run) -> str | None:
        return self.refusal

    def ended(self, run: Run) -> None:
        self.ends.append((run.pk, run.state))


class Counting(Job):
    """Writes rows 0 … options.batches × 5 - 1, five a batch, and its cursor with them."""

    kind: ClassVar[str] = "toy.counting"

    def step(self, run: Run, lease: Lease) -> Step:
        at = int(run.cursor.get("batch", 0))
        if at >= int(run.options["batches"]):
            return Finish(Run.State.COMPLETE)
        self.seen(run, at)
        with lease.batch() as batch:
            for n in range(ROWS_PER_BATCH):
                seq = at * ROWS_PER_BATCH + n
                RunPage.objects.create(run=run, phase="rows", seq=seq, read_at=timezone.now())
                self.inside(run, at)
            counted: dict[str, Any] = {"rows": (at + 1) * ROWS_PER_BATCH}
            batch.save(cursor={"batch": at + 1}, counts=counted, state=Run.State.APPLYING, requests=1)
        return Continue()

    def seen(self, run: Run, at: int) -> None:
        """Called before each batch."""

    def inside(self, run: Run, at: int) -> None:
        """Called after each row, inside the transaction."""


def fresh(run: Run) -> Run:
    """The run as the database has it now."""
    run.refresh_from_db()
    return run
