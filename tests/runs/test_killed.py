"""Workers killed and frozen at random moments: the run ends by itself, exactly as if nothing had happened."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.runs.harness import House, open_house
from tests.runs.nursery import Nursery, Worker
from tests.runs.toys import ROWS_PER_BATCH

KILLS = int(os.environ.get("PROPOLIS_TEST_KILLS", "8"))
LEASED = "select lease_owner, fence from runs_run where lease_owner <> '' and lease_until is not null"
ENDED = "select state from runs_run where finished_at is not null"


def holder(house: House) -> tuple[int, int] | None:
    """The process id and the fence of whoever works on the run."""
    rows = house.query(LEASED)
    return (int(rows[0][0].split(":")[1]), int(rows[0][1])) if rows else None


def start(house: House, batches: int, **pauses: float) -> None:
    house.call("tests.runs.house_side:start_counting", batches=batches, **pauses)


def working(house: House, workers: list[Worker], after: int = 0) -> tuple[Worker, int] | None:
    """The living worker that has the run, with a fence above `after`; None once the run has ended."""
    until = time.monotonic() + 40
    while time.monotonic() < until:
        if house.query(ENDED):
            return None
        found = holder(house)
        for worker in workers:
            if found and found[0] == worker.pid and worker.alive and found[1] > after:
                return worker, found[1]
        time.sleep(0.02)
    raise AssertionError(f"nobody took the run over\n{house.said()}")


def assert_exact(house: House, batches: int, interruptions: int) -> None:
    house.wait_for(ENDED, 90)
    rows = [r[0] for r in house.query("select seq from runs_runpage order by seq")]
    assert rows == list(range(batches * ROWS_PER_BATCH))
    assert house.query("select state, slot, requests, error_code, lease_until from runs_run") == [
        ("complete", None, batches, "", None)
    ]
    begun = Counter(line.split()[1] for line in (house.folder / "seen.log").read_text().splitlines())
    assert len(begun) == batches
    assert sum(begun.values()) <= batches + interruptions


@pytest.mark.kill
def test_killed_at_random_moments_it_ends_exactly(house: House) -> None:
    start(house, 150, before=0.005, inside=0.005)
    chance, killed, fence = random.Random(20), 0, 0
    with Nursery(house, toys=True) as nursery:
        workers = [nursery.worker(), nursery.worker()]
        while killed < KILLS:
            found = working(house, workers, fence)
            if found is None:
                break
            worker, fence = found
            time.sleep(chance.uniform(0, 0.4))
            worker.kill()
            killed += 1
            workers = [w for w in workers if w.alive] + [nursery.worker()]
        house.wait_for(ENDED, 90)
    assert_exact(house, 150, killed)
    assert killed >= 4


@pytest.mark.kill
def test_frozen_past_its_lease_a_worker_writes_nothing_more(house: House) -> None:
    start(house, 60, before=0.15, inside=0.001)
    workers = [house.worker(), house.worker()]
    chance, fence = random.Random(7), 0

    def taken_over() -> bool:
        found = holder(house)
        return found is not None and found[1] > fence

    for _ in range(3):
        found = working(house, workers, fence)
        assert found is not None
        worker, fence = found
        time.sleep(chance.uniform(0, 0.3))
        house.freeze(worker)
        house.wait_until(taken_over)
        worker.thaw()
    assert_exact(house, 60, 3)
    assert all(worker.alive for worker in workers)


@pytest.mark.kill
def test_a_worker_asked_to_leave_lets_go_after_the_batch_it_is_at(house: House) -> None:
    start(house, 20, before=0.2, inside=0.005)
    worker = house.worker()
    assert working(house, [worker]) is not None
    batches = house.folder / "seen.log"
    house.wait_until(batches.exists)
    begun = len(batches.read_text().splitlines())
    assert worker.terminate() == 0
    # One may begin between our look and the signal.
    assert len(batches.read_text().splitlines()) <= begun + 2
    assert house.query("select state, slot, lease_owner, lease_until from runs_run") == [
        ("applying", "data", "", None)
    ]
    house.worker()
    assert_exact(house, 20, 1)


@pytest.mark.kill
def test_one_worker_is_fair_two_workers_share(house: House) -> None:
    for slug in ("one", "two"):
        house.call("tests.runs.house_side:start_counting", slug=slug, batches=20, before=0.02)
    house.env["PROPOLIS_SLICE_SECONDS"] = "0.1"
    house.worker()
    seen = house.folder / "seen.log"
    house.wait_until(lambda: seen.exists() and len(seen.read_text().splitlines()) >= 12)
    accounts = {line.split()[0] for line in seen.read_text().splitlines()[:12]}
    assert len(accounts) == 2
    house.worker()
    house.wait_until(lambda: len(house.query(ENDED)) == 2)
    assert house.query("select count(*) from runs_runpage") == [(2 * 20 * ROWS_PER_BATCH,)]


def test_eight_presses_at_once_start_one_run_and_nobody_sees_an_error(house: House) -> None:
    answers = house.call("tests.runs.house_side:eight_presses", rounds=5)
    assert answers == [[1, 1, 8]] * 5
    assert house.query("select number, slot from runs_run order by number") == [
        (n, None) for n in range(1, 6)
    ]


@pytest.mark.kill
def test_a_database_locked_beyond_the_timeout_is_waited_out(tmp_path: Path) -> None:
    for house in open_house("sqlite", tmp_path, PROPOLIS_BUSY_SECONDS="1"):
        lock_out(house)


def lock_out(house: House) -> None:
    start(house, 60, before=0.02)
    worker = house.worker()
    assert working(house, [worker]) is not None
    with closing(sqlite3.connect(house.folder / "propolis.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        house.wait_until(lambda: "busy or away" in worker.said)
        other.execute("COMMIT")
    assert_exact(house, 60, 1)
    assert worker.alive
