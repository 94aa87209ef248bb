"""The sliding window per client address, and the many ways a 429 may look."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from syncro_sandbox import Sandbox, SeedOptions
from tests.sandbox.asking import Asker, Clock

NOTHING = SeedOptions(companies=0, contacts=0, leads=0)


def limited(clock: Clock, **switches: object) -> Sandbox:
    return Sandbox(NOTHING, clock=clock, switches=switches)


def test_the_181st_request_within_a_minute_is_refused(clock: Clock) -> None:
    api = Asker(limited(clock))
    statuses = []
    for _ in range(181):
        statuses.append(api.ask("GET", "/me").status_code)
        clock.now += 0.1
    refused = api.ask("GET", "/me")

    assert statuses == [200] * 180 + [429]
    assert (refused.status_code, refused.text) == (429, "Retry later\n")
    assert refused.headers["content-type"] == "text/plain"
    assert "retry-after" not in refused.headers


def test_the_window_slides(clock: Clock) -> None:
    api = Asker(limited(clock, rate_limit=3))
    for wait, status in [(0, 200), (20, 200), (20, 200), (19.9, 429), (0.2, 200), (0, 429), (20, 200)]:
        clock.now += wait
        assert api.ask("GET", "/me").status_code == status


def test_addresses_are_counted_apart_and_refused_tokens_count_too(clock: Clock) -> None:
    box = limited(clock, rate_limit=2)
    one, other = Asker(box), Asker(box, address="127.0.0.2")
    stranger = Asker(box, token="nobody's")

    assert [one.ask("GET", "/me").status_code, stranger.ask("GET", "/me").status_code] == [200, 401]
    assert [one.ask("GET", "/me").status_code, other.ask("GET", "/me").status_code] == [429, 200]


def test_a_token_is_counted_too_when_switched_on(clock: Clock) -> None:
    box = limited(clock, rate_limit=2, rate_limit_counts="address_and_token")
    one, other = Asker(box), Asker(box, address="127.0.0.2")
    assert [one.ask("GET", "/me").status_code, other.ask("GET", "/me").status_code] == [200, 200]
    assert other.ask("GET", "/me").status_code == 429


def test_the_control_address_is_never_counted_or_logged(clock: Clock) -> None:
    box = limited(clock, rate_limit=1)
    api = Asker(box)
    statuses = [api.control("GET", "/status").status_code for _ in range(5)]

    assert statuses == [200] * 5
    assert api.ask("GET", "/me").status_code == 200
    assert len(box.requests) == 1


def test_a_refused_write_was_not_carried_out(clock: Clock) -> None:
    box = limited(clock, rate_limit=1)
    api = Asker(box)
    assert [api.post("/leads", {"first_name": "a"}).status_code for _ in range(3)] == [200, 429, 429]
    assert len(box.leads) == 1


@pytest.mark.parametrize("form", ["none", "seconds", "date"])
def test_retry_after(clock: Clock, form: str) -> None:
    api = Asker(limited(clock, rate_limit=1, retry_after=form))
    api.ask("GET", "/me")
    clock.now += 17
    given = api.ask("GET", "/me").headers.get("retry-after")

    if form == "none":
        assert given is None
    elif form == "seconds":
        assert given == "44"
    else:
        assert given is not None
        assert parsedate_to_datetime(given).timestamp() == clock.now + 44


def test_the_body_may_be_json_and_the_limit_off(clock: Clock) -> None:
    api = Asker(limited(clock, rate_limit=1, rate_limit_body="json"))
    api.ask("GET", "/me")
    assert api.ask("GET", "/me").json() == {"error": "Rate limit exceeded"}
    free = Asker(limited(clock, rate_limit=0))
    assert {free.ask("GET", "/me").status_code for _ in range(200)} == {200}
