"""Mia's morning with lists and addresses, with the keyboard alone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from propolis.accounts.scoping import in_account
from propolis.crm import edit, lists
from propolis.crm.fields import Kind
from propolis.crm.models import Contact, ListMember
from tests.browser import assert_presentable, signed_in
from tests.crm.test_browser import press, tab_to
from tests.people import Crew

pytestmark = pytest.mark.browser


def sixty_people(house: Crew) -> None:
    for n in range(60):
        values = {"first": f"P{n:02}", "last": "Reed", "email": f"p{n // 2}@firm.example"}
        edit.create(house.account, Kind.CONTACT, values, actor=house.bob)


def on_list(state: str) -> int:
    return ListMember.objects.filter(list__name="News", state=state).count()


def test_columns_and_everybody_on_a_list_by_keyboard_alone(page: Page, live_server: Any, house: Crew) -> None:
    with in_account(house.account):
        lists.create_list(house.account, "News")
        sixty_people(house)
        signed_in(page, live_server, house.mia).goto(live_server.url + "/acme/contacts/?q=reed")
        tab_to(page, "Columns")
        page.keyboard.press("Enter")
        tab_to(page, "Mobile")
        page.keyboard.press("Space")
        tab_to(page, "Show these")
        press(page)
        expect(page.get_by_role("columnheader", name="Mobile")).to_be_visible()
        tab_to(page, "Select this page")
        page.keyboard.press("Space")
        expect(page.locator("[data-selected]")).to_have_text("50 selected")
        while page.evaluate("document.activeElement.name") != "all":
            page.keyboard.press("Shift+Tab")
        page.keyboard.press("Space")
        tab_to(page, "List")
        page.keyboard.type("News")
        assert_presentable(page)
        tab_to(page, "Add to list")
        press(page)
        expect(page.locator("#toasts")).to_contain_text("Put 60 contacts on News.")
        page.goto(live_server.url + "/acme/contacts/?q=p07")
        expect(page.get_by_role("columnheader", name="Mobile")).to_be_visible()
        tab_to(page, "Select P07 Reed")
        page.keyboard.press("Space")
        page.locator(".bulk select[name=list]").focus()
        page.keyboard.type("News")
        tab_to(page, "Take off list")
        press(page)
        expect(page.locator("#toasts")).to_contain_text("Took 1 contact off News.")
        assert (on_list("in"), on_list(ListMember.State.REMOVED)) == (59, 1)


def test_who_is_unticked_is_left_out_of_all(page: Page, live_server: Any, house: Crew) -> None:
    with in_account(house.account):
        news = lists.create_list(house.account, "News")
        sixty_people(house)
        signed_in(page, live_server, house.mia).goto(live_server.url + "/acme/contacts/?q=reed")
        page.get_by_label("Select P01 Reed").check()
        page.get_by_label("Select all 60 contacts").check()
        expect(page.locator("[data-selected]")).to_have_text("All selected")
        page.get_by_role("button", name="Add to list").click()
        expect(page.locator("#toasts")).to_have_text("Choose a list.")
        expect(page.locator(".bulk select[name=list]")).to_be_focused()
        page.locator(".bulk select[name=list]").select_option(str(news.pk))
        expect(page.get_by_label("Select P07 Reed")).to_be_checked()
        page.get_by_label("Select P07 Reed").uncheck()
        expect(page.locator("[data-selected]")).to_have_text("49 selected")
        expect(page.get_by_label("Select all 60 contacts")).not_to_be_checked()
        page.get_by_role("button", name="Add to list").click()
        expect(page.locator("#toasts")).to_contain_text("Put 49 contacts on News.")
        assert not ListMember.objects.filter(contact__first="P07").exists()


def test_an_address_is_unsubscribed_for_all_and_comes_back_with_a_reason(
    page: Page, live_server: Any, house: Crew
) -> None:
    with in_account(house.account):
        sixty_people(house)
        one, other = Contact.objects.filter(email="p3@firm.example").order_by("pk")
        signed_in(page, live_server, house.mia).goto(f"{live_server.url}/acme/contacts/{one.pk}/")
        tab_to(page, "Unsubscribe this address")
        press(page)
        page.goto(f"{live_server.url}/acme/contacts/{other.pk}/")
        expect(page.locator("body")).to_contain_text("Unsubscribed")
        tab_to(page, "Re-subscribe")
        press(page)
        assert_presentable(page)
        other.refresh_from_db()
        assert other.mail_state == "unsubscribed", "not without a reason"
        tab_to(page, "Why they may be mailed again")
        page.keyboard.type("Asked for it on the phone")
        press(page)
        one.refresh_from_db()
        assert one.mail_state == "subscribed"
        expect(page.locator("#activity")).to_contain_text("Re-subscribed")
