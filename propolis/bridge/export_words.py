"""What changes in a text, word by word, for a person to see at a glance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

_WORD: Final = re.compile(r"\s+|[^\s]+")
_LONGEST: Final = 4000


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `changed`: only one side has it."""

    text: str
    changed: bool


def word_diff(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """The two texts in pieces. Very long ones are not compared word by word: each is one changed piece."""
    if not before or not after or len(before) + len(after) > _LONGEST:
        return _whole(before), _whole(after)
    old, new = _WORD.findall(before), _WORD.findall(after)
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        _add(left, "".join(old[a:b]), tag != "equal")
        _add(right, "".join(new[c:d]), tag != "equal")
    return left, right


def _whole(text: str) -> list[Piece]:
    return [Piece(text, True)] if text else []


def _add(pieces: list[Piece], text: str, changed: bool) -> None:
    if text:
        pieces.append(Piece(text, changed))
