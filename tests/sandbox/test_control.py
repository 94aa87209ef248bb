"""The control address: the knobs over HTTP, and the pages a person looks at."""

from __future__ import annotations

from typing import Any

import pytest

from syncro_sandbox import Sandbox
from syncro_sandbox.fixtures import BRIGHTWATER, BRIGHTWATER_OLD, HARBOR, OFFICE_MOVE, PRIYA
from tests.sandbox.asking import Asker

HTML = {"Accept": "text/html,application/xhtml+xml"}


def test_dump_and_requests_over_http_are_those_of_python(box: Sandbox, api: Asker) -> None:
    api.get("/me")
    api.get("/users")

    assert api.control("GET", "/dump").json() == box.dump()
    assert api.control("GET", "/requests").json() == {"requests": box.requests}
    assert [entry["n"] for entry in api.control("GET", "/requests?since=1").json()["requests"]] == [2]
    assert api.control("DELETE", "/requests").json() == {"requests": []}
    assert box.requests == []


def test_status_counts_and_names_no_secret(box: Sandbox, api: Asker) -> None:
    answer = api.control("GET", "/status")
    status = answer.json()

    assert status["counts"] == {"customers": 45, "contacts": 160, "leads": 60, "users": 14}
    assert status["fixture"] == BRIGHTWATER
    assert box.token not in answer.text


def test_switches_over_http(box: Sandbox, api: Asker) -> None:
    moved = api.control("POST", "/switches", json={"users_shape": "objects", "index_lag": 2}).json()
    assert (moved["users_shape"], moved["index_lag"]) == ("objects", 2)
    assert api.control("GET", "/switches").json() == box.switches.as_dict()
    wrong = api.control("POST", "/switches", json={"index_lag": 9, "users_shape": "triples"})
    assert (wrong.status_code, wrong.json()) == (
        400,
        {"error": "users_shape cannot be 'triples'; it is one of 'pairs', 'objects'"},
    )
    assert box.switches["index_lag"] == 2, "all of them or none"


def test_faults_over_http(api: Asker) -> None:
    fault = {"kind": "error", "status": 503, "method": "GET", "path": "/me", "times": 2}
    number = api.control("POST", "/faults", json=fault).json()["number"]
    [waiting] = api.control("GET", "/faults").json()["faults"]

    assert (waiting["number"], waiting["kind"], waiting["times"]) == (number, "error", 2)
    assert api.ask("GET", "/me").status_code == 503
    assert api.control("DELETE", f"/faults/{number}").json() == {"faults": []}
    assert api.ask("GET", "/me").status_code == 200
    refused = api.control("POST", "/faults", json={"kind": "error", "colour": "red"})
    assert refused.status_code == 400
    api.control("POST", "/faults", json={"kind": "null", "times": None})
    assert api.control("DELETE", "/faults").json() == {"faults": []}


def test_a_form_says_the_same_as_json(box: Sandbox, api: Asker) -> None:
    form = {
        "kind": "error",
        "status": "503",
        "times": "2",
        "skip": "1",
        "query[page]": "2",
        "applied": "false",
    }
    api.control("POST", "/faults", data=form)
    statuses = [api.ask("GET", "/leads", params={"page": page}).status_code for page in (2, 2, 1, 2, 2)]
    api.control(
        "POST", "/faults", data={"kind": "refuse", "messages": "Name is odd", "times": "", "seconds": ""}
    )
    refused = [api.post("/leads", {}).json()["message"] for _ in range(2)]
    api.control("DELETE", "/faults")
    token = {"permissions": "Leads - List/Search,Customers - List/Search", "expires_in": "60"}
    made = api.control("POST", "/tokens", data=token).json()["token"]

    assert statuses == [200, 503, 200, 503, 200]
    assert refused == [["Name is odd"]] * 2
    assert Asker(box, token=made).ask("GET", "/customers").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"kind": "error", "times": "often"}),
        ("faults", {"kind": "error", "times": [1]}),
        ("faults", {"kind": "error", "query": "page=2"}),
        ("faults", {"kind": "error", "seconds": "a while"}),
        ("faults", {"kind": "explode"}),
        ("tokens", {"expires_in": "soon"}),
        ("tokens", {"colour": "red"}),
        (f"records/contacts/{PRIYA}/distort", {"values": "odd"}),
        (f"records/contacts/{PRIYA}/archive", {}),
    ],
)
def test_what_cannot_be_is_told_at_once(box: Sandbox, api: Asker, path: str, body: dict[str, Any]) -> None:
    answer = api.control("POST", f"/{path}", json=body)
    assert (answer.status_code, set(answer.json())) == (400, {"error"})
    assert (box.faults.waiting, len(list(box.tokens))) == ([], 1)
    assert api.ask("GET", "/me").status_code == 200


