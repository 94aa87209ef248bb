"""A run under way as people see it: phase, done of total, rate, time left, waits, what has been done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils import timezone

from propolis.bridge.import_words import Badge, joined, lately, nouns_of, state_badge, who
from propolis.bridge.planned import ACTIONS
from propolis.bridge.sentences import run_sentence
from propolis.crm.effects import ICONS
from propolis.merge.plan import Word
from propolis.runs.models import Run
from propolis.runs.pace import Mark, measured, seconds_in_words
from propolis.syncro.errors import TRY_LATER

_PAGES: Final = {
    Run.State.QUEUED: "queued",
    Run.State.PAUSED: "paused",
    Run.State.NEEDS_ATTENTION: "attention",
    Run.State.PLANNED: "gate",
}
# A run nobody took up after this long has no worker.
NO_WORKER_AFTER: Final = timedelta(seconds=20)
_VERBS: Final = {
    "backup": "Backing up",
    "reading": "Reading",
    "planning": "Planning",
    "planned": "Planning",
    "applying": "Importing",
    "closing": "Checking what is gone",
    "closed": "Checking what is gone",
}
_STATED: Final = (Word.NEW, Word.MERGED, Word.UPDATED, Word.REVIEW, Word.LEFT_OUT, Word.FAILED)


@dataclass(frozen=True)
class Tally:
    """One number of what has been done so far."""

    label: str
    value: str
    icon: str
    says: str = ""


@dataclass(frozen=True)
class Progress:
    """One look. `total` 0: no end known. `state`: as `state_of` says; another one is another page.

    `says`, `rate`, `left`, `waits`, `asked`, `announce`: "" for nothing to say.
    """

    run: Run
    state: str
    title: str
    badge: Badge
    phase: str
    done: int
    total: int
    says: str
    rate: str
    left: str
    waits: str
    asked: str
    tallies: list[Tally]
    started: str
    mark: Mark
    announce: str

    @property
    def percent(self) -> int | None:
        """Of this phase; None where no end is known."""
        return min(100, 100 * self.done // self.total) if self.total else None

    @property
    def can_pause(self) -> bool:
        """Otherwise it can be resumed: it rests, or a pause was asked for and is not there yet."""
        return self.state in ("queued", "working") and self.run.stop_flag != "pause"

    @property
    def every(self) -> int:
        """Seconds until the next look."""
        return 2 if self.state in ("queued", "working") else 5


def state_of(run: Run) -> str:
    """Which page a run has: "queued", "working", "paused", "attention", "gate" or "ended"."""
    return "ended" if run.ended else _PAGES.get(Run.State(run.state), "working")


def look(run: Run, mark: Mark | None = None, now: float | None = None) -> Progress:
    """How far the run is; asks the database nothing.

    `mark`: of the look before. `now`: seconds since the epoch.
    """
    now = time.time() if now is None else now
    here = run.progress if _current(run) else {}
    done, total = int(here.get("done", 0)), int(here.get("total", 0))
    noun = str(here.get("noun", ""))
    phase = phase_words(run, noun)
    key = f"{run.phase}.{noun}".replace("~", "")
    pace = measured(mark, key, done, total, now=now, words=phase, restart=run.state == Run.State.WAITING)
    return Progress(
        run=run,
        state=state_of(run),
        title=doing(run),
        badge=state_badge(run),
        phase=phase,
        done=done,
        total=total,
        says=_says(run, done, total, noun),
        rate=pace.rate,
        left=pace.left,
        waits=waits(run),
        asked={"pause": "Pausing after what is in hand…", "stop": "Stopping after what is in hand…"}.get(
            run.stop_flag, ""
        ),
        tallies=tallies(run),
        started=f"Started {lately(run.created_at)} by {who(run)}",
        mark=pace.mark,
        announce=pace.announce,
    )


def doing(run: Run) -> str:
    """ "Importing companies and contacts", "Retrying 3 records"."""
    only = run.options.get("only")
    if only:
        return f"Retrying {len(only):,} record{'' if len(only) == 1 else 's'}"
    return f"Importing {joined(nouns_of(run))}"


def phase_words(run: Run, noun: str = "") -> str:
    """ "Reading contacts"; a run nobody has taken up yet starts in a moment."""
    if run.state == Run.State.QUEUED and not run.phase:
        return "Starting"
    verb = _VERBS.get(run.phase, "Starting")
    return f"{verb} {noun}" if noun and run.phase in ("reading", "planning", "applying") else verb


def waits(run: Run) -> str:
    """What the run waits for and until when, or what a person has to do; "" while it works."""
    if run.state == Run.State.WAITING:
        until = f" until {lately(run.next_at)}" if run.next_at else ""
        # Whoever only looks on has nothing to try.
        why = run_sentence(run).replace(TRY_LATER, "The import goes on by itself.")
        return f"Waiting for Syncro{until}. {why}".strip()
    if run.state == Run.State.NEEDS_ATTENTION:
        return run_sentence(run) or "The import needs a person. Look at the connection, then press Resume."
    if run.state == Run.State.QUEUED and timezone.now() - run.created_at > NO_WORKER_AFTER:
        return "No worker has taken it up yet. Ask your operator whether Propolis' worker is running."
    return ""


def tallies(run: Run) -> list[Tally]:
    """What has been done so far, from 0, in the past tense."""
    found = [Tally(label, f"{n:,}", icon) for label, n, icon in _done_so_far(run)]
    waited = f"{seconds_in_words(run.waited)} waited for its limit" if run.waited >= 1 else ""
    return [*found, Tally("Requests to Syncro", f"{run.requests:,}", "arrow-down-up", waited)]


def _done_so_far(run: Run) -> list[tuple[str, int, str]]:
    if run.phase in ("applying", "closing", "closed"):
        counts = applied_counts(run)
        return [
            (word.value, counts[word], ICONS[word]) for word in _STATED if counts[word] or word in _STATED[:3]
        ]
    if run.phase in ("planning", "planned"):
        read = sum(
            run.counts.get(noun, {}).get(key, 0) for noun in nouns_of(run) for key in ("read", "persons")
        )
        return [("Records compared", read, "scale")]
    return [(f"{noun.capitalize()} read", n, "download") for noun, n in _read_so_far(run).items()]


def _read_so_far(run: Run) -> dict[str, int]:
    here = run.progress if _current(run) else {}
    noun = str(here.get("noun", ""))
    return {noun: int(here.get("done", 0))} if noun else {}


def applied_counts(run: Run) -> dict[Word, int]:
    """How many planned Changes have been applied, by word, as the run's progress keeps them."""
    did: dict[str, int] = run.progress.get("did", {})
    return {word: did.get(action.value, 0) for word, action in ACTIONS.items()}


def _current(run: Run) -> bool:
    """The numbers kept are of the phase the run is in."""
    return bool(run.progress) and run.progress.get("phase") == run.phase


def _says(run: Run, done: int, total: int, noun: str) -> str:
    what = noun if run.phase != "applying" else "records"
    return f"{done:,} of {total:,} {what}".strip() if total else ""
