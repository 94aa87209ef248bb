"""What the writing endpoints do and refuse, with every switch at its default."""

from __future__ import annotations

from typing import Any

import pytest

from syncro_sandbox import Sandbox
from syncro_sandbox.fixtures import BRIGHTWATER, HARBOR, OFFICE_MOVE, PRIYA
from tests.sandbox.asking import Asker, Clock


def test_a_created_customer_answers_200_and_is_normalised(api: Asker, box: Sandbox) -> None:
    sent = {
        "business_name": "Otter Creek Outfitters", "firstname": "Wade", "email": "Wade@Otter-Creek.Example",
        "phone": "(206) 555-0123", "mobile": "206.555.0124", "properties": {"Seats": "8"},
        "fullname": "ignored",
        "id": 5, "created_at": "2001-01-01",
    }  # fmt: skip
    answer = api.post("/customers", sent)
    made = answer.json()["customer"]

    assert answer.status_code == 200
    assert made["id"] in box.customers
    assert made["id"] != 5
    assert (made["email"], made["phone"], made["mobile"]) == (
        "wade@otter-creek.example",
        "2065550123",
        "2065550124",
    )
    assert (made["fullname"], made["properties"], made["contacts"]) == ("Wade", {"Seats": "8"}, [])
    assert made["lastname"] is None
    labels = [phone["label"] for phone in api.get(f"/customers/{made['id']}/phones")["phones"]]
    assert labels == ["Mobile", "Phone"]


def test_a_bad_or_taken_email_is_refused_with_an_echo(api: Asker) -> None:
    bad = api.post("/customers", {"business_name": "Real", "email": "it is not an email"})
    taken = api.post("/customers", {"email": "Priya.Raman@brightwater-dental.example"})

    assert (bad.status_code, bad.json()) == (
        422,
        {
            "success": False,
            "message": ["Email is not an email", 'Email Only able to parse up to "it is not an email"'],
            "params": {"business_name": "Real", "email": "it is not an email"},
        },
    )
    assert taken.status_code == 422
    assert taken.json()["message"] == ["Email has already been taken"]


def test_an_archived_customer_still_owns_its_email_a_deleted_one_does_not(api: Asker, box: Sandbox) -> None:
    email = {"email": "priya.raman@brightwater-dental.example"}
    box.archive(BRIGHTWATER)
    assert api.post("/customers", email).status_code == 422
    box.delete("customers", BRIGHTWATER)
    assert api.post("/customers", email).status_code == 200


def test_put_changes_only_what_is_sent(api: Asker, clock: Clock) -> None:
    before = api.get(f"/customers/{BRIGHTWATER}")["customer"]
    clock.now += 10
    answer = api.put(f"/customers/{BRIGHTWATER}", {"phone": "206-555-0177", "properties": {"Seats": "30"}})
    after = api.get(f"/customers/{BRIGHTWATER}")["customer"]

    assert answer.status_code == 200
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"phone", "phones", "properties", "updated_at", "since_updated_at"}
    assert after["phone"] == "2065550177"
    assert after["properties"] == {"Managed Status": 35984, "Managed IT": "1", "Seats": "30"}
    assert len(after["phones"]) == len(before["phones"])


def test_a_put_that_changes_nothing_leaves_updated_at(api: Asker) -> None:
    before = api.get(f"/customers/{BRIGHTWATER}")
    api.put(f"/customers/{BRIGHTWATER}", before["customer"])
    assert api.get(f"/customers/{BRIGHTWATER}") == before


def test_put_refuses_without_echo(api: Asker) -> None:
    answer = api.put(f"/customers/{BRIGHTWATER}", {"email": "not an email"})
    assert (answer.status_code, answer.json()) == (
        422,
        {
            "success": False,
            "message": ["Email is not an email", 'Email Only able to parse up to "not an email"'],
        },
    )


def test_put_to_an_unknown_customer_is_a_200_without_customer(api: Asker) -> None:
    answer = api.put("/customers/1", {"notes": "x"})
    assert answer.status_code == 200
    assert answer.json()["success"] is False
    assert "customer" not in answer.json()


def test_a_deleted_customer_is_gone_with_its_contacts(api: Asker) -> None:
    answer = api.delete(f"/customers/{BRIGHTWATER}")

    assert (answer.status_code, answer.json()) == (200, {"message": "Customer was deleted from the system."})
    assert api.ask("GET", f"/customers/{BRIGHTWATER}").status_code == 404
    assert api.delete(f"/customers/{BRIGHTWATER}").status_code == 404
    assert api.ask("GET", f"/contacts/{PRIYA}").status_code == 404
    assert api.get(f"/leads/{OFFICE_MOVE}")["lead"]["customer_id"] == BRIGHTWATER


