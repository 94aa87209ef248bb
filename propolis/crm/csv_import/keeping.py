"""The file kept on its Run, so many rows a page, until the import has ended; what planning found, page by page."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.utils import timezone

from propolis.crm.csv_import.reading import SheetRow
from propolis.crm.csv_import.sentences import CsvRefused
from propolis.runs.models import Run, RunPage

ROWS_A_PAGE = 500
FILE, COMPANIES, CLAIMS = "file", "companies", "claims"


def keep_rows(run: Run, rows: Iterable[SheetRow]) -> int:
    """Keeps the rows; how many there were. Call in a transaction: what a bad line raises leaves nothing."""
    stream, count = iter(rows), 0
    while page := list(islice(stream, ROWS_A_PAGE)):
        keep(run, FILE, count // ROWS_A_PAGE, [[row.line, row.cells, row.odd] for row in page])
        count += len(page)
    return count


def rows_of(run: Run, page: int) -> list[SheetRow]:
    """The rows of one page; CsvRefused when the file is no longer kept. None are left: an empty list."""
    found = load(run, FILE, page)
    return [SheetRow(*each) for each in found or ()]


def some_rows(run: Run, most: int = 3) -> list[SheetRow]:
    return rows_of(run, 0)[:most]


def keep(run: Run, phase: str, seq: int, what: Any) -> None:
    """The same page again (after a crash) replaces it."""
    body = zlib.compress(json.dumps(what, ensure_ascii=False, separators=(",", ":")).encode(), 1)
    RunPage.objects.bulk_create(
        [RunPage(run=run, phase=phase, seq=seq, read_at=timezone.now(), body=body)],
        update_conflicts=True,
        unique_fields=["run", "phase", "seq"],
        update_fields=["read_at", "body"],
    )


def load(run: Run, phase: str, seq: int) -> Any:
    """What was kept, None if there is no such page; CsvRefused if its body is gone."""
    page = RunPage.objects.filter(run=run, phase=phase, seq=seq).first()
    if page is None:
        return None
    if page.body is None:
        raise CsvRefused("csv.gone")
    return json.loads(zlib.decompress(bytes(page.body)))


def load_all(run: Run, phase: str) -> Iterator[Any]:
    """Every page of the phase, one in memory at a time."""
    for seq in list(
        RunPage.objects.filter(run=run, phase=phase).order_by("seq").values_list("seq", flat=True)
    ):
        yield load(run, phase, seq)


def forget(run: Run) -> None:
    RunPage.objects.filter(run=run).update(body=None)
