"""How phones look to the people who call them; days in their own time zone."""

from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.crm import cells
from propolis.crm.fields import Shape


@pytest.mark.parametrize(
    ("phone", "key", "extension", "shown"),
    [
        ("2065550142", "12065550142", "", "(206) 555-0142"),
        ("12065550142", "12065550142", "", "(206) 555-0142"),
        ("206.555.0142", "12065550142", "", "206.555.0142"),
        ("442079460958", "442079460958", "", "+44 20 7946 0958"),
        ("2065550142", "12065550142", "12", "(206) 555-0142 ext. 12"),
        ("206-555-0142 ×12", "12065550142", "12", "206-555-0142 ×12"),
        ("206-555-0142 x 12", "12065550142", "12", "206-555-0142 x 12"),
        ("206-555-0142 ext. 112", "12065550142", "12", "206-555-0142 ext. 112 ext. 12"),
    ],
)
def test_a_number_is_grouped_as_people_read_it(phone: str, key: str, extension: str, shown: str) -> None:
    expected = f'<a class="nowrap" href="tel:+{key}">{shown}</a>'
    assert cells.phone_link(phone, key, extension) == expected


def test_what_is_no_number_is_no_link() -> None:
    assert cells.phone_link("ask for <Jo>", "", "3") == "ask for <Jo> ext. 3"


@pytest.mark.parametrize(("zone", "shown"), [("America/Los_Angeles", "31 Dec 2024"), ("UTC", "1 Jan 2025")])
def test_the_day_something_was_closed_is_the_readers_day(zone: str, shown: str) -> None:
    with timezone.override(ZoneInfo(zone)):
        assert cells.told(Shape.INSTANT, "2025-01-01T02:30:00+00:00", Account()) == shown
        assert cells.told(Shape.DATE, "2025-01-01", Account()) == "1 Jan 2025"
