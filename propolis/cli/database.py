"""Bringing the database up to date before a command runs, one process at a time."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.conf import settings

from propolis.cli import Sorry

# Any number, the same in every process: PostgreSQL's lock around migrations.
ADVISORY_LOCK = 7_301_956


def prepare() -> None:
    """django.setup(), then migrations and the cache table where they are missing."""
    django.setup()
    from django.db import OperationalError

    try:
        _bring_up_to_date()
    except OperationalError as error:
        first = str(error).strip().partition("\n")[0]
        raise Sorry(
            f"The database does not answer: {first}\nCheck that it runs and that DATABASE_URL is right."
        ) from None


def _bring_up_to_date() -> None:
    from django.core.management import call_command

    # Before the first connection: two that switch a new SQLite file to WAL at once lock each other out.
    with _alone():
        if not _missing():
            return
        print("Preparing the database …", file=sys.stderr, flush=True)
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)


def _missing() -> bool:
    """Whether a migration or the cache table is missing."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    if settings.CACHES["default"]["LOCATION"] not in connection.introspection.table_names():
        return True
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def _alone() -> Iterator[None]:
    from django.db import connection

    if connection.vendor == "postgresql":
        with _advisory_lock(connection):
            yield
        return
    with (settings.DATA_DIR / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _advisory_lock(connection: Any) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
