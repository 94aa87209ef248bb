"""What the import pages show: which of its states a step is in, and the numbers of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from django.conf import settings

from propolis.accounts.addressing import url
from propolis.accounts.models import Account
from propolis.bridge.import_changes import (
    Listing,
    Problem,
    listing,
    problems,
)
from propolis.bridge.import_progress import Progress, look
from propolis.bridge.import_sums import Number, Sum, numbers, run_address, sums_of
from propolis.bridge.import_words import (
    ONE,
    Badge,
    counted,
    counts_of,
    joined,
    moment,
    nouns_of,
    spent,
    state_badge,
    title_of,
    totals_of,
    unproven,
    was_discarded,
    who,
)
from propolis.bridge.lead_questions import Question, questions
from propolis.bridge.models import Connection
from propolis.bridge.scheduling import changes_of
from propolis.bridge.sentences import run_sentence, sentence
from propolis.bridge.steps import IMPORTED, Offer, Step, offers, read_at
from propolis.crm.models import List
from propolis.runs.engine import holder, job_for
from propolis.runs.models import Run
from propolis.runs.pace import Mark, about

ALL: Final = tuple(step.value for step in IMPORTED)
# Planned Changes applied in a second, on the slow side of what was measured.
APPLIED_A_SECOND: Final = 1500
_OTHERS: Final = {
    "restore": "A backup is being restored",
    "undo": "An import is being undone",
    "csv_import": "A CSV file is being imported",
    "backup": "A backup is being made",
}


@dataclass(frozen=True)
class Choose:
    """The buttons of a step. `estimate` "" where nothing is known yet."""

    first: bool
    offers: list[Offer]
    everything: Offer | None
    stale: str
    estimate: str
    ready: bool


@dataclass(frozen=True)
class Preview:
    """The plan at the gate. `refusal`: why it must be confirmed, `agree`: the words to tick. `stale`: why it
    cannot be imported any more."""

    title: str
    headlines: list[str]
    sums: list[Sum]
    numbers: list[Number]
    button: str
    estimate: str
    refusal: str
    agree: str
    stale: str
    questions: list[Question]
    listing: Listing


@dataclass(frozen=True)
class Way:
    """A link to go on with."""

    label: str
    href: str


@dataclass(frozen=True)
class Result:
    """An import that has ended."""

    title: str
    badge: Badge
    reason: str
    detail: str
    unproven: str
    sums: list[Sum]
    numbers: list[Number]
    spent: str
    who: str
    ways: list[Way]
    problems: list[Problem]


@dataclass(frozen=True)
class Panel:
    """One state at a time: "choose", "busy" (something else works on the data), "running", "preview" or
    "result"; then the part of that name is there."""

    state: str
    run: Run | None = None
    busy: str = ""
    choose: Choose | None = None
    progress: Progress | None = None
    preview: Preview | None = None
    result: Result | None = None


# ---- a step's page


def step_panel(account: Account, connection: Connection, step: Step, params: Mapping[str, str]) -> Panel:
    """What the page of an import step shows now."""
    at_work = holder(account)
    if at_work is not None:
        return working_panel(at_work, params)
    run = newest(step)
    if run is not None and run.state == Run.State.PLANNED:
        return Panel("preview", run, preview=preview_of(account, connection, run, params))
    choose = choose_of(connection, step)
    if run is None:
        return Panel("choose", choose=choose)
    return Panel("result", run, choose=choose, result=result_of(account, connection, run))


def working_panel(run: Run, params: Mapping[str, str]) -> Panel:
    """What holds the account's data now; of anything but an import only its name."""
    if run.kind != "import":
        return Panel("busy", run, busy=busy_words(run))
    return Panel("running", run, progress=look(run, Mark.parse(params.get("mark", ""))))


def busy_words(run: Run) -> str:
    """What is under way, of any kind: "A backup is being restored"."""
    return (
        "An import is at work"
        if run.kind == "import"
        else _OTHERS.get(run.kind, "Something else is under way")
    )


def run_panel(account: Account, connection: Connection | None, run: Run, params: Mapping[str, str]) -> Panel:
    """What the page of one import shows."""
    if run.state == Run.State.PLANNED:
        return Panel("preview", run, preview=preview_of(account, connection, run, params))
    if not run.ended:
        return working_panel(run, params)
    return Panel("result", run, result=result_of(account, connection, run))


def newest(step: Step) -> Run | None:
    """The last import of this step, retries and discarded previews aside; of the last few dozen runs."""
    slim = Run.objects.filter(kind="import").only("options", "state", "planned_at", "confirmed_at")
    for run in slim.order_by("-id")[:40]:
        if step.value in nouns_of(run) and not run.options.get("only") and not was_discarded(run):
            return Run.objects.select_related("by", "account").get(pk=run.pk)
    return None


# ---- choose


def choose_of(connection: Connection, step: Step) -> Choose:
    found = offers(connection, step)
    open_ = all(read_at(connection, each) is not None for each in IMPORTED)
    everything = Offer("Import all", ALL) if open_ and found[0].objects != ALL else None
    return Choose(
        first=read_at(connection, step) is None,
        offers=found,
        everything=everything,
        stale=_stale(connection, found),
        estimate=estimate(connection, found[0].objects),
        ready=connection.state == Connection.State.CONNECTED,
    )