def test_phones_are_rows_of_their_own(api: Asker) -> None:
    path = f"/customers/{BRIGHTWATER}/phones"
    made = api.post(path, {"label": "Fax", "number": "206-555-0188", "extension": "9"}).json()

    assert (made["label"], made["number"], made["extension"]) == ("Fax", "2065550188", "9")
    assert api.get(path)["phones"][0] == made
    changed = api.put(f"{path}/{made['id']}", {"label": "Mobile"}).json()
    assert (changed["id"], changed["label"]) == (made["id"], "Mobile")
    assert api.get(f"/customers/{BRIGHTWATER}")["customer"]["mobile"] == "2065550188"
    assert api.delete(f"{path}/{made['id']}").json() == {"success": True}
    assert api.delete(f"{path}/{made['id']}").status_code == 404
    assert api.get(f"/customers/{BRIGHTWATER}")["customer"]["mobile"] is None


def test_a_phone_needs_a_number(api: Asker) -> None:
    path = f"/customers/{BRIGHTWATER}/phones"
    [first, *_] = api.get(path)["phones"]
    refused = [api.post(path, {"number": ""}), api.put(f"{path}/{first['id']}", {"number": ""})]

    ids = {"customer_id": str(BRIGHTWATER)}
    assert [answer.status_code for answer in refused] == [422, 422]
    assert [answer.json()["message"] for answer in refused] == [["Number can't be blank"]] * 2
    assert [answer.json()["params"] for answer in refused] == [
        {**ids, "number": ""},
        {**ids, "id": str(first["id"]), "number": ""},
    ]


def test_a_created_contact_is_flat_and_keeps_its_number_as_typed(api: Asker) -> None:
    answer = api.post(
        "/contacts",
        {"customer_id": str(HARBOR), "name": "Ada Moss", "phone": "657.555.0158 x330"}
        | {"properties": {"title": "Baker"}},
    )
    made = answer.json()

    assert answer.status_code == 200
    assert (made["name"], made["customer_id"], made["phone"]) == ("Ada Moss", HARBOR, "657.555.0158 x330")
    assert (made["processed_phone"], made["properties"]) == ("6575550158", {"title": "Baker"})
    assert api.get(f"/contacts/{made['id']}") == made
    assert made["id"] in api.ids("contacts", customer_id=HARBOR)


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"name": "A"}, 422, "Customer can't be blank"),
        ({"name": "A", "customer_id": ""}, 422, "Customer can't be blank"),
        ({"name": "Bad Email", "customer_id": HARBOR, "email": "xxx"}, 422, "Email is not an email"),
        ({"customer_id": HARBOR}, 422, "At least one field is required"),
        ({"name": "A", "customer_id": 1}, 404, None),
    ],
)
def test_a_contact_is_refused(api: Asker, sent: dict[str, Any], status: int, said: str | None) -> None:
    answer = api.post("/contacts", sent)

    assert answer.status_code == status
    if said is None:
        assert answer.json() == {"message": "Not found"}
        return
    assert answer.json()["errors"] == said
    record = answer.json()["record"]
    assert (record["id"], record["name"], record["created_at"]) == (None, sent.get("name"), None)
    assert {"processed_phone", "processed_mobile"} <= set(record)


def test_contacts_may_share_an_email(api: Asker) -> None:
    email = "priya.raman@brightwater-dental.example"
    assert api.post("/contacts", {"customer_id": HARBOR, "email": email}).status_code == 200


def test_a_contact_changes_its_customer_and_its_title(api: Asker) -> None:
    moved = api.put(
        f"/contacts/{PRIYA}", {"name": "Priya Raman", "customer_id": HARBOR, "title": "Owner"}
    ).json()

    assert (moved["customer_id"], moved["properties"]) == (HARBOR, {"title": "Owner"})
    assert PRIYA in api.ids("contacts", customer_id=HARBOR)
    assert PRIYA not in api.ids("contacts", customer_id=BRIGHTWATER)


def test_a_contact_cannot_lose_its_customer(api: Asker) -> None:
    before = api.get(f"/contacts/{PRIYA}")
    blank = api.put(f"/contacts/{PRIYA}", {"name": "Priya", "customer_id": ""})
    unknown = api.put(f"/contacts/{PRIYA}", {"customer_id": 1})

    assert (blank.status_code, blank.json()) == (422, {"record": before, "errors": "Customer can't be blank"})
    assert unknown.status_code == 404
    assert api.get(f"/contacts/{PRIYA}") == before


