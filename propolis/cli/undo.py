"""`propolis undo`: takes an import back and keeps what people did since; shows what goes back first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from propolis.cli import Sorry, ready

if TYPE_CHECKING:
    from propolis.accounts.models import Account
    from propolis.runs.models import Run


def add_to(app: typer.Typer) -> None:
    app.command("undo")(undo)


def undo(
    account: Annotated[str, typer.Option(help="The account's name in addresses, e.g. acme.")],
    run: Annotated[int | None, typer.Option(help="The import's number; the newest one if not given.")] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would go back, change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Undo an import: what it made goes unless used since, what it overwrote comes back unless changed since."""
    ready()
    from propolis.accounts.scoping import in_account
    from propolis.cli.connect import account_named
    from propolis.runs.engine import stop

    owner = account_named(account)
    with in_account(owner):
        undone = _chosen(owner, run)
        found = _carried(_started(undone))
        if found.state != found.State.PLANNED:
            raise Sorry(f"The undo could not be planned: {found.get_state_display()}.")
        print("\n".join(lines(found, undone, after=False)))
        try:
            wanted = not preview and (yes or _agreed())
        except typer.Abort:
            # Left lying there, the preview would look as if somebody still meant to confirm it.
            stop(found, None)
            raise
        if not wanted:
            stop(found, None)
            print("Nothing was undone.")
            return
        found = _confirmed(found)
        if found.state != found.State.COMPLETE:
            raise Sorry(f"The undo is not complete: {found.get_state_display()}. What was undone is kept.")
        print("\n".join(lines(found, undone, after=True)))


def _chosen(account: Account, number: int | None) -> Run:
    from propolis.bridge.undoing import UNDOABLE, latest
    from propolis.runs.models import Run

    if number is not None:
        found = Run.objects.select_related("account").filter(number=number, kind__in=UNDOABLE).first()
        if found is None:
            raise Sorry(f"{account.slug} has no import number {number}.")
        return found
    newest = latest(account)
    if newest is None:
        raise Sorry(f"{account.slug} has no import that can be undone.")
    return newest


def _started(undone: Run) -> Run:
    from propolis.bridge.undoing import start_undo

    try:
        found, _ = start_undo(undone, by=None)
    except ValueError as refused:
        raise Sorry(str(refused)) from None
    if found.undoes_id != undone.pk:
        raise Sorry("Something else is under way for this account. Try again when it is done.")
    return found


def _confirmed(found: Run) -> Run:
    from propolis.bridge.sentences import sentence
    from propolis.runs.engine import Refused, confirm

    try:
        if not confirm(found, None):
            raise Sorry("Something else is under way for this account. Try again when it is done.")
    except Refused as refused:
        raise Sorry(sentence(refused.code, refused.code)) from None
    return _carried(found)


def _carried(run: Run) -> Run:
    """Works on the run here, or waits for the worker that has it, until it ends or rests at its gate."""
    from propolis.runs.engine import follow, work

    for now in follow(run, every=0.2):
        run = now
        if run.state in run.WORKING:
            work(run.pk)
    return run


def lines(found: Run, undone: Run, *, after: bool) -> list[str]:
    """What goes back and what stays, one line each."""
    from propolis.bridge.import_words import counted, title_of
    from propolis.bridge.models import connection_of
    from propolis.bridge.undo_words import told

    seen = told(found.account, connection_of(found.account), found, after=after)
    if after:
        return [seen.sentence]
    back = f"{counted(seen.going, 'records')} {'goes' if seen.going == 1 else 'go'} back"
    heading = (
        f"{title_of(undone)} (number {undone.number}): {back}, {seen.staying:,} "
        f"{'stays' if seen.staying == 1 else 'stay'}."
    )
    points = [f"  {point.count:,} {point.text}" for point in seen.points]
    stay = [f"  {kept.count:,} {'stays' if kept.count == 1 else 'stay'}: {kept.why}" for kept in seen.kept]
    return [heading, *points, *stay]


def _agreed() -> bool:
    return sys.stdin.isatty() and typer.confirm("Undo this import?", default=False)
