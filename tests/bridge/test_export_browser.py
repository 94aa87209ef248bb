"""Sending with a keyboard alone: the dialog with JavaScript, the page without, every state in all four looks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from propolis.accounts.scoping import in_account
from propolis.bridge import exporting
from propolis.bridge.models import Connection, Link, connection_of
from propolis.crm import edit
from propolis.crm.models import Company
from propolis.runs import engine
from propolis.runs.models import Run
from syncro_sandbox import Running
from tests.bridge.export_story import (
    EMPTY,
    a_company,
    a_contact,
    an_opportunity,
    fresh,
    ready_to_send,
    sent,
    writes,
)
from tests.bridge.house import a_syncro
from tests.browser import assert_presentable, looks, signed_in
from tests.people import Crew

pytestmark = pytest.mark.browser


@pytest.fixture
def syncro(house: Crew) -> Iterator[Running]:
    with a_syncro(EMPTY) as running, in_account(house.account):
        ready_to_send(house.account, running)
        yield running


@pytest.fixture
def company(house: Crew, syncro: Running) -> Company:
    row = a_company(
        house.account,
        phone="(212) 555-0142",
        address_1="18 Harbour St, Suite 2",
        city="Portland",
        notes="Ask for Jo",
    )
    an_opportunity(house.account, row)
    return row


def the_connection(house: Crew) -> Connection:
    found = connection_of(house.account)
    assert found is not None
    return found


def look_at(page: Page, name: str) -> None:
    """Presentable in all four looks; with PROPOLIS_TEST_PICTURES set to a folder, pictures of them too."""
    folder = os.environ.get("PROPOLIS_TEST_PICTURES")
    if folder:
        for look in looks(page):
            page.screenshot(path=f"{folder}/{name}-{look.replace(' ', '-')}.png")
    assert_presentable(page)


def open_dialog(page: Page, live_server: Any, company: Company) -> None:
    page.goto(f"{live_server.url}/acme/companies/{company.pk}/")
    page.get_by_role("link", name="Send to Syncro: Brightwater").press("Enter")


def test_create_then_update_word_by_word(
    house: Crew, syncro: Running, company: Company, page: Page, live_server: Any
) -> None:
    signed_in(page, live_server, house.bob)
    open_dialog(page, live_server, company)
    expect(page.get_by_text("Will create a customer.")).to_be_visible()
    expect(page.get_by_role("heading", name="Send Brightwater Dental to Syncro")).to_be_focused()
    expect(page.get_by_text("What you create can be deleted again")).to_be_visible()
    look_at(page, "create")
    page.get_by_role("button", name="Send 4 fields").press("Enter")
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Created customer #")
    look_at(page, "sent")
    number = Link.objects.get(company=company).remote_id
    edit.update(
        house.account,
        fresh(company),
        {
            "name": "Brightwater Dental Group",
            "phone": "(212) 555-0190",
            "address_1": "18 Harbour Street, Suite 210",
        },
        actor=None,
    )
    syncro.sandbox.edit("customers", number, phone="2125550111")
    open_dialog(page, live_server, company)
    expect(page.get_by_text(f"Will update customer #{number}.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Phone")).not_to_be_checked()
    expect(page.get_by_text("Also changed in Syncro on")).to_be_visible()
    expect(page.get_by_text("you can put the old values back")).to_be_visible()
    look_at(page, "update")
    page.get_by_role("checkbox", name="Address", exact=True).press("Space")
    page.get_by_role("button", name="Send 1 field").press("Enter")
    expect(page.get_by_role("region", name="Messages")).to_contain_text(
        f"Updated customer #{number} in Syncro: Name."
    )
    assert writes(syncro)[-1] == (
        "PUT",
        f"/customers/{number}",
        {"business_name": "Brightwater Dental Group"},
    )


def test_a_contact_with_its_company(
    house: Crew, syncro: Running, company: Company, page: Page, live_server: Any
) -> None:
    person = a_contact(house.account, company, "Priya", "Raman", title="Office manager")
    signed_in(page, live_server, house.bob).goto(f"{live_server.url}/acme/contacts/{person.pk}/")
    page.get_by_role("link", name="Send to Syncro: Priya Raman").press("Enter")
    expect(page.get_by_text("Will create a contact.")).to_be_visible()
    look_at(page, "pair")
    page.get_by_role("button", name="Send 6 fields").press("Enter")
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Created contact #")
    assert [path for _, path, _ in writes(syncro)] == ["/customers", "/contacts"]


def test_changed_since_it_was_opened_then_refused_then_lost(
    house: Crew, syncro: Running, company: Company, page: Page, live_server: Any
) -> None:
    sent(the_connection(house), company, "company.phone")
    number = Link.objects.get(company=company).remote_id
    edit.update(house.account, fresh(company), {"email": "jo at brightwater"}, actor=None)
    signed_in(page, live_server, house.bob)
    open_dialog(page, live_server, company)
    expect(page.get_by_role("checkbox", name="E-mail")).to_be_checked()
    syncro.sandbox.edit("customers", number, email="front@brightwater.example")
    page.get_by_role("button", name="Send 3 fields").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Something changed since you opened this")
    expect(page.get_by_text("front@brightwater.example")).to_be_visible()
    expect(page.get_by_role("checkbox", name="E-mail")).not_to_be_checked()
    look_at(page, "changed")
    page.get_by_role("checkbox", name="E-mail").press("Space")
    page.get_by_role("button", name="Send 3 fields").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Syncro did not accept this.")
    expect(page.get_by_text("Syncro: Email is not an email")).to_be_visible()
    look_at(page, "refused")
    page.get_by_role("checkbox", name="E-mail").press("Space")
    syncro.sandbox.fault("lost_reply", method="PUT")
    page.get_by_role("button", name="Send 2 fields").press("Enter")
    expect(page.get_by_role("region", name="Messages")).to_contain_text("We looked: it had arrived.")
    assert len(writes(syncro)) == 3


def test_without_javascript(
    house: Crew, syncro: Running, company: Company, browser: Browser, live_server: Any
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    signed_in(page, live_server, house.bob).goto(f"{live_server.url}/acme/companies/{company.pk}/")
    page.get_by_role("link", name="Send to Syncro: Brightwater").press("Enter")
    page.get_by_role("checkbox", name="City").press("Space")
    page.get_by_role("button", name="Send to Syncro").press("Enter")
    expect(page.get_by_text("Created customer #")).to_be_visible()
    assert writes(syncro) == [
        (
            "POST",
            "/customers",
            {
                "business_name": "Brightwater Dental",
                "phone": "(212) 555-0142",
                "address": "18 Harbour St, Suite 2",
            },
        )
    ]


def test_a_possible_match_and_a_reason_why_not(
    house: Crew, syncro: Running, company: Company, page: Page, live_server: Any
) -> None:
    syncro.sandbox.create("customers", business_name="Brightwater Dental LLC", phone="2125550142")
    signed_in(page, live_server, house.bob)
    open_dialog(page, live_server, company)
    expect(page.get_by_role("heading", name="Possible match found: link instead?")).to_be_visible()
    look_at(page, "match")
    page.get_by_role("button", name="Continue").press("Enter")
    expect(page.get_by_text("Will link it to and update")).to_be_visible()
    edit.delete(company.opportunities.get(), actor=None)
    page.goto(f"{live_server.url}/acme/companies/{company.pk}/")
    expect(page.get_by_role("button", name="Send to Syncro")).to_be_disabled()
    expect(page.get_by_role("link", name="Add opportunity").first).to_be_visible()
    look_at(page, "why-not")


def test_the_old_values_put_back(
    house: Crew, syncro: Running, company: Company, page: Page, live_server: Any
) -> None:
    sent(the_connection(house), company)
    edit.update(house.account, fresh(company), {"phone": "(212) 555-0190", "city": "Salem"}, actor=None)
    sent(the_connection(house), company, "company.phone", "company.city")
    number = Link.objects.get(company=company).remote_id
    syncro.sandbox.edit("customers", number, city="Keizer")
    signed_in(page, live_server, house.bob).goto(f"{live_server.url}/acme/companies/{company.pk}/")
    page.get_by_role("link", name="Put the old values back").press("Enter")
    expect(page.get_by_text("Changed in Syncro since. It is “Keizer” now.")).to_be_visible()
    look_at(page, "undo")
    page.get_by_role("button", name="Put back").press("Enter")
    expect(page.get_by_role("region", name="Messages")).to_contain_text(
        "Put the old values back on customer #"
    )
    assert writes(syncro)[-1] == ("PUT", f"/customers/{number}", {"phone": "2125550142"})


def test_an_opportunity_along_as_a_lead_and_a_person_asked_whether_it_arrived(
    house: Crew, syncro: Running, company: Company, page: Page, live_server: Any
) -> None:
    edit.update(house.account, fresh(company), {"email": "info@brightwater.example"}, actor=None)
    deal = company.opportunities.get()
    signed_in(page, live_server, house.bob)
    open_dialog(page, live_server, company)
    box = page.get_by_role("checkbox", name=deal.name)
    expect(box).not_to_be_checked()
    box.press("Space")
    look_at(page, "leads")
    syncro.sandbox.fault("reset", method="POST", path="/leads")
    page.get_by_role("button", name="Send 5 fields").press("Enter")
    expect(page.get_by_role("heading", name="Did it arrive in Syncro?")).to_be_focused()
    assert len(syncro.sandbox.customers) == 1
    look_at(page, "did-it-arrive")
    page.get_by_role("radio", name="It is not in Syncro: send it again").press("Space")
    page.get_by_role("button", name="Go on").press("Enter")
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Created lead #")
    assert (len(syncro.sandbox.customers), len(syncro.sandbox.leads)) == (1, 1)


def send_unanswered(page: Page, live_server: Any, syncro: Running, company: Company) -> None:
    open_dialog(page, live_server, company)
    syncro.sandbox.fault("reset", method="POST", path="/customers")
    page.get_by_role("button", name="Send 4 fields").press("Enter")
    expect(page.get_by_role("heading", name="Looking whether it arrived")).to_be_focused()


def test_a_lost_answer_is_looked_for_again(
    house: Crew, syncro: Running, company: Company, page: Page, live_server: Any, settings: Any
) -> None:
    signed_in(page, live_server, house.bob)
    send_unanswered(page, live_server, syncro, company)
    look_at(page, "looking")
    settings.PROPOLIS_SEND_SETTLE_SECONDS = 0
    page.get_by_role("button", name="Look now").press("Enter")
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Created customer #")
    assert len(syncro.sandbox.customers) == 1


def test_the_dialog_ends_by_itself_once_a_worker_has_found_out(
    house: Crew, syncro: Running, company: Company, page: Page, live_server: Any, settings: Any
) -> None:
    signed_in(page, live_server, house.bob)
    send_unanswered(page, live_server, syncro, company)
    with page.expect_response(lambda answer: "watch=" in answer.url and answer.status == 204):
        pass
    expect(page.get_by_role("heading", name="Looking whether it arrived")).to_be_focused()
    settings.PROPOLIS_SEND_SETTLE_SECONDS = 0
    run = Run.objects.get(kind="send")
    engine.resume(run, None)
    assert exporting.take_up(run).state == Run.State.COMPLETE
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Created customer #")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_made_by_a_send_and_deleted_there_again(
    house: Crew, syncro: Running, company: Company, page: Page, live_server: Any
) -> None:
    person = a_contact(house.account, company, "Priya", "Raman")
    sent(the_connection(house), company)
    sent(the_connection(house), person)
    signed_in(page, live_server, house.bob).goto(f"{live_server.url}/acme/contacts/{person.pk}/")
    page.get_by_role("link", name="Delete it in Syncro again").press("Enter")
    expect(page.get_by_role("heading", name="Delete Priya Raman in Syncro again?")).to_be_focused()
    look_at(page, "delete")
    page.get_by_role("checkbox", name="Delete contact #").press("Space")
    page.get_by_role("button", name="Delete in Syncro").press("Enter")
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Deleted contact #")
    assert len(syncro.sandbox.contacts) == 0


def test_what_is_edited_in_place_stands_in_activity_and_syncro_card_at_once(
    house: Crew, syncro: Running, company: Company, page: Page, live_server: Any
) -> None:
    sent(the_connection(house), company)
    signed_in(page, live_server, house.bob).goto(f"{live_server.url}/acme/companies/{company.pk}/")
    expect(page.locator("#syncro")).not_to_contain_text("Newer here")
    page.get_by_role("textbox", name="Note").fill("Half a sen")
    page.get_by_role("link", name="Edit phone").press("Enter")
    page.get_by_role("textbox", name="Phone").fill("(212) 555-0190")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.locator("#feed")).to_contain_text("Phone changed")
    expect(page.locator("#syncro")).to_contain_text("Newer here")
    expect(page.get_by_role("textbox", name="Note")).to_have_value("Half a sen")
    expect(page.get_by_role("link", name="Edit phone")).to_be_focused()
    page.get_by_role("button", name="Undo “Phone changed”").click()
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Undone.")
    assert fresh(company).phone == "(212) 555-0142"
