"""What goes wrong on the wire, over a real socket, and that the account knows what really happened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from syncro_sandbox import Running, Sandbox, serve
from syncro_sandbox.fixtures import BRIGHTWATER
from tests.sandbox.asking import Asker


@pytest.fixture
def served(box: Sandbox) -> Iterator[Running]:
    with serve(box) as running:
        yield running


@pytest.fixture
def client(served: Running) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {served.token}"}
    with httpx2.Client(base_url=served.base_url, headers=headers, timeout=2) as client:
        yield client


LEAD = {"first_name": "Lost"}


def test_a_reset_before_and_a_lost_reply_after(box: Sandbox, client: httpx2.Client) -> None:
    before = len(box.leads)
    for kind, made in (("reset", 0), ("lost_reply", 1)):
        box.fault(kind, method="POST", path="/leads")  # type: ignore[arg-type]
        with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
            client.post("/leads", json=LEAD)
        assert len(box.leads) - before == made
    assert client.post("/leads", json=LEAD).status_code == 200
    assert [(entry["status"], entry["fault"]) for entry in box.requests] == [
        (None, "reset"),
        (None, "lost_reply"),
        (200, None),
    ]


def test_a_connection_cut_inside_the_body(box: Sandbox, client: httpx2.Client) -> None:
    box.fault("cut", path="/customers")
    with pytest.raises(httpx2.RemoteProtocolError):
        client.get("/customers")


def test_truncated_json_html_and_null(box: Sandbox, client: httpx2.Client) -> None:
    box.fault("truncated")
    box.fault("html")
    box.fault("null")
    half, page, nothing = (client.get("/customers") for _ in range(3))

    assert [answer.status_code for answer in (half, page, nothing)] == [200, 200, 200]
    with pytest.raises(ValueError):
        half.json()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert nothing.json() is None


def test_a_slow_body_and_one_that_never_comes(box: Sandbox, client: httpx2.Client) -> None:
    box.fault("slow", path="/me", seconds=0.4)
    started = time.monotonic()
    assert client.get("/me").json()["user_id"] == 1041
    assert time.monotonic() - started >= 0.3
    box.fault("never", path="/me")
    with pytest.raises(httpx2.ReadTimeout):
        client.get("/me", timeout=0.2)


def test_a_page_that_never_comes_while_others_do(box: Sandbox, client: httpx2.Client) -> None:
    box.fault("error", status=502, path="/contacts", query={"page": "3"}, times=None)
    statuses = [client.get("/contacts", params={"page": page}).status_code for page in (1, 2, 3, 3, 4)]
    assert statuses == [200, 200, 502, 502, 200]
    box.clear_faults()
    assert client.get("/contacts", params={"page": 3}).status_code == 200


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_errors_before_and_after_a_write(box: Sandbox, client: httpx2.Client, status: int) -> None:
    before = len(box.leads)
    box.fault("error", status=status, method="write")
    assert client.get("/me").status_code == 200
    refused = client.post("/leads", json=LEAD)
    assert (refused.status_code, len(box.leads)) == (status, before)
    box.fault("error", status=status, applied=True)
    assert (client.post("/leads", json=LEAD).status_code, len(box.leads)) == (status, before + 1)
    assert refused.headers["content-type"].startswith("application/json" if status == 500 else "text/html")


def test_trouble_by_switch_over_the_socket(box: Sandbox, client: httpx2.Client) -> None:
    for name in ("reset", "lost_reply", "cut"):
        box.set("trouble", name)
        with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
            client.get("/customers")
    box.set("slow_seconds", 0.1)
    box.set("trouble", "slow")
    assert client.get("/customers").status_code == 200


def test_faults_wait_skip_expire_and_are_cleared_by_number(box: Sandbox, api: Asker, clock: Any) -> None:
    box.fault("error", status=503, path="/leads", skip=2, times=2)
    assert [api.ask("GET", "/leads").status_code for _ in range(5)] == [200, 200, 503, 503, 200]

    box.fault("error", status=500, for_seconds=120)
    statuses = []
    for _ in range(4):
        statuses.append(api.ask("GET", "/me").status_code)
        clock.now += 50
    assert statuses == [500, 500, 500, 200]

    number = box.fault("null", times=None)
    box.clear_faults(number)
    assert api.get("/me")["user_id"] == 1041


def test_replies_made_up_by_the_test(box: Sandbox, api: Asker) -> None:
    box.fault("reply", body={"success": False, "message": ["no"]})
    box.fault("reply", status=200, body="Disabled", content_type="text/plain")
    box.fault("reply", status=403, body={"error": "no"}, method="POST")
    assert api.get("/me") == {"success": False, "message": ["no"]}
    assert api.ask("GET", "/me").text == "Disabled"
    assert api.post("/leads", LEAD).status_code == 403


def test_a_429_on_demand(box: Sandbox, api: Asker) -> None:
    box.fault("too_many", seconds=7)
    box.fault("too_many")
    with_header, without = api.ask("GET", "/me"), api.ask("GET", "/me")
    assert [(answer.status_code, answer.headers.get("retry-after")) for answer in (with_header, without)] == [
        (429, "7"),
        (429, None),
    ]


def test_without_a_socket_lost_answers_are_raised(box: Sandbox, api: Asker) -> None:
    before = len(box.leads)
    box.fault("lost_reply")
    with pytest.raises(ConnectionResetError):
        api.post("/leads", LEAD)
    box.fault("never")
    with pytest.raises(TimeoutError):
        api.post("/leads", LEAD)
    box.fault("cut")
    with pytest.raises(ValueError):
        api.ask("GET", "/me").json()
    assert len(box.leads) == before + 1


def test_unknown_faults_are_mistakes(box: Sandbox) -> None:
    with pytest.raises(ValueError, match="'explode' is no kind of fault"):
        box.fault("explode")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="shape is 1 to 11"):
        box.fault("refuse", shape=12)


def test_latency_delays_every_answer(box: Sandbox, client: httpx2.Client) -> None:
    client.get("/me")
    box.set("latency_ms", 120)
    started = time.monotonic()
    client.get("/me")
    assert time.monotonic() - started >= 0.12


def test_connections_are_kept_and_requests_run_side_by_side(box: Sandbox, served: Running) -> None:
    from concurrent.futures import ThreadPoolExecutor

    box.set("latency_ms", 1000)
    limits = httpx2.Limits(max_connections=3)
    headers = {"Authorization": served.token}
    with httpx2.Client(base_url=served.base_url, headers=headers, limits=limits) as client:
        started = time.monotonic()
        with ThreadPoolExecutor(3) as pool:
            statuses = [answer.status_code for answer in pool.map(lambda _: client.get("/me"), range(6))]
    assert statuses == [200] * 6
    # One after the other they take six seconds at least.
    assert time.monotonic() - started < 5.5


def test_the_log_tells_what_was_asked_and_no_secret(
    box: Sandbox, client: httpx2.Client, served: Running
) -> None:
    client.put(
        f"/customers/{BRIGHTWATER}", json={"phone": "2065550150"}, headers={"User-Agent": "Propolis/1"}
    )
    client.get("/contacts", params={"page": "2", "api_key": served.token})
    first, second = box.requests

    assert first | {"at": ""} == {
        "n": 1, "at": "", "method": "PUT", "path": f"/api/v1/customers/{BRIGHTWATER}", "query": {},
        "body": {"phone": "2065550150"}, "status": 200, "client": "127.0.0.1", "user_agent": "Propolis/1",
        "token": "every permission", "fault": None,
    }  # fmt: skip
    assert (second["query"], second["body"]) == ({"page": "2"}, None)
    box.forget_requests()
    assert box.requests == []
