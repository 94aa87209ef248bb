"""What the reading endpoints answer, with every switch at its default."""

from __future__ import annotations

import pytest

from syncro_sandbox import Sandbox
from syncro_sandbox.fixtures import BRIGHTWATER, JO, NEW_SERVER, OFFICE_MOVE, PRINTER_MAIL, PRIYA, SAM
from tests.sandbox.asking import Asker


def test_customers_come_a_hundred_a_page_with_meta_and_their_contacts(api: Asker, box: Sandbox) -> None:
    answer = api.get("/customers", include_disabled="true")

    assert answer["meta"] == {"total_pages": 1, "total_entries": 45, "per_page": 100, "page": 1}
    assert len(answer["customers"]) == 45
    brightwater = next(row for row in answer["customers"] if row["id"] == BRIGHTWATER)
    assert [contact["id"] for contact in brightwater["contacts"]][:3] == [PRIYA, JO, SAM]
    assert brightwater["contacts"][0] == api.get(f"/contacts/{PRIYA}")
    nested = {contact["id"] for row in answer["customers"] for contact in row["contacts"]}
    assert nested == {contact.id for contact in box.contacts if contact.customer_id is not None}


def test_disabled_customers_are_hidden_unless_asked_for(api: Asker, box: Sandbox) -> None:
    box.archive(BRIGHTWATER)
    active = [customer.id for customer in box.customers if not customer.disabled]

    assert sorted(api.ids("customers")) == sorted(active)
    assert sorted(api.ids("customers", include_disabled="true")) == sorted(box.customers.rows)
    assert api.get(f"/customers/{BRIGHTWATER}")["customer"]["disabled"] is True


def test_pages_follow_each_other_without_gap_and_end_empty(api: Asker, box: Sandbox) -> None:
    pages = [api.get("/contacts", page=number) for number in range(1, 6)]

    assert [len(page["contacts"]) for page in pages] == [50, 50, 50, 10, 0]
    assert [page["meta"]["page"] for page in pages] == [1, 2, 3, 4, 5]
    assert {page["meta"]["total_pages"] for page in pages} == {4}
    seen = [row["id"] for page in pages for row in page["contacts"]]
    assert sorted(seen) == sorted(box.contacts.rows)


@pytest.mark.parametrize("page", ["0", "-1", "two", "²", "9" * 25])
def test_a_page_that_cannot_be_is_not_found(api: Asker, page: str) -> None:
    assert api.ask("GET", "/customers", params={"page": page}).status_code == 404


@pytest.mark.parametrize(
    ("asked", "given"), [("5", 5), ("100", 100), ("500", 100), ("0", 100), ("x", 100), ("²", 100)]
)
def test_customers_honour_per_page_up_to_a_hundred(api: Asker, asked: str, given: int) -> None:
    assert api.get("/customers", per_page=asked)["meta"]["per_page"] == given


def test_contacts_and_leads_ignore_per_page(api: Asker) -> None:
    sizes = [api.get(path, per_page=5)["meta"]["per_page"] for path in ("/contacts", "/leads")]
    assert sizes == [50, 25]


def test_customers_are_sorted_by_what_is_asked(api: Asker, box: Sandbox) -> None:
    box.edit("customers", BRIGHTWATER, notes="touched last")
    rows = api.get("/customers", sort="updated_at DESC", include_disabled="true")["customers"]
    times = [box.customers[row["id"]].updated_ms for row in rows]

    assert rows[0]["id"] == BRIGHTWATER
    assert times == sorted(times, reverse=True)
    names = [row["business_name"] for row in api.get("/customers", sort="business_name ASC")["customers"]]
    held = [name.lower() for name in names if name is not None]
    assert held == sorted(held)
    assert names[len(held) :] == [None] * (len(names) - len(held))


def test_an_unknown_sort_and_unknown_parameters_are_ignored(api: Asker) -> None:
    assert api.ids("customers", sort="shoe_size DESC", nonsense="1") == api.ids("customers")