def test_tokens_over_http(box: Sandbox, api: Asker) -> None:
    made = api.control("POST", "/tokens", json={"permissions": ["Leads - List/Search"], "name": "leads only"})
    reader = Asker(box, token=made.json()["token"])
    named = [token["name"] for token in api.control("GET", "/tokens").json()["tokens"]]

    assert [reader.ask("GET", path).status_code for path in ("/leads", "/customers")] == [200, 401]
    assert named == ["every permission", "leads only"]
    assert api.control("DELETE", f"/tokens/{reader.token}").json() == {"revoked": True}
    assert reader.ask("GET", "/leads").status_code == 401
    wrong = api.control("POST", "/tokens", json={"permissions": ["Fly"]})
    assert (wrong.status_code, wrong.json()) == (400, {"error": "no such permission: Fly"})


def test_reset_over_http_takes_another_seed(box: Sandbox, api: Asker) -> None:
    answer = api.control("POST", "/reset", json={"companies": 21, "contacts": 30, "leads": 4})
    assert answer.json()["counts"] == {"customers": 21, "contacts": 30, "leads": 4, "users": 14}
    api.control("POST", "/reset", data={"companies": "22", "seed": "9"})
    assert (len(box.customers), box.seed.seed) == (22, 9)
    assert api.get("/me")["user_id"] == 1041, "the token of the start is good for any seed"


@pytest.mark.parametrize(
    "odd",
    [{"colour": 1}, {"companies": "many"}, {"companies": -1}, {"as_of": "2026-01-01"}, {"as_of": "soon"}],
)
def test_a_reset_that_cannot_be_leaves_everything(box: Sandbox, api: Asker, odd: dict[str, Any]) -> None:
    before = box.dump()
    assert api.control("POST", "/reset", json=odd).status_code == 400
    assert box.dump() == before


