"""Rows by the thousand: reading, inserting and updating that skip the ORM's work per value, not its checks.

`bulk_create` costs more in compiling SQL than the database in writing, and a query set more in making its rows
than the database in finding them. Here ids are drawn first (so that rows can point at each other before any is
written), values are converted column by column and go to the driver as they are, and PostgreSQL gets COPY. Every
row is still checked to belong to the scope's account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState
from django.db.models.fields import NOT_PROVIDED

from propolis.accounts.bulk_values import Column, columns_of
from propolis.accounts.frozen import over_within
from propolis.accounts.scoping import TenantModel, TenantQuerySet, check_accounts

# SQLite's own limit for one statement since 3.32.
MOST_PARAMETERS = 32_000
M = TypeVar("M", bound=TenantModel)


def maker(model: type[M]) -> Callable[..., M]:
    """Makes new rows of a model from attributes (`company_id`, not `company`), several times faster than calling
    the model, which looks at every field anew each time."""
    blank = model()
    fresh = {
        f.attname: f.default
        for f in model._meta.concrete_fields
        if f.default is not NOT_PROVIDED and callable(f.default)
    }
    plain = {k: v for k, v in blank.__dict__.items() if k != "_state" and k not in fresh}

    def make(**values: Any) -> M:
        row = model.__new__(model)
        kept = row.__dict__
        kept["_state"] = ModelState()
        kept.update(plain)
        for name, default in fresh.items():
            if name not in values:
                kept[name] = default()
        kept.update(values)
        return row

    return make


def read(query: models.QuerySet[M]) -> list[M]:
    """The rows of a query as the query itself would give them; whole rows only, nothing selected beside them."""
    if isinstance(query, TenantQuerySet):
        query.refuse_unscoped()
    model: type[M] = query.model
    columns = columns_of(model, connection.vendor)
    statement, parameters = query.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = cursor.fetchall()
    names = [column.attribute for column in columns]
    loaded = [
        column.loaded(cells) for column, cells in zip(columns, zip(*found, strict=True), strict=bool(found))
    ]
    # Asked once: which connection it is takes a row longer than everything else about it.
    alias = connection.alias
    return [_stored(model, dict(zip(names, each, strict=True)), alias) for each in zip(*loaded, strict=True)]


def _stored(model: type[M], values: dict[str, Any], alias: str) -> M:
    """A row of the model that is in the database already."""
    row = model.__new__(model)
    row.__dict__.update(values)
    state = row.__dict__["_state"] = ModelState()
    state.adding, state.db = False, alias
    return row


# No table of a batch takes so long to send, however busy the machine.
FROZEN_SECONDS: Final = 60.0


def insert(rows: Sequence[TenantModel]) -> None:
    """Writes new rows of one model and sets their ids. Call in a transaction.

    Database defaults are not asked for: a field left at its default needs a value of its own.
    """
    if not rows:
        return
    check_accounts(rows)
    model = type(rows[0])
    for row, number in zip(rows, _ids(model, len(rows)), strict=True):
        row.pk = number
        row._state.adding = False
    names, values = _table(model, rows)
    into = f'"{model._meta.db_table}" ({", ".join(names)})'
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            # The driver's own way: its errors must become Django's like those of any other statement.
            with over_within(FROZEN_SECONDS), cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for one in values:
                    copy.write_row(one)
        else:
            _insert_sqlite(f"INSERT INTO {into} VALUES ", values)  # noqa: S608


def _table(model: type[TenantModel], rows: Sequence[TenantModel]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns in which any row has a value, and each row's values in them as the driver takes them."""
    names, stored = [], []
    for column in columns_of(model, connection.vendor):
        name = column.attribute
        try:
            cells = [row.__dict__[name] for row in rows]
        except KeyError:  # never set on some row: looked up the slow way
            cells = [getattr(row, name) for row in rows]
        cells = column.stored(cells)
        if cells.count(None) < len(cells):
            names.append(f'"{column.name}"')
            stored.append(cells)
    return names, list(zip(*stored, strict=True))


def _insert_sqlite(statement: str, values: Sequence[tuple[Any, ...]]) -> None:
    """Many rows a statement: with triggers on a table SQLite journals each *statement* page by page."""
    width = len(values[0])
    marks = f"({', '.join('?' * width)})"
    size = max(1, MOST_PARAMETERS // width)
    for start in range(0, len(values), size):
        some = values[start : start + size]
        # Past Django's cursor, which would look for "%s" in a text of a hundred thousand characters.
        connection.connection.execute(
            statement + ", ".join([marks] * len(some)), list(chain.from_iterable(some))
        )


def update(model: type[TenantModel], names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Sets these attributes by id: each row is their values, then the id. Call in a transaction."""
    if not rows:
        return
    known = {column.attribute: column for column in columns_of(model, connection.vendor)}
    columns = [known[name] for name in names]
    *cells, ids = zip(*rows, strict=True)
    stored = [column.stored(list(each)) for column, each in zip(columns, cells, strict=True)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_update_postgres(model, columns), [*stored, list(ids)])
            return
        sets = ", ".join(f'"{column.name}" = %s' for column in columns)
        cursor.executemany(
            f'UPDATE "{model._meta.db_table}" SET {sets} WHERE "id" = %s',  # noqa: S608
            list(zip(*stored, ids, strict=True)),
        )


def _update_postgres(model: type[TenantModel], columns: Sequence[Column]) -> str:
    """One statement for all rows: planning one for each takes the server longer than carrying it out."""
    sets = ", ".join(f'"{each.name}" = "new"."{each.name}"' for each in columns)
    names = ", ".join(f'"{each.name}"' for each in columns)
    arrays = ", ".join(f"%s::{each.kind}[]" for each in columns)
    table = model._meta.db_table
    return (
        f'UPDATE "{table}" SET {sets} FROM unnest({arrays}, %s::bigint[]) '  # noqa: S608
        f'AS "new"({names}, "its_id") WHERE "{table}"."id" = "new"."its_id"'
    )


def _ids(model: type[models.Model], count: int) -> range | list[int]:
    """So many ids nobody else gets: on SQLite this transaction is the only writer, PostgreSQL has a sequence."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # In a query of its own the sequence is looked up once, not for every row.
            cursor.execute(
                "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass)) FROM generate_series(1, %s)",
                [f'"{table}"', count],
            )
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
    first = (found[0] if found else 0) + 1
    return range(first, first + count)
