"""The Changes of one import as a list: by word, object and reason, in pages and as CSV; problems by cause."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Count, QuerySet

from propolis.accounts.csv_cells import inert
from propolis.accounts.models import Account
from propolis.bridge.import_progress import applied_counts
from propolis.bridge.import_rows import ChangeRow, rows_of
from propolis.bridge.import_words import counts_of, nouns_of, slug_of, totals_of, was_discarded, word_named
from propolis.bridge.models import Connection
from propolis.bridge.planned import ACTIONS
from propolis.bridge.planner import NOUNS
from propolis.bridge.sentences import sentence
from propolis.crm import paging
from propolis.history.models import Change
from propolis.merge.plan import Word
from propolis.runs.models import Run

SIZE: Final = 25
EXAMPLES: Final = 3
KINDS: Final = {"companies": "company", "contacts": "contact", "opportunities": "opportunity"}
# Words that come with a reason.
REASONED: Final = (Word.REVIEW, Word.LEFT_OUT, Word.FAILED)
_IN_ORDER: Final = paging.Sort("order", "reason", down=False)
_BATCH: Final = 500


@dataclass(frozen=True)
class Narrowing:
    """What a list is narrowed to; None or "" for everything."""

    word: Word | None = None
    noun: str = ""
    reason: str = ""

    @classmethod
    def parse(cls, params: Mapping[str, str]) -> Narrowing:
        """Anything unknown is ignored."""
        noun = params.get("of", "")
        return cls(
            word_named(params.get("show", "")), noun if noun in KINDS else "", params.get("reason", "")[:60]
        )

    def address(self) -> str:
        """The query string that `parse` understands."""
        told = {"show": slug_of(self.word) if self.word else "", "of": self.noun, "reason": self.reason}
        return "?" + urlencode({key: value for key, value in told.items() if value})


@dataclass(frozen=True)
class Tab:
    """A link that narrows a list; `count` "" where it is not told."""

    label: str
    href: str
    current: bool
    count: str = ""


@dataclass(frozen=True)
class Listing:
    """`word` None: the samples. `note`: why there are fewer rows than the number says, "" if not."""

    word: Word | None
    says: str
    tabs: list[Tab]
    nouns: list[Tab]
    reasons: list[Tab]
    rows: list[ChangeRow]
    page: paging.Page | None
    note: str
    csv: str

    @property
    def key(self) -> str:
        """Its list in Sync health, of those words that have one."""
        return slug_of(self.word) if self.word else ""


def of_run(run: Run, narrowed: Narrowing | None = None) -> QuerySet[Change]:
    """The records of the import: what is planned while it waits, else what was done.

    By reason, then as they came: the order of an index that begins with run, state and word.
    """
    wanted = narrowed or Narrowing()
    query = Change.objects.filter(run=run, state__in=states_of(run))
    if wanted.word is not None:
        query = query.filter(action=ACTIONS[wanted.word])
    if wanted.word is Word.UPDATED:
        # What only followed (a contact attached to the company it waited for) has no number and no word.
        query = query.filter(seq__gt=0)
    if wanted.noun:
        query = query.filter(kind=KINDS[wanted.noun], **_between(run, wanted.noun))
    if wanted.reason:
        query = query.filter(reason=wanted.reason)
    return query.order_by("reason", "id")


def states_of(run: Run) -> list[Change.State]:
    """Of the Changes to list; more than one only after an undo, as more than one leaves the index's order."""
    if run.state == Run.State.PLANNED or was_discarded(run):
        return [Change.State.PLANNED]
    # A page asks for several lists of one run: once is enough.
    if "was_undone" not in run.__dict__:
        run.__dict__["was_undone"] = Run.objects.filter(undoes=run).exists()
    undone = run.__dict__["was_undone"]
    return [Change.State.APPLIED, Change.State.UNDONE] if undone else [Change.State.APPLIED]


def _between(run: Run, noun: str) -> dict[str, int]:
    """The range of ids in which the Changes of this object lie; {} where the plan did not keep it."""
    ends: dict[str, int] = run.cursor.get("ends", {})
    stages = [name for name in ends if NOUNS.get(name) == noun]
    if not stages:
        return {}
    last = max(ends[name] for name in stages)
    first = max([0, *(end for name, end in ends.items() if name not in stages and end <= last)])
    ids = Change.objects.filter(run=run, seq__in=[first + 1, last]).values_list("seq", "id")
    known = dict(ids)
    if not {first + 1, last} <= known.keys():
        return {}
    return {"id__gte": known[first + 1], "id__lte": known[last]}


