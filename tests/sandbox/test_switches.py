"""One test for each switch: its default is tested elsewhere, here are its other readings."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import syncro_sandbox
from syncro_sandbox import SWITCHES, Sandbox, SeedOptions, UnknownSwitch
from syncro_sandbox.cli import _parser, _switches
from syncro_sandbox.fixtures import BRIGHTWATER, HARBOR, OFFICE_MOVE, PRIYA
from syncro_sandbox.refusals import shaped
from syncro_sandbox.tokens import LIST, VIEW
from tests.sandbox.asking import Asker, Clock


def test_every_switch_stands_in_the_readme_with_its_default() -> None:
    readme = (Path(syncro_sandbox.__file__).parent / "README.md").read_text(encoding="utf-8")
    listed = [
        line.split("`")[1::2][:2]
        for line in readme.splitlines()
        if line.startswith("| `") and "| `" in line[3:]
    ]
    told = {name: default for name, default in listed if name in {switch.name for switch in SWITCHES}}
    assert told == {switch.name: str(switch.default) for switch in SWITCHES}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("colour", "red", "there is no switch 'colour'"),
        ("users_shape", "triples", "users_shape cannot be 'triples'; it is one of 'pairs', 'objects'"),
        ("rate_limit", "-1", "rate_limit cannot be '-1'; it is one of a number from 0 up"),
        ("time_zone", "Mars/Olympus", "no time zone is called 'Mars/Olympus'"),
        ("time_zone", "America", "no time zone is called 'America'"),
        ("time_zone", "+29:00", "no time zone is called '.29:00'"),
        ("index_lag", "²", "index_lag cannot be '²'"),
    ],
)
def test_a_wrong_switch_says_what_there_is(box: Sandbox, name: str, value: str, said: str) -> None:
    with pytest.raises(UnknownSwitch, match=said):
        box.set(name, value)


POSITIONS = [
    (switch.name, word)
    for switch in SWITCHES
    for word in (
        *switch.choices,
        *(["0", "7", "2.5"] if switch.number else []),
        *(["+02:00"] if switch.zone else []),
    )
]


def test_every_position_can_be_taken_at_the_start_and_later(box: Sandbox, api: Asker) -> None:
    tiny = SeedOptions(companies=0, contacts=0, leads=0)
    for name, word in POSITIONS:
        at_start = Sandbox(tiny, switches=_switches(_parser().parse_args(["--switch", f"{name}={word}"])))
        later = api.control("POST", "/switches", json={name: word}).json()
        assert str(at_start.switches[name]) == str(later[name]) == word
    assert {name for name, _ in POSITIONS} == {switch.name for switch in SWITCHES}


def test_customers_sort_ignored(box: Sandbox, api: Asker) -> None:
    usual = api.ids("customers")
    newest_first = api.ids("customers", sort="id DESC")
    box.set("customers_sort", "ignored")
    assert api.ids("customers", sort="id DESC") == usual != newest_first


def test_rate_window(clock: Clock) -> None:
    api = Asker(
        Sandbox(SeedOptions(companies=0, contacts=0, leads=0), clock=clock, rate_limit=1, rate_window=5)
    )
    statuses = []
    for _ in range(3):
        statuses.append(api.ask("GET", "/me").status_code)
        clock.now += 2.6
    assert statuses == [200, 429, 200]


@pytest.mark.parametrize(
    ("zone", "january", "july"),
    [
        ("America/New_York", "2026-01-15T07:00:00.125-05:00", "2026-07-15T08:00:00.125-04:00"),
        ("UTC", "2026-01-15T12:00:00.125Z", "2026-07-15T12:00:00.125Z"),
        ("+02:00", "2026-01-15T14:00:00.125+02:00", "2026-07-15T14:00:00.125+02:00"),
        ("Europe/Berlin", "2026-01-15T13:00:00.125+01:00", "2026-07-15T14:00:00.125+02:00"),
    ],
)
def test_time_zone(box: Sandbox, api: Asker, zone: str, january: str, july: str) -> None:
    noons = [
        datetime.fromisoformat(f"2026-{month}-15T12:00:00.125+00:00").timestamp() for month in ("01", "07")
    ]
    made = [box.create("customers", business_name="x", at=noon) for noon in noons]
    box.set("time_zone", zone)

    shown = [api.get(f"/customers/{row}")["customer"]["created_at"] for row in made]
    assert shown == [january, july]
    assert api.get("/settings")["locale"]["time_zone"] == zone


def test_leads_scope(box: Sandbox, api: Asker) -> None:
    box.set("leads_scope", "open")
    open_leads = [lead.id for lead in box.leads if lead.status not in {"Won", "Lost"}]
    closed = [lead.id for lead in box.leads if lead.status in {"Won", "Lost"}]

    assert api.get("/leads")["meta"]["total_entries"] == len(open_leads)
    assert api.get("/leads", status_list="Won,Lost")["meta"]["total_entries"] == len(closed)


def test_per_page_switches(box: Sandbox, api: Asker) -> None:
    for name, value in (("customers", "ignored"), ("contacts", "honoured"), ("leads", "honoured")):
        box.set(f"{name}_per_page", value)
    sizes = [api.get(path, per_page=7)["meta"]["per_page"] for path in ("/customers", "/contacts", "/leads")]
    assert sizes == [100, 7, 7]


@pytest.mark.parametrize("pages", [0, 1])
def test_empty_total_pages(pages: int, clock: Clock) -> None:
    api = Asker(Sandbox(SeedOptions(companies=0, contacts=0, leads=0), clock=clock, empty_total_pages=pages))
    metas = [api.get(f"/{kind}")["meta"] for kind in ("customers", "contacts", "leads")]
    assert [(meta["total_pages"], meta["total_entries"]) for meta in metas] == [(pages, 0)] * 3


def test_default_order_created_moves_a_changed_row_among_those_of_its_instant(
    box: Sandbox, api: Asker
) -> None:
    ids = api.ids("customers", include_disabled="true")
    instant = [row for row in ids if box.customers[row].created_ms == box.customers[ids[5]].created_ms]
    box.edit("customers", instant[0], notes="moved")
    after = api.ids("customers", include_disabled="true")

    assert [row for row in after if row in instant] == [*instant[1:], instant[0]]
    created = [box.customers[row].created_ms for row in after]
    assert created == sorted(created)


def test_default_order_id_desc(box: Sandbox, api: Asker) -> None:
    box.set("default_order", "id_desc")
    assert api.ids("customers", include_disabled="true") == sorted(box.customers.rows, reverse=True)
    assert api.ids("contacts", customer_id=HARBOR) == sorted(box.store.contacts_of[HARBOR], reverse=True)


def test_default_order_random_ties_repeats_and_misses_rows(box: Sandbox, api: Asker) -> None:
    box.set("default_order", "random_ties")
    pages = [api.ids("customers", include_disabled="true", per_page=5, page=page) for page in range(1, 10)]
    seen = [row for page in pages for row in page]
    created = [box.customers[row].created_ms for row in seen]

    assert len(seen) == 45
    assert len(set(seen)) < 45
    assert created == sorted(created)


@pytest.mark.parametrize(("mode", "growth"), [("edit", 0), ("insert", 3), ("delete", -3)])
def test_mutate_while_paging(box: Sandbox, api: Asker, mode: str, growth: int) -> None:
    box.set("mutate_while_paging", mode)
    before, times = len(box.contacts), {row.id: row.updated_ms for row in box.contacts}
    for page in (1, 2, 3, 4):
        api.get("/contacts", page=page)
    changed = [row for row in box.contacts if times.get(row.id, row.updated_ms) != row.updated_ms]

    assert len(box.contacts) - before == growth
    assert len(changed) == (3 if mode == "edit" else 0)
    assert {BRIGHTWATER, PRIYA} <= {*box.customers.rows, *box.contacts.rows}


def test_a_deletion_between_pages_makes_a_reader_miss_a_row(box: Sandbox, api: Asker) -> None:
    box.set("mutate_while_paging", "delete")
    seen = {row for page in (1, 2, 3, 4) for row in api.ids("contacts", page=page)}
    assert set(box.contacts.rows) - seen


def test_mutations_are_seeded_and_stop_at_their_limit(clock: Clock) -> None:
    def dump_after_reading() -> tuple[int, object]:
        box = Sandbox(SeedOptions(companies=30, contacts=400, leads=5), clock=Clock(), rate_limit=0)
        box.set("mutate_while_paging", "mixed")
        box.set("mutate_limit", 4)
        for page in range(1, 9):
            Asker(box).get("/contacts", page=page)
        return box.shifter.done, box.dump()

    first, second = dump_after_reading(), dump_after_reading()
    assert first == second
    assert first[0] == 4


def test_permission_status(box: Sandbox) -> None:
    api = Asker(box, token=box.add_token([VIEW]))
    statuses = [api.ask("GET", "/customers").status_code]
    box.set("permission_status", "403")
    statuses.append(api.ask("GET", "/customers").status_code)
    assert statuses == [401, 403]


@pytest.mark.parametrize(("form", "kind"), [("empty", "text/html"), ("html", "text/html; charset=utf-8")])
def test_auth_failure_body(box: Sandbox, form: str, kind: str) -> None:
    box.set("auth_failure_body", form)
    answer = Asker(box, token="wrong").ask("GET", "/me")
    assert (answer.status_code, answer.headers["content-type"]) == (401, kind)
    assert answer.text.startswith("<!DOCTYPE html>" if form == "html" else "") and bool(answer.text) == (
        form == "html"
    )


@pytest.mark.parametrize("form", ["empty", "html"])
def test_not_found_body(box: Sandbox, api: Asker, form: str) -> None:
    box.set("not_found_body", form)
    texts = [api.ask("GET", path).text for path in ("/customers/1", "/leads/1", "/no/such/route")]
    assert [text.startswith("<html>") for text in texts] == [form == "html"] * 3
    assert api.ask("GET", "/contacts/1").json() == {"message": "Not found"}


def test_gateway_timeout_over(box: Sandbox, api: Asker) -> None:
    box.set("gateway_timeout_over", 50)
    answers = {size: api.ask("GET", "/customers", params={"per_page": size}) for size in (100, 51, 50, 25)}

    assert {size: answer.status_code for size, answer in answers.items()} == {
        100: 504,
        51: 504,
        50: 200,
        25: 200,
    }
    assert answers[100].headers["content-type"] == "text/html"
    assert "504 Gateway Time-out" in answers[100].text
    assert api.ask("GET", "/contacts").status_code == 200


@pytest.mark.parametrize(
    ("trouble", "statuses"),
    [
        ("500", (500, 500)),
        ("502", (502, 502)),
        ("503", (503, 503)),
        ("504", (504, 504)),
        ("504_after_write", (200, 504)),
    ],
)
def test_trouble(box: Sandbox, api: Asker, trouble: str, statuses: tuple[int, int]) -> None:
    box.set("trouble", trouble)
    before = len(box.leads)
    answers = api.ask("GET", "/me"), api.post("/leads", {"first_name": "x"})

    assert tuple(answer.status_code for answer in answers) == statuses
    assert len(box.leads) - before == (1 if trouble == "504_after_write" else 0)
    box.set("trouble", "off")
    assert api.ask("GET", "/me").status_code == 200


def test_trouble_every(box: Sandbox, api: Asker) -> None:
    box.set("trouble", "500")
    box.set("trouble_every", 3)
    assert [api.ask("GET", "/me").status_code for _ in range(6)] == [200, 200, 500, 200, 200, 500]


def test_put_unknown(box: Sandbox, api: Asker) -> None:
    box.set("put_unknown_customer", "not_found")
    box.set("put_unknown_lead", "success_false")
    assert api.put("/customers/1", {"notes": "x"}).status_code == 404
    lead = api.put("/leads/1", {"status": "Won"})
    assert (lead.status_code, lead.json()) == (200, {"success": False, "message": ["Lead not found"]})


def test_duplicate_customer_email(box: Sandbox, api: Asker) -> None:
    email = {"email": "priya.raman@brightwater-dental.example"}
    box.set("duplicate_customer_email", "success_false")
    legacy = [api.post("/customers", email), api.put(f"/customers/{HARBOR}", email)]
    box.set("duplicate_customer_email", "allowed")
    allowed = api.post("/customers", email)

    said = {"success": False, "message": ["Email has already been taken"]}
    assert [(answer.status_code, answer.json()) for answer in legacy] == [
        (200, {**said, "params": email}),
        (200, said),
    ]
    assert allowed.json()["customer"]["email"] == email["email"]
    assert box.customers[HARBOR].email == "office@harbor-vine.example"


def test_properties_on_put(box: Sandbox, api: Asker) -> None:
    box.set("properties_on_put", "replace")
    sent = {"properties": {"Seats": "3"}}
    assert api.put(f"/customers/{BRIGHTWATER}", sent).json()["customer"]["properties"] == {"Seats": "3"}
    assert api.put(f"/contacts/{PRIYA}", sent).json()["properties"] == {"Seats": "3"}


@pytest.mark.parametrize("touches", ["no", "yes"])
def test_contact_touches_customer(box: Sandbox, api: Asker, touches: str) -> None:
    box.set("contact_touches_customer", touches)
    moments = [box.customers[BRIGHTWATER].updated_ms]
    for method, path, body in (
        ("PUT", f"/contacts/{PRIYA}", {"notes": "x"}),
        ("POST", "/contacts", {"customer_id": BRIGHTWATER, "name": "New"}),
        ("DELETE", f"/contacts/{PRIYA}", {}),
    ):
        api.ask(method, path, json=body)
        moments.append(box.customers[BRIGHTWATER].updated_ms)
    assert len(set(moments)) == (4 if touches == "yes" else 1)


@pytest.mark.parametrize("stored", ["documented", "all"])
def test_contact_fields(box: Sandbox, api: Asker, stored: str) -> None:
    """What the reference lists for neither POST nor PUT, and a title that it lists for PUT only."""
    box.set("contact_fields", stored)
    sent = {"extension": "77", "opt_out": True, "title": "Owner"}
    made = api.post("/contacts", {"customer_id": HARBOR, "name": "Ada", **sent}).json()
    changed = api.put(f"/contacts/{PRIYA}", {"name": "Priya Raman", **sent}).json()
    nothing = api.post("/contacts", {"customer_id": HARBOR, "extension": "77"})

    held = [(row["extension"], row["opt_out"], row["properties"].get("title")) for row in (made, changed)]
    everything = ("77", True, "Owner")
    assert held == ([everything] * 2 if stored == "all" else [(None, False, None), (None, False, "Owner")])
    assert nothing.status_code == (200 if stored == "all" else 422)


def test_opportunity_fields(box: Sandbox, api: Asker) -> None:
    box.set("opportunity_fields", "returned")
    lead = api.get(f"/leads/{OFFICE_MOVE}")["lead"]
    shown = {
        name: lead[name] for name in ("opportunity_amount_dollars", "likelihood", "opportunity_start_date")
    }
    assert shown == {"opportunity_amount_dollars": 18400, "likelihood": 60, "opportunity_start_date": None}


def test_index_lag(box: Sandbox, api: Asker, clock: Clock) -> None:
    box.set("index_lag", 30)
    made = api.post(
        "/customers", {"business_name": "Brand New Bakery", "email": "b@brand-new.example"}
    ).json()
    api.put(f"/customers/{BRIGHTWATER}", {"business_name": "Darkwater"})
    new = made["customer"]["id"]

    def found() -> list[list[int]]:
        hits = api.get("/search", query="brand new")["results"]
        return [
            api.ids("customers", query="brand new"),
            [row["id"] for row in api.get("/customers/autocomplete", query="darkwater")["customers"]],
            api.ids("customers", query="brightwater dental group"),
            [hit["table"]["_id"] for hit in hits],
            api.ids("customers", email="b@brand-new.example"),
        ]

    clock.now += 29
    assert found() == [[], [], [BRIGHTWATER], [], [new]]
    clock.now += 2
    assert found() == [[new], [BRIGHTWATER], [], [new], [new]]


def test_users_shape(box: Sandbox, api: Asker) -> None:
    box.set("users_shape", "objects")
    assert api.get("/users")["users"][0] == {"id": 1041, "full_name": "Alicia Moreno"}


def test_contact_extra_keys(box: Sandbox, api: Asker) -> None:
    extra = {"processed_phone", "processed_mobile", "ticket_matching_emails"}
    present = set(api.get(f"/contacts/{PRIYA}"))
    box.set("contact_extra_keys", "absent")
    absent = set(api.get(f"/contacts/{PRIYA}"))
    assert (present - absent, absent - present) == (extra, set())


@pytest.mark.parametrize("most", [0, 2])
def test_nested_contacts(box: Sandbox, api: Asker, most: int) -> None:
    box.set("nested_contacts", most)
    rows = api.get("/customers", include_disabled="true")["customers"]
    assert max(len(row["contacts"]) for row in rows) == most
    assert api.get("/contacts")["meta"]["total_entries"] == 160


@pytest.mark.parametrize("honoured", [False, True])
def test_since_updated_at(box: Sandbox, api: Asker, honoured: bool) -> None:
    if honoured:
        box.set("since_updated_at", "honoured")
    totals = [
        api.get(f"/{kind}", since_updated_at="2099-01-01")["meta"]["total_entries"]
        for kind in ("contacts", "leads")
    ]
    assert totals == ([0, 0] if honoured else [160, 60])
    box.edit("customers", BRIGHTWATER, notes="now")
    now = datetime.fromtimestamp(box.customers[BRIGHTWATER].updated_ms / 1000, box.renderer.zone).isoformat()
    assert (api.ids("customers", since_updated_at=now) == [BRIGHTWATER]) is honoured


def test_search_without_permission(box: Sandbox) -> None:
    api = Asker(box, token=box.add_token([LIST]))
    kinds = [hit["table"]["_type"] for hit in api.get("/search", query="priya raman")["results"]]
    box.set("search_without_permission", "refuse")

    assert kinds == ["customer", "contact"]
    assert api.ask("GET", "/search", params={"query": "priya"}).status_code == 401


SHAPES: dict[int, dict[str, Any]] = {
    1: {"success": False, "message": ["Email is bad", "Name is long"], "params": {"email": "x"}},
    2: {"success": False, "message": ["Email is bad", "Name is long"]},
    3: {"record": {"email": "x", "id": None}, "errors": "Email is bad,Name is long"},
    4: {"errors": "Email is bad, Name is long", "params": {}},
    5: {"errors": {"email": ["is bad"], "name": ["is long"]}},
    6: {"success": False, "errors": ["Email is bad", "Name is long"], "params": {"email": "x"}},
    7: {"error": "Email is bad"},
    8: {"error": ["Email is bad", "Name is long"]},
    9: {"email": ["is bad"], "name": ["is long"]},
    10: {
        "success": False,
        "error": "Email is bad,Name is long",
        "message": "Email is bad,Name is long",
        "params": {"email": "x"},
    },
    11: {"message": "Email is bad,Name is long"},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_eleven_shapes_of_a_refusal(box: Sandbox, api: Asker, shape: int) -> None:
    assert shaped(shape, ["Email is bad", "Name is long"], {"email": "x"}) == SHAPES[shape]

    box.set("refusal_shape", shape)
    natural = api.post("/customers", {"email": "nope"})
    box.fault("refuse", shape=shape, messages=["Email is bad", "Name is long"])
    queued = api.post("/customers", {"email": "x"})

    assert (natural.status_code, set(natural.json())) == (
        422,
        set(SHAPES[shape]) if shape != 9 else {"email"},
    )
    assert (queued.status_code, queued.json()) == (422, SHAPES[shape])


def test_switches_move_at_run_time_and_reset_puts_them_back(box: Sandbox) -> None:
    before = box.switches.as_dict()
    box.set("users_shape", "objects")
    box.set("contact_touches_customer", True)
    assert box.switches["contact_touches_customer"] == "yes"
    box.reset()
    assert box.switches.as_dict() == before
    assert before["rate_limit"] == 0
