"""A restore as a Run: check → compare → gate → apply, in batches, each resumable from the cursor.

Into the account a backup was made from it puts back every record, list, link and choice as it was; what was
made since goes out of sight. People and their roles stay as they are now, nobody unsubscribed since is
subscribed again, whoever was erased stays erased, schedules are switched off. Into an empty account it brings
everything; people are invited again and the Syncro token entered again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Final

from django.utils import timezone

from propolis.accounts.models import Account, Membership, audit
from propolis.bridge.backup_format import SENTENCES, BackupFile, BackupRefused
from propolis.bridge.backup_matching import Erased, keys_in, pairs
from propolis.bridge.backup_preview import Counts
from propolis.bridge.backup_settling import (
    put_settings,
    refuse_foreign,
    remove_unused_statuses,
    settings_differ,
)
from propolis.bridge.backup_tables import (
    COMPANIES,
    CONNECTION,
    CONTACTS,
    LINKS,
    LIST_MEMBERS,
    LISTS,
    NOT_DUPLICATES,
    NOTES,
    OPPORTUNITIES,
    TABLES,
    TIMELINE,
    Table,
)
from propolis.bridge.backup_writing import BATCH, RECORDS, Writer
from propolis.bridge.backups import BEFORE_RESTORE, file_hash, make_backup, path_of, verify
from propolis.bridge.models import Backup, Link
from propolis.runs.engine import Continue, Finish, Gate, Job, Lease, Step, overtaken, start
from propolis.runs.models import Run

KIND: Final = "restore"
STALE_AFTER: Final = timedelta(hours=24)

# Before anything is written, so that nothing unique is in the way; children first.
REMOVED: Final = (
    LINKS,
    LIST_MEMBERS,
    NOT_DUPLICATES,
    LISTS,
    NOTES,
    OPPORTUNITIES,
    CONTACTS,
    COMPANIES,
)
_OUT_OF_SIGHT: Final = frozenset({*RECORDS, NOTES.name})
# A second pass puts references between rows of one table.
_WRITES: Final = tuple(
    (table, part)
    for table in TABLES
    if table not in (CONNECTION, TIMELINE)
    for part in ((1, 2) if table in (COMPANIES, CONTACTS) else (1,))
)
_POINTERS: Final = ("company", "contact", "opportunity", "state")


def start_restore(account: Account, backup: Backup, *, by: Membership | None) -> tuple[Run, bool]:
    """Starts comparing; the run then waits at its gate for `confirm`. As `propolis.runs.engine.start`.

    Raises `BackupRefused` where the file cannot be read or belongs elsewhere. With the account in scope.
    """
    with BackupFile(path_of(backup)) as file:
        empty = refuse_foreign(account, file.manifest)
        options = {
            "backup": backup.pk,
            "sha256": backup.sha256,
            "made_at": file.manifest.made_at,
            "empty": empty,
            "file": Path(backup.file).name,
        }
    return start(account, KIND, options=options, by=by)


class _Opened:
    """What is kept between two steps of one process; built again from the cursor wherever it does not fit."""

    def __init__(self, run: Run, lease: Lease) -> None:
        self.run_id, self.fence = run.pk, lease.run.fence
        self.place: dict[str, Any] = {}
        self.rows: Generator[list[str], None, None] | None = None
        backup = Backup.objects.get(pk=run.options["backup"])
        self.file = BackupFile(path_of(backup))
        self.writer = Writer(run.account, actor=run.by, run=run, note_changes=not run.options["empty"])
        self.erased = Erased(run.account, self.file)

    def at(self, place: dict[str, Any], table: Table) -> Iterator[list[str]]:
        """The table's rows from the cursor's place on."""
        if place != self.place or self.rows is None:
            self._stop()
            self.rows = self.file.rows(table, skip=place["row"])
            self.place = dict(place)
        return self.rows

    def close(self) -> None:
        self._stop()
        self.file.__exit__()

    def _stop(self) -> None:
        if self.rows is not None:
            self.rows.close()
        self.rows = None


class RestoreJob(Job):
    """`rows_at_once`: rows in one batch. `seconds`: how long one step goes on with batches."""

    kind: ClassVar[str] = KIND
    rows_at_once = BATCH
    seconds = 1.5

    def __init__(self) -> None:
        self._here = threading.local()

    def step(self, run: Run, lease: Lease) -> Step:
        phase = run.cursor.get("phase", "check")
        try:
            return {
                "check": self._check,
                "compare": self._compare,
                "gate": self._gate,
                "backup": self._backup,
                "prepare": self._prepare,
                "remove": self._remove,
                "loosen": self._loosen,
                "write": self._write,
                "timeline": self._timeline,
                "tidy": self._tidy,
            }[phase](run, lease)
        except BackupRefused as refusal:
            self._forget()
            return Finish(Run.State.FAILED, refusal.code, refusal.sentence)
        except BaseException:
            self._forget()
            raise

    def may_confirm(self, run: Run) -> str | None:
        """A preview is out of date after other work on the records, or a day."""
        old = run.planned_at is not None and timezone.now() - run.planned_at > STALE_AFTER
        return "propolis.stale_preview" if old or overtaken(run) else None

    def ended(self, run: Run) -> None:
        self._forget()

    # Phases

    def _check(self, run: Run, lease: Lease) -> Step:
        with lease.batch() as batch:
            batch.save(state=Run.State.READING, phase="checking", progress={"phase": "checking"})
        backup = Backup.objects.filter(pk=run.options["backup"]).first()
        report = verify(path_of(backup)) if backup else None
        if report is None or not report.ok or report.sha256 != run.options["sha256"]:
            return _gone_or_damaged(report.sentence if report and not report.ok else "")
        with lease.batch() as batch:
            batch.save(cursor={"phase": "compare", "at": 0, "row": 0}, counts={"tables": {}, "samples": []})
        return Continue()

    def _compare(self, run: Run, lease: Lease) -> Step:
        place = run.cursor
        if place["at"] == len(TABLES):
            return self._compared(run, lease)
        opened, table = self._opened(run, lease), TABLES[place["at"]]
        counts = Counts(run.counts, table)
        if table in (CONNECTION, TIMELINE):
            entry = opened.file.manifest.entry(table)
            if table is TIMELINE and run.options["empty"]:
                counts.add("added", entry.rows)
            if table is CONNECTION and settings_differ(run.account, opened.file):
                counts.add("changed", 1)
            return _next(lease, _after(place), counts)
        known = opened.writer.known(table)
        if place["row"] == 0 and table in REMOVED and known.ids:
            counts.add("removed", len(self._doomed(opened, table)))
        chunks = self._chunks(opened, place, table)
        for rows in chunks:
            counts.see(table, pairs(run.account, table, rows, known))
        return _next(lease, opened.place if opened.place["row"] >= 0 else _after(place), counts)

    def _compared(self, run: Run, lease: Lease) -> Step:
        self._forget()
        with lease.batch() as batch:
            batch.save(cursor={"phase": "gate"}, phase="compared", progress={"phase": "compared"})
        return Gate("restore")

    def _gate(self, run: Run, lease: Lease) -> Step:
        if run.confirmed_at is None:
            return Gate("restore")
        with lease.batch() as batch:
            batch.save(cursor={"phase": "backup"}, state=Run.State.APPLYING, phase="backup")
        return Continue()

    def _backup(self, run: Run, lease: Lease) -> Step:
        """As it is now, so that the restore itself can be taken back by restoring this."""
        backup = Backup.objects.filter(pk=run.options["backup"]).first()
        if backup is None or file_hash(path_of(backup)) != run.options["sha256"]:
            return _gone_or_damaged("")
        if not run.options["empty"] and not Backup.objects.filter(run=run).exists():
            make_backup(run.account, by=run.by, run=run, why=BEFORE_RESTORE)
        with lease.batch() as batch:
            batch.save(cursor={"phase": "prepare"}, phase="applying")
        return Continue()

    def _prepare(self, run: Run, lease: Lease) -> Step:
        opened = self._opened(run, lease)
        with lease.batch() as batch:
            put_settings(run.account, opened.file, opened.writer, whole=run.options["empty"])
            batch.save(cursor={"phase": "remove", "at": 0})
        return Continue()

    def _remove(self, run: Run, lease: Lease) -> Step:
        at = run.cursor["at"]
        if at == len(REMOVED):
            with lease.batch() as batch:
                batch.save(cursor={"phase": "loosen", "row": 0})
            return Continue()
        opened, table = self._opened(run, lease), REMOVED[at]
        doomed = self._doomed(opened, table)
        when = timezone.now() if table.name in _OUT_OF_SIGHT else None
        for start_at in range(0, len(doomed), BATCH):
            lease.check()
            with lease.batch():
                opened.writer.remove(table, doomed[start_at : start_at + BATCH], at=when)
        if when is None:
            opened.writer.forget(table)
        with lease.batch() as batch:
            batch.save(cursor={"phase": "remove", "at": at + 1})
        return Continue()

    def _loosen(self, run: Run, lease: Lease) -> Step:
        """Links that will point elsewhere let go first: a record has one primary link of a kind at a time."""
        opened, place = self._opened(run, lease), run.cursor
        known = opened.writer.known(LINKS)
        if known.ids:
            for rows in self._chunks(opened, place, LINKS):
                moving = [
                    pair.pk
                    for pair in pairs(run.account, LINKS, rows, known)
                    if pair.pk is not None and set(_POINTERS) & set(pair.fields(LINKS))
                ]
                with lease.batch() as batch:
                    Link.objects.filter(pk__in=moving).update(company=None, contact=None, opportunity=None)
                    batch.save(cursor=dict(opened.place))
            if opened.place["row"] >= 0:
                return Continue()
        with lease.batch() as batch:
            batch.save(cursor={"phase": "write", "at": 0, "row": 0})
        return Continue()

    def _write(self, run: Run, lease: Lease) -> Step:
        place = run.cursor
        if place["at"] == len(_WRITES):
            with lease.batch() as batch:
                batch.save(cursor={"phase": "timeline", "row": 0})
            return Continue()
        opened, (table, part) = self._opened(run, lease), _WRITES[place["at"]]
        known = opened.writer.known(table)
        for rows in self._chunks(opened, place, table):
            wanted = rows if part == 1 else _with_merge(table, rows)
            with lease.batch() as batch:
                opened.writer.write(table, pairs(run.account, table, wanted, known))
                batch.save(cursor=dict(opened.place), progress=_progress(opened, table))
        if opened.place["row"] < 0:
            with lease.batch() as batch:
                batch.save(cursor=_after(place))
        return Continue()

    def _timeline(self, run: Run, lease: Lease) -> Step:
        opened = self._opened(run, lease)
        if run.options["empty"]:
            for rows in self._chunks(opened, run.cursor, TIMELINE):
                with lease.batch() as batch:
                    opened.writer.write_timeline(rows)
                    batch.save(cursor=dict(opened.place))
            if opened.place["row"] >= 0:
                return Continue()
        with lease.batch() as batch:
            batch.save(cursor={"phase": "tidy"})
        return Continue()

    def _tidy(self, run: Run, lease: Lease) -> Step:
        opened = self._opened(run, lease)
        with lease.batch() as batch:
            remove_unused_statuses(run.account, opened.file)
            audit(run.account, run.by, "backup.restored", backup=run.options["backup"], run=run.pk)
            batch.save(progress={"phase": "done"})
        return Finish(Run.State.COMPLETE)

    # Between steps

    def _chunks(self, opened: _Opened, place: dict[str, Any], table: Table) -> Iterator[list[list[str]]]:
        """Rows from the place on, a batch at a time, for as long as a step may take.

        `opened.place` is the place after the rows given out; its row is -1 at the end of the table.
        """
        rows, until = opened.at(place, table), time.monotonic() + self.seconds
        while True:
            chunk = list(islice(rows, self.rows_at_once))
            if not chunk:
                opened.place = {**opened.place, "row": -1}
                return
            opened.place = {**opened.place, "row": opened.place["row"] + len(chunk)}
            yield opened.erased.without(table, chunk)
            if time.monotonic() >= until:
                return

    def _doomed(self, opened: _Opened, table: Table) -> list[int]:
        """Rows that are here and not in the backup."""
        known = opened.writer.known(table)
        kept = keys_in(opened.file, table, known)
        pks = [pk for key, pk in known.ids.items() if key not in kept]
        if table.name in _OUT_OF_SIGHT:
            pks = _among(table, pks, deleted_at=None)
        elif table is LINKS:
            erased = set(_among(table, pks, state=Link.State.ERASED))
            pks = [pk for pk in pks if pk not in erased]
        return sorted(pks)

    def _opened(self, run: Run, lease: Lease) -> _Opened:
        found: _Opened | None = getattr(self._here, "opened", None)
        # The next higher fence is our own next slice: nobody else has worked on the run between the two.
        if found is None or found.run_id != run.pk or lease.run.fence - found.fence not in (0, 1):
            self._forget()
            found = self._here.opened = _Opened(run, lease)
        found.fence = lease.run.fence
        return found

    def _forget(self) -> None:
        found: _Opened | None = getattr(self._here, "opened", None)
        if found is not None:
            found.close()
        self._here.opened = None


def _next(lease: Lease, place: dict[str, Any], counts: Counts) -> Step:
    with lease.batch() as batch:
        batch.save(
            cursor=dict(place),
            counts=counts.all,
            phase="comparing",
            progress={"phase": "comparing", "noun": "rows", "done": counts.compared},
        )
    return Continue()


def _after(place: dict[str, Any]) -> dict[str, Any]:
    return {**place, "at": place["at"] + 1, "row": 0}


def _progress(opened: _Opened, table: Table) -> dict[str, Any]:
    counts = opened.file.manifest.counts
    before = sum(counts[each.name] for each in TABLES[: TABLES.index(table)])
    done = before + max(0, opened.place["row"])
    return {"phase": "restoring", "noun": table.name, "done": done, "total": sum(counts.values())}


def _with_merge(table: Table, rows: list[list[str]]) -> list[list[str]]:
    (merged,) = table.places(("merged_into",))
    return [cells for cells in rows if cells[merged]]


def _among(table: Table, pks: list[int], **which: Any) -> list[int]:
    """Those of the rows that fit."""
    found: list[int] = []
    for start_at in range(0, len(pks), BATCH):
        some = table.model._default_manager.filter(pk__in=pks[start_at : start_at + BATCH])
        found += some.filter(**which).values_list("pk", flat=True)
    return found


def _gone_or_damaged(sentence: str) -> Finish:
    code = "backup.damaged" if sentence else "backup.gone"
    return Finish(Run.State.FAILED, code, sentence or SENTENCES[code])
