"""`python -m tests`: every test this machine can run, on SQLite and on PostgreSQL, and what was left out.

PROPOLIS_REQUIRE=postgres,chromium   their absence is a failure
PROPOLIS_TEST_POSTGRES               the server to use (default postgres://postgres@127.0.0.1:5432/postgres)
PROPOLIS_TEST_BARE=1                 as on a machine that has neither

Further arguments go to pytest.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[1]
BARE = os.environ.get("PROPOLIS_TEST_BARE") == "1"
NOWHERE = "postgres://postgres@127.0.0.1:1/none"
SERVER = os.environ.get("PROPOLIS_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
REQUIRED = set(os.environ.get("PROPOLIS_REQUIRE", "").replace(" ", ",").split(",")) - {""}
# What looks at the clock or drives processes runs alone; all else two at a time.
ALONE = "(kill or slow or browser)"
NOTHING_COLLECTED = 5


@dataclass
class Pass:
    """One run of pytest: `select` is a marker expression, `parallel` whether tests may run side by side."""

    name: str
    select: str
    parallel: bool
    env: dict[str, str] = field(default_factory=dict)


@dataclass
class Told:
    """What all passes came to. `left_out`: reason → how many tests."""

    passed: int = 0
    failed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    why_no_postgres = postgres_missing()
    told, began = Told(), time.monotonic()
    name = f"propolis_{secrets.token_hex(4)}"
    try:
        for each in passes(name, with_postgres=not why_no_postgres):
            run(each, arguments, told)
    finally:
        if not why_no_postgres:
            drop_databases(f"test_{name}")
    if why_no_postgres:
        print(f"\nPostgreSQL: {why_no_postgres}. Everything was tested on SQLite only.")
        if "postgres" in REQUIRED:
            told.broken.append("PostgreSQL is required and was not there")
    return report(told, time.monotonic() - began)


def passes(database: str, *, with_postgres: bool) -> list[Pass]:
    sqlite = {"DATABASE_URL": ""}
    if BARE:
        sqlite["PROPOLIS_TEST_POSTGRES"] = NOWHERE
    here = "not live and not postgres" if with_postgres else "not live"
    found = [
        Pass("SQLite", f"{here} and not {ALONE}", True, sqlite),
        Pass("SQLite, one at a time", f"{here} and {ALONE}", False, sqlite),
    ]
    if with_postgres:
        postgres = {"DATABASE_URL": SERVER.rpartition("/")[0] + f"/{database}", "PROPOLIS_TEST_SECOND": "1"}
        found += [
            Pass("PostgreSQL", f"not live and not browser and not {ALONE}", True, postgres),
            Pass("PostgreSQL, one at a time", f"not live and not browser and {ALONE}", False, postgres),
        ]
    return found


def run(each: Pass, arguments: list[str], told: Told) -> None:
    print(f"\n=== {each.name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.databases", "-m", each.select]
        command += ["-n", "2", "--dist", "worksteal"] if each.parallel else []
        command += [f"--junitxml={results}", *arguments]
        code = subprocess.run(command, cwd=ROOT, env={**os.environ, **each.env}, check=False).returncode
        if code not in (0, NOTHING_COLLECTED):
            told.broken.append(f"{each.name}: pytest ended with {code}")
        if results.exists():
            count(results, told)


def count(results: Path, told: Told) -> None:
    for case in ElementTree.parse(results).iter("testcase"):
        skipped = case.find("skipped")
        if skipped is not None:
            told.left_out[skipped.get("message") or "no reason given"] += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            told.failed += 1
        else:
            told.passed += 1


def report(told: Told, seconds: float) -> int:
    print(f"\n{told.passed:,} passed, {told.failed:,} failed in {seconds:.0f} s.")
    if told.left_out:
        print("Left out:")
        for reason, times in told.left_out.most_common():
            print(f"  {times:,} × {reason}")
    for what in told.broken:
        print(f"Failed: {what}.")
    return 1 if told.broken or told.failed or not told.passed else 0


def postgres_missing() -> str:
    """Why PostgreSQL cannot be used here, "" when it can."""
    if BARE:
        return "PROPOLIS_TEST_BARE is set"
    try:
        psycopg.connect(SERVER, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return str(error).strip().splitlines()[0]
    return ""


def drop_databases(prefix: str) -> None:
    """Those a crashed run has left; a finished one leaves none."""
    with psycopg.connect(SERVER, autocommit=True) as admin:
        rows = admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
        for (name,) in rows.fetchall():
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