def test_customers_are_filtered(api: Asker, box: Sandbox) -> None:
    holder = box.customers[BRIGHTWATER]
    assert api.ids("customers", email="PRIYA.raman@brightwater-dental.example") == [BRIGHTWATER]
    assert api.ids("customers", firstname="riy", lastname="aman") == [BRIGHTWATER]
    assert BRIGHTWATER in api.ids("customers", business_name="brightwater")
    assert api.ids("customers", query="priya raman") == [BRIGHTWATER]
    assert api.ids("customers", query="(206) 555-0142") == [BRIGHTWATER]
    some = sorted(customer.id for customer in box.customers if not customer.disabled)[:3]
    assert sorted(api.ids("customers", **{"id[]": some})) == some
    rest = api.ids("customers", **{"not_id[]": some})
    assert sorted(rest + some) == sorted(api.ids("customers"))
    assert api.ids("customers", **{"id_not[]": some}) == rest
    assert holder.email == "priya.raman@brightwater-dental.example"


def test_one_customer_has_more_keys_than_a_listed_one(api: Asker) -> None:
    detail = api.get(f"/customers/{BRIGHTWATER}")["customer"]
    listed = next(row for row in api.get("/customers")["customers"] if row["id"] == BRIGHTWATER)

    assert {key: detail[key] for key in listed} == listed
    assert set(detail) - set(listed) == {
        "ticket_links", "invoice_links", "kabuto_customer_id", "recurring_invoices", "prepay_hours",
        "enable_internal_warning", "internal_warning_value", "default_device_policy_id", "since_updated_at",
        "phones", "contracts", "addresses",
    }  # fmt: skip
    assert listed["business_and_full_name"] == "Brightwater Dental Group - Priya Raman"
    assert listed["business_then_name"] == "Brightwater Dental Group"
    assert (listed["phone"], listed["fullname"]) == ("2065550142", "Priya Raman")


def test_autocomplete_latest_and_phones(api: Asker, box: Sandbox) -> None:
    newest = box.create("customers", business_name="Newest of All", phone="206 555 0199")

    assert [row["id"] for row in api.get("/customers/autocomplete", query="newest")["customers"]] == [newest]
    assert api.get("/customers/latest")["customer"]["id"] == newest
    [phone] = api.get(f"/customers/{newest}/phones")["phones"]
    assert (phone["label"], phone["number"], phone["customer_id"]) == ("Phone", "2065550199", newest)
    assert set(phone) == {"id", "label", "number", "customer_id", "created_at", "updated_at", "extension"}


def test_contacts_of_one_customer_and_of_none(api: Asker, box: Sandbox) -> None:
    assert api.ids("contacts", customer_id=BRIGHTWATER)[:3] == [PRIYA, JO, SAM]
    assert api.ids("contacts", customer_id=1) == []
    orphans = [contact for contact in box.contacts if contact.customer_id is None]
    assert len(orphans) == 1


def test_one_contact_is_flat(api: Asker) -> None:
    contact = api.get(f"/contacts/{JO}")

    assert (contact["id"], contact["name"], contact["customer_id"]) == (JO, "Jo Lindqvist", BRIGHTWATER)
    assert (contact["phone"], contact["processed_phone"]) == ("206-555-0142 x12", "2065550142")
    assert contact["properties"] == {"title": "Front Desk"}


def test_leads_are_filtered(api: Asker, box: Sandbox) -> None:
    leads = list(box.leads)

    def wanted(**params: object) -> list[int]:
        pages = [api.ids("leads", page=number, **params) for number in (1, 2, 3)]
        return sorted(row for page in pages for row in page)

    won = sorted(lead.id for lead in leads if lead.status == "Won")
    assert wanted(status_list="Won") == wanted(**{"statuses[]": ["Won"]}) == won
    assert wanted(status_list="Won,Lost") == sorted(
        lead.id for lead in leads if lead.status in {"Won", "Lost"}
    )
    assert wanted(has_ticket="true") == sorted(lead.id for lead in leads if lead.ticket_id)
    assert wanted(has_ticket="false") == sorted(lead.id for lead in leads if not lead.ticket_id)
    assert wanted(**{"mailbox_ids[]": [7714]}) == sorted(lead.id for lead in leads if lead.mailbox_id == 7714)
    assert wanted(**{"users[]": [1052]}) == sorted(lead.id for lead in leads if lead.user_id == 1052)
    assert wanted(query="office move alder") == [OFFICE_MOVE]
    assert wanted() == sorted(box.leads.rows)


