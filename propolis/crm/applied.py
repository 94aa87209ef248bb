"""What a batch of planned Changes came to, where each record's word may still change on the way.

Imports from anywhere apply alike: a batch in one piece, and if the database refuses it, one by one, so that the odd
record is failed and the rest comes in.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import DataError, IntegrityError, transaction

from propolis.history.models import Change
from propolis.merge.plan import Word

BATCH: Final = 500
# A batch that outlasted its lease, or its worker, comes again in halves down to this.
SMALLEST: Final = 10
# What one record can be at fault for; a lost connection or a locked database is nobody's fault.
ODD: Final = (DataError, IntegrityError, ValueError, TypeError, KeyError, OverflowError)
WRITING: Final = frozenset({Change.Action.MERGE, Change.Action.UPDATE})


@dataclass
class Applied:
    """`plain`: done exactly as planned; `done`: otherwise. `moved`: (noun, from, to) where the word changed."""

    plain: list[Change] = field(default_factory=list)
    done: list[Change] = field(default_factory=list)
    moved: list[tuple[str, Word, Word]] = field(default_factory=list)

    def add(self, other: Applied) -> None:
        self.plain += other.plain
        self.done += other.done
        self.moved += other.moved

    def recount(self, counts: MutableMapping[str, Any]) -> None:
        """`counts`: noun → {"counts": word → how many}, changed in place."""
        for noun, old, new in self.moved:
            words = counts[noun]["counts"]
            words[old.name.lower()] -= 1
            words[new.name.lower()] += 1


def together_or_singly(
    batch: Sequence[Change],
    group: Callable[[Sequence[Change]], Applied],
    failed: Callable[[Change, str], Applied],
) -> Applied:
    """`group` applies Changes. One that the database refuses becomes a failure, with what it said in
    `args["detail"]`; `failed(change, action)` is told what it was to be and does the rest. Call in a transaction."""
    try:
        with transaction.atomic():
            return group(batch)
    except ODD:
        pass
    whole = Applied()
    for change in batch:
        try:
            with transaction.atomic():
                whole.add(group([change]))
        except ODD as error:
            action, change.action = change.action, Change.Action.FAIL
            change.args["detail"] = f"{type(error).__name__}: {error}"[:500]
            change.fields, change.local_id = {}, None
            whole.add(failed(change, action))
    return whole
