"""Settings and fixtures every test shares: a data folder of its own, loopback only, Alice, Bob and Charlie."""

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "propolis.settings")
os.environ["PROPOLIS_DATA_DIR"] = tempfile.mkdtemp(prefix="propolis-test-")
django.setup()  # test files may import models at their top


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Emptying a test database deletes audit rows, which the installed database rightly refuses."""
    from django.db import connection

    from propolis.accounts import audit_guard

    with django_db_blocker.unblock():
        audit_guard.remove(connection)
    yield
