"""Signing in and around with a real browser, where possible with the keyboard alone."""

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from playwright.sync_api import expect

from propolis.accounts import invitations
from propolis.accounts.models import Membership, User
from propolis.accounts.scoping import in_account
from propolis.crm import edit
from propolis.crm.fields import Kind
from tests.browser import assert_accessible, assert_presentable, set_look, signed_in
from tests.people import PASSWORD, Crew

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def calm(transactional_db: None) -> None:
    cache.clear()


def show_once_more(page: Any) -> None:
    """Changing one's sign-in asks for the password again."""
    page.get_by_role("heading", name="Is it you?").wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def sign_in(page: Any, live_server: Any, email: str) -> None:
    page.goto(live_server.url + "/auth/login/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_a_wrong_password_is_said_at_the_top_and_takes_the_focus(
    page: Any, live_server: Any, house: Crew
) -> None:
    page.goto(live_server.url + "/auth/login/")
    page.get_by_label("E-mail").fill("alice@acme.example")
    page.get_by_label("Password").fill("nothing like it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page).to_have_title("Error: Sign in · Propolis")
    assert_presentable(page)


def test_the_account_menu_by_keyboard(page: Any, live_server: Any, house: Crew) -> None:
    signed_in(page, live_server, house.alice).goto(live_server.url + "/acme/settings/")
    page.locator("#account-button").focus()
    page.keyboard.press("Enter")
    menu = page.get_by_role("navigation", name="Account", exact=True)
    menu.wait_for()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(menu).not_to_be_visible()
    page.keyboard.press("Enter")
    menu.get_by_role("button", name="Dark").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-theme=dark]")
    assert page.url == live_server.url + "/acme/settings/"


def test_every_entry_can_be_reached_on_a_phone(page: Any, live_server: Any, house: Crew) -> None:
    signed_in(page, live_server, house.alice).goto(live_server.url + "/acme/settings/")
    wide = page.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts()
    set_look(page, "light", 390)
    assert not page.get_by_role("navigation", name="Main").is_visible()
    page.get_by_role("button", name="Menu", exact=True).click()
    entries = page.get_by_role("navigation", name="Main").get_by_role("link")
    assert entries.all_inner_texts() == wide
    for entry in entries.all():
        assert entry.is_visible()
    page.get_by_role("button", name="Account menu").click()
    assert page.get_by_role("button", name="Sign out").is_visible()
    page.get_by_role("link", name="Account settings").click()
    page.wait_for_url("**/acme/settings/")


def test_a_row_menu_stays_inside_the_window(page: Any, live_server: Any, house: Crew) -> None:
    signed_in(page, live_server, house.alice).goto(live_server.url + "/acme/settings/users/")
    menu = page.get_by_role("group", name="Actions for Mia Okafor")
    for width in (1440, 390):
        set_look(page, "light", width)
        page.get_by_role("button", name="Actions for Mia Okafor").click()
        box = menu.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        page.keyboard.press("Escape")
        expect(menu).not_to_be_visible()


def test_an_open_row_menu_follows_a_window_made_smaller(page: Any, live_server: Any, house: Crew) -> None:
    signed_in(page, live_server, house.alice).goto(live_server.url + "/acme/settings/users/")
    page.get_by_role("button", name="Actions for Mia Okafor").click()
    menu = page.get_by_role("group", name="Actions for Mia Okafor")
    set_look(page, "light", 390)
    page.wait_for_function(
        "menu => { const at = menu.getBoundingClientRect(); return at.width > 0 && at.left >= 0 && at.right <= 390; }",
        arg=menu.element_handle(),
    )


def test_a_page_is_printed_without_what_one_can_only_press(page: Any, live_server: Any, house: Crew) -> None:
    with in_account(house.account):
        firm = edit.create(
            house.account, Kind.COMPANY, {"name": "Brightwater", "city": "Salem"}, actor=house.bob
        )
    signed_in(page, live_server, house.bob).goto(f"{live_server.url}/acme/companies/{firm.pk}/")
    seen = [
        page.locator(each).first for each in (".side", "#id_body", "#activity button", "#details-h", "h1")
    ]
    assert [each.is_visible() for each in seen] == [True] * 5
    page.emulate_media(media="print", color_scheme="dark")
    assert [each.is_visible() for each in seen] == [False, False, False, True, True]
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")


