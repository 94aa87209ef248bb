"""What the pages of a CSV import show: which state it is in, and the numbers of each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.utils import timezone

from propolis.accounts.addressing import typed_id
from propolis.crm import cells
from propolis.crm.csv_import import columns, keeping, named_lists
from propolis.crm.csv_import.changes import SIZE, Row, changes_of, rows_of
from propolis.crm.csv_import.job import KIND, NOUNS, CsvImportJob, kind_of
from propolis.crm.csv_import.planning import ACTIONS
from propolis.crm.csv_import.sentences import SENTENCES
from propolis.crm.effects import ICONS
from propolis.crm.fields import Kind
from propolis.merge.plan import Counts, Word
from propolis.runs.models import Run
from propolis.runs.pace import Mark, Pace, about, measured

APPLIED_A_SECOND: Final = 2000
_ONE: Final = {"companies": "company", "contacts": "contact"}
_STATES: Final = {
    Run.State.COMPLETE: ("Imported", "ok"),
    Run.State.INCOMPLETE: ("Incomplete", "warn"),
    Run.State.STOPPED: ("Stopped", ""),
    Run.State.FAILED: ("Failed", "bad"),
    Run.State.PAUSED: ("Paused", "warn"),
    Run.State.NEEDS_ATTENTION: ("Needs attention", "bad"),
}
_VERBS: Final = {"planning": "Comparing", "planned": "Comparing", "applying": "Importing"}
_SAYS: Final = {
    Word.NEW: "Not here before",
    Word.MERGED: "One of yours, now with more",
    Word.UPDATED: "Yours, changed",
    Word.SAME: "Nothing to change",
    Word.REVIEW: "Your decision",
    Word.LEFT_OUT: "Not imported, with the reason",
    Word.FAILED: "Cannot be imported",
}


@dataclass(frozen=True)
class ColumnLine:
    """One column of the file: its first values, and what it stands for ("" for nothing)."""

    at: int
    heading: str
    samples: list[str]
    chosen: str


@dataclass(frozen=True)
class Number:
    word: str
    icon: str
    value: str
    says: str
    href: str


@dataclass(frozen=True)
class Chip:
    label: str
    href: str
    current: bool
    count: str


@dataclass(frozen=True)
class Listing:
    """Rows of the file with what happens to them. `more`: the address of the next page, "" at the end."""

    rows: list[Row]
    chips: list[Chip]
    first: str
    more: str


@dataclass(frozen=True)
class Running:
    """One look at a run under way. `asked`: a pause or a stop that was asked for, in words."""

    words: str
    percent: int | None
    done: int
    total: int
    says: str
    pace: Pace
    resting: bool
    asked: str


def state_of(run: Run) -> str:
    """Which page it has: "columns", "preview", "running" or "result"."""
    if run.ended:
        return "result"
    if run.state == Run.State.PLANNED:
        return "preview" if run.cursor.get("phase") == "gate" else "columns"
    return "running"


def badge_of(run: Run) -> tuple[str, str]:
    """The state as a word and a tone."""
    if was_discarded(run):
        return "Discarded", ""
    waiting = {"columns": ("Waits for its columns", "brand"), "preview": ("Preview", "brand")}
    return _STATES.get(Run.State(run.state)) or waiting.get(state_of(run), ("Under way", "brand"))


def was_discarded(run: Run) -> bool:
    return run.state == Run.State.STOPPED and not run.cursor.get("applied")


def title_of(run: Run) -> str:
    """ "CSV import of 22 Nov, 14:22"."""
    at = timezone.localtime(run.created_at)
    return f"CSV import of {cells.day(at)}, {at:%H:%M}"


def noun_of(run: Run) -> str:
    return NOUNS[kind_of(run)]


def counts_of(run: Run, noun: str) -> Counts:
    return Counts.from_dict(run.counts.get(noun, {}).get("counts", {}))


# ---- columns


def column_lines(run: Run, chosen: list[str] | None = None) -> list[ColumnLine]:
    """Every column with its first three values; `chosen`: what the person had chosen, else what we guess."""
    rows = keeping.some_rows(run)
    picked = run.options["guess"] if chosen is None else chosen
    return [
        ColumnLine(
            at,
            heading,
            [_short(row.cells[at]) for row in rows if at < len(row.cells) and row.cells[at]],
            picked[at] if at < len(picked) else "",
        )
        for at, heading in enumerate(run.options["headings"])
    ]


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"


def suggested_age(run: Run) -> str:
    """Our own export, changed and brought back, is from today; of any other the person has to say."""
    return "today" if columns.is_own_export(run.options["headings"]) else ""


# ---- sums


def sums_of(run: Run) -> list[str]:
    """Sentences that add up: "people.csv has 5,000 rows: 4,881 New, 97 Merged, 0 Failed."."""
    noun = noun_of(run)
    told = []
    read = run.counts.get(noun, {}).get("read", 0)
    if read:
        rows = "row" if read == 1 else "rows"
        told.append(f"{run.options['file']} has {read:,} {rows}: {_words(counts_of(run, noun))}.")
    if kind_of(run) is Kind.CONTACT and run.counts.get("companies", {}).get("read"):
        told.append(f"It names {_counted(run.counts['companies']['read'], 'companies')}: {_named(run)}.")
    return told + [words for words in [named_lists.words(run), _nobodies(run)] if words and told]


def _nobodies(run: Run) -> str:
    """Which salespeople of the file are nobody here, or ""."""
    rows, named = int(run.cursor.get("nobody_rows", 0)), list(run.cursor.get("nobodies", []))
    if not rows:
        return ""
    who = ", ".join(named[:5]) + (" and others" if len(named) > 5 else "")
    said = "1 row names a salesperson" if rows == 1 else f"{rows:,} rows name a salesperson"
    return f"{said} who is none here and {'comes' if rows == 1 else 'come'} without: {who}."


def _words(counts: Counts) -> str:
    return ", ".join(f"{counts.of(word):,} {word}" for word in Word if counts.of(word) or word is Word.FAILED)


def _named(run: Run) -> str:
    counts = counts_of(run, "companies")
    parts = [(counts.new, "New"), (counts.same, "here already"), (counts.failed, "Failed")]
    unclear = counts.left_out
    told = [f"{n:,} {words}" for n, words in parts if n or words == "New"]
    if unclear:
        told.append(
            f"{unclear:,} not clear, so {'its' if unclear == 1 else 'their'} contacts come without a company"
        )
    return ", ".join(told)


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {_ONE[noun] if n == 1 else noun}"


def numbers_of(run: Run) -> list[Number]:
    counts = counts_of(run, noun_of(run))
    return [
        Number(
            word.value, ICONS[word], f"{counts.of(word):,}", _SAYS[word], _to(word) if counts.of(word) else ""
        )
        for word in Word
        if counts.of(word) or word in (Word.NEW, Word.MERGED, Word.SAME)
    ]


def coming(run: Run) -> int:
    """How many rows will be written or found right already."""
    counts = counts_of(run, noun_of(run))
    return counts.new + counts.merged + counts.updated + counts.same


def button_of(run: Run) -> str:
    return f"Import {_counted(coming(run), noun_of(run))}"


def estimate_of(run: Run) -> str:
    return f"{about(int(run.cursor.get('seq', 0)) / APPLIED_A_SECOND)}."


def stale_of(run: Run) -> str:
    """Why the preview cannot be imported any more, "" if it can."""
    why = CsvImportJob().may_confirm(run)
    return SENTENCES.get(why, why) if why else ""


def reason_of(run: Run) -> str:
    """Why it is not simply complete."""
    if was_discarded(run):
        return "Nothing was imported."
    if run.state == Run.State.STOPPED:
        done, planned = int(run.cursor.get("applied", 0)), int(run.cursor.get("seq", 0))
        return (
            f"It was stopped; what was done is kept: {done:,} of {planned:,} records. "
            "Upload the file again for the rest."
        )
    if run.state == Run.State.FAILED:
        return (
            "Something went wrong inside Propolis. What was done is kept; upload the file again for the rest."
        )
    return SENTENCES.get(run.error_code, "") if run.error_code else ""


# ---- rows


def listing_of(run: Run, params: Mapping[str, str]) -> Listing:
    """One page of the rows, narrowed to a word if the address has one."""
    word = next((w for w in Word if w.name.lower() == params.get("word")), None)
    after = params.get("after", "")
    changes = changes_of(run, word, typed_id(after) or 0)
    shown = changes[:SIZE]
    more = _to(word, after=shown[-1].seq) if len(changes) > SIZE else ""
    return Listing(rows_of(run.account, run, shown), _chips(run, word), _to(word) if after else "", more)


def _chips(run: Run, word: Word | None) -> list[Chip]:
    counts = counts_of(run, noun_of(run))
    chips = [Chip("All", _to(None), word is None, "")]
    for each in ACTIONS:
        if counts.of(each) or each is word:
            chips.append(Chip(each.value, _to(each), each is word, f"{counts.of(each):,}"))
    return chips


def _to(word: Word | None, **place: object) -> str:
    query = {**({"word": word.name.lower()} if word else {}), **place}
    return f"?{urlencode(query)}#rows" if query else "?#rows"


# ---- under way


def look(run: Run, mark: str = "") -> Running:
    """How far it is; asks the database nothing."""
    here = run.progress if run.progress.get("phase") == run.phase else {}
    done, total, noun = int(here.get("done", 0)), int(here.get("total", 0)), str(here.get("noun", ""))
    verb = _VERBS.get(run.phase, "Starting")
    words = f"{verb} {noun}" if noun and verb != "Starting" else verb
    pace = measured(Mark.parse(mark), f"{run.phase}.{noun}", done, total, now=time.time(), words=words)
    asked = {"pause": "Pausing after what is in hand…", "stop": "Stopping after what is in hand…"}
    return Running(
        words=words,
        percent=min(100, 100 * done // total) if total else None,
        done=done,
        total=total,
        says=f"{done:,} of {total:,}" if total else f"{done:,} so far" if done else "",
        pace=pace,
        resting=run.state in (Run.State.PAUSED, Run.State.NEEDS_ATTENTION),
        asked=asked.get(run.stop_flag, ""),
    )


# ---- history


def history() -> list[tuple[Run, str, str, str, list[str]]]:
    """The last imports, newest first: run, title, state, tone, sums."""
    runs = Run.objects.filter(kind=KIND).select_related("by", "account").order_by("-id")[:20]
    return [(run, title_of(run), *badge_of(run), sums_of(run)) for run in runs]
