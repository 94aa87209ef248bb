"""`propolis backup`, `verify`, `restore` and `dump`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from propolis.cli import Sorry, ready
from propolis.cli.connect import account_named

if TYPE_CHECKING:
    from propolis.accounts.models import Account
    from propolis.bridge.backups import Report
    from propolis.runs.models import Run

Slug = Annotated[str, typer.Option("--account", help="The account's name in addresses, e.g. acme.")]
File = Annotated[Path, typer.Argument(help="A backup file (ZIP).")]


def add_to(app: typer.Typer) -> None:
    app.command("backup")(backup)
    app.command("verify")(verify)
    app.command("restore")(restore)
    app.command("dump")(dump)


def backup(account: Slug) -> None:
    """Make and verify a backup of an account; prints where it is. It holds Propolis, not Syncro."""
    ready()
    from propolis.bridge.backup_format import BackupRefused
    from propolis.bridge.backups import make_backup, path_of

    try:
        made = make_backup(account_named(account))
    except BackupRefused as refusal:
        raise Sorry(refusal.sentence) from None
    except OSError as error:
        raise Sorry(f"The backup could not be written: {error.strerror}. Nothing was kept.") from None
    print(path_of(made))
    print(f"{made.size / 1e6:.1f} MB, verified: {_counts(made.counts)}", file=sys.stderr)


def verify(file: File) -> None:
    """Check that a backup file is whole and unchanged; changes nothing. Exit code 1 if it is not."""
    ready()
    print(_verified(file).sentence)


def restore(
    file: File,
    account: Slug,
    preview: Annotated[bool, typer.Option("--preview", help="Show what would change, and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Restore a backup into the account it was made from, or into an empty one."""
    ready()
    from propolis.accounts.scoping import in_account
    from propolis.runs.engine import confirm, stop

    here = account_named(account)
    report = _verified(file)
    print(report.sentence)
    with in_account(here):
        run = _carried(_started(here, file, report))
        if run.state != run.State.PLANNED:
            raise Sorry(run.error_detail or "The backup could not be compared.")
        print(_preview(here, run))
        try:
            wanted = not preview and (yes or _agreed(account))
        except (Sorry, typer.Abort):
            # Left lying there, the preview would look as if somebody still meant to confirm it.
            stop(run, None)
            raise
        if not wanted:
            stop(run, None)
            print("Nothing was changed.")
            return
        if not confirm(run, None):
            raise Sorry("Something else is working on this account's records. Try again when it is done.")
        run = _carried(run)
    if run.state != run.State.COMPLETE:
        raise Sorry(run.error_detail or f"The restore is not complete: {run.get_state_display()}.")
    print("Restored.")


def dump(account: Slug) -> None:
    """Print an account's records and links as canonical JSON lines: equal texts mean equal accounts."""
    ready()
    from propolis.bridge.dumping import canonical_dump

    for line in canonical_dump(account_named(account)):
        print(line)


def _verified(file: Path) -> Report:
    from propolis.bridge.backups import verify

    report = verify(file)
    if not report.ok:
        raise Sorry(report.sentence)
    return report


def _started(account: Account, file: Path, report: Report) -> Run:
    from propolis.bridge.backup_format import BackupRefused
    from propolis.bridge.backup_restoring import start_restore
    from propolis.bridge.backups import take_in

    try:
        run, fresh = start_restore(account, take_in(account, file, report), by=None)
    except BackupRefused as refusal:
        raise Sorry(refusal.sentence) from None
    if not fresh:
        raise Sorry("Something else is working on this account's records. Try again when it is done.")
    return run


def _carried(run: Run) -> Run:
    """Works on the run here, or waits for the worker that has it, until it ends or rests at its gate."""
    from propolis.runs.engine import follow, work

    for now in follow(run, every=0.2):
        run = now
        if run.state in run.WORKING:
            work(run.pk)
    return run


def _preview(account: Account, run: Run) -> str:
    from datetime import datetime

    from propolis.bridge.backup_preview import lost_edits

    lines = []
    for name, counts in run.counts["tables"].items():
        said = [f"{counts[what]:,} {what}" for what in ("added", "changed", "removed") if counts[what]]
        if said:
            lines.append(f"  {name.replace('_', ' ')}: {', '.join(said)}")
    if not run.options["empty"]:
        lost = lost_edits(account, datetime.fromisoformat(run.options["made_at"]))
        lines.append(lost.sentence)
        lines += [f"  {name}: {count:,}" for name, count in lost.people]
    return "\n".join(lines or ["Nothing differs."])


def _agreed(slug: str) -> bool:
    if not sys.stdin.isatty():
        raise Sorry("Add --yes to restore without being asked, or --preview to look only.", 2)
    typed: Any = typer.prompt(f"Type {slug} to restore")
    return bool(typed == slug)


def _counts(counts: dict[str, int]) -> str:
    from propolis.bridge.import_words import counted

    shown = ("companies", "contacts", "opportunities", "links")
    return ", ".join(counted(counts.get(name, 0), name) for name in shown)
