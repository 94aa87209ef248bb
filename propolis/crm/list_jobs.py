"""Runs that put many contacts on a list or take them off, and the run that undoes one of them.

Each batch's memberships as they were are kept as a page of the run.
"""

from __future__ import annotations

from typing import ClassVar, Final

from django.utils import timezone

from propolis.crm.hand_jobs import SLOT, added
from propolis.crm.lists import BATCH, Changed, change, change_back
from propolis.crm.models import List
from propolis.runs.engine import Continue, Finish, Job, Lease, Step, register
from propolis.runs.models import Run, RunPage

ON_LIST: Final = "change_list_members"
ON_LIST_BACK: Final = "restore_list_members"
_WERE: Final = "were"


class OnListJob(Job):
    """options: `list`, its id; `ids` of the contacts; `on`: whether they are to be on it."""

    kind: ClassVar[str] = ON_LIST
    slot: ClassVar[str] = SLOT

    def step(self, run: Run, lease: Lease) -> Step:
        ids, at = run.options["ids"], run.cursor.get("at", 0)
        row = List.objects.filter(pk=run.options["list"]).first()
        if at >= len(ids) or row is None or run.by is None:
            return Finish(Run.State.COMPLETE)
        with lease.batch() as batch:
            done = change(row, ids[at : at + BATCH], on=run.options["on"], actor=run.by)
            RunPage.objects.create(
                run=run,
                phase=_WERE,
                seq=at // BATCH,
                read_at=timezone.now(),
                meta={"were": done.were, "at": done.at},
            )
            counts = added(run, changed=len(done.were))
            batch.save(state=Run.State.APPLYING, counts=counts, cursor={"at": at + BATCH})
        return Continue()


class OnListBackJob(Job):
    """Every membership as it was, unless somebody has changed it since."""

    kind: ClassVar[str] = ON_LIST_BACK
    slot: ClassVar[str] = SLOT

    def step(self, run: Run, lease: Lease) -> Step:
        assert run.undoes is not None
        seq = run.cursor.get("seq", 0)
        page = RunPage.objects.filter(run=run.undoes, phase=_WERE, seq=seq).first()
        row = List.objects.filter(pk=run.undoes.options["list"]).first()
        if page is None or row is None:
            return Finish(Run.State.COMPLETE)
        with lease.batch() as batch:
            back = change_back(row, Changed(**page.meta))
            counts = added(run, back=back, kept=len(page.meta["were"]) - back)
            batch.save(state=Run.State.APPLYING, counts=counts, cursor={"seq": seq + 1})
        return Continue()


def install() -> None:
    """Makes the runs known to whoever works on them."""
    for job in (OnListJob(), OnListBackJob()):
        register(job)
