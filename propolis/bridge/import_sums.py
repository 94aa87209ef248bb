"""The numbers of an import, each with the list behind it: sums that add up, and one number per word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from propolis.accounts.addressing import url
from propolis.accounts.models import Account
from propolis.bridge.import_changes import REASONED, Narrowing, numbers_of, reasons, short_reason
from propolis.bridge.import_words import SAYS, counts_of, nouns_of, was_discarded
from propolis.crm.effects import ICONS
from propolis.merge.plan import Word
from propolis.runs.models import Run

# The list on the page.
PLACE: Final = "#changes"


@dataclass(frozen=True)
class Part:
    """One number of a sum, with its list."""

    text: str
    href: str


@dataclass(frozen=True)
class Sum:
    """The sentence that adds up, in pieces so that its numbers can be links: `head` + `parts` + `tail`."""

    head: str
    parts: list[Part]
    tail: str

    @property
    def sentence(self) -> str:
        return self.head + ", ".join(part.text for part in self.parts) + self.tail


@dataclass(frozen=True)
class Number:
    """How many records became what. `says`: what the word means, or the reasons with their counts."""

    word: str
    value: str
    icon: str
    says: str
    href: str


def run_address(account: Account, run: Run) -> str:
    """The page of an import, from Syncro or from a CSV file."""
    page = "crm:csv_run" if run.kind == "csv_import" else "bridge:import_run"
    return url(account, page, run.number)


def sums_of(run: Run, at: str) -> list[Sum]:
    """A sum per object, exactly as `Counts.sentence` says it; `at`: the page that lists them."""
    if run.state in (Run.State.STOPPED, Run.State.FAILED) and not was_discarded(run):
        return []
    return [_sum(run, noun, at) for noun in nouns_of(run) if noun in run.counts]


def _sum(run: Run, noun: str, at: str) -> Sum:
    told = run.counts[noun]
    counts = counts_of(run, noun)
    whole = counts.sentence(noun, read=told["read"], stated=told.get("stated"), persons=told["persons"])
    words = [word for word in Word if counts.of(word) or word is Word.FAILED]
    texts = [f"{counts.of(word):,} {word}" for word in words]
    head, _, tail = whole.rpartition(", ".join(texts))
    parts = [
        Part(text, at + Narrowing(word, noun).address() + PLACE)
        for text, word in zip(texts, words, strict=True)
    ]
    return Sum(head, parts, tail)


def numbers(run: Run, at: str) -> list[Number]:
    """One number per word, 0 only for New and Failed; those with reasons say them."""
    found = numbers_of(run)
    return [
        Number(
            word.value,
            f"{found[word]:,}",
            ICONS[word],
            _reasons_in_words(run, word, found[word]) if word in REASONED and found[word] else SAYS[word],
            at + Narrowing(word).address() + PLACE,
        )
        for word in Word
        if found[word] or word in (Word.NEW, Word.FAILED)
    ]


def _reasons_in_words(run: Run, word: Word, number: int) -> str:
    """Those that stand as before have no row of their own in this import, so their reason is not told again."""
    told = reasons(run, word)
    before = number - sum(n for _, n in told)
    if not told:
        return "As in an earlier import" if before > 0 else SAYS[word]
    parts = [f"{short_reason(reason)} {n:,}" for reason, n in told[:3]]
    more = sum(n for _, n in told[3:])
    parts += [f"others {more:,}"] if more else []
    parts += [f"as in an earlier import {before:,}"] if before > 0 else []
    return ", ".join(parts)
