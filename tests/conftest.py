"""Settings and fixtures every test shares: a data folder of its own, people, a browser."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Compiled code is kept, outside the source, whatever this machine prefers: compiling all of it takes seconds,
# again in each of the many processes tests start.
sys.dont_write_bytecode = False
sys.pycache_prefix = str(Path(sys.prefix) / "bytecode")
os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import django  # noqa: E402
import pytest  # noqa: E402
from hypothesis import HealthCheck  # noqa: E402
from hypothesis import settings as examples  # noqa: E402

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "propolis.settings")
os.environ["PROPOLIS_DATA_DIR"] = tempfile.mkdtemp(prefix="propolis-test-")
django.setup()  # test files may import models at their top
# A machine busy with other tests makes single examples slow; that is no failure of what they test.
examples.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("unhurried")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """A copy of the prepared database. Emptying it deletes audit rows, which an installed one rightly refuses."""
    from django.test import TransactionTestCase

    from tests.sweeping import sweep, test_database

    TransactionTestCase._fixture_teardown = sweep  # type: ignore[attr-defined]
    with django_db_blocker.unblock(), test_database(), django_db_blocker.block():
        yield


@pytest.fixture
def crew(db: None) -> Any:
    """Alice (Admin), Bob (Salesperson) and Mia (Marketer) of acme; Charlie, Admin of another account."""
    from tests.people import make_crew

    return make_crew()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests are left out, aloud, where there is no browser, unless PROPOLIS_REQUIRE has chromium."""
    from tests import browser

    reason = browser.missing()
    for item in items:
        if item.get_closest_marker("browser") is None:
            continue
        # The live server's thread sees only what is committed.
        item.add_marker(pytest.mark.django_db(transaction=True))
        if reason and not browser.required():
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection_finish() -> None:
    """All that is loaded by now stays: the collector need not look through it over and over."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def base_url() -> str:
    """Tests name the live server's address themselves."""
    return ""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    from playwright.sync_api import expect

    from tests import browser

    # How long a machine busy with other tests may take is not what they are about.
    expect.set_options(timeout=browser.PATIENCE)
    # Playwright's own event loop makes Django think it is in an async view.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    return {**browser_type_launch_args, "executable_path": str(browser.CHROMIUM), "args": browser.FLAGS}


@pytest.fixture
def page(page: Any) -> Iterator[Any]:
    """A browser page; the test fails when the browser complains (console, scripts, content policy)."""
    from tests.browser import PATIENCE, Complaints

    page.set_default_timeout(2 * PATIENCE)
    complaints = Complaints([])
    complaints.watch(page)
    page.complaints = complaints
    yield page
    assert complaints.told == []


@pytest.fixture
def house(transactional_db: None) -> Any:
    """The crew, committed, for the live server."""
    from tests.people import make_crew

    return make_crew()