def numbers_of(run: Run) -> dict[Word, int]:
    """Word → how many; of an import that was stopped half-way, what it had done by then."""
    if _half_way(run):
        return applied_counts(run)
    totals = totals_of(run)
    return {word: totals.of(word) for word in Word}


def _half_way(run: Run) -> bool:
    return run.state in (Run.State.STOPPED, Run.State.FAILED) and not was_discarded(run)


def listing(
    account: Account, connection: Connection | None, run: Run, params: Mapping[str, str], csv_at: str
) -> Listing:
    """One page of the list; its number of queries does not depend on the import's size."""
    narrowed = Narrowing.parse(params)
    numbers = numbers_of(run)
    if narrowed.word is None:
        changes, page = samples(run, numbers, narrowed.noun), None
    else:
        page = _page(run, narrowed, params)
        changes = page.rows
    return Listing(
        word=narrowed.word,
        says=_says(narrowed),
        tabs=_tabs(narrowed, numbers),
        nouns=_nouns(run, narrowed),
        reasons=_reasons(run, narrowed),
        rows=rows_of(account, connection, changes),
        page=page,
        note=_note(run, narrowed, numbers, page),
        csv=csv_at + narrowed.address(),
    )


def _page(run: Run, narrowed: Narrowing, params: Mapping[str, str]) -> paging.Page:
    """The ids first, over an index alone; then the rows of this page."""
    kept = {k: v for k, v in params.items() if k in ("show", "of", "reason", "after", "before", "end")}
    found = paging.page(of_run(run, narrowed).only("id"), _IN_ORDER, kept, SIZE)
    whole = Change.objects.in_bulk([row.pk for row in found.rows])
    rows = [whole[row.pk] for row in found.rows]
    return paging.Page(rows, found.first, found.prev, found.next, found.last)


