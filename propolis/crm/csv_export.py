"""CSV files of records, made while they are sent: memory stays flat however many there are.

UTF-8 with a byte order mark, without which Excel takes it for something else; no cell is a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from propolis.accounts.csv_cells import inert
from propolis.crm.csv_columns import columns_of, complete, paths_of
from propolis.crm.fields import Kind
from propolis.crm.paging import Sort, walked

BATCH = 1000
_MARK = "\ufeff"


def complete_export(kind: Kind, query: QuerySet[Any], sort: Sort) -> Iterator[bytes]:
    """Every field of every record of the query, in this order; read inside the account's scope."""
    columns = columns_of(kind)
    yield encoded([[column.heading for column in columns]], first=True)
    for rows in walked(query, sort, paths_of(columns), BATCH):
        complete(kind, rows)
        yield encoded([column.cell(row) for column in columns] for row in rows)


def encoded(lines: Iterable[Sequence[str]], *, first: bool = False) -> bytes:
    """Lines of a file as bytes; `first`: the file begins with them."""
    out = io.StringIO()
    csv.writer(out).writerows([inert(cell) for cell in line] for line in lines)
    return (_MARK * first + out.getvalue()).encode()
