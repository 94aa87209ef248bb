"""What the drivers take and give for each column, a column of many rows at a time."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import msgspec
from django.db import connection, models

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """`kind`: its type in the database, without length or scale, which a cast would enforce in silence.
    `store`, `load`: from attribute to driver and back, one value each; None = the same on both sides."""

    attribute: str
    name: str
    kind: str
    store: Convert | None
    load: Convert | None

    def stored(self, cells: list[Any]) -> list[Any]:
        return cells if self.store is None else list(map(self.store, cells))

    def loaded(self, cells: Iterable[Any]) -> Iterable[Any]:
        return cells if self.load is None else map(self.load, cells)


@cache
def columns_of(model: type[models.Model], vendor: str) -> tuple[Column, ...]:
    """Every column of a model, in the order a query selects them."""
    return tuple(
        Column(field.attname, str(field.column), _kind(field), *_ways(field, vendor))
        for field in model._meta.concrete_fields
    )


def _kind(field: models.Field[Any, Any]) -> str:
    return (field.db_type(connection) or "text").partition("(")[0]


def _ways(field: models.Field[Any, Any], vendor: str) -> tuple[Convert | None, Convert | None]:
    if isinstance(field, models.JSONField):
        return _to_json, _from_json
    if isinstance(field, models.DateTimeField):
        return (_now_or, None) if vendor == "postgresql" else (_to_text, _in_utc)
    if isinstance(field, models.DecimalField):
        return _to_decimal, _by_django(field)
    if vendor != "postgresql" and isinstance(field, models.UUIDField):
        return _to_hex, _by_django(field)
    if vendor != "postgresql" and isinstance(field, models.DateField):
        return _to_iso, _by_django(field)
    return None, _by_django(field)


def _by_django(field: models.Field[Any, Any]) -> Convert | None:
    """What Django itself does to a value of this column that it reads, None if nothing."""
    selected: Any = field.cached_col
    steps = [*connection.ops.get_db_converters(selected), *selected.get_db_converters(connection)]
    if not steps:
        return None

    def load(value: Any) -> Any:
        for step in steps:
            value = step(value, selected, connection)
        return value

    return load


def _to_json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _from_json(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:  # what only the standard library writes and reads: NaN, half a surrogate pair
        return json.loads(text)


def _now_or(value: Any) -> Any:
    return value if value is None or isinstance(value, datetime) else datetime.now(UTC)


def _to_text(value: Any) -> str | None:
    if value is None:
        return None
    return _without_zone(value if isinstance(value, datetime) else datetime.now(UTC))


@lru_cache(maxsize=1024)
def _without_zone(at: datetime) -> str:
    """A batch says the same few instants over and over."""
    return str(at.astimezone(UTC).replace(tzinfo=None))


def _in_utc(value: datetime | None) -> datetime | None:
    """SQLite's driver gives instants without a zone; they are in UTC, as they were written."""
    return None if value is None else value.replace(tzinfo=UTC)


def _to_decimal(value: Any) -> Any:
    return None if value is None else connection.ops.adapt_decimalfield_value(value)


def _to_hex(value: uuid.UUID | None) -> str | None:
    return None if value is None else value.hex


def _to_iso(value: Any) -> str | None:
    return None if value is None else value.isoformat()
