"""A hundred of everything in an account, made by the database itself from what a real import has brought.

Every table that fills up is copied so many times with ids, references and unique keys shifted, names and addresses
varied, so that searching and sorting meet a spread as in life. For PostgreSQL; the database is a throw-away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

# So that a copy's Syncro ids are nobody else's.
REMOTE: Final = 1_000_000_000
_FIRST: Final = (
    "al ber cor dan el far gol hal ing jor kel lund mar nor ost per quin ros stad tor und vik wal yor zim"
)
# Of copy `g`: part of a name, 100 different ones, spread over the alphabet.
_PART: Final = (
    f"split_part('{_FIRST}', ' ', 1 + g * 7 % 25) || (ARRAY['son', 'berg', 'ton', 'ley'])[1 + g / 25 % 4]"
)


def multiply(times: int) -> None:
    """Everything as often as that: once is there already."""
    from django.db import connection

    from propolis.bridge.health_panels import UNLINKED
    from propolis.crm.lists import UNLISTED

    with connection.cursor() as cursor:
        for setting in ("session_replication_role = replica", "maintenance_work_mem = '1GB'",
                        "synchronous_commit = off", "work_mem = '256MB'"):  # fmt: skip
            cursor.execute(f"SET {setting}")
        steps = {model: _step(cursor, model) for model in _models()}
        with _without_indexes(cursor, [model._meta.db_table for model in steps]):
            for model in steps:
                cursor.execute(_copy(model, steps, times))
                _go_on_after(cursor, model)
        # No trigger has seen the copies.
        for ends in (UNLISTED, *UNLINKED.values()):
            ends.refill(connection)
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def _models() -> list[Any]:
    from propolis.bridge.models import Link
    from propolis.crm import models as crm
    from propolis.history.models import Change

    records = (crm.Company, crm.Contact, crm.Opportunity, crm.ListMember, crm.Note, crm.Suppression)
    return [*records, crm.Duplicate, Link, Change]


def _step(cursor: Any, model: Any) -> int:
    """What is added to an id for each copy."""
    cursor.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {model._meta.db_table}")
    return int(cursor.fetchone()[0])


def _go_on_after(cursor: Any, model: Any) -> None:
    table = model._meta.db_table
    cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")


def _copy(model: Any, steps: dict[Any, int], times: int) -> str:
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    values = [_value(model, field, steps) for field in model._meta.concrete_fields]
    table = model._meta.db_table
    return (
        f"INSERT INTO {table} ({columns}) SELECT {', '.join(values)} "
        f"FROM generate_series(1, {times - 1}) g, {table} t WHERE t.id < {steps[model]} ORDER BY g, t.id"
    )


def _value(model: Any, field: Any, steps: dict[Any, int]) -> str:
    """What stands in this column of copy `g` of row `t`."""
    mine, name = f't."{field.column}"', field.name
    if field.primary_key:
        return f"{mine} + g * {steps[model]}"
    if field.related_model in steps:
        return f"{mine} + g * {steps[field.related_model]}"
    kinds = {each._meta.model_name: step for each, step in steps.items()}
    if name in ("local_id", "a", "b"):
        whens = " ".join(
            f"WHEN '{kind}' THEN {kinds[kind]}" for kind in ("company", "contact", "opportunity")
        )
        return f"{mine} + g * CASE t.kind {whens} ELSE 0 END"
    if name == "link_id":
        return f"{mine} + g * {kinds['link']}"
    varied = _VARIED.get((model._meta.model_name, name)) or _VARIED.get(name, mine).format(mine=mine)
    longest = getattr(field, "max_length", None) if field.get_internal_type() == "CharField" else None
    return f"left({varied}, {longest})" if longest and varied != mine else varied


_NAMED: Final = f"CASE WHEN {{mine}} = '' THEN '' ELSE {{mine}} || {_PART} END"
_PLACED: Final = f"CASE WHEN {{mine}} = '' THEN '' ELSE {{mine}} || ' ' || {_PART} END"
_NUMBER: Final = (
    "CASE WHEN {mine} ~ '^[0-9]{{8,15}}$' THEN ({mine}::numeric + g * 1237)::text ELSE {mine} END"
)
_VARIED: Final[dict[Any, str]] = {
    "uid": "gen_random_uuid()",
    "remote_id": f"{{mine}} + g::bigint * {REMOTE}",
    "parent_id": f"{{mine}} + g::bigint * {REMOTE}",
    **dict.fromkeys(("last", "name_key", "sort_name"), _NAMED),
    **dict.fromkeys((("company", "name"), ("opportunity", "name")), _PLACED.format(mine="t.name")),
    **dict.fromkeys(
        (("company", "sort_name"), ("opportunity", "sort_name")), _PLACED.format(mine="t.sort_name")
    ),
    ("company", "name_key"): _PLACED.format(mine="t.name_key"),
    **dict.fromkeys(("email", "email_key"), f"replace({{mine}}, '@', '@' || {_PART} || '-')"),
    "domain": f"CASE WHEN {{mine}} = '' THEN '' ELSE {_PART} || '-' || {{mine}} END",
    **dict.fromkeys(("phone_key", "mobile_key"), _NUMBER),
    **dict.fromkeys(("created_at", "edited_at", "closed_at"), "{mine} - g * interval '1 hour'"),
    "next_step_on": "{mine} + (g % 90 - 30)",
}


@contextmanager
def _without_indexes(cursor: Any, tables: list[str]) -> Iterator[None]:
    """Those that are no constraint's are made anew afterwards, which is quicker than keeping them up to date."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s) "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        [tables],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _, statement in found:
        cursor.execute(re.sub("%", "%%", statement))
