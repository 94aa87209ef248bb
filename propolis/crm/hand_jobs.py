"""Runs that give many records to somebody, and the run that takes one of them back.

Small ones are done within the request that asks (`at_once`); a worker goes on with what takes longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from propolis.accounts.models import Account, Membership, audit
from propolis.accounts.roster import after_disabling
from propolis.crm import handing
from propolis.crm.assign import BATCH, assign
from propolis.crm.fields import Kind
from propolis.history.undo import changes_to_undo, undo_batch
from propolis.runs.engine import Continue, Finish, Job, Lease, Step, register, start, work
from propolis.runs.models import Run

MY_COMPANIES: Final = "my_companies"
HAND_OVER: Final = "hand_over"
TAKE_BACK: Final = "take_back"
GIVE: Final = "give"
KINDS: Final = (MY_COMPANIES, HAND_OVER, GIVE)
SLOT: Final = "assign"
_SECONDS = 5.0  # of work within the request


def added(run: Run, **done: int) -> dict[str, int]:
    """The run's counts with what one more batch has done."""
    return {**run.counts, **{key: run.counts.get(key, 0) + count for key, count in done.items()}}


class _Giving(Job):
    slot: ClassVar[str] = SLOT

    def step(self, run: Run, lease: Lease) -> Step:
        with lease.batch() as batch:
            moved = self.give(run)
            batch.save(state=Run.State.APPLYING, counts=added(run, **moved))
        return Continue() if moved else Finish(Run.State.COMPLETE)

    def give(self, run: Run) -> dict[str, int]:
        """One batch: what → how many changed hands; empty when nothing is left."""
        raise NotImplementedError


class MyCompaniesJob(_Giving):
    """options: `people`, ids of those who get theirs; `others_too`."""

    kind: ClassVar[str] = MY_COMPANIES

    def give(self, run: Run) -> dict[str, int]:
        rows = handing.suggested(others_too=run.options["others_too"])
        for person in Membership.objects.filter(pk__in=run.options["people"]).order_by("pk"):
            ids = list(rows.filter(salesperson=person).values_list("company", flat=True)[:BATCH])
            if ids:
                return {"companies": assign(Kind.COMPANY, ids, person, actor=run.by, run=run)}
        return {}


class HandOverJob(_Giving):
    """options: `of` and `to`, ids of people; `shares`, keys of `handing.SHARES`."""

    kind: ClassVar[str] = HAND_OVER

    def give(self, run: Run) -> dict[str, int]:
        people = Membership.objects.in_bulk([run.options["of"], run.options["to"]])
        of, to = people[run.options["of"]], people[run.options["to"]]
        for share in handing.SHARES:
            if share.key in run.options["shares"]:
                ids = list(share.rows(of).values_list("pk", flat=True)[:BATCH])
                if ids:
                    count = assign(share.kind, ids, to, actor=run.by, run=run, field=share.field)
                    return {share.key: count}
        return {}


class GiveJob(Job):
    """options: `what`, the kind of the records; their `ids`; `to`, who gets them, 0 for nobody."""

    kind: ClassVar[str] = GIVE
    slot: ClassVar[str] = SLOT

    def step(self, run: Run, lease: Lease) -> Step:
        ids, at = run.options["ids"], run.cursor.get("at", 0)
        if at >= len(ids):
            return Finish(Run.State.COMPLETE)
        person = Membership.objects.filter(pk=run.options["to"]).first()
        with lease.batch() as batch:
            some = ids[at : at + BATCH]
            count = assign(Kind(run.options["what"]), some, person, actor=run.by, run=run)
            batch.save(state=Run.State.APPLYING, counts=added(run, given=count), cursor={"at": at + BATCH})
        return Continue()


class TakeBackJob(Job):
    """Every record back to whom it belonged, unless somebody gave it on since."""

    kind: ClassVar[str] = TAKE_BACK
    slot: ClassVar[str] = SLOT

    def step(self, run: Run, lease: Lease) -> Step:
        assert run.undoes is not None
        before = run.cursor.get("before")
        changes = changes_to_undo(run.undoes)
        some = list((changes.filter(pk__lt=before) if before else changes)[:BATCH])
        if not some:
            return Finish(Run.State.COMPLETE)
        with lease.batch() as batch:
            done = sum(item.can for item in undo_batch(some, actor=run.by, run=run))
            counts = added(run, back=done, kept=len(some) - done)
            batch.save(state=Run.State.APPLYING, counts=counts, cursor={"before": some[-1].pk})
        return Continue()


def at_once(
    account: Account,
    kind: str,
    options: dict[str, Any],
    *,
    by: Membership,
    undoes: Run | None = None,
    named: Mapping[str, str] | None = None,
) -> Run | None:
    """Starts the run and works on it for a moment; None while another one is under way. `named`: what the audit log
    says instead of an id."""
    run, new = start(account, kind, options=options, by=by, slot=SLOT, undoes=undoes)
    if not new:
        return None
    kept = _named(options) | dict(named or {}) | ({"undoes": undoes.pk} if undoes else {})
    audit(account, by, f"records.{kind}", run=run.pk, **kept)
    work(run.pk, seconds=_SECONDS)
    run.refresh_from_db()
    return run


def _named(options: dict[str, Any]) -> dict[str, int | str]:
    return {name: value for name, value in options.items() if isinstance(value, int | str)}


def latest(kind: str, most: int = 5) -> list[Run]:
    """What was done before, the latest first; those that can be taken back have no `taken_back`."""
    runs = list(Run.objects.filter(kind=kind).select_related("by").order_by("-id")[:most])
    undone = set(Run.objects.filter(undoes__in=runs).values_list("undoes", flat=True))
    for run in runs:
        run.taken_back = run.pk in undone  # type: ignore[attr-defined]
    return runs


def install() -> None:
    """Makes the runs known to whoever works on them, and handing over to whoever disables people."""
    for job in (MyCompaniesJob(), HandOverJob(), GiveJob(), TakeBackJob()):
        register(job)
    if handing.page_after_disabling not in after_disabling:
        after_disabling.append(handing.page_after_disabling)
