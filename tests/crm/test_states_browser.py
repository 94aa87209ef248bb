"""The main pages of the CRM and of Account settings, each in four looks; the board with the keyboard alone."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.crm import edit, lists, notes
from propolis.crm.fields import Kind
from propolis.crm.founding import furnish
from propolis.crm.models import Opportunity, OppStatus
from tests.browser import assert_no_sideways_scroll, assert_presentable, set_look, signed_in
from tests.people import Crew

pytestmark = pytest.mark.browser

STATES: Final = [
    ("companies", "companies/"),
    ("companies, nothing found", "companies/?q=nobody"),
    ("companies, deleted", "companies/?show=deleted"),
    ("a company", "companies/{company}/"),
    ("a deleted company", "companies/{gone}/"),
    ("editing a company", "companies/{company}/edit/"),
    ("a next step", "companies/{company}/next-step/"),
    ("contacts", "contacts/?sort=-created"),
    ("a contact", "contacts/{contact}/"),
    ("a new contact", "contacts/new/?company={company}"),
    ("lists", "lists/"),
    ("a list", "lists/{list}/"),
    ("changing a list", "lists/{list}/edit/"),
    ("opportunities", "opportunities/?show=all"),
    ("the board", "opportunities/board/"),
    ("an opportunity", "opportunities/{deal}/"),
    ("moving an opportunity", "opportunities/{deal}/move/"),
    ("found", "search/?q=brightwater"),
    ("settings", "settings/"),
    ("account settings", "settings/account/"),
    ("users", "settings/users/"),
    ("audit log", "settings/audit/"),
]


def furnished(crew: Crew) -> dict[str, int]:
    """A company with people, a deal, notes and a list; one more, deleted."""
    acme, alice = crew.account, crew.alice
    furnish(acme)
    today = timezone.localdate().isoformat()
    firm = edit.create(
        acme,
        Kind.COMPANY,
        {"name": "Brightwater Dental", "phone": "(212) 555-0100", "website": "brightwater.example",
         "salesperson": crew.bob.pk, "next_step": "Call about the firewall", "next_step_on": today,
         "next_step_by": alice.pk},
        actor=alice,
    )  # fmt: skip
    jo = edit.create(
        acme,
        Kind.CONTACT,
        {"first": "Jo", "last": "Lindqvist", "email": "jo@brightwater.example", "company": firm.pk},
        actor=alice,
    )
    deal = _deal(acme, "New firewall", firm.pk, jo.pk)
    _deal(acme, "Laptops", firm.pk, None)
    notes.add_note(firm, "They have a dog.", actor=crew.bob)
    news = lists.create_list(acme, "Spring newsletter")
    lists.add(news, [jo.pk], actor=alice)
    gone = edit.create(acme, Kind.COMPANY, {"name": "Old Mill"}, actor=alice)
    edit.delete(gone, actor=alice)
    return {"company": firm.pk, "gone": gone.pk, "contact": jo.pk, "deal": deal.pk, "list": news.pk}


def _deal(acme: Account, name: str, company: int, contact: int | None) -> Any:
    status = OppStatus.objects.get(name="New").pk
    given = {"name": name, "company": company, "contact": contact, "status": status, "amount": "2400"}
    return edit.create(acme, Kind.OPPORTUNITY, given, actor=None)


def test_the_main_pages_in_four_looks(page: Page, live_server: Any, house: Crew) -> None:
    assert len(STATES) == 22
    with in_account(house.account):
        ids = furnished(house)
    signed_in(page, live_server, house.alice)
    for _name, address in STATES:
        answer = page.goto(f"{live_server.url}/acme/{address.format(**ids)}")
        assert answer is not None
        assert (answer.status, address) == (200, address)
        assert_presentable(page)


def test_bob_moves_a_card_with_the_keyboard_alone(page: Page, live_server: Any, house: Crew) -> None:
    with in_account(house.account):
        deal = furnished(house)["deal"]
    signed_in(page, live_server, house.bob)
    page.goto(f"{live_server.url}/acme/opportunities/board/")
    page.get_by_role("link", name="Move New firewall").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading", name="Move New firewall")).to_be_visible()
    for _ in range(12):
        if page.evaluate("document.activeElement.innerText.trim()") == "Proposal":
            break
        page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_text("Moved New firewall to Proposal.").first).to_be_visible()
    expect(page.locator(f"#card-{deal}")).to_be_focused()
    with in_account(house.account):
        assert Opportunity.objects.get(pk=deal).status.name == "Proposal"


def test_a_name_of_ten_thousand_letters_widens_no_page(page: Page, live_server: Any, house: Crew) -> None:
    long = "W" * 5000 + "🐝 \u05e9\u05dc\u05d5\u05dd \u202e" + "x" * 4900
    with in_account(house.account):
        furnish(house.account)
        firm = edit.create(house.account, Kind.COMPANY, {"name": long, "city": "C" * 300}, actor=house.bob)
        other = edit.create(house.account, Kind.COMPANY, {"name": "Brightwater"}, actor=house.bob)
        jo = edit.create(house.account, Kind.CONTACT, {"first": long, "company": firm.pk}, actor=house.bob)
        edit.update(house.account, jo, {"email": "jo@firm.example"}, actor=house.bob)
        edit.create(
            house.account, Kind.CONTACT, {"first": "Sam", "email": "jo@firm.example"}, actor=house.bob
        )
        deal = _deal(house.account, "W" * 9900, firm.pk, jo.pk)
        lists.create_list(house.account, "N" * 200)
    signed_in(page, live_server, house.alice)
    pages = [
        *(
            "",
            "companies/",
            "contacts/",
            "opportunities/",
            "opportunities/board/",
            "lists/",
            "search/?q=wwww",
            "duplicates/?kind=contact",
        ),
        *(f"companies/{firm.pk}/", f"contacts/{jo.pk}/", f"opportunities/{deal.pk}/"),
        *(f"companies/{firm.pk}/edit/", f"companies/{firm.pk}/merge/?with={other.pk}"),
        *(f"companies/{other.pk}/merge/?q=bright", f"contacts/?company={firm.pk}"),
    ]
    for width, some in ((390, pages), (1440, ["", f"companies/{firm.pk}/"])):
        set_look(page, "light", width)
        for each in some:
            page.goto(f"{live_server.url}/acme/{each}")
            assert_no_sideways_scroll(page)


def test_a_form_is_sent_once_however_often_it_is_clicked(page: Page, live_server: Any, house: Crew) -> None:
    signed_in(page, live_server, house.bob).goto(f"{live_server.url}/acme/companies/new/")
    page.evaluate("""() => {
        window.went = 0;
        window.addEventListener("submit", (event) => {
            if (!event.defaultPrevented) window.went += 1;
            event.preventDefault();
        });
        const form = document.querySelector("form.form");
        form.requestSubmit();
        form.requestSubmit();
    }""")
    assert page.evaluate("window.went") == 1
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.evaluate("document.querySelector('form.form').requestSubmit()")
    assert page.evaluate("window.went") == 2, "back on the page, it may be sent again"


def test_people_of_a_company_read_well_on_a_phone(page: Page, live_server: Any, house: Crew) -> None:
    """An address of usual length takes a line, not a letter a line, and the phone is in the window."""
    with in_account(house.account):
        furnish(house.account)
        firm = edit.create(house.account, Kind.COMPANY, {"name": "Brightwater"}, actor=house.alice)
        values = {"first": "Priya", "last": "Raman", "company": firm.pk, "phone": "206-555-0142 x12"}
        values["email"] = "PRIYA.RAMAN@BRIGHTWATER-DENTAL.EXAMPLE"
        edit.create(house.account, Kind.CONTACT, values, actor=house.alice)
    set_look(page, "light", 390)
    signed_in(page, live_server, house.bob).goto(f"{live_server.url}/acme/companies/{firm.pk}/")
    address = page.locator("#people a[href^=mailto]").bounding_box()
    phone = page.locator("#people a[href^=tel]").bounding_box()
    assert address
    assert phone
    assert address["height"] < 50
    assert phone["x"] + phone["width"] < 390


def test_a_long_name_of_ones_own_stays_in_the_side_bar(page: Page, live_server: Any, house: Crew) -> None:
    user = house.bob.user
    assert user is not None
    user.name = "Bartholomew Featherstonehaugh-Cholmondeley"
    user.save()
    signed_in(page, live_server, house.bob).goto(f"{live_server.url}/acme/")
    edge = page.locator("#account-button svg").bounding_box()
    side = page.locator(".side").bounding_box()
    assert edge
    assert side
    assert edge["x"] + edge["width"] < side["x"] + side["width"] - 8
