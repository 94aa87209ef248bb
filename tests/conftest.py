"""Settings and fixtures every test shares: a data folder of its own, people, a browser."""

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
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Emptying a test database deletes audit rows, which the installed database rightly refuses."""
    from django.db import connection

    from propolis.accounts import audit_guard

    with django_db_blocker.unblock():
        audit_guard.remove(connection)


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


@pytest.fixture(scope="session")
def base_url() -> str:
    """Tests name the live server's address themselves."""
    return ""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    from tests import browser

    # Playwright's own event loop makes Django think it is in an async view.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    return {**browser_type_launch_args, "executable_path": str(browser.CHROMIUM), "args": browser.FLAGS}


@pytest.fixture
def page(page: Any) -> Iterator[Any]:
    """A browser page; the test fails when the browser complains (console, scripts, content policy)."""
    from tests.browser import Complaints

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