def test_the_icon_of_the_tab_is_there(page: Any, live_server: Any, house: Crew) -> None:
    page.goto(live_server.url + "/auth/login/")
    icon = page.request.get(live_server.url + page.locator("link[rel=icon]").get_attribute("href"))
    assert (icon.status, icon.headers["content-type"]) == (200, "image/svg+xml")


def test_signing_out(page: Any, live_server: Any, house: Crew) -> None:
    signed_in(page, live_server, house.alice).goto(live_server.url + "/acme/settings/")
    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/auth/login/**")
    page.goto(live_server.url + "/acme/settings/")
    assert "/auth/login/" in page.url


def test_the_second_step_with_an_app(page: Any, live_server: Any, house: Crew) -> None:
    signed_in(page, live_server, house.alice).goto(live_server.url + "/auth/2fa/totp/activate/")
    show_once_more(page)
    page.wait_for_url(live_server.url + "/auth/2fa/totp/activate/")
    assert_presentable(page)
    secret = page.get_by_label("Key", exact=True).input_value()
    page.locator("#id_code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    page.wait_for_url("**/recovery-codes/**")
    assert page.locator(".codes li").count() == 10
    assert_presentable(page)
    spare = page.locator(".codes li").first.inner_text()

    page.context.clear_cookies()
    sign_in(page, live_server, "alice@acme.example")
    page.get_by_role("heading", name="Second step").wait_for()
    assert_presentable(page)
    page.locator("#id_code").fill(spare)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/auth/" not in url)
    page.complaints.expect("404")  # the account's start page is not this folder's


def code_of(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def test_a_passkey(page: Any, live_server: Any, house: Crew) -> None:
    """With the browser's virtual authenticator; browsers allow passkeys at localhost."""
    at = live_server.url.replace("127.0.0.1", "localhost")
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    page.goto(at + "/auth/login/?next=/me/")
    page.get_by_label("E-mail").fill("alice@acme.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(at + "/me/")
    page.goto(at + "/auth/2fa/webauthn/add/")
    show_once_more(page)
    page.wait_for_url(at + "/auth/2fa/webauthn/add/")
    assert_presentable(page)
    page.locator("#id_name").fill("Alice's laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url("**/recovery-codes/**")
    page.goto(at + "/auth/2fa/webauthn/")
    assert page.get_by_role("rowheader").all_inner_texts() == ["Alice's laptop"]
    assert_presentable(page)

    page.context.clear_cookies()
    page.goto(at + "/auth/login/?next=/me/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(at + "/me/")
    assert page.get_by_label("Name").input_value() == "Alice Moreau"


def test_jo_joins_and_sees_what_a_password_needs(page: Any, live_server: Any, house: Crew) -> None:
    with in_account(house.account):
        jo = Membership.objects.create(
            account=house.account, name="Jo Lindqvist", email_key="jo@acme.example", is_salesperson=True
        )
        link = invitations.new_link(jo, house.alice)
    page.goto(live_server.url + "/invite/" + link.rsplit("/", 2)[1] + "/")
    met = page.locator("#password-rules .met")
    expect(met).to_have_count(0)
    page.get_by_label("Choose a password").press_sequentially("harbour violin")
    expect(met).to_have_count(3)
    assert_presentable(page)
    page.get_by_role("button", name="Join Acme Managed IT").click()
    page.wait_for_url("**/acme/")
    page.complaints.expect("404")
    assert User.objects.get(email="jo@acme.example").check_password("harbour violin")


def test_pages_that_are_not_there_or_not_allowed(page: Any, live_server: Any, house: Crew) -> None:
    signed_in(page, live_server, house.bob)
    for address, words in (
        ("/acme/nothing/here/", "There is nothing at this address"),
        ("/umbel/settings/", "There is nothing at this address"),
        ("/acme/settings/users/", "You can’t do this with your role types"),
        ("/invite/wrong/", "This invitation is no longer good"),
    ):
        page.goto(live_server.url + address)
        assert page.get_by_role("heading", level=1).inner_text() == words
        assert_presentable(page)
    page.complaints.expect("404", "403")
