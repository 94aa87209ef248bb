"""The third phase of an import: the planned Changes, in their order, batch by batch; nothing else is written.

Each batch is one transaction with the run's fence and cursor. Before a value is replaced it is compared with
what the plan saw: what a person changed meanwhile stays, and the Change says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

from django.utils import timezone

from propolis.accounts import bulk
from propolis.accounts.table_statistics import refresh_after
from propolis.bridge.links import follow_gone, overtaken, snapshot, write_links
from propolis.bridge.models import Connection, Link
from propolis.bridge.placing import Placer, placer_for
from propolis.bridge.planned import WORDS
from propolis.bridge.scene import Scene, load_scene
from propolis.crm import rows
from propolis.crm.applied import BATCH, SMALLEST, WRITING, Applied, together_or_singly
from propolis.crm.models import Company, Contact, ListMember, Opportunity, Suppression
from propolis.history import door
from propolis.history.models import Change
from propolis.merge.plan import Word
from propolis.runs.engine import Lease
from propolis.runs.models import Run

FILLING = (Company, Contact, Opportunity, Suppression, ListMember, Link, Change)
_NOUN = {"company": "companies", "contact": "contacts", "opportunity": "opportunities"}


class Applier:
    """Applies on from the cursor: `applied`, the number of the last Change done. The run's progress tells how
    many of each action were `did`, so that watching costs no counting."""

    def __init__(self, run: Run, connection: Connection) -> None:
        self.run, self.connection = run, connection
        self.cursor: dict[str, Any] = dict(run.cursor)
        self.counts: dict[str, Any] = dict(run.counts)
        self.scene: Scene = load_scene(run, connection)
        self._placers: dict[str, Placer] = {}
        self._did: Counter[str] = Counter(run.progress.get("did", {}))

    @property
    def finished(self) -> bool:
        return int(self.cursor.get("applied", 0)) >= int(self.cursor.get("seq", 0))

    def step(self, lease: Lease) -> None:
        after = int(self.cursor.get("applied", 0))
        with lease.batch(repeatable=True) as batch:
            # A batch that outlasted the lease, or its worker, is tried again in smaller parts.
            size = max(SMALLEST, BATCH >> lease.attempts_here)
            planned = bulk.read(Change.objects.filter(run=self.run, seq__gt=after).order_by("seq")[:size])
            self.cursor["applied"] = planned[-1].seq if planned else self.cursor.get("seq", 0)
            coming = [each for each in planned if each.state == Change.State.PLANNED]
            self._apply(coming, lease)
            self._did.update(str(each.action) for each in coming)
            progress = {
                "phase": "applying",
                "noun": _NOUN[planned[-1].kind] if planned else "",
                "done": self.cursor["applied"],
                "total": self.cursor.get("seq", 0),
                "did": dict(self._did),
            }
            batch.save(cursor=self.cursor, counts=self.counts, progress=progress, phase="applying")
        refresh_after(FILLING, before=after, now=self.cursor["applied"])

    def _apply(self, changes: Sequence[Change], lease: Lease) -> None:
        for remote_kind, group in groupby(changes, key=lambda each: each.remote_kind):
            apply, failed = partial(self._group, remote_kind), partial(self._failed, remote_kind)
            result = together_or_singly(list(group), apply, failed)
            lease.touch()
            self._settle(result)
            lease.touch()

    def _failed(self, remote_kind: str, change: Change, action: str) -> Applied:
        change.reason, change.raw = "not_storable", str(change.args.get("raw"))
        found = self._group(remote_kind, [change])
        found.moved.append((_NOUN[change.kind], WORDS[Change.Action(action)], Word.FAILED))
        return found

    def _group(self, remote_kind: str, batch: Sequence[Change]) -> Applied:
        placer = self._placers.get(remote_kind)
        if placer is None:
            placer = self._placers[remote_kind] = placer_for(remote_kind, self.scene)
        result = Applied()
        now = timezone.now()
        before = snapshot(self.scene, batch)
        batch = self._not_overtaken(batch, before, result)
        creates = [each for each in batch if each.action == Change.Action.CREATE]
        writes = [each for each in batch if each.action in WRITING or each.args.get("fill")]
        placer.begin(batch)
        placer.create(creates, now)
        kept = self._write(placer, writes, now, result)
        follow_gone(batch)
        links = write_links(self.scene, batch, before, kept, placer)
        for change in batch:
            change.link_id = links.get(change.remote_id or 0)
            change.state = Change.State.APPLIED
            change.at = now
            created = change.action == Change.Action.CREATE and change.kind != "opportunity"
            # What its Link was before (held for a person, say) must be kept for undo.
            plain = created and change.link_before is None
            (result.plain if plain else result.done).append(change)
        placer.finish(batch, now)
        return result

    def _not_overtaken(
        self, batch: Sequence[Change], before: Mapping[int, Link], result: Applied
    ) -> Sequence[Change]:
        going = []
        for change in batch:
            if not overtaken(change, before.get(change.remote_id or 0)):
                going.append(change)
                continue
            result.moved.append((_NOUN[change.kind], WORDS[Change.Action(change.action)], Word.SAME))
            change.state, change.reason = Change.State.SKIPPED, "overtaken"
            result.done.append(change)
        return going

    def _write(
        self, placer: Placer, writes: Sequence[Change], now: datetime, result: Applied
    ) -> Mapping[int, list[str]]:
        """Writes the fields that are still what the plan saw; by Change: those a person changed meanwhile."""
        if not writes:
            return {}
        found = placer.lock([each.local_id for each in writes if each.local_id is not None])
        kept: dict[int, list[str]] = {}
        dirty: dict[int, Any] = {}
        names: set[str] = set()
        for change in writes:
            row = found.get(change.local_id or 0)
            if row is None:
                self._vanished(change, result)
                continue
            fields = self._still_true(change, row, kept, result)
            placer.change(change, row, fields)
            if fields and change.action == Change.Action.SAME:
                change.action = Change.Action.UPDATE
                result.moved.append((_NOUN[change.kind], Word.SAME, Word.UPDATED))
            if fields:
                dirty[row.pk] = row
                names |= fields.keys()
        if dirty:
            placer.save(list(dirty.values()), names)
        return kept

    def _still_true(
        self, change: Change, row: Any, kept: dict[int, list[str]], result: Applied
    ) -> dict[str, list[Any]]:
        now = rows.values_of(row)
        clash = [name for name, (before, _, _) in change.fields.items() if not _same(now[name], before)]
        if clash:
            kept[change.pk] = clash
            change.args["changed_meanwhile"] = clash
            change.fields = {name: effect for name, effect in change.fields.items() if name not in clash}
            if not change.fields and change.action == Change.Action.UPDATE:
                change.action = Change.Action.SAME
                result.moved.append((_NOUN[change.kind], Word.UPDATED, Word.SAME))
        fields: dict[str, list[Any]] = change.fields
        if fields:
            before = row.edited_at
            row.edited_at = max(before, _instant(change.args.get("updated")) or before)
            change.args["edited_at"] = [before.isoformat(), row.edited_at.isoformat()]
        return fields

    def _vanished(self, change: Change, result: Applied) -> None:
        """Deleted here between plan and apply: imports leave it out."""
        result.moved.append((_NOUN[change.kind], WORDS[Change.Action(change.action)], Word.LEFT_OUT))
        change.action, change.reason = Change.Action.LEAVE_OUT, "deleted_here"
        change.fields = {}

    def _settle(self, result: Applied) -> None:
        door.applied_as_planned(result.plain)
        lasting = [each for each in result.done if each.action != Change.Action.SAME]
        door.settle(lasting)
        Change.objects.filter(
            pk__in=[each.pk for each in result.done if each.action == Change.Action.SAME]
        ).delete()
        result.recount(self.counts)


def _same(now: Any, before: Any) -> bool:
    return now == before or (now in ("", None, False) and before in ("", None, False))


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def apply_now(run: Run, connection: Connection, changes: Sequence[Change]) -> dict[str, Any]:
    """Applies these new Changes in the caller's transaction, without a lease; answers the run's counts then.

    Unlike a step, nothing is set aside: what the database refuses is the caller's error. `run.counts` has
    the counts as planned; records of one kind stand together.
    """
    applier = Applier(run, connection)
    for number, change in enumerate(changes, int(applier.cursor.get("seq", 0)) + 1):
        change.seq = number
    door.plan(changes)
    for remote_kind, group in groupby(changes, key=lambda each: each.remote_kind):
        together = list(group)
        for at in range(0, len(together), BATCH):
            applier._settle(applier._group(remote_kind, together[at : at + BATCH]))
    return applier.counts
