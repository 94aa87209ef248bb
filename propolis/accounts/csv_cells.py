"""CSV cells no spreadsheet takes for a formula, and back.

A cell that begins with one of = + - @ (also in full width), tab or a line break is calculated when the file is
opened in a spreadsheet; a leading apostrophe makes it text. A cell that begins with an apostrophe gets one more,
so that taking one off again gives every text back exactly.
"""

from __future__ import annotations

_TAKEN_FOR_FORMULA = (*"=+-@＝＋－＠\t\r\n", "'")


def inert(text: str) -> str:
    """The cell as it is written: "'+1 555 0100" of "+1 555 0100"."""
    return "'" + text if text.startswith(_TAKEN_FOR_FORMULA) else text


def original(cell: str) -> str:
    """The text a written cell stands for; `original(inert(text)) == text` for every text.

    A lone apostrophe before an ordinary letter ('t Hooft, typed by a person) stays.
    """
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_TAKEN_FOR_FORMULA) else cell
