"""`propolis import`: an import of a connected account, worked on here or followed where a worker has it."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from propolis.cli import Sorry, ready
from propolis.cli.connect import account_named

if TYPE_CHECKING:
    from propolis.accounts.models import Account
    from propolis.runs.models import Run

# A worker that has just let go of a run takes it up again sooner than this, in seconds.
AFTER_A_WORKER = 1.5
# So long a pause may take before this command leaves anyway.
PATIENCE = 5.0


class What(StrEnum):
    COMPANIES = "companies"
    CONTACTS = "contacts"
    OPPORTUNITIES = "opportunities"
    ALL = "all"

    @property
    def objects(self) -> list[str]:
        return [each.value for each in What if each is not What.ALL] if self is What.ALL else [self.value]


class MailLeads(StrEnum):
    LEAVE = "leave"
    IMPORT = "import"


class Code(IntEnum):
    """How `propolis import` ends, for scripts."""

    COMPLETE = 0
    INCOMPLETE = 3
    NEEDS_ATTENTION = 4
    WAITS_FOR_CONFIRMATION = 5
    FAILED = 6
    STOPPED = 7
    PAUSED = 130


def add_to(app: typer.Typer) -> None:
    app.command("import")(import_)


def import_(
    account: Annotated[str, typer.Option(help="The account's name in addresses, e.g. acme.")],
    what: Annotated[What, typer.Argument(help="What to import.")] = What.ALL,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would change, change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --preview: import it without asking.")] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Import what is waiting for a confirmation.")
    ] = False,
    mail_leads: Annotated[
        MailLeads | None, typer.Option(help="Leads that are e-mails to your mailbox: leave out or import.")
    ] = None,
) -> int:
    """Import companies, contacts and opportunities from Syncro. Nothing is ever written there.

    Exit codes: 0 complete (or the preview asked for is ready) · 1 could not start · 3 incomplete ·
    4 needs attention · 5 waits for a confirmation · 6 failed · 7 stopped · 130 paused with Ctrl-C.
    """
    ready()
    from propolis.accounts.scoping import in_account

    owner = account_named(account)
    with in_account(owner):
        if mail_leads is not None:
            _choose_mail_leads(owner, mail_leads)
        order = _confirmed(owner) if confirm else _started(owner, what, preview=preview)
        run = work_through(order)
        if preview and run.state == "planned" and run.gate_reason == "preview" and _agreed(run, yes):
            run = work_through(Order(_confirm(run), mine=True))
        return told(run, asked_preview=preview)


@dataclass(frozen=True)
class Order:
    """A run to see through to its end. `mine`: this command started it, so Ctrl-C pauses it."""

    run: Run
    mine: bool


def _started(account: Account, what: What, *, preview: bool) -> Order:
    from propolis.bridge.importing import KIND, start_import
    from propolis.bridge.models import connection_of
    from propolis.bridge.steps import Step, StepLocked, require_step
    from propolis.runs.engine import resume

    try:
        require_step(connection_of(account), Step(what.objects[0]))
    except StepLocked as locked:
        raise Sorry(f"{locked.sentence} ({_command_for(locked.sentence)} --account {account.slug})") from None
    run, mine = start_import(account, what.objects, show_first=preview, gate_first_import=False)
    if run.kind != KIND:
        raise Sorry(
            f"Something else is under way for {account.slug} ({run.kind}). Try again when it is done."
        )
    if not mine:
        again = run.state in ("paused", "needs_attention") and resume(run, None)
        doing = "going on with it" if again or not run.lease_owner else "following it"
        print(f"An import of {', '.join(run.options['objects'])} is under way: {doing}.", file=sys.stderr)
        mine = again
    return Order(run, mine)


def _command_for(sentence: str) -> str:
    """What brings a locked step further."""
    if "Companies" in sentence:
        return "propolis import companies"
    return "propolis import contacts" if "Contacts" in sentence else "propolis connect"


def _confirmed(account: Account) -> Order:
    from propolis.bridge.importing import KIND
    from propolis.runs.models import Run

    run = Run.objects.filter(kind=KIND, state=Run.State.PLANNED).order_by("-id").first()
    if run is None:
        raise Sorry(f"No import of {account.slug} waits for a confirmation.")
    return Order(_confirm(run), mine=True)


def _confirm(run: Run) -> Run:
    from propolis.bridge.sentences import sentence
    from propolis.runs.engine import Refused, confirm

    try:
        if not confirm(run, None):
            raise Sorry("Another import is under way. Confirm this one when it is done.")
    except Refused as refusal:
        raise Sorry(sentence(refusal.code, refusal.code)) from None
    run.refresh_from_db()
    return run


def _choose_mail_leads(account: Account, choice: MailLeads) -> None:
    from propolis.bridge.models import Connection

    Connection.objects.filter(account=account).update(mail_leads=choice.value)


def _agreed(run: Run, yes: bool) -> bool:
    if yes or not sys.stdin.isatty():
        return yes
    print("\n".join(sums(run)))
    return typer.confirm("Import these changes?", default=False)


def work_through(order: Order) -> Run:
    """Works on the run, or follows the worker that holds it, until it ends, rests or Ctrl-C; the run then."""
    from propolis.cli.progress import Watch
    from propolis.runs import leaving
    from propolis.runs.engine import pause
    from propolis.runs.rows import all_runs

    with _leaving_on_signals(), Watch(order.run):
        while _goes_on(now := all_runs().select_related("account", "by").get(pk=order.run.pk)):
            if leaving.asked():
                if order.mine and pause(now, None):
                    _wait_for_pause(now)
                break
            _work_or_wait(now)
    return all_runs().select_related("account", "by").get(pk=order.run.pk)


def _wait_for_pause(run: Run) -> None:
    """A worker that took the run up between our letting go and the pause needs a moment to see the flag."""
    from propolis.runs.rows import all_runs

    until = time.monotonic() + PATIENCE
    while _goes_on(all_runs().get(pk=run.pk)) and time.monotonic() < until:
        time.sleep(0.1)


def _goes_on(run: Run) -> bool:
    return not run.ended and run.state not in ("planned", "needs_attention", "paused")


def _work_or_wait(run: Run) -> None:
    from propolis.runs import leaving
    from propolis.runs.engine import work

    outcome = work(run.pk).outcome
    if outcome in ("busy", "lost", "waiting"):
        leaving.sleep(AFTER_A_WORKER)


@contextmanager
def _leaving_on_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM ask the work to let go between two batches; a second one ends the process."""
    from propolis.runs import leaving

    def handler(number: int, frame: FrameType | None) -> None:
        if leaving.asked():
            raise SystemExit(128 + number)
        leaving.ask()

    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


