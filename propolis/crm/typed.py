"""Numbers as people type them."""

from __future__ import annotations

import re

# Signs and letters of currencies, and the spaces some put between thousands.
_AROUND = re.compile(r"[\s$€£¥]|\b[A-Z]{3}\b|[A-Z]{1,2}(?=\$)")
_WHOLE = re.compile(r"\d+|\d{1,3}(?:,\d{3})+|\d{1,3}(?:\.\d{3}){2,}|\d{1,3}(?:['’]\d{3})+")
_ENGLISH = re.compile(r"(?:\d+|\d{1,3}(?:[,'’]\d{3})+)?\.\d*")
_EUROPEAN = re.compile(r"(?:\d+|\d{1,3}(?:\.\d{3})+),\d{1,2}")


def amount(text: str) -> str | None:
    """ "$1,200.50", "1 200", "1.200,50 €" or "1200,5" with a point before the cents; None for anything else.

    A comma before three digits parts thousands, before one or two it stands before the cents: "1200,50" is never
    taken for a hundred times as much.
    """
    bare = _AROUND.sub("", text.strip())
    if _WHOLE.fullmatch(bare):
        return re.sub(r"\D", "", bare)
    if _ENGLISH.fullmatch(bare) and bare != ".":
        return re.sub(r"[^\d.]", "", bare)
    if _EUROPEAN.fullmatch(bare):
        return bare.replace(".", "").replace(",", ".")
    return None
