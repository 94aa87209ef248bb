"""Deciding with a keyboard alone: L, C and S; on a phone too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.models import Link
from propolis.bridge.reviewing import decide
from propolis.crm import edit
from propolis.crm.models import Company
from syncro_sandbox import SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import import_all, ready
from tests.bridge.review_story import two_to_decide
from tests.browser import assert_presentable, set_look, signed_in
from tests.people import Crew

pytestmark = pytest.mark.browser
BASE = "/acme/settings/integrations/syncro/review/"
HEALTH = "/acme/settings/integrations/syncro/health/"


@pytest.fixture
def acme(house: Crew) -> Iterator[Account]:
    with in_account(house.account):
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(house.account, syncro)
            two_to_decide(house.account, syncro)
            import_all(house.account, "companies")
        yield house.account


def test_two_decisions_without_a_mouse(acme: Account, house: Crew, page: Page, live_server: Any) -> None:
    signed_in(page, live_server, house.alice).goto(live_server.url + BASE)
    expect(page.get_by_text("2 left to decide")).to_be_visible()
    assert_presentable(page)
    page.keyboard.press("l")
    expect(page.get_by_role("heading", name="Harbor Freight")).to_be_visible()
    page.wait_for_load_state()  # the keys are there from then on
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="Nothing to decide")).to_be_visible()
    assert_presentable(page)
    page.get_by_role("link", name="Decisions made").press("Enter")
    expect(page.get_by_role("link", name="Change Harbor Freight")).to_be_visible()
    assert_presentable(page)
    page.get_by_role("link", name="Change Harbor Freight").press("Enter")
    expect(page.get_by_text("Skipped by Alice Moreau")).to_be_visible()
    page.get_by_role("button", name="Create new").press("Enter")
    expect(page.get_by_role("heading", name="Decisions made")).to_be_visible()
    assert list(Link.objects.order_by("pk").values_list("state", "choice")) == [
        ("linked", "link"),
        ("linked", "create"),
    ]


def test_both_sides_are_seen_at_once_on_a_phone(
    acme: Account, house: Crew, page: Page, live_server: Any
) -> None:
    set_look(page, "light", 390)
    signed_in(page, live_server, house.alice).goto(live_server.url + BASE)
    table = page.get_by_role("table").first
    seen = table.evaluate("table => table.parentElement.scrollWidth - table.parentElement.clientWidth")
    assert seen <= 0


def test_sync_health_for_everybody(acme: Account, house: Crew, page: Page, live_server: Any) -> None:
    """Its pages, the dashboard's card, the profile's card: presentable in all four looks."""
    first, second = Link.objects.order_by("pk")
    decide(first, "create", house.alice)
    decide(second, "link", house.alice, local_id=second.candidates[0]["local_id"])
    company = Company.objects.get(links=first)
    edit.update(acme, company, {"phone": "503-555-0111"}, actor=house.alice)
    edit.delete(Company.objects.get(links=second), actor=house.alice)
    signed_in(page, live_server, house.alice).goto(live_server.url + HEALTH)
    assert_presentable(page)
    with page.expect_navigation():
        page.get_by_role("link", name="1").first.press("Enter")
    for where in (f"{HEALTH}newer/", f"{HEALTH}remembered/", f"/acme/companies/{company.pk}/", "/acme/"):
        page.goto(live_server.url + where)
        assert_presentable(page)
    page.goto(live_server.url + f"{HEALTH}remembered/")
    page.get_by_role("button", name="Bring back").press("Enter")
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Brought back.")
    assert set(Link.objects.values_list("state", flat=True)) == {"linked"}
