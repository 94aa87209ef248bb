"""What a change does to one field, and what became of one record, as history, imports and CSV files show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from propolis.merge.plan import Word

ICONS: Final = {
    Word.NEW: "plus",
    Word.MERGED: "git-merge",
    Word.UPDATED: "pencil",
    Word.SAME: "equal",
    Word.REVIEW: "circle-question-mark",
    Word.LEFT_OUT: "ban",
    Word.FAILED: "triangle-alert",
}
TONES: Final = {
    Word.NEW: "ok",
    Word.MERGED: "brand",
    Word.UPDATED: "brand",
    Word.REVIEW: "warn",
    Word.FAILED: "bad",
}
_LONGEST: Final = 160


@dataclass(frozen=True)
class Effect:
    """One field: what it was and becomes, as words ("" for blank), and why, where that is told."""

    label: str
    before: str
    after: str
    why: str = ""


def short(text: str) -> str:
    """So that one long note does not fill a page."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
