"""An import as a person with a keyboard meets it: preview, import, result; pause and resume; on a phone too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.models import Connection
from propolis.crm.models import Company
from propolis.crm.rows import fill_company
from propolis.runs.engine import stop, work
from propolis.runs.models import Run
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import finish, import_all, ready
from tests.browser import assert_presentable, signed_in
from tests.people import Crew

pytestmark = pytest.mark.browser
BASE = "/acme/settings/integrations/syncro/"
SEED = SeedOptions(companies=30, contacts=60, leads=10, seed=5, contacts_without_customer=0)


@pytest.fixture
def acme(house: Crew) -> Iterator[Account]:
    with in_account(house.account):
        yield house.account


@pytest.fixture
def syncro(acme: Account) -> Iterator[Running]:
    """A Syncro with one of each: new ones, one to merge, one to review, one nobody can read."""
    ours = [("Something Else", "brightwater.example", ""), ("Kestrel Logistics", "kestrel.example", "Tulsa")]
    for name, website, city in ours:
        fill_company(Company(account=acme), {"name": name, "website": website, "city": city}, "US").save()
    Company.objects.update(edited_at="2020-01-01T00:00:00Z")
    with a_syncro(SEED) as running:
        ready(acme, running)
        create = running.sandbox.create
        create("customers", {"business_name": "Brightwater Dental", "email": "a@brightwater.example"})
        create("customers", {"business_name": "Kestrel Logistics LLC", "email": "b@kestrel.example"})
        odd = create("customers", {"business_name": "Odd One"})
        running.sandbox.distort("customers", odd, {"business_name": {"x": 1}})
        yield running


@pytest.fixture
def alice(page: Page, live_server: Any, house: Crew) -> Page:
    return signed_in(page, live_server, house.alice)


def the_run() -> Run:
    run = Run.objects.order_by("-id").first()
    assert run is not None
    return run


def some_steps(count: int) -> None:
    """Each step of the worker is one page, batch or phase."""
    for _ in range(count):
        work(the_run().pk, seconds=0)


def tab_to(page: Page, name: str, most: int = 60) -> None:
    """By the Tab key alone, to the control of this name."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText.trim()").startswith(name):
            return
    raise AssertionError(f"no {name!r} within {most} tabs")


def test_preview_import_and_result_by_keyboard_alone(syncro: Running, alice: Page, live_server: Any) -> None:
    page = alice
    page.goto(live_server.url + BASE + "companies/")
    tab_to(page, "Import")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Importing companies")).to_be_visible()
    some_steps(2)
    expect(page.locator("#import-run")).to_contain_text("Running")
    finish(the_run())
    expect(page.get_by_role("heading", name="Preview: nothing is imported yet")).to_be_visible()
    expect(page.locator("#status")).to_contain_text("Preview")
    expect(page.locator("#preview")).to_contain_text("1 of 33 companies is on both sides")
    tab_to(page, "Import 31 companies")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Importing companies")).to_be_visible()
    finish(the_run())
    expect(page.locator("#result")).to_contain_text("Complete, 2 need you")
    expect(page.locator("#result")).to_contain_text(
        "Syncro has 33 companies. Read 33: 30 New, 1 Merged, 1 Needs review, 1 Failed."
    )
    tab_to(page, "Contacts – Companies, sorted by date created")
    page.keyboard.press("Enter")
    page.wait_for_url("**/acme/companies/?sort=-created")


def test_pause_and_resume_keep_the_focus(syncro: Running, alice: Page, live_server: Any) -> None:
    page = alice
    page.goto(live_server.url + BASE + "companies/")
    page.get_by_role("button", name="Import companies").press("Enter")
    expect(page.get_by_role("heading", name="Importing companies")).to_be_visible()
    some_steps(1)
    expect(page.locator("#import-run")).to_contain_text("Running")
    page.get_by_role("button", name="Pause").focus()
    some_steps(1)
    expect(page.locator("#import-run")).to_contain_text("Reading companies")
    page.wait_for_timeout(2200)
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    expect(page.locator("#status")).to_contain_text("Paused")
    assert the_run().state == Run.State.PAUSED
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    assert finish(the_run()).state == Run.State.PLANNED


