"""Requests written the way clients in the field write them: none of them may be surprised."""

from __future__ import annotations

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


def test_broken_json_is_a_bad_request(served: Running) -> None:
    headers = {"Authorization": served.token, "Content-Type": "application/json"}
    with httpx2.Client(headers=headers) as client:
        answer = client.post(f"{served.base_url}/customers", content=b'{"business_name": ')
    assert answer.status_code == 400


def test_a_chunked_body_is_read(served: Running) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"first_name": '
        yield b'"Chunky"}'

    headers = {"Authorization": served.token, "Content-Type": "application/json"}
    with httpx2.Client(headers=headers) as client:
        answer = client.post(f"{served.base_url}/leads", content=pieces())
    assert answer.json()["lead"]["first_name"] == "Chunky"
