"""Every page of the frame in four looks: accessible, no sideways scroll, no complaint of the browser."""

from typing import Any

import pytest

from tests.browser import assert_presentable, signed_in
from tests.people import Crew

pytestmark = pytest.mark.browser

OUTSIDE = ["/auth/login/", "/auth/password/reset/", "/auth/password/reset/done/", "/auth/signup/"]
INSIDE = [
    "/acme/settings/",
    "/acme/settings/account/",
    "/acme/settings/users/",
    "/acme/settings/users/new/",
    "/acme/settings/audit/",
    "/me/",
    "/choose/",
    "/auth/password/change/",
    "/auth/2fa/",
    "/auth/sessions/",
]


@pytest.mark.parametrize("address", OUTSIDE)
def test_before_signing_in(page: Any, live_server: Any, house: Crew, address: str) -> None:
    page.goto(live_server.url + address)
    assert_presentable(page)


@pytest.mark.parametrize("address", INSIDE)
def test_signed_in(page: Any, live_server: Any, house: Crew, address: str) -> None:
    signed_in(page, live_server, house.alice).goto(live_server.url + address)
    assert page.url == live_server.url + address
    assert_presentable(page)


def test_a_person_who_lost_a_password(page: Any, live_server: Any, house: Crew) -> None:
    at = f"/acme/settings/users/{house.bob.pk}/"
    signed_in(page, live_server, house.alice).goto(live_server.url + at)
    page.get_by_role("heading", name="Password forgotten, or phone lost?").wait_for()
    assert_presentable(page)
