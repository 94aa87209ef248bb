"""Alice sets up Syncro with the keyboard: wrong token, missing permission, right token; then the users."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from propolis.accounts.models import Membership
from propolis.accounts.scoping import in_account
from propolis.bridge.models import Connection, RemoteUser
from syncro_sandbox import Running
from tests.bridge.house import a_syncro
from tests.browser import assert_presentable, signed_in
from tests.people import Crew

pytestmark = pytest.mark.browser

READING = ["Customers - List/Search", "Customers - View Detail", "Leads - List/Search"]


@pytest.fixture
def syncro(settings: Any) -> Iterator[Running]:
    settings.PROPOLIS_PACE = 60_000.0
    with a_syncro() as running:
        settings.PROPOLIS_SYNCRO_BASE_URL = running.base_url
        yield running


@pytest.fixture
def wizard(page: Page, live_server: Any, house: Crew, syncro: Running) -> Page:
    """Alice on the overview."""
    signed_in(page, live_server, house.alice)
    page.goto(f"{live_server.url}/acme/settings/integrations/syncro/")
    return page


def enter(page: Page, name: str, role: Any = "button") -> None:
    """Presses a control with the keyboard."""
    control = page.get_by_role(role, name=name, exact=True).first
    control.focus()
    page.keyboard.press("Enter")


def save(page: Page) -> None:
    with page.expect_navigation():
        enter(page, "Save credentials")


def type_token(page: Page, token: str) -> None:
    field = page.locator("#id_token")
    field.focus()
    field.fill("")
    page.keyboard.type(token)


def test_wrong_token_then_missing_permission_then_connected(wizard: Page, syncro: Running):
    enter(wizard, "Go to Connection", "link")
    expect(wizard.get_by_role("heading", level=1)).to_have_text("Save credentials")
    type_token(wizard, "Twrong")
    enter(wizard, "Check")
    expect(wizard.locator("#check-result")).to_contain_text("Syncro did not accept the API token.")
    type_token(wizard, syncro.sandbox.add_token(READING[:2]))
    enter(wizard, "Check")
    missing = wizard.get_by_role("row", name="Leads - List/Search")
    expect(missing).to_contain_text("Missing")
    enter(wizard, "Save credentials")
    problem = wizard.get_by_role("alert")
    expect(problem).to_contain_text("There is a problem")
    expect(problem).to_be_focused()
    type_token(wizard, syncro.sandbox.add_token(READING))
    enter(wizard, "Save credentials")
    expect(wizard.get_by_role("heading", name="Connected to")).to_be_visible()
    steps = wizard.get_by_role("navigation", name="Syncro PSA Integration").get_by_role("listitem")
    expect(steps.nth(0)).to_contain_text("Connection (done)")
    expect(steps.nth(1)).to_contain_text("Not read yet")
    assert {request["method"] for request in syncro.sandbox.requests} == {"GET"}


def connect(page: Page, syncro: Running) -> None:
    page.goto(page.url + "connection/")
    type_token(page, syncro.token)
    enter(page, "Save credentials")
    expect(page.get_by_role("heading", name="Connected to")).to_be_visible()


def test_users_are_mapped_and_invited(wizard: Page, house: Crew, syncro: Running):
    connect(wizard, syncro)
    enter(wizard, "Next: Users", "link")
    enter(wizard, "Read users")
    expect(wizard.locator("#users")).to_contain_text("0 of 14 users matched")
    expect(wizard.locator("#users")).to_contain_text(re.compile(r"Read \d+ [A-Z][a-z]{2} \d{4}, \d\d:\d\d"))
    expect(wizard.locator("#reading")).to_have_count(0)
    enter(wizard, "Yes, that is me")
    expect(wizard.locator("#users")).to_contain_text("1 of 14 users matched")
    dana = wizard.get_by_role("row", name=re.compile("^Dana Whitcomb"))
    dana.get_by_label("Salesperson").focus()
    wizard.keyboard.press("Space")
    enter(wizard, "Import users as ticked")
    expect(wizard.locator("#users")).to_contain_text("2 of 14 users matched")
    tick = wizard.get_by_label("Invite Dana Whitcomb")
    expect(tick).not_to_be_checked()
    tick.focus()
    wizard.keyboard.press("Space")
    enter(wizard, "Invite")
    expect(wizard.get_by_role("heading", level=1)).to_have_text("Send 1 invitation: Dana Whitcomb")
    enter(wizard, "Send 1 invitation")
    expect(wizard.get_by_role("row", name=re.compile("Dana Whitcomb"))).to_contain_text("Invited, until")
    assert [message.to for message in mail.outbox] == [["dana@harborpoint-it.example"]]
    with in_account(house.account):
        person = Membership.objects.get(email_key="dana@harborpoint-it.example")
    assert (person.state, person.role_types) == ("invited", ["Salesperson"])


def test_matching_by_hand_in_a_dialog(wizard: Page, house: Crew, syncro: Running):
    connect(wizard, syncro)
    enter(wizard, "Next: Users", "link")
    enter(wizard, "Read users")
    expect(wizard.locator("#reading")).to_have_count(0)
    row = wizard.get_by_role("row", name=re.compile("Farah Aziz"))
    row.get_by_role("button", name="Actions for Farah Aziz").focus()
    wizard.keyboard.press("Enter")
    row.get_by_role("link", name="Match by hand").focus()
    wizard.keyboard.press("Enter")
    dialog = wizard.get_by_role("dialog", name="Who is Farah Aziz here?")
    dialog.get_by_label("Person").select_option(label="Bob Tanaka (bob@acme.example)")
    dialog.get_by_role("button", name="Save").focus()
    wizard.keyboard.press("Enter")
    expect(wizard.get_by_role("row", name=re.compile("Farah Aziz"))).to_contain_text("Bob Tanaka")


# Each state of each page, in light and dark, 1440 and 390 px wide: no axe violation, no sideways scroll.
STATES = [
    "overview before connecting",
    "connection before connecting",
    "a locked page",
    "a wrong token",
    "a missing permission",
    "connected",
    "disconnecting",
    "users before reading",
    "users, some imported, one new, one left",
    "matching by hand",
    "handing over",
    "confirming invitations",
    "a copied link",
    "an import page",
    "the status map",
    "overview when all is done",
    "a token that died",
]


@pytest.mark.timeout(900)
def test_every_state_is_presentable(wizard: Page, house: Crew, syncro: Running):
    seen: list[str] = []

    def look(state: str, path: str = "") -> None:
        if path:
            wizard.goto(base + path)
        assert_presentable(wizard)
        seen.append(state)

    base = wizard.url
    look("overview before connecting")
    look("connection before connecting", "connection/")
    wizard.get_by_text("Whoa!").click()
    look("a locked page", "companies/")
    wizard.goto(base + "connection/")
    type_token(wizard, "Twrong")
    save(wizard)
    look("a wrong token")
    type_token(wizard, syncro.sandbox.add_token(READING[:1]))
    save(wizard)
    look("a missing permission")
    type_token(wizard, syncro.token)
    save(wizard)
    look("connected")
    look("disconnecting", "connection/disconnect/")
    look("users before reading", "users/")
    with wizard.expect_navigation():
        enter(wizard, "Read users")
    expect(wizard.locator("#reading")).to_have_count(0)
    pk, person = furnish(house)
    look("users, some imported, one new, one left", "users/")
    look("matching by hand", f"users/{pk}/")
    look("handing over", f"users/{pk}/hand-over/")
    look("confirming invitations", f"users/invite/?person={person}")
    wizard.goto(base + "users/")
    wizard.get_by_role("button", name="Actions for Sam Sold").click()
    with wizard.expect_navigation():
        wizard.get_by_role("button", name="Copy link").click()
    look("a copied link")
    look("an import page", "contacts/")
    look("the status map", "opportunities/")
    look("overview when all is done", "../syncro/")
    with in_account(house.account):
        Connection.objects.update(state="broken")
    look("a token that died", "connection/")
    assert seen == STATES
    assert len(STATES) == 17


def furnish(house: Crew) -> tuple[int, int]:
    """A user who left, one who is new, a salesperson to invite, all steps done: ids of user and person."""
    with in_account(house.account):
        connection = Connection.objects.get()
        now = timezone.now()
        first, second, third = RemoteUser.objects.order_by("remote_id")[:3]
        sam = Membership.objects.create(
            account=house.account, name="Sam Sold", email_key=third.email_key, is_salesperson=True
        )
        RemoteUser.objects.filter(pk=third.pk).update(name="Sam Sold")
        RemoteUser.objects.filter(pk=first.pk).update(left_at=now, membership=house.bob)
        RemoteUser.objects.filter(pk=second.pk).update(first_seen_at=now)
        connection.users_read_at = connection.companies_read_at = connection.contacts_read_at = now
        connection.opportunities_read_at = now
        connection.save()
    return first.pk, sam.pk
