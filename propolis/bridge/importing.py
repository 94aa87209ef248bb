"""The import of a Syncro account as a Run: read → plan → (gate) → apply → close.

The cursor's `phase` says where it is; each phase resumes from its own part of the cursor. Work in memory between
two steps is only a cache: it is rebuilt from the cursor whenever another process takes over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.bridge import backups, choices, connecting, pages, scheduling
from propolis.bridge.applying import Applier
from propolis.bridge.closing import Closer
from propolis.bridge.models import Connection, connection_of
from propolis.bridge.planner import Planner, linked_before
from propolis.bridge.reading import Reader
from propolis.bridge.retrying import Retrier
from propolis.bridge.statuses import ensure_status_map
from propolis.bridge.vault import TokenUnreadable
from propolis.history.models import Change
from propolis.merge.plan import Counts, Refusal, implausible
from propolis.runs.engine import (
    Continue,
    Finish,
    Gate,
    Job,
    Lease,
    NeedsAttention,
    Step,
    StopRequested,
    TryAgain,
    back,
    overtaken,
    register,
    start,
)
from propolis.runs.models import Run, Schedule
from propolis.syncro import (
    BadToken,
    Interrupted,
    RateLimited,
    RequestLog,
    Stop,
    SyncroClient,
    SyncroError,
)

OBJECTS = ("companies", "contacts", "opportunities")
KIND = "import"
STALE_AFTER = timedelta(hours=24)
DROPPED_AT_ONCE = 2000
READ_AT = {
    "companies": "companies_read_at",
    "contacts": "contacts_read_at",
    "opportunities": "opportunities_read_at",
}


def start_import(
    account: Account,
    objects: list[str],
    *,
    by: Membership | None = None,
    show_first: bool = False,
    gate_first_import: bool = True,
) -> tuple[Run, bool]:
    """Starts an import of these objects, or answers the run that holds the account's slot.

    `show_first`: stop at the preview. `gate_first_import`: the first import of an object always does.
    """
    connection = connection_of(account)
    first = connection is None or any(getattr(connection, READ_AT[each]) is None for each in objects)
    options = {
        "objects": [each for each in OBJECTS if each in objects],
        "gate": show_first or (gate_first_import and first),
        "first": first,
        "incremental": objects == ["companies"] and not first,
    }
    return start(account, KIND, options=options, by=by)


class _Held:
    """A lease that changes while a client lives on from one slice of work to the next."""

    lease: Lease


class ImportJob(Job):
    kind: ClassVar[str] = KIND

    def __init__(self) -> None:
        self._here = threading.local()

    def step(self, run: Run, lease: Lease) -> Step:
        connection = connection_of(run.account)
        if connection is None or not connection.token_cipher:
            raise NeedsAttention("propolis.not_connected")
        phase = run.cursor.get("phase", "backup")
        return {
            "backup": self._backup,
            "read": self._read,
            "plan": self._plan,
            "gate": self._gate,
            "apply": self._apply,
            "close": self._close,
        }[phase](run, lease, connection)

    def may_confirm(self, run: Run) -> str | None:
        old = run.planned_at is not None and timezone.now() - run.planned_at > STALE_AFTER
        if old or overtaken(run):
            return "propolis.stale_preview"
        connection = connection_of(run.account)
        return "propolis.choices_changed" if connection and _chosen_anew(run, connection) else None

    # ---- phases

    def _backup(self, run: Run, lease: Lease, connection: Connection) -> Step:
        """A verified backup before anything is read for the first time."""
        ensure_status_map(connection)
        if run.options.get("first"):
            with lease.batch() as batch:
                batch.save(state=Run.State.READING, phase="backup", progress={"phase": "backup"})
            backups.make_backup(run.account, by=run.by, run=run, why="before the first import")
        with lease.batch() as batch:
            batch.save(cursor={"phase": "read"}, state=Run.State.READING, phase="reading")
        return Continue()

    def _read(self, run: Run, lease: Lease, connection: Connection) -> Step:
        if run.options.get("only"):
            return self._read_again(run, lease, connection)
        reader = self._cached(run, "reader", lambda: Reader(run, connection, self._client(connection, lease)))
        with self._talking(run, connection, lease):
            reader.step(lease)
        if reader.finished:
            self._forget()
            with lease.batch() as batch:
                batch.save(cursor=to_plan(reader.cursor, connection), phase="planning")
        return Continue()

    def _read_again(self, run: Run, lease: Lease, connection: Connection) -> Step:
        """A retry: single records, planned as they come."""
        retrier = self._cached(
            run, "retrier", lambda: Retrier(run, connection, self._client(connection, lease))
        )
        with self._talking(run, connection, lease):
            retrier.step(lease)
        if retrier.finished:
            self._forget()
            with lease.batch() as batch:
                cursor = retrier.cursor | {"phase": "apply"}
                batch.save(cursor=cursor, state=Run.State.APPLYING, phase="applying")
        return Continue()

    def _plan(self, run: Run, lease: Lease, connection: Connection) -> Step:
        if run.cursor.get("again"):
            return self._drop_plan(run, lease)
        planner = self._cached(run, "planner", lambda: Planner(run, connection))
        with self._undisturbed():
            planner.step(lease)
        if planner.finished:
            self._forget()
            cursor = planner.cursor | {"phase": "gate"}
            with lease.batch() as batch:
                batch.save(cursor=cursor, counts=self._stated(run, planner.counts), phase="planned")
        return Continue()

    def _drop_plan(self, run: Run, lease: Lease) -> Step:
        """The plan made with other choices, a batch at a time."""
        planned = Change.objects.filter(run=run, state=Change.State.PLANNED).order_by("id")
        with lease.batch() as batch:
            some = list(planned.values_list("pk", flat=True)[:DROPPED_AT_ONCE])
            Change.objects.filter(pk__in=some).delete()
            if len(some) < DROPPED_AT_ONCE:
                cursor = {name: value for name, value in run.cursor.items() if name != "again"}
                batch.save(cursor=cursor, counts={})
        return Continue()

    def _gate(self, run: Run, lease: Lease, connection: Connection) -> Step:
        if run.confirmed_at is None and _chosen_anew(run, connection):
            with lease.batch() as batch:
                batch.save(
                    cursor=to_plan(run.cursor, connection) | {"again": True}, counts={}, phase="planning"
                )
            return Continue()
        if run.confirmed_at is None:
            refusal = self._refusal(run, connection) or scheduling.over_cap(run, connection)
            if refusal is not None:
                told = {"code": refusal.code.value, "sentence": refusal.sentence}
                with lease.batch() as batch:
                    batch.save(counts=run.counts | {"refusal": told})
                return Gate(refusal.code.value)
            if run.options.get("gate"):
                return Gate("preview")
        with lease.batch() as batch:
            batch.save(cursor=run.cursor | {"phase": "apply"}, state=Run.State.APPLYING, phase="applying")
        return Continue()

    def _apply(self, run: Run, lease: Lease, connection: Connection) -> Step:
        applier = self._cached(run, "applier", lambda: Applier(run, connection))
        with self._undisturbed():
            if not applier.finished:
                applier.step(lease)
        if applier.finished:
            self._forget()
            with lease.batch() as batch:
                batch.save(cursor=applier.cursor | {"phase": "close"}, counts=applier.counts, phase="closing")
        return Continue()

    def _close(self, run: Run, lease: Lease, connection: Connection) -> Step:
        if run.options.get("only"):
            return Finish(*outcome(run))
        closer = self._cached(run, "closer", lambda: Closer(run, connection, self._client(connection, lease)))
        with self._talking(run, connection, lease):
            more = closer.step(lease)
        if more:
            return Continue()
        self._forget()
        return Finish(*outcome(run))

    def due(self, schedule: Schedule) -> None:
        scheduling.start_scheduled(schedule)

    def ended(self, run: Run) -> None:
        pages.drop_bodies(run)
        _forget_samples(run)

    # ---- between phases

    def _refusal(self, run: Run, connection: Connection) -> Refusal | None:
        for noun in run.options["objects"]:
            numbers = run.counts.get(noun, {})
            counts = Counts.from_dict(numbers.get("counts", {}))
            read = numbers.get("read", 0) + numbers.get("persons", 0)
            if run.options.get("incremental") and not read and numbers.get("stated") != 0:
                continue  # nothing changed since the last import
            linked = linked_before(connection, noun, run.started_at)
            refusal = implausible(counts, linked=linked, read=read, noun=noun)
            if refusal is not None:
                return refusal
        return None

    def _stated(self, run: Run, counts: dict[str, Any]) -> dict[str, Any]:
        """What Syncro said it has, beside what was read."""
        found = dict(counts)
        for noun in run.options["objects"]:
            numbers = found.setdefault(noun, {"counts": Counts().to_dict(), "read": 0, "persons": 0})
            numbers["stated"] = pages.stated(run, pages.SWEEPS[noun])
        return found

    # ---- Syncro

    def _client(self, connection: Connection, lease: Lease) -> SyncroClient:
        held = self._held()
        held.lease = lease

        def count(request: RequestLog) -> None:
            held.lease.spent(requests=1, waited=request.waited)

        try:
            return connecting.client_for(
                connection, should_stop=lambda: held.lease.should_stop(), on_request=count
            )
        except TokenUnreadable as error:
            raise NeedsAttention(error.code) from error

    @contextmanager
    def _talking(self, run: Run, connection: Connection, lease: Lease) -> Iterator[None]:
        """Syncro's errors by what the run must do: wait and try again, or wait for a person."""
        self._held().lease = lease
        try:
            with self._undisturbed():
                yield
        except Interrupted:
            lease.look(every=0)
            lease.check()
            raise StopRequested("leave") from None
        except RateLimited as error:
            raise TryAgain(error.code, _told(error), error.retry_after) from error
        except Stop as error:
            if isinstance(error, BadToken):
                connecting.token_died(connection, error)
            raise NeedsAttention(error.code, _told(error)) from error
        except SyncroError as error:
            raise TryAgain(error.code, _told(error)) from error

    def _held(self) -> _Held:
        """The lease this thread works under, for the threads that talk to Syncro on its behalf."""
        if not hasattr(self._here, "held"):
            self._here.held = _Held()
        held: _Held = self._here.held
        return held

    # ---- the cache

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Whatever goes wrong, nothing half-done stays in memory."""
        try:
            yield
        except BaseException:
            self._forget()
            raise

    def _cached(self, run: Run, name: str, make: Callable[[], Any]) -> Any:
        key = (name, run.pk)
        known = getattr(self._here, "known", None)
        if known is None or known[0] != key or known[1].cursor != run.cursor:
            self._forget()
            known = self._here.known = (key, make())
        return known[1]

    def _forget(self) -> None:
        known = getattr(self._here, "known", None)
        client = getattr(known[1], "client", None) if known else None
        if client is not None:
            client.close()
        self._here.known = None


def to_plan(cursor: dict[str, Any], connection: Connection) -> dict[str, Any]:
    """The cursor at the beginning of planning, over the pages that were read."""
    kept = {name: value for name, value in cursor.items() if name in ("nested", "unread", "since")}
    return kept | {"phase": "plan", "choices": choices.fingerprint(connection)}


def plan_again(account: Account, by: Membership | None) -> bool:
    """A waiting preview is made anew from what was read, with today's choices; nothing is downloaded.

    False where none waits, something else is at work or what was read is too old.
    """
    fresh = Run.objects.filter(
        kind=KIND, state=Run.State.PLANNED, planned_at__gt=timezone.now() - STALE_AFTER
    )
    run, connection = fresh.order_by("-id").first(), connection_of(account)
    if run is None or connection is None or not _chosen_anew(run, connection):
        return False
    return back(run, by, cursor=to_plan(run.cursor, connection) | {"again": True}, phase="planning")


def _chosen_anew(run: Run, connection: Connection) -> bool:
    """An Admin has chosen something else since the plan was begun."""
    then = run.cursor.get("choices")
    return then is not None and then != choices.fingerprint(connection)


def _forget_samples(run: Run) -> None:
    """The e-mails shown with the question about them: once it is answered nobody looks at them again."""
    counts = Run.objects.values_list("counts", flat=True).get(pk=run.pk)
    leads = counts.get("opportunities", {}).get("leads")
    if leads and leads["samples"]:
        leads["samples"] = []
        Run.objects.filter(pk=run.pk).update(counts=counts)


def _told(error: SyncroError) -> str:
    """For the run: the person's sentence on the first line, the operator's detail below."""
    return f"{error.sentence}\n{error.detail}"


def outcome(run: Run) -> tuple[Run.State, str, str]:
    """How an import that has applied everything ends: complete only if every page was read and the sums agree."""
    unread = run.cursor.get("unread") or []
    if unread:
        return Run.State.INCOMPLETE, "propolis.unread", ", ".join(unread)
    for noun in run.options["objects"]:
        numbers = run.counts[noun]
        counts = Counts.from_dict(numbers["counts"])
        if not counts.adds_up(numbers["read"] + numbers["persons"]):
            return Run.State.INCOMPLETE, "propolis.sum_wrong", noun
    return Run.State.COMPLETE, "", ""


register(ImportJob())