def test_without_javascript_everything_is_there(
    syncro: Running, browser: Any, live_server: Any, house: Crew
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = signed_in(context.new_page(), live_server, house.alice)
        page.goto(live_server.url + BASE + "companies/")
        page.get_by_role("button", name="Import companies").click()
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Resume").click()
        finish(the_run())
        page.get_by_role("link", name="Refresh").click()
        page.get_by_role("link", name="Merged").first.click()
        expect(page.locator("#changes")).to_contain_text("With Kestrel Logistics: Same domain")
        page.get_by_role("button", name="Import 31 companies").click()
        finish(the_run())
        page.get_by_role("link", name="Refresh").click()
        expect(page.locator("#result")).to_contain_text("Complete, 2 need you")
        page.get_by_role("button", name="Retry").click()
        expect(page.get_by_role("heading", name="Retrying 1 record")).to_be_visible()


# ---- how each state looks


def choose(acme: Account) -> str:
    return "companies/"


def queued(acme: Account) -> str:
    a_start(acme)
    return "companies/"


def reading(acme: Account) -> str:
    a_start(acme)
    some_steps(2)
    return "companies/"


def waiting(acme: Account) -> str:
    reading(acme)
    Run.objects.update(state=Run.State.WAITING, error_code="syncro.rate_limited", next_at="2099-01-01T14:05Z")
    return "companies/"


def paused(acme: Account) -> str:
    reading(acme)
    Run.objects.update(state=Run.State.PAUSED)
    return "companies/"


def attention(acme: Account) -> str:
    reading(acme)
    Run.objects.update(state=Run.State.NEEDS_ATTENTION, error_code="bridge.token_unreadable")
    return "companies/"


def preview(acme: Account) -> str:
    import_all(acme, "companies", gate_first_import=True)
    return "companies/"


def preview_merged(acme: Account) -> str:
    return preview(acme) + "?show=merged"


def preview_failed(acme: Account) -> str:
    return preview(acme) + "?show=failed"


def refused(acme: Account) -> str:
    run = import_all(acme, "companies", gate_first_import=True)
    told = {"code": "too_many_changes", "sentence": "This import would change 7 of your 20 linked companies."}
    Run.objects.update(gate_reason="too_many_changes", counts=run.counts | {"refusal": told})
    return "companies/"


def stale(acme: Account) -> str:
    import_all(acme, "companies", gate_first_import=True)
    Run.objects.update(planned_at="2020-01-01T00:00Z")
    return "companies/"


def result(acme: Account) -> str:
    import_all(acme)
    return "companies/"


def result_of_all(acme: Account) -> str:
    import_all(acme)
    Connection.objects.update(companies_read_at="2020-01-01T00:00Z")
    return "opportunities/"


def stopped(acme: Account) -> str:
    reading(acme)
    stop(the_run(), None)
    return "companies/"


def one_import(acme: Account) -> str:
    import_all(acme)
    return f"imports/{the_run().number}/?show=left_out"


def history(acme: Account) -> str:
    import_all(acme)
    import_all(acme, show_first=True)
    return "imports/"


def no_history(acme: Account) -> str:
    return "imports/"


STATES: Final[list[Callable[[Account], str]]] = [
    *(choose, queued, reading, waiting, paused, attention, preview, preview_merged, preview_failed),
    *(refused, stale, result, result_of_all, stopped, one_import, history, no_history),
]


def a_start(acme: Account) -> None:
    from propolis.bridge.importing import start_import

    start_import(acme, ["companies"])


def test_the_states_are_all_there() -> None:
    assert len(STATES) == 17


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_state_in_four_looks(
    syncro: Running, acme: Account, alice: Page, live_server: Any, state: Callable[[Account], str]
) -> None:
    address = live_server.url + BASE + state(acme)
    alice.goto(address)
    assert_presentable(alice)
