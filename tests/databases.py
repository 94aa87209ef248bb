"""A pytest plugin for the passes of `python -m tests`: what runs again on PostgreSQL, what begins first."""

from __future__ import annotations

import os

import pytest

TOUCHING = frozenset({"db", "transactional_db", "django_db_setup", "live_server"})


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """PROPOLIS_TEST_SECOND=1: only what touches a database. PROPOLIS_TEST_LONGEST_FIRST=1: tests that may take longest
    begin first, each in a process of its own."""
    if os.environ.get("PROPOLIS_TEST_SECOND") == "1":
        again = [item for item in items if differs(item)]
        left = [item for item in items if not differs(item)]
        config.hook.pytest_deselected(items=left)
        items[:] = again
    if os.environ.get("PROPOLIS_TEST_LONGEST_FIRST") == "1":
        longest_first = sorted(items, key=allowed, reverse=True)
        items[:] = dealt(longest_first, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def allowed(item: pytest.Item) -> float:
    """The seconds a test may take by its own mark, 0 for the usual."""
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark else 0.0


def dealt(items: list[pytest.Item], hands: int) -> list[pytest.Item]:
    """One after the other to each of so many hands, and the hands one after the other: as xdist gives them out."""
    return [item for hand in range(hands) for item in items[hand::hands]]


def differs(item: pytest.Item) -> bool:
    """Whether the test can come out differently on PostgreSQL."""
    if item.get_closest_marker("postgres"):
        return True
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & TOUCHING)
