"""Taking back a whole import as a Run: plan → gate → undo, in batches, each resumable from the cursor.

"This import (keeps what your people did since)". Planning writes nothing but the list of what stays and why;
the person sees what goes back and what cannot; undoing looks at every record again under the lease, newest
change first, so that what people did meanwhile stays as well. Importing again brings back what was undone: an
undo is not undone itself.

The order is the reverse of the import's: opportunities and contacts, then what had waited for a company and
was attached when it came, then the companies; at last the records that only waited for a decision, stayed out
or failed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, ClassVar, Final

from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from propolis.accounts import bulk
from propolis.accounts.models import Account, Membership, audit
from propolis.bridge.models import Connection
from propolis.bridge.scheduling import switch_off
from propolis.bridge.undo_counting import Tally, kept_rows
from propolis.bridge.undo_links import HELD_ONLY, plan_held, take_back_held
from propolis.history.models import Change
from propolis.history.undo import UndoItem, plan_undo, undo_batch
from propolis.runs.engine import Continue, Finish, Gate, Job, Lease, Step, register, start, stop
from propolis.runs.models import Run

KIND: Final = "undo"
UNDOABLE: Final = frozenset({"import", "csv_import"})
BATCH: Final = 500
STALE_AFTER: Final = timedelta(hours=24)
OFF_BECAUSE: Final = "An import was undone"
NOT_STORABLE: Final = "The database refused its old values"
_REFUSED: Final = (DatabaseError, ValueError, TypeError, KeyError)
_RECORDS: Final = frozenset(Change.Action) - HELD_ONLY - {Change.Action.SAME, Change.Action.SEND}
PARTS: Final = ("records", "attached", "companies", "held")


def why_not(run: Run) -> str:
    """Why this run cannot be undone, as a sentence; "" if it can. With the account in scope."""
    if run.kind not in UNDOABLE:
        return "Only an import can be undone here."
    if not run.ended:
        return "This import has not ended yet. Stop it, or wait for its end, then undo it."
    if run.undone_by.filter(kind=KIND, state=Run.State.COMPLETE).exists():
        return "This import has been undone. To have it again, import again."
    if restored_since(run):
        return "A backup was restored after this import. What it did cannot be told apart any more."
    if not any(_part(run, part).exists() for part in PARTS):
        return "This import changed nothing here, so there is nothing to undo."
    return ""


def restored_since(run: Run) -> bool:
    """Whether a backup took the place of everything after this run had ended."""
    return restores_after(run.finished_at).exists()


def restores_after(at: Any) -> QuerySet[Run]:
    """`at`: a moment, or what stands for one in a query."""
    return Run.objects.filter(kind="restore", state=Run.State.COMPLETE, finished_at__gt=at)


def latest(account: Account) -> Run | None:
    """The newest import that can be undone; of the last few dozen."""
    runs = Run.objects.filter(account=account, kind__in=UNDOABLE).order_by("-id")[:40]
    return next((run for run in runs if not why_not(run)), None)


def waiting_undo(run: Run) -> Run | None:
    """The undo of this run that is under way or waits at its preview."""
    return run.undone_by.filter(kind=KIND).exclude(state__in=Run.ENDED).order_by("-id").first()


def start_undo(run: Run, *, by: Membership | None) -> tuple[Run, bool]:
    """Starts planning the undo of a run; it then waits at its gate for `confirm`. As `engine.start`.

    A preview that is still good is answered as it is; an old one makes room. ValueError with the sentence
    of `why_not`.
    """
    refused = why_not(run)
    if refused:
        raise ValueError(refused)
    before = waiting_undo(run)
    if before is not None and before.state == Run.State.PLANNED:
        if UndoJob().may_confirm(before) is None:
            return before, False
        stop(before, by)
    return start(run.account, KIND, options={"of": run.number}, by=by, undoes=run)


class UndoJob(Job):
    """The cursor: `phase` plan, gate or apply; while applying `part` and `at`, the last number done in it."""

    kind: ClassVar[str] = KIND

    def __init__(self) -> None:
        self._here = threading.local()

    def step(self, run: Run, lease: Lease) -> Step:
        undone = Run.objects.filter(pk=run.undoes_id or 0).first()
        if undone is None:
            return Finish(Run.State.FAILED, "propolis.undo_nothing")
        phase = run.cursor.get("phase", "plan")
        if phase == "plan":
            return self._plan(run, undone, lease)
        if phase == "gate":
            return self._gate(run, lease)
        return self._apply(run, undone, lease)

    def may_confirm(self, run: Run) -> str | None:
        later = Run.objects.filter(account=run.account, slot=None, finished_at__gt=run.planned_at)
        wrote = Q(cursor__phase__in=["apply", "close"]) | Q(kind__in=["restore", "csv_import"])
        other = later.exclude(pk=run.pk).filter(wrote)
        old = run.planned_at is not None and timezone.now() - run.planned_at > STALE_AFTER
        return "propolis.stale_undo" if old or other.exists() else None

    # ---- planning

    def _plan(self, run: Run, undone: Run, lease: Lease) -> Step:
        """A batch at a time; begun anew wherever another process takes over, for it writes only a list."""
        planner = self._planner(run, undone)
        try:
            if planner.step(lease):
                return Continue()
        except BaseException:
            self._here.planner = None
            raise
        self._here.planner = None
        with lease.batch() as batch:
            batch.save(cursor={"phase": "gate"}, counts={"plan": planner.tally.to_dict()}, phase="planned")
        return Continue()

    def _planner(self, run: Run, undone: Run) -> Planner:
        known: Planner | None = getattr(self._here, "planner", None)
        if known is None or known.run.pk != run.pk or known.seen != run.cursor.get("seen", 0):
            known = self._here.planner = Planner(run, undone)
        return known

    def _gate(self, run: Run, lease: Lease) -> Step:
        if run.confirmed_at is None:
            return Gate("preview")
        with lease.batch() as batch:
            self._begin(run)
            total = sum(_part(run.undoes, part).count() for part in PARTS) if run.undoes else 0
            cursor = {"phase": "apply", "part": 0, "at": None, "done": 0, "total": total}
            batch.save(cursor=cursor, state=Run.State.APPLYING, phase="undoing")
        return Continue()

    def _begin(self, run: Run) -> None:
        """What goes with the undo as a whole, in the transaction that begins it."""
        Change.objects.filter(run=run, state=Change.State.HELD).delete()
        if run.undoes is not None and run.undoes.kind == "import":
            # The next import of companies alone must not stop at what this one had read.
            Connection.objects.filter(account=run.account).update(watermark=None)
            switch_off(run.account, OFF_BECAUSE)
        audit(run.account, run.by, "import.undo", run=run.undoes_id or 0, undo=run.pk)

    # ---- undoing

    def _apply(self, run: Run, undone: Run, lease: Lease) -> Step:
        cursor = dict(run.cursor)
        if cursor["part"] >= len(PARTS):
            return Finish(Run.State.COMPLETE)
        part = PARTS[cursor["part"]]
        tally = Tally.from_dict(run.counts.get("done", {}))
        with lease.batch() as batch:
            changes = _page(undone, part, cursor["at"])
            items = _take_back(part, changes, run)
            for item in items:
                tally.add(item)
            bulk.insert(kept_rows(run, items))
            cursor["done"] += len(changes)
            cursor |= (
                {"at": _number(part, changes[-1])} if changes else {"part": cursor["part"] + 1, "at": None}
            )
            batch.save(
                cursor=cursor,
                counts=run.counts | {"done": tally.to_dict()},
                progress=_progress("undoing", cursor["done"], max(cursor["total"], cursor["done"])),
                phase="undoing",
            )
        return Continue()


class Planner:
    """Walks everything the run did in the order of its undo, and counts."""

    def __init__(self, run: Run, undone: Run) -> None:
        self.run, self.tally, self.seen = run, Tally(), 0
        self.total = sum(_part(undone, part).count() for part in PARTS)
        self._items = _planned(undone)
        self._begun = False

    def step(self, lease: Lease) -> bool:
        """One batch; False when there is no more."""
        items = list(islice(self._items, BATCH))
        for item in items:
            self.tally.add(item)
        self.seen += len(items)
        with lease.batch() as batch:
            if not self._begun:
                Change.objects.filter(run=self.run, state=Change.State.HELD).delete()
                self._begun = True
            bulk.insert(kept_rows(self.run, items))
            progress = _progress("planning", self.seen, self.total)
            cursor = {"phase": "plan", "seen": self.seen}
            batch.save(cursor=cursor, progress=progress, phase="planning", state=Run.State.READING)
        return bool(items)


def _progress(phase: str, done: int, total: int) -> dict[str, Any]:
    return {"phase": phase, "noun": "records", "done": done, "total": total}


def _planned(undone: Run) -> Iterator[UndoItem]:
    yield from plan_undo(change for part in PARTS[:3] for change in _every(undone, part))
    held = _every(undone, PARTS[3])
    while some := list(islice(held, BATCH)):
        yield from plan_held(some)


def _every(undone: Run, part: str) -> Iterator[Change]:
    at: int | None = None
    while page := _page(undone, part, at):
        yield from page
        at = _number(part, page[-1])


def _part(undone: Run, part: str) -> QuerySet[Change]:
    """The run's effects of one part, newest first."""
    applied = Change.objects.filter(run=undone, state=Change.State.APPLIED).defer("raw")
    if part == "held":
        return applied.filter(action__in=HELD_ONLY).order_by("-id")
    records = applied.filter(action__in=_RECORDS)
    if part == "attached":
        return records.filter(seq=0).order_by("-id")
    if part == "companies":
        return records.filter(seq__gt=0, kind="company").order_by("-seq", "-id")
    return records.filter(seq__gt=0).exclude(kind="company").order_by("-seq", "-id")


def _page(undone: Run, part: str, at: int | None) -> list[Change]:
    """The next ones after the number `at`; that of a Change is unique within its part."""
    query = _part(undone, part)
    if at is not None:
        by_id = part in ("attached", "held")
        query = query.filter(id__lt=at) if by_id else query.filter(seq__lt=at)
    return list(query[:BATCH])


def _number(part: str, change: Change) -> int:
    return change.pk if part in ("attached", "held") else change.seq


def _take_back(part: str, changes: Sequence[Change], run: Run) -> list[UndoItem]:
    """One odd record never stops the rest: it stays as it is, and the list says so."""
    try:
        with transaction.atomic():
            return _back(part, changes, run)
    except _REFUSED:
        return [item for change in changes for item in _one(part, change, run)]


def _one(part: str, change: Change, run: Run) -> Iterable[UndoItem]:
    try:
        with transaction.atomic():
            return _back(part, [change], run)
    except _REFUSED:
        change.state = Change.State.APPLIED
        return [UndoItem(change, False, NOT_STORABLE)]


def _back(part: str, changes: Sequence[Change], run: Run) -> list[UndoItem]:
    if part == "held":
        return take_back_held(changes)
    return undo_batch(changes, actor=run.by, run=run)


register(UndoJob())
