"""The companies a file of contacts names: ours, or made first; each once, however many contacts it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from propolis.crm import comparing, keys
from propolis.crm.models import Company
from propolis.merge.evidence import Ambiguous, Sure
from propolis.merge.match import match_company
from propolis.merge.record import CompanyKeys, Record


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contact belongs: a company of ours by id, or one this run makes, by the number of its Change.

    `unclear`: several of ours could be meant.
    """

    local: int | None = None
    seq: int | None = None
    unclear: bool = False


NOWHERE = Place()


class Companies:
    """Name and domain as a file has them → where its contacts belong."""

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}

    def of(self, company: tuple[str, str]) -> Place:
        return self._places.get(key_of(company), NOWHERE) if any(company) else NOWHERE

    def recall(self, kept: Iterable[Sequence[Any]]) -> None:
        for key, local, seq, unclear in kept:
            self._places[key] = Place(local, seq, unclear)


def key_of(company: tuple[str, str]) -> int:
    name, domain = company
    return hash_of(f"{keys.name_key(name)}\x1f{domain}")


def hash_of(text: str) -> int:
    """The same in every process; small in memory."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=7).digest(), "big")


def found_here(wanted: Mapping[int, tuple[str, str]]) -> dict[int, Place]:
    """Which of ours each is; those to be made are not in the answer. Two queries."""
    theirs = [
        Record(key, {}, None, CompanyKeys(keys.name_key(name), frozenset({domain} - {""})))
        for key, (name, domain) in wanted.items()
    ]
    known: list[Any] = [each.keys for each in theirs]
    alive = Company.objects.filter(deleted_at__isnull=True, merged_into__isnull=True)
    ours = comparing.company_candidates(alive, known)
    counts = comparing.name_counts({each.name for each in known} - {""})
    near: dict[str, list[Record]] = {}
    for each in ours:
        mine: Any = each.keys
        for key in {mine.name, *mine.domains}:
            near.setdefault(key, []).append(each)
    places: dict[int, Place] = {}
    for record, its in zip(theirs, known, strict=True):
        some = [each for key in {its.name, *its.domains} for each in near.get(key, ())]
        outcome = match_company(record, some, name_count_theirs=1, name_count_ours=counts.get(its.name, 0))
        if isinstance(outcome, Sure):
            places[record.id] = Place(outcome.local_id)
        elif isinstance(outcome, Ambiguous):
            places[record.id] = Place(unclear=True)
    return places
