"""Backups of one account: made, verified, listed, pruned. Restoring: backup_restoring.py.

The backup holds Propolis, not Syncro: its rows as CSV with a manifest, never the Syncro token or a password.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import in_account
from propolis.bridge.backup_cells import BadCell, read_cell
from propolis.bridge.backup_format import (
    FORMAT,
    SAYS,
    VERSION,
    AccountEntry,
    BackupFile,
    BackupRefused,
    Manifest,
    damaged,
    write_manifest,
    write_table,
)
from propolis.bridge.backup_snapshot import cells_of, snapshot
from propolis.bridge.backup_tables import TABLES, Table
from propolis.bridge.import_words import counted
from propolis.bridge.models import Backup
from propolis.runs.models import Run

BY_HAND: Final = ""
UPLOADED: Final = "uploaded"
BEFORE_IMPORT: Final = "before the first import"
BEFORE_RESTORE: Final = "before a restore"
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Report:
    """What a look at a backup file found. `ok`: it can be restored. `manifest`: None where it is not.
    `size` in bytes, `sha256` of the whole file; 0 and "" where it could not be opened."""

    ok: bool
    code: str
    sentence: str
    manifest: Manifest | None
    size: int
    sha256: str
    refusal: BackupRefused | None = None

    def believed(self) -> Manifest:
        """The manifest; raises the refusal if there is one."""
        if self.refusal is not None or self.manifest is None:
            raise self.refusal or BackupRefused("backup.foreign")
        return self.manifest


def folder_of(account: Account) -> Path:
    """Where the account's backup files are, made if missing, for the owner of the process only."""
    folder: Path = settings.DATA_DIR / "backups" / account.slug
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def path_of(backup: Backup) -> Path:
    """The file of a backup row; it may be gone."""
    path: Path = settings.DATA_DIR / "backups" / backup.file
    return path


def _new_path(account: Account) -> Path:
    return folder_of(account) / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}-{secrets.token_hex(3)}.zip"


def make_backup(
    account: Account, *, by: Membership | None = None, run: Run | None = None, why: str = BY_HAND
) -> Backup:
    """Writes, verifies and registers a backup of everything the account has at this moment.

    `why`: "" by hand (kept until deleted by hand), else words like `BEFORE_IMPORT` (the newest
    PROPOLIS_BACKUPS_KEEP of these are kept). Call it outside a transaction. Raises `BackupRefused` where what
    was written does not read back, OSError where it cannot be written; nothing is left behind then.
    """
    path = _new_path(account)
    draft = path.with_suffix(".part")
    try:
        with in_account(account):
            _write(account, draft)
        report = verify(draft)
        report.believed()
        _settle(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    with in_account(account):
        made = register(account, path, report, by=by, run=run, why=why)
        prune(account)
    return made


def _write(account: Account, draft: Path) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive, snapshot() as at:
            fresh = Account.objects.get(pk=account.pk)
            files = tuple(write_table(archive, table, cells_of(account, table)) for table in TABLES)
            write_manifest(
                archive,
                Manifest(FORMAT, VERSION, version("propolis"), _entry(fresh), at.isoformat(), SAYS, files),
            )
        file.flush()
        os.fsync(file.fileno())


def _entry(account: Account) -> AccountEntry:
    return AccountEntry(
        str(account.uid),
        account.slug,
        account.name,
        account.phone_region,
        account.time_zone,
        account.currency,
    )


def _settle(draft: Path, path: Path) -> None:
    """The verified file under its name, so that it survives a power cut."""
    os.replace(draft, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def register(
    account: Account,
    path: Path,
    report: Report,
    *,
    by: Membership | None = None,
    run: Run | None = None,
    why: str = BY_HAND,
) -> Backup:
    """The row of a verified file in the account's folder; with the account in scope."""
    return Backup.objects.create(
        account=account,
        run=run,
        file=f"{account.slug}/{path.name}",
        sha256=report.sha256,
        size=report.size,
        counts=report.believed().counts,
        why=why,
        verified_at=timezone.now(),
        by=by,
    )


def take_in(account: Account, source: Path, report: Report, *, by: Membership | None = None) -> Backup:
    """A verified file from elsewhere, copied to the account's folder and listed; not again if it is listed.

    With the account in scope; `report` is what `verify(source)` answered."""
    report.believed()
    for known in Backup.objects.filter(account=account, sha256=report.sha256):
        if path_of(known).exists():
            return known
    path = _new_path(account)
    draft = path.with_suffix(".part")
    try:
        shutil.copyfile(source, draft)
        draft.chmod(0o600)
        if file_hash(draft) != report.sha256:
            raise damaged(source.name)
        _settle(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return register(account, path, report, by=by, why=UPLOADED)


def backups_kept() -> int:
    """How many automatic backups of an account are kept."""
    return int(settings.PROPOLIS_BACKUPS_KEEP)


def prune(account: Account) -> int:
    """Deletes automatic backups but the newest PROPOLIS_BACKUPS_KEEP; answers how many went.

    One that is about to be restored stays.
    """
    automatic = Backup.objects.filter(account=account).exclude(why__in=(BY_HAND, UPLOADED)).order_by("-id")
    restoring = Run.objects.filter(account=account, kind="restore").exclude(state__in=Run.ENDED)
    in_use = [options.get("backup") for options in restoring.values_list("options", flat=True)]
    old = list(automatic[backups_kept() :])
    gone = [backup for backup in old if backup.pk not in in_use]
    for backup in gone:
        delete_backup(backup)
    return len(gone)


def delete_backup(backup: Backup) -> None:
    """The file and its row."""
    path_of(backup).unlink(missing_ok=True)
    backup.delete()


# --- verifying


def verify(path: Path) -> Report:
    """Reads the whole file and compares everything with its manifest; changes nothing, raises nothing about
    the content."""
    size, sha256 = 0, ""
    try:
        with BackupFile(path) as opened:
            size, sha256 = path.stat().st_size, file_hash(path)
            for table in TABLES:
                with contextlib.closing(opened.rows(table)) as rows:
                    _check_cells(table, rows)
            return Report(True, "", _good(opened.manifest), opened.manifest, size, sha256)
    except BackupRefused as refusal:
        return Report(False, refusal.code, refusal.sentence, None, size, sha256, refusal)


def _good(manifest: Manifest) -> str:
    counts = manifest.counts
    what = ", ".join(counted(counts[name], name) for name in ("companies", "contacts", "opportunities"))
    made = datetime.fromisoformat(manifest.made_at).astimezone(UTC)
    when = f"{made.day} {made:%b %Y, %H:%M} UTC"
    return f"A whole and unchanged backup of {manifest.account.name}, made {when}: {what}."


def _check_cells(table: Table, rows: Iterator[list[str]]) -> None:
    for cells in rows:
        try:
            for column, cell in zip(table.columns, cells, strict=True):
                if column.shape != "text":
                    read_cell(column, cell)
        except BadCell as error:
            raise damaged(table.file) from error


def file_hash(path: Path) -> str:
    """SHA-256 of the file; "" where there is none."""
    if not path.exists():
        return ""
    digest = hashlib.sha256()
    with path.open("rb") as file, contextlib.closing(file):
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
