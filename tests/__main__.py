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

from tests import prepared

ROOT = Path(__file__).resolve().parents[1]
BARE = os.environ.get("PROPOLIS_TEST_BARE") == "1"
NOWHERE = "postgres://postgres@127.0.0.1:1/none"
SERVER = os.environ.get("PROPOLIS_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
REQUIRED = set(os.environ.get("PROPOLIS_REQUIRE", "").replace(" ", ",").split(",")) - {""}
NOTHING_COLLECTED = 5


@dataclass
class Pass:
    """One run of pytest, three tests at a time; `select` is a marker expression, `files` where such tests are (all
    files, if none): each of the three processes reads them."""

    name: str
    select: str
    env: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


@dataclass
class Told:
    """What all passes came to. `left_out`: reason → how many tests; `passes`: a line for each."""

    passed: int = 0
    failed: int = 0
    passes: list[str] = field(default_factory=list)
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
            drop_databases(prepared.prefix())
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
    found = [Pass("SQLite", f"{here} and not kill", sqlite)]
    if with_postgres:
        postgres = {"DATABASE_URL": SERVER.rpartition("/")[0] + f"/{database}", "PROPOLIS_TEST_SECOND": "1"}
        found.append(Pass("PostgreSQL", "not live and not browser and not kill", postgres))
    # Their processes use databases of their own, whichever pytest itself is on.
    longest_first = {**sqlite, "PROPOLIS_TEST_LONGEST_FIRST": "1"}
    found.append(Pass("Killed workers", "not live and kill", longest_first, saying("mark.kill")))
    return found


def saying(words: str) -> list[str]:
    """The test files with these words in them."""
    return sorted(str(path) for path in (ROOT / "tests").rglob("test_*.py") if words in path.read_text())


def run(each: Pass, arguments: list[str], told: Told) -> None:
    print(f"\n=== {each.name}", flush=True)
    before, began = (told.passed, told.failed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.databases", "-m", each.select]
        command += ["-n", "3", "--dist", "worksteal", f"--junitxml={results}"]
        command += arguments or each.files
        code = subprocess.run(command, cwd=ROOT, env={**os.environ, **each.env}, check=False).returncode
        if code not in (0, NOTHING_COLLECTED):
            told.broken.append(f"{each.name}: pytest ended with {code}")
        if results.exists():
            count(results, told)
    passed, failed = told.passed - before[0], told.failed - before[1]
    seconds = time.monotonic() - began
    told.passes.append(f"{each.name}: {passed:,} passed, {failed:,} failed in {seconds:.0f} s")


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
    for line in told.passes:
        print(f"  {line}")
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