def _stale(connection: Connection, found: list[Offer]) -> str:
    """Why an earlier step is offered first."""
    if len(found) < 2:
        return ""
    told = []
    for noun in found[0].objects[:-1]:
        at = read_at(connection, Step(noun))
        told.append(f"{noun.capitalize()} were last imported {moment(at)}.")
    return " ".join(told)


def estimate(connection: Connection, objects: tuple[str, ...]) -> str:
    """How long reading takes, from what Syncro said it has last time; "" if it never said."""
    stated = _stated()
    requests = 0
    for noun in objects:
        each = stated.get("companies" if noun == "contacts" else noun)
        if each is None:
            return ""
        requests += ceil(each / (25 if noun == "opportunities" else 100)) + 2
    return about(requests * 60 / settings.PROPOLIS_PACE)


def _stated() -> dict[str, int]:
    """What Syncro said last of each object."""
    found: dict[str, int] = {}
    for counts in Run.objects.filter(kind="import").order_by("-id").values_list("counts", flat=True)[:10]:
        for noun, told in counts.items():
            if noun in ONE and told.get("stated") is not None:
                found.setdefault(noun, told["stated"])
    return found


# ---- preview


def preview_of(
    account: Account, connection: Connection | None, run: Run, params: Mapping[str, str]
) -> Preview:
    refusal = run.counts.get("refusal", {}).get("sentence", "") if run.gate_reason != "preview" else ""
    stale = job_for(run.kind).may_confirm(run)
    csv_at = url(account, "bridge:import_csv", run.number)
    return Preview(
        title=title_of(run),
        headlines=[
            counts_of(run, noun).headline(noun, read=run.counts[noun]["read"] + run.counts[noun]["persons"])
            for noun in nouns_of(run)
            if noun in run.counts
        ],
        sums=sums_of(run, ""),
        numbers=numbers(run, ""),
        button=_button(run, refused=bool(refusal)),
        estimate=f"{about(int(run.cursor.get('seq', 0)) / APPLIED_A_SECOND)}.",
        refusal=refusal,
        agree=_agree(run) if refusal else "",
        stale=sentence(stale) if stale else "",
        questions=[] if stale else questions(connection, run),
        listing=listing(account, connection, run, params, csv_at),
    )


def _button(run: Run, *, refused: bool) -> str:
    words = joined([counted(n, noun) for noun in nouns_of(run) if (n := coming(run, noun))])
    if refused:
        return f"Confirm and import {words}" if words else "Confirm"
    return f"Import {words}" if words else f"Import 0 {joined(nouns_of(run))}"


def coming(run: Run, noun: str) -> int:
    """How many come in or stay in step: all but what waits, stays out or failed."""
    counts = counts_of(run, noun)
    return counts.new + counts.merged + counts.updated + counts.same


def _agree(run: Run) -> str:
    """The numbers, said by the person who confirms them."""
    if run.gate_reason == "suddenly_empty":
        empty = [noun for noun in nouns_of(run) if not run.counts.get(noun, {}).get("read")]
        return f"Yes, Syncro really has no {joined(empty, 'or')} now."
    every = run.gate_reason == "too_many_for_schedule"
    changing = {
        noun: changes_of(run, noun) if every else counts_of(run, noun).updated for noun in nouns_of(run)
    }
    told = [counted(n, noun) for noun, n in changing.items() if n]
    return f"Yes, change {joined(told)}." if told else "Yes, import this."


# ---- result


def result_of(account: Account, connection: Connection | None, run: Run) -> Result:
    at = run_address(account, run)
    return Result(
        title=title_of(run),
        badge=state_badge(run),
        reason=_why(run),
        detail=run.error_detail.partition("\n")[2]
        if run.error_code.startswith("syncro.")
        else run.error_detail,
        unproven=unproven(run),
        sums=sums_of(run, at),
        numbers=numbers(run, at) if run.counts or run.ended else [],
        spent=spent(run),
        who=who(run),
        ways=ways(account, run),
        problems=problems(account, connection, run) if totals_of(run).failed else [],
    )


def _why(run: Run) -> str:
    """Why it is not simply complete, and what to do."""
    if was_discarded(run):
        return "This preview was discarded; nothing was written."
    if run.state == Run.State.STOPPED:
        done = int(run.cursor.get("applied", 0))
        if not done:
            return "It was stopped before anything was written. Press Import to begin again."
        planned = int(run.cursor.get("seq", 0))
        return (
            f"It was stopped; what was done is kept: {done:,} of {planned:,}. Press Import to get the rest."
        )
    return run_sentence(run)


def ways(account: Account, run: Run) -> list[Way]:
    """Where to look at what came."""
    if was_discarded(run):
        return []
    found = []
    for noun in nouns_of(run):
        table = {
            "companies": "Contacts – Companies, sorted by date created",
            "contacts": "Contacts, sorted by date created",
            "opportunities": "Opportunities, sorted by date created",
        }[noun]
        found.append(Way(table, f"{url(account, f'crm:{noun}')}?sort=-created"))
    if "contacts" in nouns_of(run):
        general = List.objects.filter(system_key="syncro_general").values_list("pk", "name").first()
        if general:
            found.append(Way(f"The list “{general[1]}”", url(account, "crm:list", general[0])))
    return found
