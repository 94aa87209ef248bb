"""PostgreSQL's statistics while tables fill up.

A first import fills empty tables faster than autovacuum looks at them. Until somebody does, the planner takes any
index for as good as another, and every check of a foreign key at COMMIT reads all rows of the account: 3,000
contacts cost 9,700,000 index entries, 250,000 with this, and the time grew with the square of the rows.
"""

from __future__ import annotations

from typing import Final

from django.db import connection

from propolis.bridge.models import Link
from propolis.crm.models import Company, Contact, ListMember, Opportunity, Suppression
from propolis.history.models import Change

TABLES: Final = (Company, Contact, Opportunity, Suppression, ListMember, Link, Change)
FIRST: Final = 250
GROWTH: Final = 4


def refresh_after(*, before: int, now: int) -> None:
    """Has the statistics made anew after 250, 1,000, 4,000, 16,000 … records of a run; call between batches."""
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return
    mark = FIRST
    while mark <= before:
        mark *= GROWTH
    if now >= mark:
        names = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in TABLES)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {names}")
