"""The same runs with a broker carrying the bells: nothing else changes."""

from __future__ import annotations

import importlib.util
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs.harness import House, open_house, skip_or_fail
from tests.runs.test_killed import assert_exact, start, working

BROKERS = {
    "rabbitmq": os.environ.get("PROPOLIS_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//"),
    "redis": os.environ.get("PROPOLIS_TEST_REDIS", "redis://127.0.0.1:6379/0"),
}


@pytest.fixture(params=list(BROKERS))
def broker_house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A SQLite house whose bells go through a queue of their own on this broker."""
    queue = f"propolis-test-{secrets.token_hex(4)}"
    url = BROKERS[request.param]
    _reachable(request.param, url)
    settings = {
        "PROPOLIS_TASKS_BACKEND": "propolis.runs.celery_backend.CeleryBackend",
        "PROPOLIS_BROKER_URL": url,
        "PROPOLIS_BROKER_QUEUE": queue,
    }
    yield from open_house("sqlite", tmp_path, **settings)
    _drop(url, queue)


def _reachable(name: str, url: str) -> None:
    if importlib.util.find_spec("celery") is None:
        skip_or_fail(name, "celery is not installed")
    if name == "redis" and importlib.util.find_spec("redis") is None:
        skip_or_fail(name, "the redis client is not installed")
    from kombu.connection import Connection

    try:
        with Connection(url, connect_timeout=2) as connection:  # type: ignore[no-untyped-call]
            connection.ensure_connection(max_retries=1)
    except Exception as error:
        skip_or_fail(name, f"{url.partition('@')[2] or url} does not answer ({type(error).__name__})")


def _drop(url: str, queue: str) -> None:
    from kombu.connection import Connection

    with Connection(url) as connection:  # type: ignore[no-untyped-call]
        connection.default_channel.queue_delete(queue)


@pytest.mark.kill
def test_over_a_broker_killed_and_asked_to_leave_it_ends_exactly(broker_house: House) -> None:
    house = broker_house
    start(house, 150, before=0.02, inside=0.005)
    first = house.worker()
    found = working(house, [first])
    assert found is not None
    first.kill()
    second = house.worker()
    assert working(house, [second], found[1]) is not None
    # Whoever takes a run has not begun it yet; the first may have been killed before it had.
    house.wait_for("select 1 from runs_run where state = 'applying'")
    assert second.terminate() == 0
    assert house.query("select state, lease_owner, lease_until from runs_run") == [("applying", "", None)]
    house.worker()
    assert_exact(house, 150, 2)
    assert house.query("select count(*) from django_tasks_database_dbtaskresult") == [(0,)]