def test_a_technicians_day_over_http(box: Sandbox, api: Asker) -> None:
    def act(path: str, body: dict[str, Any] | None = None) -> Any:
        answer = api.control("POST", f"/records/{path}", json=body or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    made = act("customers", {"business_name": "By Hand", "phone": "555-0101"})
    assert (made["business_name"], made["phone"]) == ("By Hand", "5550101")
    assert act(f"customers/{made['id']}", {"city": "Tulsa"})["done"] == "changed"
    assert act(f"customers/{made['id']}", {"city": "Tulsa"})["done"] == "unchanged"
    assert act(f"customers/{made['id']}/archive")["record"]["disabled"] is True
    assert act(f"customers/{made['id']}/unarchive")["record"]["disabled"] is False
    assert act(f"customers/{BRIGHTWATER_OLD}/merge", {"into": BRIGHTWATER}) == {
        "done": f"merged into {BRIGHTWATER}"
    }
    assert act(f"contacts/{PRIYA}/distort", {"values": {"email": 1}, "drop": ["zip"]})["record"]["email"] == 1
    assert act(f"leads/{OFFICE_MOVE}/delete") == {"done": "deleted"}
    assert api.control("DELETE", f"/records/customers/{made['id']}").json() == {"deleted": made["id"]}
    assert {made["id"], BRIGHTWATER_OLD} & set(box.customers.rows) == set()
    listed = api.control("GET", f"/records/customers?q={HARBOR}").json()["customers"]
    assert listed == [box.record("customers", HARBOR)]


def test_users_join_and_leave_over_http(box: Sandbox, api: Asker) -> None:
    person = {"email": "zoe@harborpoint-it.example", "full_name": "Zoe Abt"}
    joined = api.control("POST", "/users", json=person).json()["id"]
    assert [joined, "Zoe Abt"] in api.get("/users")["users"]
    theirs = Asker(box, token=box.add_token(user_id=joined))
    left = api.control("DELETE", f"/users/{joined}").json()["users"]

    assert joined not in [user["id"] for user in left]
    assert (theirs.ask("GET", "/me").status_code, api.ask("GET", f"/users/{joined}").status_code) == (
        401,
        404,
    )
    refused = [
        api.control("DELETE", f"/users/{number}").status_code for number in (joined, box.owner.id, "x")
    ]
    assert refused == [404, 404, 400]
    assert api.control("POST", "/users", json={"email": "a@b.example"}).status_code == 400
    assert api.get("/me")["user_id"] == box.owner.id


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/records/invoices", 404),
        ("GET", "/records/customers/1", 404),
        ("POST", f"/records/customers/{HARBOR}/explode", 404),
        ("POST", f"/records/contacts/{PRIYA}/merge", 400),
        ("PUT", f"/records/customers/{HARBOR}", 404),
    ],
)
def test_what_the_control_address_cannot_do(api: Asker, method: str, path: str, status: int) -> None:
    answer = api.control(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


def test_a_records_page_shows_every_field_and_two_buttons(box: Sandbox, api: Asker) -> None:
    page = api.control("GET", f"/records/customers/{BRIGHTWATER}", headers=HTML)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for shown in ("Brightwater Dental Group", "2065550142", "Change phone in Syncro", "Lose the next answer"):
        assert shown in page.text
    assert f'href="/_sandbox/records/contacts/{PRIYA}"' in page.text
    deal = api.control("GET", f"/records/leads/{OFFICE_MOVE}", headers=HTML).text
    assert "opportunity_amount_dollars" in deal
    assert "18400" in deal


def test_everything_shown_is_escaped(box: Sandbox, api: Asker) -> None:
    nasty = '<script>alert("x")</script>'
    row = box.create("customers", business_name=nasty, notes=nasty)
    texts = [
        api.control("GET", f"/records/customers/{row}", headers=HTML).text,
        api.control("GET", "/records/customers", params={"q": nasty}, headers=HTML).text,
        api.control("GET", "/records/customers?q=script", headers=HTML).text,
    ]
    assert [text.count("<script") for text in texts] == [0, 0, 0]
    assert "&lt;script&gt;" in texts[2]


@pytest.mark.parametrize(
    ("kind", "row"), [("customers", BRIGHTWATER), ("contacts", PRIYA), ("leads", OFFICE_MOVE)]
)
def test_change_phone_in_syncro(box: Sandbox, api: Asker, kind: str, row: int) -> None:
    before = box.record(kind, row)  # type: ignore[arg-type]
    answer = api.control("POST", f"/records/{kind}/{row}/change-phone", headers=HTML)
    after = box.record(kind, row)  # type: ignore[arg-type]

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/_sandbox/records/{kind}/{row}?done=change-phone",
    )
    changed = {key for key in after if after[key] != before[key]}
    assert changed - {"phones", "processed_phone"} == {"phone", "updated_at"}
    page = api.control("GET", f"/records/{kind}/{row}?done=change-phone", headers=HTML).text
    assert "The phone was changed, as a technician in Syncro would." in page
    assert box.requests == []


def test_lose_the_next_answer_strikes_the_next_write_only(box: Sandbox, api: Asker) -> None:
    answer = api.control("POST", f"/records/customers/{BRIGHTWATER}/lose-next-answer", headers=HTML)
    assert answer.status_code == 303
    assert api.get("/me")["user_id"] == 1041
    with pytest.raises(ConnectionResetError):
        api.put(f"/customers/{BRIGHTWATER}", {"city": "Olympia"})
    assert api.get(f"/customers/{BRIGHTWATER}")["customer"]["city"] == "Olympia"
    assert api.put(f"/customers/{BRIGHTWATER}", {"city": "Seattle"}).status_code == 200


def test_home_lists_pages_and_style(box: Sandbox, api: Asker) -> None:
    api.get("/me")
    box.set("users_shape", "objects")
    home = api.control("GET", "/", headers=HTML).text
    second = api.control("GET", "/records/contacts?page=2", headers=HTML).text

    assert "users_shape" in home
    assert "/api/v1/me" in home
    assert "Page 2 of 4" in second
    assert api.control("GET", "/style.css").headers["content-type"] == "text/css; charset=utf-8"
    assert "Nothing found." in api.control("GET", "/records/leads?q=zzzz", headers=HTML).text
