"""What planning one batch yields: Changes to be stored as *planned*, and the count of every word."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from propolis.accounts import bulk
from propolis.bridge.mapping import Incoming
from propolis.bridge.scene import LinkRow, Scene, local_of
from propolis.history.models import Change
from propolis.merge.plan import Counts, Word

ACTIONS = {
    Word.NEW: Change.Action.CREATE,
    Word.MERGED: Change.Action.MERGE,
    Word.UPDATED: Change.Action.UPDATE,
    Word.SAME: Change.Action.SAME,
    Word.REVIEW: Change.Action.REVIEW,
    Word.LEFT_OUT: Change.Action.LEAVE_OUT,
    Word.FAILED: Change.Action.FAIL,
}
WORDS = {action: word for word, action in ACTIONS.items()}


_change = bulk.maker(Change)
# All records of a page were read at the same time.
_text = lru_cache(maxsize=16)(datetime.isoformat)


@dataclass
class Planned:
    changes: list[Change] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    read: int = 0

    def settled(self, word: Word) -> None:
        """A record that needs no Change: counted only."""
        self.counts.add(word)
        self.read += 1

    def add(self, word: Word, change: Change) -> None:
        self.counts.add(word)
        self.read += 1
        self.changes.append(change)


def change_for(
    scene: Scene,
    incoming: Incoming,
    word: Word,
    *,
    link: LinkRow | None = None,
    local_id: int | None = None,
    fields: dict[str, list[Any]] | None = None,
    reason: str = "",
    raw: str | None = None,
    **args: Any,
) -> Change:
    """A planned Change. `args` beside the given ones: raw values, hash, times and parent by Syncro id, so
    that applying needs neither the page nor another look at Syncro."""
    args |= {
        "raw": incoming.raw,
        "hash": incoming.hash,
        "updated": incoming.updated_at.isoformat() if incoming.updated_at else None,
        "read": _text(incoming.read_at),
    }
    if incoming.parent is not None:
        args["parent"] = incoming.parent
    if word is Word.REVIEW and incoming.created_at is not None:
        # A lead without a subject is named by its day, also where a person lets it in later.
        args["created"] = incoming.created_at.isoformat()
    return _change(
        account_id=scene.account.pk,
        run_id=scene.run.pk,
        kind=local_of(incoming.kind),
        local_id=local_id,
        link_id=link.id if link else None,
        remote_kind=incoming.kind,
        remote_id=incoming.remote_id,
        action=ACTIONS[word].value,
        state=Change.State.PLANNED.value,
        fields=fields or {},
        args=args,
        reason=reason,
        raw=raw,
    )
