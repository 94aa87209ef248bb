"""What comes along, as a person with a keyboard chooses it; how it looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.models import Connection
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, finish, import_all, ready
from tests.bridge.test_browser_imports import the_run
from tests.browser import assert_presentable, signed_in
from tests.people import Crew

pytestmark = pytest.mark.browser
BASE = "/acme/settings/integrations/syncro/"
SEED = SeedOptions(companies=8, contacts=6, leads=40, seed=7, contacts_without_customer=0)


@pytest.fixture
def acme(house: Crew) -> Iterator[Account]:
    with in_account(house.account):
        yield house.account


@pytest.fixture
def syncro(acme: Account) -> Iterator[Running]:
    with a_syncro(SEED) as running:
        running.sandbox.create("leads", {"ticket_subject": "VPN", "status": "Lost"}, at=1_577_836_800.0)
        ready(acme, running)
        yield running


@pytest.fixture
def alice(page: Page, live_server: Any, house: Crew) -> Page:
    return signed_in(page, live_server, house.alice)


def tick(page: Page, label: str) -> None:
    page.get_by_label(label).focus()
    page.keyboard.press("Space")


def test_what_comes_along_is_chosen_by_keyboard(syncro: Running, alice: Page, live_server: Any) -> None:
    page = alice
    page.goto(live_server.url + BASE + "companies/")
    page.get_by_role("link", name="Choose what comes along").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What comes along")
    tick(page, "Notes of contacts")
    page.get_by_role("button", name="Look in Syncro").press("Enter")
    expect(page.get_by_label("Notes of contacts")).to_be_checked()
    tick(page, "Managed IT")
    assert_presentable(page)
    page.get_by_label("This one counts").select_option(label="Propolis")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.locator("#status")).to_have_text("Saved. Imports follow it from now on.")
    told = Connection.objects.get()
    chosen = told.fields_chosen or {}
    assert ("notes" in chosen["contact"], "notes" in chosen["company"]) == (True, False)
    assert (told.custom_fields, told.rule) == (["Managed IT"], "propolis")


def test_the_questions_about_leads_are_answered_in_the_preview(
    syncro: Running, alice: Page, acme: Account, live_server: Any
) -> None:
    page = alice
    import_all(acme, "companies", "contacts")
    import_all(acme, "opportunities", gate_first_import=True)
    page.goto(live_server.url + BASE + "opportunities/")
    expect(page.locator("#ask-mail")).to_contain_text("of 41 leads are e-mails to your mailbox.")
    expect(page.locator("#ask-months")).to_contain_text("Closed more than 24 months ago: 1.")
    assert_presentable(page)
    page.get_by_role("button", name="Import them").first.press("Enter")
    expect(page.locator("#status")).to_contain_text("The preview is being made again with that.")
    finish(the_run())
    expect(page.locator("#ask-months")).to_contain_text("Closed more than 24 months ago")
    expect(page.locator("#ask-mail")).to_have_count(0)
    page.get_by_role("button", name="Leave them out").press("Enter")
    expect(page.get_by_role("heading", name="Importing opportunities")).to_be_visible()
    left_out = counts(finish(the_run()), "opportunities")["left_out"]
    expect(page.get_by_role("button", name=f"Import {41 - left_out} opportunities")).to_be_visible()
