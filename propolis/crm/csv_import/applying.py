"""The planned Changes of a CSV import, in their order, batch by batch; nothing else is written.

Each batch is one transaction with the run's fence and cursor. Before a value is replaced it is compared with
what the plan saw: what a person changed meanwhile stays, and the Change says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

from django.db import connection
from django.utils import timezone

from propolis.accounts import bulk
from propolis.accounts.table_statistics import refresh_after
from propolis.crm import mailing, rows
from propolis.crm.applied import BATCH, SMALLEST, WRITING, Applied, together_or_singly
from propolis.crm.csv_import import named_lists
from propolis.crm.csv_import.planning import WORDS
from propolis.crm.fields import SYNCED, Kind
from propolis.crm.kinds import MODELS
from propolis.crm.models import Company, Contact, List, ListMember, Suppression
from propolis.history import door
from propolis.history.models import Change
from propolis.merge.plan import Word
from propolis.runs.engine import Lease
from propolis.runs.models import Run

FILLING = (Company, Contact, Suppression, ListMember, Change)
_SOURCE = "CSV import"
_KEYS = {Kind.COMPANY: rows.COMPANY_COLUMNS, Kind.CONTACT: rows.CONTACT_COLUMNS}
_NOUN = {"company": "companies", "contact": "contacts"}
_member = bulk.maker(ListMember)


class Applier:
    """Applies on from the cursor: `applied`, the number of the last Change done."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.cursor: dict[str, Any] = dict(run.cursor)
        self.counts: dict[str, Any] = dict(run.counts)
        self._make = {kind: bulk.maker(MODELS[kind]) for kind in (Kind.COMPANY, Kind.CONTACT)}
        self._did: Counter[str] = Counter(run.progress.get("did", {}))
        self._lists = set(List.objects.values_list("pk", flat=True))

    @property
    def finished(self) -> bool:
        return int(self.cursor.get("applied", 0)) >= int(self.cursor.get("seq", 0))

    def step(self, lease: Lease) -> None:
        after = int(self.cursor.get("applied", 0))
        with lease.batch(repeatable=True) as batch:
            # A batch that outlasted the lease, or its worker, is tried again in smaller parts.
            size = max(SMALLEST, BATCH >> lease.attempts_here)
            planned = list(Change.objects.filter(run=self.run, seq__gt=after).order_by("seq")[:size])
            self.cursor["applied"] = planned[-1].seq if planned else self.cursor.get("seq", 0)
            coming = [each for each in planned if each.state == Change.State.PLANNED]
            self._did.update(str(each.action) for each in coming)
            self.apply(coming)
            progress = {
                "phase": "applying",
                "noun": "records",
                "done": self.cursor["applied"],
                "total": self.cursor.get("seq", 0),
                "did": dict(self._did),
            }
            batch.save(cursor=self.cursor, counts=self.counts, progress=progress, phase="applying")
        refresh_after(FILLING, before=after, now=self.cursor["applied"])

    def apply(self, changes: Sequence[Change]) -> None:
        """These planned Changes, in the caller's transaction."""
        self._make_lists(changes)
        for kind, group in groupby(changes, key=lambda each: each.kind):
            result = together_or_singly(list(group), partial(self._group, Kind(kind)), self._failed)
            door.applied_as_planned(result.plain)
            door.settle(result.done)
            result.recount(self.counts)

    def _make_lists(self, changes: Sequence[Change]) -> None:
        """The lists these are the first to need; `made_lists` in the cursor, so that an undo takes them away."""
        made = self.cursor.get("made_lists", {})
        for name in {name: None for each in changes for name in each.args.get("new_lists", ())}:
            if name not in made:
                pk, new = named_lists.make(self.run.account, name)
                self._lists.add(pk)
                made = {**made, name: [pk, new]}
                self.cursor["made_lists"] = made
        for each in changes:
            if names := each.args.pop("new_lists", None):
                each.args["put_on"] = [*each.args.get("put_on", ()), *(made[name][0] for name in names)]

    def _failed(self, change: Change, action: str) -> Applied:
        change.reason, change.state, change.at = "csv.not_storable", Change.State.APPLIED, timezone.now()
        return Applied(done=[change], moved=[(_NOUN[change.kind], WORDS[Change.Action(action)], Word.FAILED)])

    def _group(self, kind: Kind, batch: Sequence[Change]) -> Applied:
        result, now = Applied(), timezone.now()
        self._settle_companies(batch, result)
        self._create(kind, [each for each in batch if each.action == Change.Action.CREATE], now)
        self._write(kind, [each for each in batch if each.action in WRITING], result)
        if kind is Kind.CONTACT:
            arriving = [each for each in batch if each.local_id]
            self._enlist([each for each in arriving if each.args.get("put_on")], now, result)
            self._stop_mailing([each for each in arriving if each.args.get("stop_mail")], now)
        changed = {each.pk: each for each in result.done}
        result.done = list(changed.values())
        for each in batch:
            if each.pk in changed:
                each.state, each.at = Change.State.APPLIED, now
            else:
                result.plain.append(each)
        return result

    def _settle_companies(self, batch: Sequence[Change], result: Applied) -> None:
        """Contacts of companies that this run has made: from the number of the Change to the company's id."""
        wanted = {each.args["company"] for each in batch if each.args.get("company")}
        if not wanted:
            return
        made = Change.objects.filter(run=self.run, seq__in=wanted, kind=Kind.COMPANY)
        ids = dict(made.filter(state=Change.State.APPLIED).values_list("seq", "local_id"))
        for change in batch:
            company = ids.get(change.args.get("company"))
            if company is not None:
                before, _, why = change.fields.get("company", [None, None, "new"])
                change.fields["company"] = [before, company, why]
                if change.action != Change.Action.CREATE:
                    result.done.append(change)
            elif change.args.get("company"):  # its company failed or was undone
                change.fields.pop("company", None)

    def _create(self, kind: Kind, changes: Sequence[Change], now: datetime) -> None:
        """Makes the rows and tells each Change its id."""
        if not changes:
            return
        region = self.run.account.phone_region
        made: list[Any] = []
        for change in changes:
            row = self._make[kind](
                account_id=self.run.account_id,
                created_run_id=self.run.pk,
                created_at=now,
                edited_at=datetime.fromisoformat(change.args["at"]),
            )
            rows.fill(row, {name: effect[1] for name, effect in change.fields.items()}, region)
            made.append(row)
        if kind is Kind.CONTACT:
            quiet = mailing.states({row.email_key for row in made} - {""})
            for row in made:
                row.mail_state = quiet.get(row.email_key, row.mail_state)
        bulk.insert(made)
        for change, row in zip(changes, made, strict=True):
            change.local_id = row.pk

    def _write(self, kind: Kind, changes: Sequence[Change], result: Applied) -> None:
        if not changes:
            return
        ours = self._locked(kind, (each.local_id or 0 for each in changes))
        dirty: list[Any] = []
        for change in changes:
            row = ours.get(change.local_id or 0)
            if row is None:
                self._vanished(change, result)
                continue
            fields = self._still_true(change, row, result)
            if fields:
                rows.fill(
                    row, {name: effect[1] for name, effect in fields.items()}, self.run.account.phone_region
                )
                dirty.append(row)
        self._save(kind, dirty)

    def _locked(self, kind: Kind, ids: Iterable[int]) -> dict[int, Any]:
        """Our rows, held against people's edits until the batch is committed."""
        model: Any = MODELS[kind]
        query = model.objects.filter(pk__in=list(ids), deleted_at__isnull=True, merged_into=None)
        if connection.features.has_select_for_update:
            query = query.select_for_update().order_by("pk")
        return {row.pk: row for row in query}

    def _still_true(self, change: Change, row: Any, result: Applied) -> dict[str, list[Any]]:
        """The fields nobody changed since the plan; a synced one among them moves the merge clock."""
        now = rows.values_of(row)
        clash = [name for name, effect in change.fields.items() if (now[name] or "") != (effect[0] or "")]
        if clash:
            change.args["changed_meanwhile"] = clash
            change.fields = {name: effect for name, effect in change.fields.items() if name not in clash}
            result.done.append(change)
        fields: dict[str, list[Any]] = change.fields
        if SYNCED[change.kind] & fields.keys():
            before = row.edited_at
            row.edited_at = max(before, datetime.fromisoformat(change.args["at"]))
            change.args["edited_at"] = [before.isoformat(), row.edited_at.isoformat()]
            result.done.append(change)
        return fields

    def _save(self, kind: Kind, dirty: Sequence[Any]) -> None:
        """Upserts: a bulk_update of rows this wide is many times slower."""
        if not dirty:
            return
        for row in dirty:
            row.rev += 1
        if kind is Kind.CONTACT:
            quiet = mailing.states({row.email_key for row in dirty} - {""})
            for row in dirty:
                row.mail_state = quiet.get(row.email_key, Contact.MailState.SUBSCRIBED)
        columns = [*_KEYS[kind], "rev", "edited_at", *(["mail_state"] if kind is Kind.CONTACT else [])]
        MODELS[kind].objects.bulk_create(
            dirty, update_conflicts=True, unique_fields=["id"], update_fields=columns
        )

    def _vanished(self, change: Change, result: Applied) -> None:
        """Deleted or merged here between plan and apply: it stays so."""
        result.moved.append((_NOUN[change.kind], WORDS[Change.Action(change.action)], Word.LEFT_OUT))
        change.action, change.reason, change.fields = Change.Action.LEAVE_OUT, "csv.vanished", {}
        change.local_id = None
        result.done.append(change)

    def _enlist(self, changes: Sequence[Change], now: datetime, result: Applied) -> None:
        """On the lists meant for them; who was taken off one by hand stays off."""
        known: set[tuple[int, int | None]] = set()
        old = [each.local_id for each in changes if each.action != Change.Action.CREATE]
        if old:
            wanted = {pk for each in changes for pk in each.args["put_on"]}
            there = ListMember.objects.filter(list__in=wanted, contact__in=old)
            known = set(there.values_list("list_id", "contact_id"))
        members = []
        for change in changes:
            on = [
                pk for pk in change.args["put_on"] if pk in self._lists and (pk, change.local_id) not in known
            ]
            if on:
                change.args["lists"] = on
                members += [(pk, change.local_id) for pk in on]
                if change.action != Change.Action.CREATE:  # whose undo takes the whole contact away
                    result.done.append(change)
        bulk.insert([
            _member(account_id=self.run.account_id, list_id=pk, contact_id=contact, run_id=self.run.pk, at=now)
            for pk, contact in members
        ])  # fmt: skip

    def _stop_mailing(self, changes: Sequence[Change], now: datetime) -> None:
        for kind in Suppression.Kind:
            said = {each.args["stop_at"] for each in changes if each.args["stop_mail"] == kind.value}
            mailing.stop_mailing(self.run.account, said, kind, source=_SOURCE, at=now)
