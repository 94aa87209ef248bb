"""PostgreSQL's statistics while tables fill up.

A first import fills empty tables faster than autovacuum looks at them. Until somebody does, the planner takes any
index for as good as another, and every check of a foreign key at COMMIT reads all rows of the account: 3,000
contacts cost 9,700,000 index entries, 250,000 with this, and the time grew with the square of the rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import connection, models, transaction

FIRST: Final = 250
GROWTH: Final = 4
# A tenth of what autovacuum takes later: 3,000 rows of a table, which is enough to tell one index from another.
ROUGHLY: Final = 10


def refresh_after(tables: Iterable[type[models.Model]], *, before: int, now: int) -> None:
    """Has the statistics made anew after 250, 1,000, 4,000, 16,000 … records of a run; call between batches."""
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return
    mark = FIRST
    while mark <= before:
        mark *= GROWTH
    if now >= mark:
        names = ", ".join(map(_looked_up, tables))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL default_statistics_target = {ROUGHLY}")
            cursor.execute(f"ANALYZE {names}")


def _looked_up(model: type[models.Model]) -> str:
    """The table with the columns anybody looks rows up by. Sorting samples of the others, JSON above all, was
    most of the work."""
    told = (models.JSONField, models.TextField, models.BinaryField)
    columns = [field.column for field in model._meta.concrete_fields if not isinstance(field, told)]
    quoted = ", ".join(connection.ops.quote_name(str(column)) for column in columns)
    return f"{connection.ops.quote_name(model._meta.db_table)} ({quoted})"
