"""A migrated database, made once and copied: migrating takes seconds, and every worker and house needs one.

The SQLite file is kept in the environment's folder, the PostgreSQL one on its server under a name of this
checkout; both are made anew when a migration or what it stands on changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import connect

import psycopg

ROOT = Path(__file__).resolve().parents[1]
KEPT = Path(sys.prefix) / "databases"
MAKE = "from propolis.cli.database import prepare; prepare()"
IMPORTED = re.compile(r"^from (propolis[\w.]*) import ([\w, ]+)$", re.MULTILINE)


def fingerprint() -> str:
    """Changes with the migrations, the modules they import, the settings and the packages' versions."""
    migrations = sorted(ROOT.glob("propolis/*/migrations/*.py"))
    names = sorted({name for path in migrations for name in _imported(path)})
    modules = [ROOT / f"{name.replace('.', '/')}.py" for name in names]
    found = [*migrations, *(path for path in modules if path.exists())]
    found += [ROOT / "propolis/settings.py", ROOT / "propolis/accounts/sqlite_statistics.py"]
    found += [ROOT / "propolis/crm/loose_ends.py"]
    found += [ROOT / "requirements/base.txt"]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in found)).hexdigest()[:16]


def _imported(path: Path) -> Iterator[str]:
    for module, names in IMPORTED.findall(path.read_text()):
        yield module
        yield from (f"{module}.{name.strip()}" for name in names.split(","))


def copy_sqlite(to: Path) -> None:
    """Puts a migrated SQLite database there."""
    with _alone():
        kept = KEPT / f"{fingerprint()}.sqlite3"
        if not kept.exists():
            _make_sqlite(kept)
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(kept, to)


def copy_postgres(server: str, name: str) -> None:
    """Makes a migrated database of this name; `server` is the address of any other database there.

    What it holds may be lost when the machine dies, not when one of our processes does.
    """
    with _alone(), psycopg.connect(server, autocommit=True) as admin:
        template = f"{prefix()}{fingerprint()}"
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone():
            _make_postgres(admin, server, template)
        # One that a killed run has left.
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        admin.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())


def prefix() -> str:
    """What the names of this checkout's prepared PostgreSQL databases begin with."""
    return f"propolis_prepared_{hashlib.sha256(bytes(ROOT)).hexdigest()[:8]}_"


def _make_sqlite(kept: Path) -> None:
    for old in KEPT.glob("*.sqlite3"):
        old.unlink()
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        draft = Path(folder) / "propolis.sqlite3"
        _migrate(folder, "")
        with closing(connect(draft)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        draft.rename(kept)


def _make_postgres(admin: psycopg.Connection, server: str, template: str) -> None:
    draft = f"{prefix()}draft"
    olds = admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix()])
    for (old,) in olds.fetchall():
        admin.execute(f'DROP DATABASE "{old}" WITH (FORCE)'.encode())
    admin.execute(f'CREATE DATABASE "{draft}"'.encode())
    with tempfile.TemporaryDirectory() as folder:
        _migrate(folder, f"{server.rpartition('/')[0]}/{draft}")
    admin.execute(f'ALTER DATABASE "{draft}" RENAME TO "{template}"'.encode())


def _migrate(folder: str, database_url: str) -> None:
    given = {"DJANGO_SETTINGS_MODULE": "propolis.settings", "PROPOLIS_DATA_DIR": folder}
    env = {**os.environ, **given, "DATABASE_URL": database_url}
    subprocess.run([sys.executable, "-c", MAKE], env=env, cwd=ROOT, check=True, capture_output=True)


@contextmanager
def _alone() -> Iterator[None]:
    KEPT.mkdir(exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
