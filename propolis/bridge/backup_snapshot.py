"""An account's rows as they stand at one moment, streamed in flat memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db import connection, models, transaction

from propolis.accounts.models import Account
from propolis.bridge.backup_cells import BY_KIND, Row, ids_in, name_ids, write_row, writers
from propolis.bridge.backup_tables import BY_NAME, NAMED_BY, Table

_CHUNK = 2000
_AT_ONCE = 900  # ids in one query


@contextmanager
def snapshot() -> Iterator[datetime]:
    """Everything read inside is of one moment, the yielded one; writers go on meanwhile.

    PostgreSQL: REPEATABLE READ. SQLite: a deferred read transaction, since an atomic block here is IMMEDIATE
    and would keep every writer out. Inside a transaction that is already open, that one's view has to do.
    """
    if connection.in_atomic_block:
        yield datetime.now(UTC)
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT transaction_timestamp()")
            yield cursor.fetchone()[0].astimezone(UTC)
    else:
        with _deferred_read():
            yield datetime.now(UTC)


@contextmanager
def _deferred_read() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            cursor.execute("SELECT count(*) FROM sqlite_master")
            yield
        finally:
            cursor.execute("ROLLBACK")


def rows_of(account: Account, table: Table) -> models.QuerySet[Any]:
    """The account's rows of one table, with the account in scope."""
    query = table.model._default_manager.filter(account=account)
    return query.filter(table.only) if table.only is not None else query


def cells_of(account: Account, table: Table) -> Iterator[list[str]]:
    """Every row as the file holds it, in the order the file has."""
    if table.order:
        yield from written(table, rows_of(account, table).order_by(*table.order))
        return
    places = table.places(table.key)
    small = list(written(table, rows_of(account, table).order_by("id")))
    yield from sorted(small, key=lambda cells: [cells[place] for place in places])


def written(table: Table, query: models.QuerySet[Any]) -> Iterator[list[str]]:
    """The rows of an ordered query over the table's model as cells; rows about a record that is gone are left
    out. Ids first (8 bytes a row), then whole rows by id: a database that had to sort whole rows would hold
    them all."""
    ids = array("q", query.values_list("pk", flat=True).iterator(chunk_size=_CHUNK))
    for cells in as_cells(table, _by_id(table, ids)):
        if cells is not None:
            yield cells


def _by_id(table: Table, ids: array[int]) -> Iterator[Row]:
    paths = [column.path for column in table.columns]
    for start in range(0, len(ids), _AT_ONCE):
        chunk = ids[start : start + _AT_ONCE]
        found = table.model._default_manager.filter(pk__in=list(chunk)).values_list(*paths, "pk")
        rows = {row[-1]: row[:-1] for row in found}
        yield from (rows[pk] for pk in chunk)


def as_cells(table: Table, rows: Iterator[Row]) -> Iterator[list[str] | None]:
    """Values in the order of the table's columns, as cells; None for a row about a record that is gone."""
    by_column = writers(table)
    if not any(column.shape in BY_KIND for column in table.columns):
        for row in rows:
            yield write_row(row, by_column)
        return
    while chunk := list(islice(rows, _CHUNK)):
        names = names_of(ids_in(table, chunk))
        for row in chunk:
            yield name_ids(table, write_row(row, by_column), names)


def names_of(ids: dict[str, set[int]]) -> dict[tuple[str, int], str]:
    """What the rows are called in the files."""
    found = {}
    for name, wanted in ids.items():
        query = BY_NAME[name].model._default_manager
        listed = sorted(wanted)
        for start in range(0, len(listed), _CHUNK):
            some = query.filter(pk__in=listed[start : start + _CHUNK])
            for pk, called in some.values_list("pk", NAMED_BY.get(name, "uid")):
                found[name, pk] = str(called)
    return found
