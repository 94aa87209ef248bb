"""Rows by the thousand: inserts and updates that skip the ORM's work per value, not its checks.

`bulk_create` costs more in compiling SQL than the database in writing. Here ids are drawn first (so that rows can
point at each other before any is written), values go to the driver as they are, and PostgreSQL gets COPY. Every
row is still checked to belong to the scope's account.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState
from django.db.models.fields import NOT_PROVIDED

from propolis.accounts.scoping import TenantModel, check_accounts

Convert = Callable[[Any], Any]
# SQLite's own limit for one statement since 3.32.
MOST_PARAMETERS = 32_000
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
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
    columns = _columns(model, connection.vendor)
    values = [_values(row, columns) for row in rows]
    names = ", ".join(f'"{column}"' for _, column, _ in columns)
    table = f'"{model._meta.db_table}"'
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            # The driver's own way: its errors must become Django's like those of any other statement.
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for one in values:
                    copy.write_row(one)
        else:
            _insert_sqlite(f"INSERT INTO {table} ({names}) VALUES ", values)  # noqa: S608


def _values(row: TenantModel, columns: tuple[tuple[str, str, Convert], ...]) -> list[Any]:
    """The row's own attributes as the driver takes them; a field never set is looked up the slow way."""
    kept = row.__dict__
    return [
        (value if convert is _plain else convert(value))
        for value, convert in ((kept[n] if n in kept else getattr(row, n), c) for n, _, c in columns)
    ]


def _insert_sqlite(statement: str, values: Sequence[list[Any]]) -> None:
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
    known = {name: (column, convert) for name, column, convert in _columns(model, connection.vendor)}
    sets = ", ".join(f'"{known[name][0]}" = %s' for name in names)
    converts = [known[name][1] for name in names]
    with connection.cursor() as cursor:
        cursor.executemany(
            f'UPDATE "{model._meta.db_table}" SET {sets} WHERE "id" = %s',  # noqa: S608
            [
                [*(convert(value) for convert, value in zip(converts, row[:-1], strict=True)), row[-1]]
                for row in rows
            ],
        )


def _ids(model: type[models.Model], count: int) -> range | list[int]:
    """So many ids nobody else gets: on SQLite this transaction is the only writer, PostgreSQL has a sequence."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [f'"{table}"', count],
            )
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
    first = (found[0] if found else 0) + 1
    return range(first, first + count)


@cache
def _columns(model: type[models.Model], vendor: str) -> tuple[tuple[str, str, Convert], ...]:
    """Attribute, column and conversion of every field."""
    return tuple(
        (field.attname, str(field.column), _converter(field, vendor)) for field in model._meta.concrete_fields
    )


def _converter(field: models.Field[Any, Any], vendor: str) -> Convert:
    if isinstance(field, models.JSONField):
        return _json
    if isinstance(field, models.DateTimeField):
        return _now_or if vendor == "postgresql" else _sqlite_instant
    if vendor != "postgresql":
        if isinstance(field, models.UUIDField):
            return _hex
        if isinstance(field, models.DateField):
            return _iso
    if isinstance(field, models.DecimalField):
        return lambda value: None if value is None else connection.ops.adapt_decimalfield_value(value)
    return _plain


def _plain(value: Any) -> Any:
    return value


def _json(value: Any) -> str | None:
    return None if value is None else _encode(value)


def _now_or(value: Any) -> Any:
    return value if value is None or isinstance(value, datetime) else datetime.now(UTC)


def _sqlite_instant(value: Any) -> str | None:
    if value is None:
        return None
    return _without_zone(value if isinstance(value, datetime) else datetime.now(UTC))


@lru_cache(maxsize=1024)
def _without_zone(at: datetime) -> str:
    """A batch says the same few instants over and over."""
    return str(at.astimezone(UTC).replace(tzinfo=None))


def _hex(value: uuid.UUID | None) -> str | None:
    return None if value is None else value.hex


def _iso(value: Any) -> str | None:
    return None if value is None else value.isoformat()
