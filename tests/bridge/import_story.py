"""Running an import in a test, to its end, in this process."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from propolis.accounts.models import Account
from propolis.bridge.connecting import client_for
from propolis.bridge.importing import OBJECTS, start_import
from propolis.bridge.models import Connection
from propolis.bridge.people import read_users
from propolis.merge.plan import Counts
from propolis.runs.engine import confirm, work
from propolis.runs.models import Run
from syncro_sandbox import Running
from tests.bridge.house import connected

ERRORS = Path(__file__).resolve().parents[2] / "docs" / "errors.md"


def documented(code: str, **facts: str) -> str:
    """What docs/errors.md says a person reads for this code, the «facts» filled in."""
    row = next(line for line in ERRORS.read_text().splitlines() if line.startswith(f"| `{code}` |"))
    sentence = row.removeprefix(f"| `{code}` | ").removesuffix(" |")
    return re.sub("«(.+?)»", lambda found: facts[found[1]], sentence)


def ready(account: Account, syncro: Running) -> Connection:
    """Connected, users read: the import may begin."""
    connection = connected(account, syncro)
    with client_for(connection) as client:
        read_users(connection, client)
    return connection


def import_all(account: Account, *objects: str, **how: Any) -> Run:
    """Starts an import and works on it until nothing more happens by itself."""
    run, _ = start_import(account, list(objects or OBJECTS), **{"gate_first_import": False} | how)
    return finish(run)


def finish(run: Run) -> Run:
    while work(run.pk).outcome == "slice":
        pass
    run.refresh_from_db()
    return run


def go_on(run: Run) -> Run:
    """Confirms the plan at the gate."""
    assert confirm(run, None)
    return finish(run)


def counts(run: Run, noun: str) -> dict[str, int]:
    """The words that anything fell under."""
    found = Counts.from_dict(run.counts[noun]["counts"])
    assert found.adds_up(run.counts[noun]["read"] + run.counts[noun]["persons"])
    return {word: n for word, n in found.to_dict().items() if n}
