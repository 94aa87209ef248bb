"""Decisions counted, numbers that add up, and the implausible refused before anything is written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from fractions import Fraction

from propolis.merge.decide import Action, Decision
from propolis.merge.evidence import Ambiguous, Linked, New, Outcome


class Word(StrEnum):
    """What became of one record, in the one vocabulary of every screen, command and file."""

    NEW = "New"
    MERGED = "Merged"
    UPDATED = "Updated"
    SAME = "Already the same"
    REVIEW = "Needs review"
    LEFT_OUT = "Left out"
    FAILED = "Failed"


def word_for(outcome: Outcome, decisions: Iterable[Decision] = ()) -> Word:
    """The word for one record that was neither left out nor failed.

    Met here for the first time → `MERGED`, whether or not a value changed. Linked before → `UPDATED` if a
    value of ours is replaced, else `SAME`: a value that is newer here changes nothing here.
    """
    if isinstance(outcome, New):
        return Word.NEW
    if isinstance(outcome, Ambiguous):
        return Word.REVIEW
    if isinstance(outcome, Linked):
        return Word.UPDATED if any(each.action is Action.TAKE for each in decisions) else Word.SAME
    return Word.MERGED


_NAMES = {word: word.name.lower() for word in Word}


@dataclass(slots=True)
class Counts:
    """How many records became what. The sum of all is the number of unique ids read, or a record was lost."""

    new: int = 0
    merged: int = 0
    updated: int = 0
    same: int = 0
    review: int = 0
    left_out: int = 0
    failed: int = 0

    def add(self, word: Word, n: int = 1) -> None:
        """`n` more records of that word."""
        name = _NAMES[word]
        setattr(self, name, getattr(self, name) + n)

    def of(self, word: Word) -> int:
        """The count of one word."""
        return self.to_dict()[_NAMES[word]]

    def __add__(self, other: "Counts") -> "Counts":
        theirs = other.to_dict()
        return Counts(**{name: n + theirs[name] for name, n in self.to_dict().items()})

    @property
    def total(self) -> int:
        """Every record that has a word."""
        return sum(self.to_dict().values())

    @property
    def on_both_sides(self) -> int:
        """Records of theirs that one of ours stands for: merged now, or linked before."""
        return self.merged + self.updated + self.same

    @property
    def need_you(self) -> int:
        """Records a person should look at, as in "complete, 3 need you"."""
        return self.review + self.failed

    def adds_up(self, read: int) -> bool:
        """Every unique id read (persons on customer records included) has exactly one word."""
        return self.total == read

    def to_dict(self) -> dict[str, int]:
        """Lower-case word → count; the keys never change: they are stored with the run."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, int]) -> "Counts":
        """The counterpart of `to_dict`; a missing word is 0, an unknown one is refused with TypeError."""
        return cls(**stored)

    def sentence(self, noun: str, *, read: int, stated: int | None = None, persons: int = 0) -> str:
        """The numbers of one step, as a sum that a person can check.

        `noun`: "companies", "contacts" or "opportunities". `read`: unique ids read. `stated`: how many
        Syncro says it has, None = it did not say. `persons`: those on customer records, counted beside
        `read`.

        Words that nothing fell under are left out, except Failed. Whatever has no word is named, never
        hidden.
        """
        stands = f"Syncro has {_count(stated, noun)}. " if stated is not None else ""
        stands += f"Read {read:,}" if stated is not None else f"Read {_count(read, noun)}"
        if persons:
            customers = (
                "1 person on a customer record"
                if persons == 1
                else f"{persons:,} persons on customer records"
            )
            stands += f". + {customers} = {read + persons:,}"
        words = [f"{self.of(word):,} {word}" for word in Word if self.of(word) or word is Word.FAILED]
        return f"{stands}: {', '.join(words)}.{self._discrepancy(read + persons)}"

    def headline(self, noun: str, *, read: int) -> str:
        """What the preview begins with: "371 of 2,310 companies are on both sides"."""
        verb = "is" if self.on_both_sides == 1 else "are"
        return f"{self.on_both_sides:,} of {_count(read, noun)} {verb} on both sides"

    def _discrepancy(self, read: int) -> str:
        if self.total < read:
            return f" {read - self.total:,} not accounted for."
        if self.total > read:
            return f" {self.total - read:,} more than were read."
        return ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an import may change without asking: at most `share` of the linked records, unless fewer than
    `floor` are linked."""

    share: float = 0.30
    floor: int = 20


class RefusalCode(StrEnum):
    """Why a plan waits for a person. The values are stable."""

    SUDDENLY_EMPTY = "suddenly_empty"
    TOO_MANY_CHANGES = "too_many_changes"
    TOO_MANY_FOR_SCHEDULE = "too_many_for_schedule"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A plan that is not applied until a person confirms its numbers. `sentence`: for that person."""

    code: RefusalCode
    changing: int
    linked: int
    read: int
    sentence: str

    @property
    def share(self) -> float:
        """The part of the linked records that would change, 0 to 1 (more if `gone` was counted beside
        them)."""
        return self.changing / self.linked


def implausible(
    counts: Counts, *, linked: int, read: int, noun: str, gone: int = 0, limits: Limits | None = None
) -> Refusal | None:
    """Refuses a plan that smells of a mistake; None = plausible.

    `counts`: the plan's. `linked`: records linked before this run. `read`: unique ids read by a *complete*
    read. `noun`: as in `Counts.sentence`. `gone`: linked records that would be marked "Not in Syncro any
    more".

    Syncro suddenly empty: nothing was read, yet something is linked. Too much: Updated and gone together
    are more than `share` of at least `floor` linked records; exactly that share passes. New and merged
    records never count.
    """
    allowed = limits or Limits()
    if linked > 0 and read == 0:
        return Refusal(RefusalCode.SUDDENLY_EMPTY, linked, linked, read, _empty_sentence(linked, noun))
    changing = counts.updated + gone
    share = Fraction(allowed.share).limit_denominator(10_000)
    if linked >= allowed.floor and changing > linked * share:
        sentence = _too_many_sentence(changing, linked, share, noun)
        return Refusal(RefusalCode.TOO_MANY_CHANGES, changing, linked, read, sentence)
    return None


def _empty_sentence(linked: int, noun: str) -> str:
    here = f"{linked:,} of yours are" if linked > 1 else "1 of yours is"
    return (
        f"Syncro says it has no {noun} now, but {here} linked to it. Nothing was changed. "
        "Look into Syncro first; if it really is empty, confirm the numbers."
    )


def _too_many_sentence(changing: int, linked: int, share: Fraction, noun: str) -> str:
    return (
        f"This import would change {changing:,} of your {linked:,} linked {noun}, "
        f"more than {float(share * 100):g} %. Nothing was changed. "
        "Look at the changes; if they are right, confirm the numbers."
    )


_ONE = {"companies": "company", "contacts": "contact", "opportunities": "opportunity"}


def _count(n: int, noun: str) -> str:
    return f"{n:,} {_ONE.get(noun, noun) if n == 1 else noun}"
