"""A whole Propolis of its own for tests that kill: data folder, database, worker processes.

    def test_…(house: House) -> None:
        house.call("tests.runs.house_side:start_counting", batches=100)   # inside a process of that house
        worker = house.worker()                                            # any number
        house.wait_for("select 1 from runs_run where lease_until is not null")
        worker.kill()                                                      # kill -9; also freeze(), thaw()
        house.query("select state from runs_run")                          # [("complete",)]

`house` runs on SQLite and on PostgreSQL. Nothing here imports Django: the test's own database is not touched.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.prepared import copy_postgres, copy_sqlite

ROOT = Path(__file__).resolve().parents[2]
POSTGRES = os.environ.get("PROPOLIS_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
TOY_WORKER = [sys.executable, "-m", "tests.runs.house_side", "worker"]
WORKER = [sys.executable, "-m", "propolis.cli", "worker"]


def required(what: str) -> bool:
    """Whether PROPOLIS_REQUIRE says that this must be here."""
    return what in os.environ.get("PROPOLIS_REQUIRE", "").replace(" ", ",").split(",")


def skip_or_fail(what: str, reason: str) -> None:
    """Skips the test with the reason; fails it where `what` is required."""
    if required(what):
        pytest.fail(f"{what} is required: {reason}")
    pytest.skip(f"{what}: {reason}")


class Process:
    """One process of a house; what it prints is kept in `log`."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as out:
            self.popen = subprocess.Popen(command, env=env, cwd=ROOT, stdout=out, stderr=out)
        self.pid = self.popen.pid

    def kill(self) -> None:
        """kill -9, and gone when this returns."""
        self.popen.kill()
        self.popen.wait(10)

    def freeze(self) -> None:
        """Back once every thread has stopped: on a busy machine one may still begin a transaction until then."""
        self.popen.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self.popen.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status

    def thaw(self) -> None:
        self.popen.send_signal(signal.SIGCONT)

    def terminate(self, timeout: float = 15) -> int:
        """SIGTERM; the exit code."""
        self.popen.terminate()
        return self.popen.wait(timeout)

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def close(self) -> None:
        if self.alive:
            self.thaw()
            self.kill()


class House:
    """One installation: its environment, its database, its processes."""

    def __init__(self, folder: Path, database_url: str | None, **settings: str) -> None:
        self.folder, self.database_url = folder, database_url
        self.processes: list[Process] = []
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PROPOLIS_", "DATABASE_URL"))}
        self.env |= {
            "DJANGO_SETTINGS_MODULE": "propolis.settings",
            "PROPOLIS_DATA_DIR": str(folder),
            "PROPOLIS_LEASE_SECONDS": "2",
            "PROPOLIS_SLICE_SECONDS": "2",
            "PROPOLIS_RETRY_SECONDS": "0.2 0.5",
            "PROPOLIS_PAUSE_SECONDS": "0.05",
            **settings,
        }
        if database_url:
            self.env["DATABASE_URL"] = database_url

    @property
    def vendor(self) -> str:
        return "postgresql" if self.database_url else "sqlite"

    def spawn(self, command: list[str], **env: str) -> Process:
        """Starts a process in this house."""
        log = self.folder / f"process-{len(self.processes)}.log"
        process = Process(command, {**self.env, **env}, log)
        self.processes.append(process)
        return process

    def worker(self, command: list[str] | None = None, **env: str) -> Process:
        """A worker that knows the toy jobs, or the given command (WORKER is the real one)."""
        return self.spawn(command or TOY_WORKER, **env)

    def call(self, function: str, **arguments: Any) -> Any:
        """Calls "module:function" in a process of this house, Django ready; its JSON answer."""
        command = [sys.executable, "-m", "tests.runs.house_side", "call", function, json.dumps(arguments)]
        done = subprocess.run(command, env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows straight from the database, past Django."""
        if self.database_url:
            with psycopg.connect(self.database_url, autocommit=True) as found:
                return found.execute(sql.encode()).fetchall()
        with closing(sqlite3.connect(self.folder / "propolis.sqlite3", timeout=30)) as connection:
            return connection.execute(sql).fetchall()

    def wait_for(self, sql: str, timeout: float = 60) -> list[tuple[Any, ...]]:
        """The rows as soon as there are any, and the tables first of all."""
        found: list[tuple[Any, ...]] = []

        def look() -> bool:
            try:
                found[:] = self.query(sql)
            except (sqlite3.OperationalError, psycopg.errors.UndefinedTable) as error:
                if "no such table" in str(error) or "does not exist" in str(error):
                    return False
                raise
            return bool(found)

        self.wait_until(look, timeout, sql)
        return found

    def wait_until(self, holds: Callable[[], bool], timeout: float = 60, what: str = "") -> None:
        until = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < until, f"{what or 'it'} did not happen in {timeout} s\n{self.said()}"
            time.sleep(0.02)

    def freeze(self, worker: Process) -> None:
        """Stops it where it stands; on SQLite outside a transaction, inside of which it keeps everybody out."""
        worker.freeze()
        while self.vendor == "sqlite" and self._locked():
            worker.thaw()
            time.sleep(0.05)
            worker.freeze()

    def _locked(self) -> bool:
        """Somebody is inside a writing transaction on the SQLite file."""
        with closing(sqlite3.connect(self.folder / "propolis.sqlite3", timeout=0.5)) as found:
            try:
                found.execute("begin immediate")
                found.execute("rollback")
            except sqlite3.OperationalError:
                return True
        return False

    def said(self) -> str:
        """What all processes printed, for the message of a failed test."""
        return "\n".join(f"--- {p.log.name}\n{p.said[-4000:]}" for p in self.processes)

    def close(self) -> None:
        for process in self.processes:
            process.close()


def open_house(vendor: str, folder: Path, **settings: str) -> Iterator[House]:
    """A house on "sqlite" or "postgres", closed and its database dropped afterwards.

    Its database is migrated already; a SQLite file that is in the folder stays.
    """
    if vendor == "sqlite":
        if not (folder / "propolis.sqlite3").exists():
            copy_sqlite(folder / "propolis.sqlite3")
        yield from _opened(House(folder, None, **settings))
        return
    with _named() as name:
        copy_postgres(POSTGRES, name)
        yield from _opened(House(folder, POSTGRES.rpartition("/")[0] + f"/{name}", **settings))


def open_empty_house(vendor: str, folder: Path) -> Iterator[House]:
    """The same without any table: the first command makes them."""
    if vendor == "sqlite":
        yield from _opened(House(folder, None))
        return
    with _named() as name:
        with psycopg.connect(POSTGRES, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"'.encode())
        yield from _opened(House(folder, POSTGRES.rpartition("/")[0] + f"/{name}"))


def _opened(house: House) -> Iterator[House]:
    try:
        yield house
    finally:
        house.close()


@contextmanager
def _named() -> Iterator[str]:
    """A name for a PostgreSQL database, which is dropped afterwards; skips the test where there is no server."""
    try:
        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        skip_or_fail("postgres", str(error).strip())
        return
    name = f"propolis_test_{secrets.token_hex(6)}"
    with admin:
        try:
            yield name
        finally:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house on each database. Import this name into the conftest of tests that want it."""
    yield from open_house(request.param, tmp_path)
