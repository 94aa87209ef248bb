"""How imports are called and measured, in words: names, times, durations, states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from propolis.bridge.closing import MOST_GETS
from propolis.crm import cells
from propolis.merge.plan import Counts, Word
from propolis.runs.models import Run
from propolis.runs.pace import seconds_in_words

ONE: Final = {"companies": "company", "contacts": "contact", "opportunities": "opportunity"}
_COUNTED: Final = ONE | {"links": "link", "lists": "list", "records": "record"}
SAYS: Final = {
    Word.NEW: "Not here before",
    Word.MERGED: "On both sides, now one",
    Word.UPDATED: "Changed in Syncro",
    Word.SAME: "Nothing to change",
    Word.REVIEW: "Waits for your decision",
    Word.LEFT_OUT: "Not imported, with the reason",
    Word.FAILED: "Could not be imported",
}


def clock(at: datetime | None) -> str:
    """ "14:22", in the reader's time zone."""
    return f"{timezone.localtime(at):%H:%M}" if at else ""


def moment(at: datetime | None) -> str:
    """ "22 Nov, 14:22", with the year where it is not this one."""
    return f"{cells.day(at)}, {clock(at)}" if at else ""


def lately(at: datetime | None) -> str:
    """ "14:22" of today; of any other day with the day: a time alone is read as today's."""
    if at is None:
        return ""
    return clock(at) if timezone.localtime(at).date() == timezone.localdate() else moment(at)


def title_of(run: Run) -> str:
    """What the import is called everywhere: "Import of 22 Nov, 14:22"."""
    if run.kind == "csv_import":
        return f"CSV import of {moment(run.created_at)}"
    kind = "Retry" if run.options.get("only") else run.kind.capitalize()
    return f"{kind} of {moment(run.started_at or run.created_at)}"


def slug_of(word: Word) -> str:
    """The word in addresses and forms: "left_out"."""
    return word.name.lower()


def word_named(slug: str) -> Word | None:
    return next((word for word in Word if slug_of(word) == slug), None)


def counted(n: int, noun: str) -> str:
    """ "2,310 companies", "1 company"."""
    return f"{n:,} {_COUNTED.get(noun, noun) if n == 1 else noun}"


def joined(parts: Sequence[str], last: str = "and") -> str:
    return f" {last} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def nouns_of(run: Run) -> list[str]:
    return [str(noun) for noun in run.options.get("objects", ())]


def duration_of(run: Run) -> timedelta | None:
    """From start to end, without the time a person looked at the preview; None before the end."""
    if run.started_at is None or run.finished_at is None:
        return None
    looked = timedelta(0)
    if run.planned_at is not None:
        looked = (run.confirmed_at or run.finished_at) - run.planned_at
    return run.finished_at - run.started_at - looked


def spent(run: Run) -> str:
    """ "41 requests, 43 s"."""
    took = duration_of(run)
    requests = f"{run.requests:,} request{'' if run.requests == 1 else 's'}"
    return f"{requests}, {seconds_in_words(took.total_seconds())}" if took else requests


def who(run: Run) -> str:
    """Who started it; a schedule is nobody."""
    if run.options.get("scheduled"):
        return "the schedule"
    return str(run.by) if run.by else "the operator"


@dataclass(frozen=True)
class Badge:
    """A state as a word with a tone (ok, warn, bad, brand, "") and an icon: colour is never the only sign."""

    text: str
    tone: str
    icon: str


def counts_of(run: Run, noun: str) -> Counts:
    return Counts.from_dict(run.counts.get(noun, {}).get("counts", {}))


def totals_of(run: Run) -> Counts:
    """Over everything the run was about."""
    return sum((counts_of(run, noun) for noun in nouns_of(run)), Counts())


def was_discarded(run: Run) -> bool:
    """A preview nobody imported."""
    return run.state == Run.State.STOPPED and run.planned_at is not None and run.confirmed_at is None


def unproven(run: Run) -> str:
    """What an import left to the next ones: records that Syncro no longer lists, not yet looked up."""
    held = run.cursor.get("held") or {}
    if not held:
        return ""
    those = joined([counted(n, noun) for noun, n in held.items()])
    return (
        f"Not in Syncro's list any more and not looked up yet: {those}. "
        f"One import looks up {MOST_GETS} of a kind; the next ones go on with the rest."
    )


def state_badge(run: Run) -> Badge:
    """The state of a run in the words of every list and page."""
    state = Run.State(run.state)
    if state == Run.State.COMPLETE:
        need = totals_of(run).need_you
        text = f"Complete, {need:,} need{'s' if need == 1 else ''} you" if need else "Complete"
        return Badge(text, "warn" if need else "ok", "circle-question-mark" if need else "check")
    if was_discarded(run):
        return Badge("Preview discarded", "", "x")
    return _BADGES[state]


_BADGES: Final = {
    Run.State.QUEUED: Badge("Starts in a moment", "brand", "loader"),
    Run.State.READING: Badge("Running", "brand", "loader"),
    Run.State.APPLYING: Badge("Running", "brand", "loader"),
    Run.State.WAITING: Badge("Waiting for Syncro", "warn", "hourglass"),
    Run.State.PLANNED: Badge("Preview", "brand", "eye"),
    Run.State.PAUSED: Badge("Paused", "warn", "pause"),
    Run.State.NEEDS_ATTENTION: Badge("Needs attention", "bad", "triangle-alert"),
    Run.State.INCOMPLETE: Badge("Incomplete", "warn", "triangle-alert"),
    Run.State.STOPPED: Badge("Stopped", "", "square"),
    Run.State.FAILED: Badge("Failed", "bad", "triangle-alert"),
}
