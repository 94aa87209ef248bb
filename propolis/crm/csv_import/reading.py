"""A CSV file as people have them: any encoding, any separator. Rows, or the reason why it is none."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from propolis.accounts.csv_cells import original
from propolis.crm.csv_import.sentences import CsvRefused
from propolis.crm.keys import clean

MOST_COLUMNS = 500
LONGEST_CELL = 500_000
_SEPARATORS = ",;\t|"
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.\w{2,}")
_LOOKED_AT = 4096


@dataclass(frozen=True)
class SheetRow:
    """`line`: of the file, counted from 1, as a text editor shows it. `odd`: why it cannot be read, or ""."""

    line: int
    cells: list[str]
    odd: str = ""


@dataclass(frozen=True)
class Sheet:
    """A file that could be read. `encoding`: as people call it. Reading `rows` may raise CsvRefused."""

    headings: list[str]
    rows: Iterator[SheetRow]
    encoding: str
    separator: str


def read_sheet(raw: bytes) -> Sheet:
    """The file's headings and rows, blank rows left out; CsvRefused for what is no such file."""
    text, encoding = _decoded(raw)
    if not text.strip():
        raise CsvRefused("csv.empty")
    text, separator, skipped = _separated(text)
    lines = _parsed(text, separator, skipped)
    head = next(lines, None)
    if head is None:
        raise CsvRefused("csv.empty")
    headings = _headings(head.cells)
    return Sheet(headings, _checked(lines, len(headings), text), encoding, separator)


def _decoded(raw: bytes) -> tuple[str, str]:
    """NUL and lone surrogates left out: no database stores them."""
    start = raw[:_LOOKED_AT]
    if start.startswith(_WORKBOOKS):
        raise CsvRefused("csv.workbook")
    codec = next((codec for mark, codec in _BOMS if start.startswith(mark)), "") or _two_bytes(start)
    if codec:
        try:
            return clean(raw.decode(codec).lstrip("\ufeff")), codec.upper()[:6].rstrip("-")
        except UnicodeDecodeError:
            # The last byte of a pair was cut off, or one in the middle is no letter: the rest is still readable.
            return clean(raw.decode(codec, "replace").lstrip("\ufeff")), codec.upper()[:6].rstrip("-")
    if 20 * len(_CONTROL.findall(start)) > len(start) or start.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8")):
        raise CsvRefused("csv.not_text")
    try:
        return clean(raw.decode("utf-8")), "UTF-8"
    except UnicodeDecodeError as error:
        whole = raw[: error.start]
        if error.reason == "unexpected end of data" and not whole.isascii():
            # Sound UTF-8 up to a letter cut in two: taken for Windows-1252, every accent in it would be garbled.
            raise CsvRefused("csv.cut", line=whole.count(b"\n") + 1) from error
        return clean(raw.decode("cp1252", "replace")), "Windows-1252"


def _two_bytes(start: bytes) -> str:
    """UTF-16 without its mark: every second byte of Latin text is NUL."""
    half = len(start) // 2
    if half > 4 and 10 * start[1::2].count(0) > 4 * half and 20 * start[::2].count(0) < half:
        return "utf-16-le"
    if half > 4 and 10 * start[::2].count(0) > 4 * half and 20 * start[1::2].count(0) < half:
        return "utf-16-be"
    return ""


def _separated(text: str) -> tuple[str, str, int]:
    """The text, what parts its cells, and how many lines were left out above: Excel's "sep=;" says it itself."""
    first, rest = text.partition("\n")[::2]
    told = first.strip().strip('"').lower()
    if told.startswith("sep=") and len(told) == 5:
        return rest, told[4], 1
    if told == "sep=":  # a tab, stripped
        return rest, "\t", 1
    return text, max(_SEPARATORS, key=lambda each: _width(text, each)), 0


def _width(text: str, separator: str) -> int:
    """How many cells the first row has by this separator."""
    try:
        return len(next(csv.reader(io.StringIO(text[:100_000], newline=""), delimiter=separator), []))
    except csv.Error:
        return 0


def _parsed(text: str, separator: str, skipped: int) -> Iterator[SheetRow]:
    # Of the whole process: whoever else reads CSV files here sets its own.
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 0
    try:
        while True:
            line = reader.line_num
            cells = next(reader, None)
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                yield SheetRow(line + 1 + skipped, [original(cell.strip()) for cell in cells])
    except csv.Error as error:
        raise _refusal(str(error), line + 1 + skipped) from error


def _refusal(said: str, line: int) -> CsvRefused:
    if "unexpected end" in said:
        return CsvRefused("csv.cut", line=line)
    if "field larger" in said:
        return CsvRefused("csv.cell_too_long", line=line, limit=f"{LONGEST_CELL:,}")
    return CsvRefused("csv.stray_quote", line=line)


def _headings(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    if len(cells) > MOST_COLUMNS:
        raise CsvRefused("csv.too_many_columns", count=len(cells), limit=MOST_COLUMNS)
    if any(_ADDRESS.fullmatch(cell) for cell in cells):
        raise CsvRefused("csv.no_headings")
    named = [" ".join(cell.split())[:200] or f"Column {at}" for at, cell in enumerate(cells, 1)]
    return [name if named[:at].count(name) == 0 else f"{name} ({named[:at].count(name) + 1})"
            for at, name in enumerate(named)]  # fmt: skip


def _checked(rows: Iterator[SheetRow], width: int, text: str) -> Iterator[SheetRow]:
    """Each row as wide as the headings; one that has more, or where the file breaks off, is odd."""
    ragged, waiting = False, None
    for row in rows:
        if waiting is not None:
            ragged = ragged or len(waiting.cells) < width
            yield _fitted(waiting, width)
        waiting = row
    if waiting is None:
        raise CsvRefused("csv.no_rows")
    whole = text.endswith(("\n", "\r")) or ragged or len(waiting.cells) >= width
    yield _fitted(waiting, width) if whole else SheetRow(waiting.line, waiting.cells, "csv.row_cut")


def _fitted(row: SheetRow, width: int) -> SheetRow:
    if any(row.cells[width:]):
        return SheetRow(row.line, row.cells, "csv.too_many_cells")
    return SheetRow(row.line, (row.cells + [""] * (width - len(row.cells)))[:width])
