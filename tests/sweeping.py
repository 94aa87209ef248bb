"""The database tests run on: a copy of the prepared one, emptied after each test that committed something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, transaction

from propolis.accounts import audit_guard
from tests.prepared import copy_postgres, copy_sqlite

# As a migrated database has them.
STAY = frozenset({"django_migrations", "django_content_type", "auth_permission"})


@contextmanager
def test_database() -> Iterator[None]:
    """Django's connection leads to a copy of the prepared database, which is gone afterwards."""
    given = settings.DATABASES["default"]
    name = given["NAME"]
    mine = str(given["TEST"].get("NAME") or f"test_{name}")
    if connection.vendor == "sqlite":
        copy_sqlite(Path(mine))
        # What a test has committed need not outlive the machine.
        given["OPTIONS"] = {
            **given["OPTIONS"],
            "init_command": "PRAGMA synchronous=OFF; PRAGMA cache_size=-32000;",
        }
    else:
        copy_postgres(_server(), mine)
    _lead_to(mine)
    audit_guard.remove(connection)
    yield
    _lead_to(str(name))
    if connection.vendor == "postgresql":
        with psycopg.connect(_server(), autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{mine}" WITH (FORCE)'.encode())
    else:
        Path(mine).unlink()


def _lead_to(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def _server() -> str:
    """The address of the server's own database."""
    given = settings.DATABASES["default"]
    person = given["USER"] + (f":{given['PASSWORD']}" if given["PASSWORD"] else "")
    return f"postgres://{person}@{given['HOST']}:{given['PORT'] or 5432}/postgres"


def sweep(_: Any = None) -> None:
    """Deletes all rows of all tables that have any.

    Django's own way truncates every table and makes all content types and permissions again, a third of a second
    each time.
    """
    with connection.constraint_checks_disabled():
        _sweep()


def _sweep() -> None:
    tables = sorted({*connection.introspection.django_table_names(), "propolis_cache"} - STAY)
    looks = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in tables)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Keys into other tables have nothing to say when everything goes.
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(looks)
        for (name,) in cursor.fetchall():
            cursor.execute(f'DELETE FROM "{name}"')
