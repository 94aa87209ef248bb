"""What SQLite's planner is told about the tables that fill up: the same in every installation.

Without statistics SQLite takes any first column of an index for selective, and nearly every index here begins
with the account, which all rows share: to find fifty records by id it read every row of the account. Statistics
taken by ANALYZE mislead it the other way: it knows only averages, and of 100,000 Links nearly all are *linked*
while those that are asked for by state are few. So it is told what holds at any size, and plans never change
from one day to the next. docs/decisions/008-what-sqlite-is-told.md has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

MANY: Final = (
    *("crm_company", "crm_contact", "crm_opportunity", "crm_listmember", "crm_note"),
    *("crm_duplicate", "crm_notduplicate", "crm_suppression"),
    *("bridge_link", "history_change", "accounts_audit"),
)
ROWS: Final = 100_000
# Indexes of a few of the table's rows.
RARE: Final = {
    *("company_deleted", "company_disabled", "contact_deleted", "opp_deleted"),
    *("link_newer_here", "change_by_hand", "change_of_company"),
}
RARE_ROWS: Final = 1_000
# How many values of a column share the rows; of any other column nearly every row has its own.
VALUES: Final = {
    **dict.fromkeys(("account_id", "connection_id", "deleted_at"), 1),
    **dict.fromkeys(("kind",), 4),
    **dict.fromkeys(("run_id", "list_id", "reason"), 5),
    **dict.fromkeys(("action",), 8),
    **dict.fromkeys(("salesperson_id", "status_id", "mail_state", "newer_here"), 10),
    # Most rows have one of them; the rest are what is asked for.
    **dict.fromkeys(("state",), 20),
}


def register(app: AppConfig) -> None:
    """Called once, when the app is ready."""
    post_migrate.connect(install, sender=app, dispatch_uid="sqlite_statistics")


def install(using: str = "default", **signal: Any) -> None:
    """Writes them, in place of any there are; after every migration, as one that remakes a table drops them."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sqlite_schema")  # makes the table they stand in
        cursor.execute("DELETE FROM sqlite_stat1")
        cursor.executemany(
            "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", list(_told(cursor))
        )
        cursor.execute("ANALYZE sqlite_schema")  # reads it


def _told(cursor: Any) -> Iterator[tuple[str, str, str]]:
    """Table, index, "rows, rows for one value of the first column, of the first two, …"."""
    for table in MANY:
        cursor.execute(f"PRAGMA index_list({table})")
        for _, name, unique, _, _ in cursor.fetchall():
            cursor.execute(f"PRAGMA index_info({name})")
            columns = [column for _, _, column in cursor.fetchall()]
            shares = _shares(columns, bool(unique), RARE_ROWS if name in RARE else ROWS)
            yield table, name, " ".join(map(str, shares))


def _shares(columns: list[str], unique: bool, rows: int) -> Iterator[int]:
    yield rows
    for column in columns:
        rows = max(2, rows // VALUES.get(column, rows))
        whole = column == "id" or (unique and column == columns[-1])
        yield 1 if whole else rows