def told(run: Run, *, asked_preview: bool = False) -> int:
    """Prints how the run ended, the sums, and what to do next; answers the exit code."""
    from propolis.bridge.import_words import spent, title_of, unproven
    from propolis.runs import leaving

    code, how, then = _ending(run, asked_preview, gone=leaving.asked())
    leaving.stay()
    print(f"{title_of(run)}: {how}")
    for line in (*sums(run), *filter(None, [unproven(run)])):
        print(f"  {line}")
    print(f"  {spent(run)}")
    if then:
        print(then)
    return int(code)


def sums(run: Run) -> list[str]:
    """One line per object: the numbers, as a sum that adds up."""
    from propolis.bridge.import_words import counts_of, nouns_of

    lines = []
    for noun in nouns_of(run):
        numbers = run.counts.get(noun, {})
        if "counts" in numbers:
            said = counts_of(run, noun).sentence(
                noun, read=numbers["read"], stated=numbers.get("stated"), persons=numbers["persons"]
            )
            lines.append(f"{noun.capitalize()}. {said}")
    return lines


def _ending(run: Run, asked_preview: bool, *, gone: bool) -> tuple[Code, str, str]:
    """Exit code, the state in words, and what to do next ("" for nothing)."""
    from propolis.bridge.import_words import state_badge
    from propolis.bridge.sentences import run_sentence

    again = f"propolis import --account {run.account.slug}"
    how = state_badge(run).text[:1].lower() + state_badge(run).text[1:]
    why = run_sentence(run)
    if run.state == "complete":
        return Code.COMPLETE, how, ""
    if run.state == "planned":
        refusal = run.counts.get("refusal", {}).get("sentence", "")
        if run.gate_reason == "preview":
            code = Code.COMPLETE if asked_preview else Code.WAITS_FOR_CONFIRMATION
            return code, "preview, nothing is imported yet", f"To import this: {again} --confirm"
        return Code.WAITS_FOR_CONFIRMATION, f"waits for you. {refusal}", f"To confirm: {again} --confirm"
    if run.state == "paused":
        return Code.PAUSED, how, f"To go on: {again}"
    if gone:
        return (
            Code.PAUSED,
            "goes on in the worker",
            f"To look again: propolis status --account {run.account.slug}",
        )
    code = {
        "incomplete": Code.INCOMPLETE,
        "needs_attention": Code.NEEDS_ATTENTION,
        "failed": Code.FAILED,
    }.get(run.state, Code.STOPPED)
    then = f"Then: {again}" if code is Code.NEEDS_ATTENTION else ""
    return code, f"{how}: {why}" if why else how, then