def test_several_complaints_are_joined_with_a_comma(api: Asker) -> None:
    answer = api.put(f"/contacts/{PRIYA}", {"email": "xxx", "customer_id": ""})
    assert answer.json()["errors"] == "Email is not an email,Customer can't be blank"


def test_a_deleted_contact_is_gone(api: Asker) -> None:
    assert api.delete(f"/contacts/{PRIYA}").json() == {"success": True}
    assert api.delete(f"/contacts/{PRIYA}").json() == {"message": "Not found"}


def test_a_lead_takes_what_it_never_gives_back(api: Asker, box: Sandbox) -> None:
    sent = {
        "first_name": "Nell", "business_name": "Harbor & Vine Catering", "customer_id": HARBOR,
        "status": "Won",
        "opportunity_amount_dollars": 950.5, "likelihood": 40, "hidden_notes": "knows Bob",
    }  # fmt: skip
    lead = api.post("/leads", sent).json()["lead"]

    assert (lead["first_name"], lead["status"], lead["customer_id"]) == ("Nell", "Won", HARBOR)
    assert lead["business_then_name"] == "Harbor & Vine Catering"
    assert {"opportunity_amount_dollars", "likelihood", "hidden_notes"} & set(lead) == set()
    assert box.record("leads", lead["id"])["hidden"] == {
        "business_name": "Harbor & Vine Catering", "disabled": False, "opportunity_amount_dollars": 950.5,
        "likelihood": 40, "hidden_notes": "knows Bob",
    }  # fmt: skip
    assert lead["id"] > 2**31


def test_a_lead_needs_a_description_only_at_check_in(api: Asker) -> None:
    refused = [
        api.post("/leads", {"from_check_in": True}),
        api.put(f"/leads/{OFFICE_MOVE}", {"ticket_description": ""}),
    ]
    assert [answer.status_code for answer in refused] == [422, 422]
    assert [answer.json() for answer in refused] == [
        {"success": False, "message": ["Ticket description can't be blank"], "params": params}
        for params in ({"from_check_in": True}, {"ticket_description": ""})
    ]
    assert api.post("/leads", {"first_name": "Only"}).status_code == 200


def test_a_disabled_lead_leaves_the_list_and_still_answers(api: Asker) -> None:
    api.put(f"/leads/{OFFICE_MOVE}", {"disabled": True})
    listed = [row for page in (1, 2, 3) for row in api.ids("leads", page=page)]

    assert OFFICE_MOVE not in listed
    assert api.get(f"/leads/{OFFICE_MOVE}")["lead"]["status"] == "Opportunity"


def test_put_to_an_unknown_lead_is_not_found(api: Asker) -> None:
    assert api.put("/leads/1", {"status": "Won"}).status_code == 404


def test_times_of_changes_only_grow(api: Asker, box: Sandbox) -> None:
    times = []
    for number in range(5):
        box.edit("customers", BRIGHTWATER, notes=str(number))
        times.append(box.customers[BRIGHTWATER].updated_ms)
    assert times == sorted(set(times))


def test_a_merged_customer_is_gone_and_its_people_moved(api: Asker, box: Sandbox) -> None:
    box.merge_customers(winner=HARBOR, loser=BRIGHTWATER)

    assert api.ask("GET", f"/customers/{BRIGHTWATER}").status_code == 404
    assert api.get(f"/contacts/{PRIYA}")["customer_id"] == HARBOR
    assert api.get(f"/leads/{OFFICE_MOVE}")["lead"]["customer_id"] == HARBOR
    assert "2065550142" in {phone["number"] for phone in api.get(f"/customers/{HARBOR}/phones")["phones"]}


def test_a_distorted_record_answers_anything(api: Asker, box: Sandbox) -> None:
    box.distort("customers", BRIGHTWATER, {"email": 17, "created_at": None}, drop=["contacts"])
    row = next(row for row in api.get("/customers")["customers"] if row["id"] == BRIGHTWATER)

    assert (row["email"], row["created_at"]) == (17, None)
    assert "contacts" not in row


@pytest.mark.parametrize("odd", ["--5", "²", "five", "9" * 25, True, [1], {"a": 1}])
def test_an_id_that_is_no_number_is_stored_as_none(api: Asker, odd: object) -> None:
    made = api.post("/leads", {"first_name": "Odd", "customer_id": odd}).json()["lead"]
    assert made["customer_id"] is None
    assert api.post("/contacts", {"name": "Odd", "customer_id": odd}).status_code == 404
