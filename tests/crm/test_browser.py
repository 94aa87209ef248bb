"""The CRM's own pages in a browser: with the keyboard alone, and every state in four looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, Page, expect

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import in_account
from propolis.crm import duplicate_search, duplicates, edit
from propolis.crm.fields import Kind
from propolis.crm.founding import furnish
from propolis.crm.models import Company, Duplicate, Opportunity, OppStatus
from tests.browser import assert_presentable, signed_in
from tests.people import Crew

pytestmark = pytest.mark.browser


@pytest.fixture
def acme(house: Crew) -> Iterator[Account]:
    with in_account(house.account):
        furnish(house.account)
        yield house.account


@pytest.fixture
def alice(page: Page, live_server: Any, house: Crew) -> Page:
    return signed_in(page, live_server, house.alice)


def tab_to(page: Page, name: str, most: int = 80) -> None:
    """By the Tab key alone, to the control whose name begins so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "(e => e.getAttribute('aria-label') || (e.labels?.[0] || e).innerText || '')(document.activeElement)"
        )
        if found.strip().startswith(name):
            return
    raise AssertionError(f"no {name!r} within {most} tabs")


def press(page: Page) -> None:
    """Enter, on something that leads to another page."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def two_of_one(acme: Account) -> None:
    """A company twice, and two people at one address."""
    brightwater = {"name": "Brightwater Dental", "phone": "(212) 555-0100", "city": "Portland"}
    first = edit.create(acme, Kind.COMPANY, brightwater, actor=None)
    again = {"name": "Brightwater Dental LLC", "mobile": "212 555 0100", "website": "brightwater.example"}
    edit.create(acme, Kind.COMPANY, again, actor=None)
    for first_name, last in (("Jo", "Lindqvist"), ("Sam", "Reed")):
        person = {
            "first": first_name,
            "last": last,
            "email": "office@brightwater.example",
            "company": first.pk,
        }
        edit.create(acme, Kind.CONTACT, person, actor=None)


def searched(acme: Account) -> None:
    from propolis.runs.engine import work

    run, _new = duplicate_search.search(acme, by=None)
    while work(run.pk).outcome == "slice":
        pass


def test_duplicates_by_keyboard_alone(acme: Account, alice: Page, live_server: Any) -> None:
    two_of_one(acme)
    searched(acme)
    page = alice
    page.goto(live_server.url + "/acme/")
    tab_to(page, "Duplicates")
    press(page)
    page.get_by_role("heading", name="Duplicates").wait_for()
    tab_to(page, "Merge Brightwater Dental and Brightwater Dental LLC")
    press(page)
    page.get_by_role("heading", name="Merge two companies").wait_for()
    tab_to(page, "Keep Brightwater Dental LLC instead")
    page.locator("input[name=take-name][value=ours]").focus()
    page.keyboard.press("ArrowRight")
    tab_to(page, "Merge")
    press(page)
    page.wait_for_url("**/acme/duplicates/?kind=company")
    expect(page.locator("#toasts")).to_contain_text("Merged")
    assert Company.objects.get(deleted_at=None).name == "Brightwater Dental LLC"
    page.locator("#toasts").get_by_role("button", name="Undo").press("Enter")
    page.wait_for_url("**/companies/**")
    assert Company.objects.filter(deleted_at=None).count() == 2
    page.goto(live_server.url + "/acme/duplicates/?kind=contact")
    tab_to(page, "Jo Lindqvist and Sam Reed: not duplicates")
    press(page)
    expect(page.locator("#toasts")).to_contain_text("Kept apart")
    assert Duplicate.objects.filter(kind="contact").count() == 0
    page.locator("#toasts").get_by_role("button", name="Undo").press("Enter")
    expect(page.locator("#main")).to_contain_text("Sam Reed shares e-mail with Jo Lindqvist")


def test_statuses_by_keyboard_alone(acme: Account, alice: Page, live_server: Any) -> None:
    page = alice
    page.goto(live_server.url + "/acme/settings/statuses/")
    tab_to(page, "On hold: move up")
    for _ in range(2):
        press(page)
        expect(page.get_by_role("button", name="On hold: move up")).to_be_focused()
    expect(page.get_by_role("rowheader")).to_have_text(
        ["New", "Qualified", "On hold", "Proposal", "Negotiation", "Won", "Lost"]
    )
    tab_to(page, "Name")
    page.keyboard.type("Site survey")
    press(page)
    expect(page.locator("#toasts")).to_contain_text("Added Site survey.")
    tab_to(page, "Archive On hold")
    press(page)
    tab_to(page, "Archive", most=60)
    press(page)
    expect(page.locator("#toasts")).to_contain_text("Archived On hold.")


def three_deals(acme: Account) -> None:
    new = OppStatus.objects.get(name="New")
    for name in ("Wi-Fi", "Server", "Backup"):
        edit.create(acme, Kind.OPPORTUNITY, {"name": name, "status": new.pk}, actor=None)


def test_amounts_are_filled_in_by_tabbing_through(acme: Account, alice: Page, live_server: Any) -> None:
    three_deals(acme)
    page = alice
    page.goto(live_server.url + "/acme/opportunities/amounts/?sort=name")
    tab_to(page, "Amount, Backup")
    page.keyboard.type("1200")
    page.keyboard.press("Tab")
    page.keyboard.type("50")
    tab_to(page, "Amount, Server")
    page.keyboard.type("$900")
    page.keyboard.press("Enter")
    page.keyboard.type("x")
    page.keyboard.press("Tab")
    expect(page.locator("#amounts-says")).to_contain_text("3 open, 2 with amount")
    expect(page.locator(".amounts .error")).to_have_text("Enter an amount, such as 1200 or 1,200.50.")
    expect(page.get_by_label("Likelihood in %, Wi-Fi")).to_be_focused()
    deals = Opportunity.objects.order_by("name").values_list("name", "amount", "likelihood")
    assert list(deals) == [("Backup", 1200, 50), ("Server", 900, None), ("Wi-Fi", None, None)]


def test_an_expected_close_is_typed_digit_by_digit(acme: Account, alice: Page, live_server: Any) -> None:
    """The year 2 is a day too, for a browser: the cell waits until it is left."""
    three_deals(acme)
    page = alice
    page.goto(live_server.url + "/acme/opportunities/amounts/?sort=name")
    page.get_by_label("Expected close, Backup").focus()
    page.keyboard.type("12052026", delay=50)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Expected close, Server")).to_be_focused()
    expect(page.locator(".amounts .saved")).to_have_count(1)
    assert list(Opportunity.objects.order_by("name").values_list("expected_close", flat=True)) == [
        date(2026, 12, 5),
        None,
        None,
    ]


def a_leaver(acme: Account) -> Membership:
    """Bob has a company with a next step, and an opportunity at another company that has nobody."""
    bob = Membership.objects.get(is_salesperson=True)
    step = {"next_step": "Call", "next_step_by": bob.pk, "salesperson": bob.pk}
    edit.create(acme, Kind.COMPANY, {"name": "Kestrel Logistics", **step}, actor=None)
    other = edit.create(acme, Kind.COMPANY, {"name": "Harbor Law"}, actor=None)
    new = OppStatus.objects.get(name="New")
    deal = {"name": "Server", "status": new.pk, "company": other.pk, "salesperson": bob.pk}
    edit.create(acme, Kind.OPPORTUNITY, deal, actor=None)
    return bob


def test_my_companies_and_handing_over_by_keyboard_alone(
    acme: Account, alice: Page, live_server: Any
) -> None:
    bob = a_leaver(acme)
    page = alice
    page.goto(live_server.url + "/acme/companies/")
    tab_to(page, "My companies")
    press(page)
    tab_to(page, "Give them out")
    press(page)
    expect(page.locator("#toasts")).to_contain_text("1 record given.")
    assert Company.objects.get(name="Harbor Law").salesperson == bob
    tab_to(page, "Undo what was given on")
    press(page)
    expect(page.locator("#toasts")).to_contain_text("Undone: 1 is back.")
    page.goto(f"{live_server.url}/acme/settings/users/{bob.pk}/hand-over/")
    tab_to(page, "Who gets them")
    page.keyboard.type("Alice")
    tab_to(page, "Hand over")
    press(page)
    expect(page.locator("#toasts")).to_contain_text("3 records given.")
    assert Company.objects.get(name="Kestrel Logistics").salesperson == Membership.objects.get(is_admin=True)


def settled(page: Page) -> None:
    """A machine types sooner than a person: into a form that is still being put in its place."""
    expect(page.locator(".htmx-request, .htmx-settling, .htmx-swapping, .htmx-added")).to_have_count(0)


def test_a_company_is_worked_on_by_keyboard_alone(acme: Account, alice: Page, live_server: Any) -> None:
    page = alice
    row = edit.create(acme, Kind.COMPANY, {"name": "Brightwater"}, actor=None)
    page.goto(f"{live_server.url}/acme/companies/{row.pk}/")
    tab_to(page, "Edit phone")
    page.keyboard.press("Enter")
    field = page.get_by_label("Phone")
    expect(field).to_be_focused()
    settled(page)
    page.keyboard.type("(212) 555-0100")
    expect(field).to_have_value("(212) 555-0100")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Edit phone")).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    settled(page)
    page.keyboard.type("(212) 555-0100")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Phone saved.")
    expect(page.get_by_role("link", name="Edit phone")).to_be_focused()
    assert page.get_by_role("link", name="(212) 555-0100").get_attribute("href") == "tel:+12125550100"
    page.get_by_role("textbox", name="Note").focus()
    page.keyboard.type("They open at nine.")
    tab_to(page, "Log a call")
    press(page)
    expect(page.locator("#activity")).to_contain_text("They open at nine.")
    page.get_by_role("button", name="More actions").focus()
    page.keyboard.press("Enter")
    tab_to(page, "Delete")
    press(page)
    expect(page.locator("#toasts")).to_contain_text("Deleted Brightwater.")
    page.locator("#toasts").get_by_role("button", name="Undo").focus()
    press(page)
    assert Company.objects.get().deleted_at is None


def test_searching_and_moving_a_deal_by_keyboard_alone(acme: Account, alice: Page, live_server: Any) -> None:
    page = alice
    three_deals(acme)
    page.goto(live_server.url + "/acme/opportunities/board/")
    page.keyboard.press("/")
    page.keyboard.type("serv")
    expect(page.locator("#search-results").get_by_role("link", name="Server")).to_be_visible()
    tab_to(page, "Move Server")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Move Server").wait_for()
    tab_to(page, "Won")
    press(page)
    expect(page.locator("#toasts")).to_contain_text("Moved Server to Won.")
    deal = Opportunity.objects.get(name="Server")
    expect(page.locator(f"#card-{deal.pk}")).to_be_focused()
    assert deal.status.name == "Won"


def drag(page: Page, card: Locator, lane: Locator) -> None:
    start, end = card.bounding_box(), lane.bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 6, start["y"] + 6)
    page.mouse.down()
    page.mouse.move(end["x"] + 20, end["y"] + 20, steps=8)
    page.mouse.up()


def test_a_card_dragged_from_where_it_no_longer_is_stays(
    acme: Account, alice: Page, live_server: Any, house: Crew
) -> None:
    page = alice
    page.set_viewport_size({"width": 2000, "height": 900})  # all lanes at once
    three_deals(acme)
    page.goto(live_server.url + "/acme/opportunities/board/")
    deal = Opportunity.objects.get(name="Server")
    new, won, lost = (OppStatus.objects.get(name=name) for name in (deal.status.name, "Won", "Lost"))
    card, lane = page.locator(f"#card-{deal.pk}"), page.locator(f'[data-lane="{won.pk}"]')
    edit.move(acme, deal, lost, actor=house.bob)  # in another window
    drag(page, card, lane)
    expect(page.locator("#toasts")).to_contain_text("Server is in Lost now: somebody moved it meanwhile.")
    edit.move(acme, Opportunity.objects.get(pk=deal.pk), new, actor=house.bob)
    page.reload()
    drag(page, card, lane)
    expect(page.locator("#toasts")).to_contain_text("Moved Server to Won.")
    assert Opportunity.objects.get(pk=deal.pk).status == won


def test_a_prospect_becomes_a_company_and_a_contact_by_keyboard(
    acme: Account, alice: Page, live_server: Any
) -> None:
    new = OppStatus.objects.get(name="New")
    values = {"name": "Phones", "status": new.pk, "prospect_name": "Jo Lindqvist"}
    deal = edit.create(acme, Kind.OPPORTUNITY, values, actor=None)
    page = alice
    page.goto(f"{live_server.url}/acme/opportunities/{deal.pk}/")
    tab_to(page, "Create company and contact")
    press(page)
    expect(page.locator("#toasts")).to_contain_text("Added Jo Lindqvist.")
    assert Company.objects.get().name == "Jo Lindqvist"


# ---- how each state looks


def nothing_to_compare(acme: Account) -> str:
    return "duplicates/"


def searching(acme: Account) -> str:
    edit.create(acme, Kind.COMPANY, {"name": "Brightwater"}, actor=None)
    return "duplicates/"


def no_duplicates(acme: Account) -> str:
    edit.create(acme, Kind.COMPANY, {"name": "Brightwater"}, actor=None)
    searched(acme)
    return "duplicates/"


def companies_twice(acme: Account) -> str:
    two_of_one(acme)
    searched(acme)
    return "duplicates/"


def people_at_one_address(acme: Account) -> str:
    return companies_twice(acme) + "?kind=contact"


def kept_apart(acme: Account) -> str:
    two_of_one(acme)
    pair = Duplicate.objects.get(kind="contact")
    duplicates.turn_down(Kind.CONTACT, pair.a, pair.b, actor=Membership.objects.get(is_admin=True))
    searched(acme)
    return "duplicates/?kind=contact&show=turned-down"


def merging(acme: Account) -> str:
    two_of_one(acme)
    pair = Duplicate.objects.get(kind="company")
    return f"companies/{pair.a}/merge/?with={pair.b}&from=duplicates"


def status_list(acme: Account) -> str:
    OppStatus.objects.filter(name="On hold").update(archived=True)
    return "settings/statuses/"


def archiving_a_status(acme: Account) -> str:
    status = OppStatus.objects.get(name="New")
    edit.create(acme, Kind.OPPORTUNITY, {"name": "New firewall", "status": status.pk}, actor=None)
    return f"settings/statuses/{status.pk}/archive/"


def a_status(acme: Account) -> str:
    return f"settings/statuses/{OppStatus.objects.get(name='Won').pk}/"


def amounts_to_fill_in(acme: Account) -> str:
    three_deals(acme)
    return "opportunities/amounts/"


def dashboard_of_a_new_account(acme: Account) -> str:
    return ""


def dashboard(acme: Account) -> str:
    two_of_one(acme)
    three_deals(acme)
    for name in ("Won", "Lost"):
        values = {"name": "Phones", "status": OppStatus.objects.get(name=name).pk, "amount": "1200"}
        edit.create(acme, Kind.OPPORTUNITY, values, actor=None)
    return ""


def my_companies(acme: Account) -> str:
    a_leaver(acme)
    return "companies/mine/?others=1"


def handing_over(acme: Account) -> str:
    return f"settings/users/{a_leaver(acme).pk}/hand-over/"


def nothing_to_hand_over(acme: Account) -> str:
    return f"settings/users/{Membership.objects.get(is_salesperson=True).pk}/hand-over/"


def nothing_found(acme: Account) -> str:
    return "search/?q=" + "a" * 400


STATES: Final[list[Callable[[Account], str]]] = [
    *(
        nothing_to_compare,
        searching,
        no_duplicates,
        companies_twice,
        people_at_one_address,
        kept_apart,
        merging,
    ),
    *(status_list, archiving_a_status, a_status, amounts_to_fill_in),
    *(dashboard_of_a_new_account, dashboard),
    *(my_companies, handing_over, nothing_to_hand_over, nothing_found),
]


def test_the_states_are_all_there() -> None:
    assert len(STATES) == 17


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_state_in_four_looks(
    acme: Account, alice: Page, live_server: Any, state: Callable[[Account], str]
) -> None:
    alice.goto(f"{live_server.url}/acme/{state(acme)}")
    assert_presentable(alice)