def test_one_lead_brings_its_mails_and_never_its_amount(api: Asker) -> None:
    lead = api.get(f"/leads/{PRINTER_MAIL}")["lead"]
    deal = api.get(f"/leads/{OFFICE_MOVE}")["lead"]

    assert [mail["subject"] for mail in lead["emails"]] == ["RE: Printer in room 3 is offline again"]
    assert (deal["emails"], deal["attachments"], deal["appointments"]) == ([], [], [])
    assert {"likelihood", "opportunity_amount_dollars", "business_name", "disabled"} & set(deal) == set()
    assert deal["business_then_name"] == "Brightwater Dental Group"
    assert api.get(f"/leads/{NEW_SERVER}")["lead"]["ticket_id"] == 9812044


def test_search_finds_customers_contacts_and_leads(api: Asker) -> None:
    answer = api.get("/search", query="priya raman")
    hits = [(hit["table"]["_type"], hit["table"]["_id"], hit["table"]["_index"]) for hit in answer["results"]]

    assert (answer["quick_result"], answer["error"]) == (None, None)
    assert hits == [
        ("customer", BRIGHTWATER, "customers"),
        ("contact", PRIYA, "contacts"),
        ("lead", OFFICE_MOVE, "leads"),
    ]
    assert answer["results"][1]["table"]["_source"]["table"]["customer_id"] == BRIGHTWATER
    assert api.get("/search", query="")["results"] == []


def test_the_account_tells_about_itself(api: Asker, box: Sandbox) -> None:
    me, users = api.get("/me"), api.get("/users")

    assert (me["user_id"], me["user_name"], me["subdomain"]) == (1041, "Alicia Moreno", "harborpoint-it")
    assert len(me["user_token"]) == 36
    assert set(users) == {"users"}
    assert users["users"] == [[user.id, user.full_name] for user in box.users.values()]
    assert api.get("/users/1052")["user"] | {"created_at": 0, "updated_at": 0} == {
        "id": 1052, "email": "dana@harborpoint-it.example", "full_name": "Dana Whitcomb", "group": "Sales",
        "admin": False, "color": "55b932", "created_at": 0, "updated_at": 0,
    }  # fmt: skip
    settings = api.get("/settings")
    assert settings["locale"]["time_zone"] == "America/New_York"
    assert settings["customers"]["required_fields"] is None
    answers = {row["id"]: row["value"] for row in settings["customers"]["customer_field_answers"]}
    assert answers[box.customers[BRIGHTWATER].properties["Managed Status"]] == "Managed"
    assert api.get("/settings/tabs")["tabs"]["leads"] is True
    assert {"id": 1041, "name": "Alicia Moreno"} in api.get("/tickets/settings")["users"]


def test_a_200_may_be_plain_text(api: Asker) -> None:
    answer = api.ask("GET", "/callerid")
    assert (answer.status_code, answer.text) == (200, "Disabled")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "path", ["/customers/1", "/contacts/1", "/leads/1", "/users/1", "/customers/1/phones"]
)
def test_what_does_not_exist_is_not_found(api: Asker, path: str) -> None:
    answer = api.ask("GET", path)
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", f"/leads/{OFFICE_MOVE}"),
        ("GET", "/tickets"),
        ("PATCH", "/customers/1"),
        ("GET", "/customers/new"),
    ],
)
def test_routes_that_do_not_exist_are_not_found(api: Asker, method: str, path: str) -> None:
    assert api.ask(method, path).status_code == 404


def test_every_answer_has_the_headers_of_syncro(api: Asker) -> None:
    first, second = api.ask("GET", "/me"), api.ask("GET", "/contacts/1")
    for answer in (first, second):
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["date"] == "Wed, 18 Nov 2026 11:06:40 GMT"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_ids_that_are_no_numbers_find_nothing(api: Asker) -> None:
    assert api.ids("contacts", customer_id="²") == []
    assert api.ids("contacts", customer_id="--5") == []
    assert api.ids("customers", **{"id[]": ["²", "--5", "9" * 25]}) == []
    assert api.ask("GET", f"/customers/{'9' * 5000}").status_code == 404


def test_a_head_request_is_answered_like_a_get(api: Asker) -> None:
    assert api.ask("HEAD", "/me").status_code == 200
    assert api.ask("HEAD", "/nothing").status_code == 404
