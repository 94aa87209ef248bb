"""Requests written the way clients in the field write them: none of them may be surprised."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx2
import pytest

from syncro_sandbox import Running, Sandbox, serve
from syncro_sandbox.fixtures import BRIGHTWATER, HARBOR


@pytest.fixture
def served(box: Sandbox) -> Iterator[Running]:
    with serve(box) as running:
        yield running


def test_a_bare_token_and_a_loop_until_the_list_is_empty(served: Running) -> None:
    seen, page = [], 1
    with httpx2.Client(headers={"Authorization": served.token}) as client:
        while rows := client.get(f"{served.base_url}/contacts", params={"page": page}).json()["contacts"]:
            seen += [row["id"] for row in rows]
            page += 1
    assert len(seen) == len(set(seen)) == 160


def test_paging_by_a_json_body_in_a_get_never_loops(served: Running) -> None:
    seen = []
    with httpx2.Client(headers={"Authorization": f"bearer {served.token}"}) as client:
        for page in (1, 2, 3, 4):
            answer = client.request("GET", f"{served.base_url}/leads", json={"page": page})
            seen.append([row["id"] for row in answer.json()["leads"]])
    assert [len(rows) for rows in seen] == [25, 25, 10, 0]
    assert len({row for rows in seen for row in rows}) == 60


def test_api_key_in_the_query_json_suffix_double_and_trailing_slashes(served: Running) -> None:
    key = {"api_key": served.token}
    paths = (
        "//me",
        "/me/",
        "/me.json",
        "///me.json",
        "/customers.json",
        "/contacts/",
        f"//customers/{HARBOR}.json/",
    )
    with httpx2.Client() as client:
        answers = [client.get(served.base_url + path, params=key) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * 7
    with httpx2.Client() as client:
        listed = client.get(f"{served.base_url}/contacts/", params={"customer_id": HARBOR, **key}).json()
    assert {row["customer_id"] for row in listed["contacts"]} == {HARBOR}


def test_a_form_with_the_key_in_it_creates_a_customer(served: Running) -> None:
    form = {
        "api_key": served.token, "business_name": "Form & Sons", "properties[Managed Status]": "Managed",
        "consent[store_data]": "1", "get_sms": "1",
    }  # fmt: skip
    with httpx2.Client() as client:
        made = client.post(f"{served.base_url}/customers", data=form).json()["customer"]

    assert (made["business_name"], made["get_sms"]) == ("Form & Sons", True)
    assert made["properties"] == {"Managed Status": "Managed"}
    assert served.sandbox.record("customers", made["id"])["hidden"] == {"consent": {"store_data": "1"}}


def test_a_multipart_form_as_curl_and_php_send_it(served: Running) -> None:
    fields = {
        "api_key": served.token, "business_name": "Zoë & Sons", "notes": "one\r\ntwo\r\n", "properties[Seats]": "3",
        "city": "",
    }  # fmt: skip
    files = {name: (None, value) for name, value in fields.items()}
    with httpx2.Client() as client:
        made = client.post(f"{served.base_url}/customers", files={**files, "logo": ("a.png", b"\x89PNG")})
        odd = client.post(
            f"{served.base_url}/leads",
            params={"api_key": served.token},
            content=b"--x\r\nnonsense",
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
    row = made.json()["customer"]
    assert (row["business_name"], row["notes"], row["city"]) == ("Zoë & Sons", "one\r\ntwo\r\n", "")
    assert (row["properties"], odd.status_code) == ({"Seats": "3"}, 200)


def test_all_fields_of_a_post_in_the_query_string(served: Running) -> None:
    params = {"customer_id": str(HARBOR), "name": "Query Quinn", "email": "q@harbor-vine.example"}
    with httpx2.Client(headers={"Authorization": served.token}) as client:
        made = client.post(f"{served.base_url}/contacts", params=params).json()
    assert (made["name"], made["customer_id"]) == ("Query Quinn", HARBOR)


def test_a_whole_record_read_changed_and_put_back(served: Running) -> None:
    with httpx2.Client(headers={"Authorization": f"Bearer {served.token}"}) as client:
        [contact, *_] = client.get(f"{served.base_url}/contacts", params={"customer_id": BRIGHTWATER}).json()[
            "contacts"
        ]
        answer = client.put(f"{served.base_url}/contacts/{contact['id']}", json={**contact, "notes": "new"})
    again = answer.json()
    assert again | {"notes": contact["notes"], "updated_at": contact["updated_at"]} == contact
    assert again["notes"] == "new"


def test_hashes_where_rails_wants_arrays_are_not_a_filter(served: Running) -> None:
    with httpx2.Client(headers={"Authorization": served.token}) as client:
        filtered = client.get(f"{served.base_url}/customers", params={"id[]": str(HARBOR)}).json()
        confused = client.get(f"{served.base_url}/customers", params={"id[0]": str(HARBOR)}).json()
    assert filtered["meta"]["total_entries"] == 1
    assert confused["meta"]["total_entries"] > 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"business_name": ',
        b'{"business_name": "\\ud800"}',
        b'{"likelihood": NaN}',
        b'{"likelihood": 1e400}',
        b"[" * 100_000,
        b'{"business_name": "\xff"}',
    ],
    ids=["cut", "half a pair", "no number", "without end", "deep", "no text"],
)
def test_broken_json_is_a_bad_request(served: Running, body: bytes) -> None:
    headers = {"Authorization": served.token, "Content-Type": "application/json"}
    with httpx2.Client(headers=headers) as client:
        answer = client.post(f"{served.base_url}/customers", content=body)
    assert answer.status_code == 400
    assert len(served.sandbox.customers) == 45


def test_a_chunked_body_is_read(served: Running) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"first_name": '
        yield b'"Chunky"}'

    headers = {"Authorization": served.token, "Content-Type": "application/json"}
    with httpx2.Client(headers=headers) as client:
        answer = client.post(f"{served.base_url}/leads", content=pieces())
    assert answer.json()["lead"]["first_name"] == "Chunky"


def test_a_body_announced_first_is_asked_for_at_once(served: Running) -> None:
    """.NET, and curl with a large body, wait for 100 Continue before they send it."""
    address = served.base_url.removeprefix("http://").partition("/")[0]
    host, _, port = address.partition(":")
    body = b"first_name=Patient"
    head = (
        f"POST /api/v1/leads?api_key={served.token} HTTP/1.1\r\nHost: {address}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(head.encode())
        assert connection.recv(200) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(200).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_request_the_server_stumbles_over_is_a_500_and_told_on_its_screen(
    served: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumble(*_: object) -> None:
        raise RuntimeError("no idea")

    monkeypatch.setattr(served.sandbox, "token_named", stumble)
    answer = httpx2.get(f"{served.base_url}/me", headers={"Authorization": served.token})
    assert (answer.status_code, answer.json()) == (500, {"status": 500, "error": "Internal Server Error"})
    assert "RuntimeError: no idea" in capsys.readouterr().err
