"""The triggers that keep audit rows as they were written."""

from __future__ import annotations

from typing import Any

SQLITE = {
    "audit_no_update": "CREATE TRIGGER audit_no_update BEFORE UPDATE ON accounts_audit "
    "BEGIN SELECT RAISE(ABORT, 'audit rows cannot be changed'); END",
    "audit_no_delete": "CREATE TRIGGER audit_no_delete BEFORE DELETE ON accounts_audit "
    "BEGIN SELECT RAISE(ABORT, 'audit rows cannot be deleted'); END",
}
POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit rows cannot be changed or deleted'; END $$",
    "CREATE TRIGGER audit_guard BEFORE UPDATE OR DELETE ON accounts_audit "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
)


def install(connection: Any) -> None:
    """Creates the triggers; the database then refuses UPDATE and DELETE on audit rows."""
    statements = POSTGRESQL if connection.vendor == "postgresql" else SQLITE.values()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(connection: Any) -> None:
    """Drops them: for emptying a test database only."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP TRIGGER IF EXISTS audit_guard ON accounts_audit")
        else:
            for name in SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
