"""Backups and restores as Runs, for the page and the command line."""

from __future__ import annotations

from typing import ClassVar, Final

from propolis.accounts.models import Account, Membership
from propolis.bridge.backup_restoring import RestoreJob
from propolis.bridge.backups import make_backup
from propolis.bridge.models import Backup
from propolis.runs.engine import Finish, Job, Lease, Step, register, start
from propolis.runs.models import Run
from propolis.ui.navigation import register_settings

BACKUP: Final = "backup"


class BackupJob(Job):
    """One step: writing and verifying take seconds, and half a backup is worth nothing."""

    kind: ClassVar[str] = BACKUP
    slot: ClassVar[str] = "backup"

    def step(self, run: Run, lease: Lease) -> Step:
        with lease.batch() as batch:
            batch.save(state=Run.State.APPLYING, phase="backup", progress={"phase": "backup"})
        if not Backup.objects.filter(run=run).exists():
            made = make_backup(run.account, by=run.by, run=run)
            with lease.batch() as batch:
                batch.save(counts=made.counts)
        return Finish(Run.State.COMPLETE)


def start_backup(account: Account, *, by: Membership | None) -> tuple[Run, bool]:
    """Starts making a backup, or answers the one being made and False."""
    return start(account, BACKUP, by=by, slot=BackupJob.slot)


register(BackupJob())
register(RestoreJob())
register_settings(
    "Data",
    "Backups",
    "bridge:backups",
    "archive",
    verb="BACKUP",
    order=2,
    belongs=("bridge:backup_upload", "bridge:restore", "bridge:restore_confirm", "bridge:backup_delete"),
    says="Make, download, verify and restore",
)
