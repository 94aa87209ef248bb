"""One pace for all processes, whatever the database."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from propolis.bridge import pacing
from propolis.bridge.models import Pacer
from propolis.bridge.pacing import DatabasePacer
from propolis.syncro import Interrupted, PaceRules

# What each of several processes runs: so many starts, told by the clock all of them share.
STARTS = """
import django, sys, time
django.setup()
from django.db import connection
from django.conf import settings
connection.settings_dict["NAME"] = sys.argv[1]
from propolis.bridge.pacing import DatabasePacer
pacer = DatabasePacer()
for _ in range(int(sys.argv[2])):
    pacer.acquire()
    print(time.time(), flush=True)
connection.close()
"""


def starts_of(processes: int, each: int, per_minute: float) -> list[float]:
    """When requests started, in order, over all processes."""
    environment = {**os.environ, "PROPOLIS_PACE": str(per_minute)}
    name = str(connection.settings_dict["NAME"])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", STARTS, name, str(each)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(processes)
    ]
    told = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0] * processes
    return sorted(float(line) for text in told for line in text.split())


@pytest.mark.django_db(transaction=True)
def test_several_processes_together_keep_the_rate_and_start_evenly():
    interval = 60 / 600
    starts = starts_of(processes=3, each=12, per_minute=600)
    assert len(starts) == 36
    # Never faster than the rate; one that a busy machine woke late stands nearer to those after it.
    late = 0.3
    assert starts[-1] - starts[0] >= 35 * interval - late
    gaps = [after - before for before, after in pairwise(starts)]
    assert sorted(gaps)[len(gaps) // 2] == pytest.approx(interval, abs=interval / 2)
    for at, start in enumerate(starts):
        assert sum(start <= other < start + 1 - late for other in starts[at:]) <= 11


@pytest.mark.django_db(transaction=True)
def test_threads_share_the_pace_and_leave_no_connection_behind():
    pacer = DatabasePacer(rules=PaceRules(interval=0.05))
    pacer.acquire()
    began, starts = time.monotonic(), []

    def work() -> None:
        for _ in range(4):
            pacer.acquire()
            starts.append(time.monotonic() - began)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(starts) == 12
    assert max(starts) >= 12 * 0.05 - 0.01


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_it_refuses_since_it_would_block_everybody():
    with transaction.atomic(), pytest.raises(RuntimeError):
        DatabasePacer().acquire()


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no process that lets go for another"
)
@pytest.mark.django_db(transaction=True)
def test_whoever_stands_still_while_it_has_the_pace_loses_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pacing, "_FROZEN_SECONDS", 0.5)
    rules = PaceRules(interval=0.01)
    DatabasePacer(rules=rules).acquire()
    inside, wake, told, woken = threading.Event(), threading.Event(), [], []

    def frozen(state: Any, now: float) -> tuple[Any, float]:
        inside.set()
        woken.append(wake.wait(30))
        return state, 0.0

    def stand_still() -> None:
        try:
            DatabasePacer(rules=rules)._move(frozen)
        except DatabaseError as error:
            told.append(str(error))
        finally:
            connection.close()

    thread = threading.Thread(target=stand_still)
    thread.start()
    assert inside.wait(10)
    DatabasePacer(rules=rules).acquire()
    wake.set()
    thread.join()
    assert woken == [True], "the other went on only when this one woke by itself"
    assert "terminat" in told[0]


@pytest.mark.django_db
def test_a_refusal_slows_everybody_and_success_recovers():
    rules = PaceRules(interval=0.4)
    one, two = DatabasePacer(rules=rules), DatabasePacer(rules=rules)
    one.acquire()
    one.refused(retry_after=0.0)
    row = Pacer.objects.get()
    assert row.interval == pytest.approx(0.6)
    assert row.cool_until > time.time()
    assert two.acquire() >= 0.5
    two.succeeded()
    assert Pacer.objects.get().interval == pytest.approx(0.588)


@pytest.mark.django_db
def test_success_at_full_pace_asks_the_database_nothing(django_assert_num_queries: Any):
    pacer = DatabasePacer(rules=PaceRules(interval=0.01))
    pacer.acquire()
    with django_assert_num_queries(0):
        pacer.succeeded()


@pytest.mark.django_db
def test_a_person_who_waits_goes_before_an_import():
    rules = PaceRules(interval=0.4)
    DatabasePacer(rules=rules).acquire()
    assert DatabasePacer(rules=rules).acquire(priority=True) < 0.1


@pytest.mark.django_db
def test_a_slower_pace_asked_for_later_counts_at_once():
    DatabasePacer(rules=PaceRules(interval=0.01)).acquire()
    slower = DatabasePacer(rules=PaceRules(interval=0.3))
    slower.acquire()
    assert slower.acquire() >= 0.25


@pytest.mark.django_db
def test_egress_addresses_have_paces_of_their_own():
    rules = PaceRules(interval=5.0)
    DatabasePacer("north", rules=rules).acquire()
    assert DatabasePacer("south", rules=rules).acquire() < 1.0


@pytest.mark.django_db
def test_asked_to_stop_it_stops_waiting():
    rules = PaceRules(interval=5.0)
    DatabasePacer(rules=rules).acquire()
    with pytest.raises(Interrupted):
        DatabasePacer(rules=rules, should_stop=lambda: True).acquire()
