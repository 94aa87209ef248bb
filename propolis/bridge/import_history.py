"""Every import of an account, newest first: who, when, what, how long, how many requests, the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet

from propolis.accounts.models import Account
from propolis.bridge.import_changes import Narrowing
from propolis.bridge.import_sums import PLACE, Part, run_address
from propolis.bridge.import_words import (
    Badge,
    duration_of,
    joined,
    nouns_of,
    state_badge,
    title_of,
    totals_of,
    was_discarded,
    who,
)
from propolis.bridge.undoing import restores_after
from propolis.crm import paging
from propolis.merge.plan import Word
from propolis.runs.models import Run
from propolis.runs.pace import seconds_in_words

SIZE: Final = 25
_NEWEST: Final = paging.Sort("number", "number", down=True)


@dataclass(frozen=True)
class Entry:
    """One import. `parts`: its numbers, each with the list behind it; none before it has a plan. `since`: what
    became of all of it, "" where it still stands."""

    title: str
    href: str
    badge: Badge
    since: str
    objects: str
    who: str
    took: str
    requests: str
    parts: list[Part]


@dataclass(frozen=True)
class History:
    entries: list[Entry]
    page: paging.Page


def history(account: Account, params: Mapping[str, str]) -> History:
    """One page; one query for the imports, two more for its place."""
    runs = with_fate(Run.objects.filter(kind="import").select_related("by"))
    kept = {key: value for key, value in params.items() if key in ("after", "before", "end")}
    page = paging.page(runs, _NEWEST, kept, SIZE)
    return History([_entry(account, run) for run in page.rows], page)


def _entry(account: Account, run: Run) -> Entry:
    at = run_address(account, run)
    took = duration_of(run)
    only = run.options.get("only")
    what = joined([noun.capitalize() for noun in nouns_of(run)])
    return Entry(
        title=title_of(run),
        href=at,
        badge=state_badge(run),
        since=_since(run),
        objects=f"{len(only):,} of {what}" if only else what,
        who=who(run),
        took=seconds_in_words(took.total_seconds()) if took else "",
        requests=f"{run.requests:,}",
        parts=_parts(run, at),
    )


def with_fate(runs: QuerySet[Run]) -> QuerySet[Run]:
    """With `went_back` and `overwritten` (by a restored backup) on each."""
    undone = Run.objects.filter(kind="undo", state=Run.State.COMPLETE, undoes=OuterRef("pk"))
    return runs.annotate(
        went_back=Exists(undone), overwritten=Exists(restores_after(OuterRef("finished_at")))
    )


def _since(run: Any) -> str:
    if run.went_back:
        return "Undone"
    return "Before a restored backup" if run.overwritten and not was_discarded(run) else ""


def _parts(run: Run, at: str) -> list[Part]:
    if was_discarded(run) or run.state not in (Run.State.COMPLETE, Run.State.INCOMPLETE, Run.State.PLANNED):
        return []
    totals = totals_of(run)
    return [
        Part(f"{totals.of(word):,} {word}", at + Narrowing(word).address() + PLACE)
        for word in Word
        if totals.of(word) or word is Word.FAILED
    ]
