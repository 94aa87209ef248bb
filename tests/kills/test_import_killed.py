"""Workers killed and frozen while they import: the import ends by itself, with the rows of an undisturbed one."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncro_sandbox import Running, Sandbox, SeedOptions, serve
from tests.runs.harness import WORKER, House, open_house
from tests.runs.nursery import Nursery, Worker

pytestmark = pytest.mark.kill

# How often a worker is killed in each phase.
KILLS = int(os.environ.get("PROPOLIS_TEST_KILLS", "20"))
SEED = SeedOptions(companies=300, contacts=2400, leads=300, seed=9, contacts_without_customer=0)
# In the cursor: read → plan → apply. One page or batch of each takes long enough to be hit.
PHASES = ("read", "plan", "apply")
IN_FLIGHT = 3
SLOWLY = {"PROPOLIS_PACE": "400", "PROPOLIS_LEASE_SECONDS": "1", "PROPOLIS_SLICE_SECONDS": "2"}
ENDED = "select state from runs_run where finished_at is not null"
WELL = ("complete", "", "")
WHY = "select state, error_code, error_detail from runs_run"


@pytest.fixture(scope="module")
def syncro() -> Iterator[Running]:
    with serve(Sandbox(SEED, rate_limit=0)) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(syncro: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The same import that nobody disturbs: what it leaves behind and how much it asks."""
    for house in open_house("sqlite", tmp_path_factory.mktemp("undisturbed"), PROPOLIS_PACE="60000"):
        house.call("tests.kills.side:begin", base_url=syncro.base_url, token=syncro.token)
        syncro.sandbox.forget_requests()
        house.worker(WORKER)
        assert house.wait_for(ENDED, 120) == [("complete",)]
        yield house.call("tests.kills.side:dump") | {"requests": len(syncro.sandbox.requests)}


def phase(house: House) -> str:
    rows = house.query("select cursor, state from runs_run")
    cursor = rows[0][0] if rows else {}
    text = cursor if isinstance(cursor, str) else repr(cursor)
    return next(
        (
            each
            for each in ("read", "plan", "gate", "apply", "close")
            if f"'{each}'" in text.replace('"', "'")
        ),
        "",
    )


def holder(house: House) -> int | None:
    """The process id of whoever holds the run."""
    rows = house.query("select lease_owner from runs_run where lease_owner <> '' and finished_at is null")
    return int(rows[0][0].split(":")[1]) if rows else None


def held_by(house: House, workers: list[Worker]) -> Worker | None:
    """The living worker that holds the run; None once the run has ended."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        if house.query(ENDED):
            return None
        pid = holder(house)
        for worker in workers:
            if worker.alive and worker.pid == pid:
                return worker
        time.sleep(0.01)
    raise AssertionError(f"nobody took the run over\n{house.said()}")


def kill_through(house: House, nursery: Nursery, chance: random.Random) -> dict[str, int]:
    """Kills whoever works, at random moments, `KILLS` times in each phase as long as it lasts."""
    kills = dict.fromkeys(PHASES, 0)
    workers = [nursery.worker(), nursery.worker()]
    while (worker := held_by(house, workers)) is not None:
        now = phase(house)
        if now not in kills or kills[now] >= KILLS:
            time.sleep(0.02)
            continue
        time.sleep(chance.uniform(0, 0.1))
        worker.kill()
        workers = [each for each in workers if each is not worker] + [nursery.worker()]
        kills[now] += 1
    return kills


@pytest.mark.timeout(900)
def test_killed_in_every_phase_it_ends_exactly(
    house: House, syncro: Running, undisturbed: dict[str, Any]
) -> None:
    seed = random.randrange(10**6)
    house.env |= SLOWLY
    house.call("tests.kills.side:begin", base_url=syncro.base_url, token=syncro.token)
    syncro.sandbox.forget_requests()
    with Nursery(house) as nursery:
        kills = kill_through(house, nursery, random.Random(seed))
        house.wait_for(ENDED, 120)
    assert house.query(WHY) == [WELL], f"seed {seed}: {kills}"
    found = house.call("tests.kills.side:dump")
    told = f"seed {seed}: {kills}, {house.query('select counts from runs_run')}"
    assert found == {name: undisturbed[name] for name in ("lines", "sha256", "changes")}, told
    # Whoever dies while reading has up to three requests on the way, and those pages are asked for again.
    assert len(syncro.sandbox.requests) <= undisturbed["requests"] + IN_FLIGHT * (kills["read"] + 1)
    assert kills == dict.fromkeys(PHASES, KILLS), f"seed {seed}: {kills}"


@pytest.mark.timeout(400)
def test_a_worker_frozen_past_its_lease_writes_nothing(
    house: House, syncro: Running, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    house.env |= {**SLOWLY, "PROPOLIS_LEASE_SECONDS": "3"}
    house.call("tests.kills.side:begin", base_url=syncro.base_url, token=syncro.token)
    frozen = house.worker(WORKER)
    assert held_by(house, [frozen]) is frozen
    house.wait_until(lambda: bool(house.query("select 1 from runs_runpage")), 60)
    house.freeze(frozen)
    house.worker(WORKER)
    assert house.wait_for(ENDED, 120) == [("complete",)]
    before = house.call("tests.kills.side:dump")
    frozen.thaw()
    time.sleep(2)
    after = house.call("tests.kills.side:dump")
    assert before == after == {name: undisturbed[name] for name in ("lines", "sha256", "changes")}
    assert house.query("select state from runs_run") == [("complete",)]
