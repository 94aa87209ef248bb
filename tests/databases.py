"""A pytest plugin for the second pass, on PostgreSQL: only what touches a database runs again."""

from __future__ import annotations

import os

import pytest

TOUCHING = frozenset({"db", "transactional_db", "django_db_setup", "live_server"})


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("PROPOLIS_TEST_SECOND") != "1":
        return
    again = [item for item in items if differs(item)]
    left = [item for item in items if not differs(item)]
    config.hook.pytest_deselected(items=left)
    items[:] = again


def differs(item: pytest.Item) -> bool:
    """Whether the test can come out differently on PostgreSQL."""
    if item.get_closest_marker("postgres"):
        return True
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & TOUCHING)