def samples(run: Run, numbers: Mapping[Word, int], noun: str = "") -> list[Change]:
    """Up to three of every word, spread over the whole import: one query, and one per rare word."""
    total = int(run.cursor.get("seq", 0))
    spread = sorted({1 + at * total // 60 for at in range(60)}) if total else []
    found: dict[str, list[Change]] = {}
    wanted = states_of(run)
    for change in Change.objects.filter(run=run, seq__in=spread).order_by("seq"):
        if change.state in wanted and (not noun or change.kind == KINDS[noun]):
            found.setdefault(change.action, []).append(change)
    chosen: list[Change] = []
    for word in Word:
        some = found.get(ACTIONS[word], [])
        if len(some) < EXAMPLES and numbers[word] and word is not Word.SAME:
            some = list(of_run(run, Narrowing(word, noun))[:EXAMPLES])
        step = max(1, len(some) // EXAMPLES)
        chosen += some[::step][:EXAMPLES]
    return chosen


def _says(narrowed: Narrowing) -> str:
    if narrowed.word is None:
        return "A few of each, from all over the import."
    if narrowed.word is Word.SAME:
        return "Both sides agree on these, so nothing was written about them and there is nothing to list."
    return sentence(narrowed.reason) if narrowed.reason else ""


def _tabs(narrowed: Narrowing, numbers: Mapping[Word, int]) -> list[Tab]:
    first = Tab("Samples", Narrowing(None, narrowed.noun).address(), narrowed.word is None)
    words = [
        word for word in Word if numbers[word] or word in (Word.NEW, Word.FAILED) or word is narrowed.word
    ]
    return [
        first,
        *(
            Tab(
                word.value,
                Narrowing(word, narrowed.noun).address(),
                word is narrowed.word,
                f"{numbers[word]:,}",
            )
            for word in words
        ),
    ]


def _nouns(run: Run, narrowed: Narrowing) -> list[Tab]:
    nouns = nouns_of(run)
    if len(nouns) < 2:
        return []
    every = Tab("All", Narrowing(narrowed.word, "", narrowed.reason).address(), not narrowed.noun)
    return [every] + [
        Tab(
            noun.capitalize(),
            Narrowing(narrowed.word, noun, narrowed.reason).address(),
            noun == narrowed.noun,
        )
        for noun in nouns
    ]


def _reasons(run: Run, narrowed: Narrowing) -> list[Tab]:
    if narrowed.word not in REASONED:
        return []
    told = reasons(run, narrowed.word, narrowed.noun)
    if len(told) < 2:
        return []
    every = Tab("Every reason", Narrowing(narrowed.word, narrowed.noun).address(), not narrowed.reason)
    return [every] + [
        Tab(
            short_reason(reason),
            Narrowing(narrowed.word, narrowed.noun, reason).address(),
            reason == narrowed.reason,
            f"{n:,}",
        )
        for reason, n in told
    ]


def reasons(run: Run, word: Word, noun: str = "") -> list[tuple[str, int]]:
    """How many for which reason, most first."""
    found: Any = of_run(run, Narrowing(word, noun)).order_by().values_list("reason").annotate(n=Count("pk"))
    return sorted(((reason, n) for reason, n in found), key=lambda pair: -pair[1])


_SHORT: Final = {
    "weak": "Weak evidence",
    "several": "Several fit",
    "claimed by two": "Two in Syncro fit one here",
    "status_unmapped": "Unknown status",
    "status_not_imported": "Status not imported",
    "mail_lead": "E-mails to your mailbox",
    "closed_long_ago": "Closed long ago",
    "disabled_in_syncro": "Disabled in Syncro",
    "deleted_here": "Deleted here",
    "skipped": "Skipped",
    "unreadable": "Unreadable",
    "not_storable": "Could not be stored",
    "killed_the_worker": "Stopped the import",
    "contact_missing": "Contact missing in Syncro",
}


def short_reason(reason: str) -> str:
    """A reason in two or three words, for chips and columns; `sentences.sentence` has it in full."""
    return _SHORT.get(reason) or reason.replace("_", " ").capitalize()


def _note(run: Run, narrowed: Narrowing, numbers: Mapping[Word, int], page: paging.Page | None) -> str:
    word = narrowed.word
    if word not in REASONED or page is None or narrowed.reason:
        return ""
    if narrowed.noun:
        numbers = {} if _half_way(run) else {word: counts_of(run, narrowed.noun).of(word)}
    before = numbers.get(word, 0) - of_run(run, Narrowing(word, narrowed.noun)).order_by().count()
    if before <= 0:
        return ""
    return f"{before:,} more {'stands' if before == 1 else 'stand'} as in an earlier import."


# ---- what went wrong


@dataclass(frozen=True)
class Problem:
    """Records that failed for one cause: its sentence, three examples, all of them behind `href`."""

    reason: str
    sentence: str
    count: int
    examples: list[ChangeRow]
    href: str

    @property
    def can_retry(self) -> bool:
        return any(each.retry for each in self.examples)


def problems(account: Account, connection: Connection | None, run: Run) -> list[Problem]:
    """Failed records by cause, most first."""
    told = reasons(run, Word.FAILED)
    shown = {reason: list(of_run(run, Narrowing(Word.FAILED, "", reason))[:EXAMPLES]) for reason, _ in told}
    rows = iter(rows_of(account, connection, [each for some in shown.values() for each in some]))
    return [
        Problem(
            reason,
            sentence(reason, "These records could not be imported."),
            n,
            [next(rows) for _ in shown[reason]],
            Narrowing(Word.FAILED, "", reason).address(),
        )
        for reason, n in told
    ]


# ---- CSV

HEADINGS: Final = ("Result", "Kind", "Name", "Syncro id", "Reason", "Field", "Before", "After", "Why")


def as_csv(account: Account, connection: Connection | None, run: Run, narrowed: Narrowing) -> Iterator[str]:
    """Line by line: one per field that changes, one for a record without any. No cell is a formula."""
    yield _line(HEADINGS)
    last = 0
    while True:
        batch = list(of_run(run, narrowed).filter(id__gt=last).order_by("id")[:_BATCH])
        if not batch:
            return
        last = batch[-1].pk
        for row in rows_of(account, connection, batch):
            about = (row.word, row.kind, row.name, row.remote.removeprefix("#"), row.reason)
            for each in row.effects:
                yield _line((*about, each.label, each.before, each.after, each.why))
            if not row.effects:
                yield _line((*about, "", "", "", ""))


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([inert(cell) for cell in cells])
    return out.getvalue()
