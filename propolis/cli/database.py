"""Bringing the database up to date before a command runs, one process at a time."""

from __future__ import annotations

import fcntl
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from propolis.cli import Sorry

# Any number, the same in every process: PostgreSQL's lock around migrations.
ADVISORY_LOCK = 7_301_956


def prepare() -> None:
    """django.setup(), then migrations and the cache table where they are missing."""
    _set_up()
    from django.db import DatabaseError, OperationalError

    try:
        _bring_up_to_date()
    except OperationalError as error:
        raise Sorry(f"The database does not answer: {_first_line(error)}\n{_what_to_check()}") from None
    except DatabaseError as error:
        if "not a database" not in str(error):
            raise
        name = settings.DATABASES["default"]["NAME"]
        raise Sorry(f"{name} is not a database. Move it away, or put a copy of yours in its place.") from None


def _set_up() -> None:
    """Sorry where the environment's settings cannot be used."""
    try:
        with _all_to_stay():
            django.setup()
    except ImproperlyConfigured as error:
        raise Sorry(_first_line(error)) from None
    except OSError as error:
        folder = os.environ.get("PROPOLIS_DATA_DIR") or "~/.propolis"
        raise Sorry(
            f"Propolis cannot keep its data in {folder}: {error.strerror}. Name another folder in PROPOLIS_DATA_DIR."
        ) from None


@contextmanager
def _all_to_stay() -> Iterator[None]:
    """What is loaded inside stays for good: looking through it for what could go took a sixth of a command's start, and
    would take a worker 60 ms each time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    gc.freeze()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _what_to_check() -> str:
    if "sqlite" in settings.DATABASES["default"]["ENGINE"]:
        return f"Check that this user may write to {settings.DATA_DIR}, and that its disk is not full."
    return "Check that it runs and that DATABASE_URL is right."


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
