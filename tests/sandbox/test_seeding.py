"""The seeded account: exact counts, the same for the same options, and everything an MSP has in it."""

from __future__ import annotations

import json
import resource
from collections import Counter
from functools import cache

import pytest

from syncro_sandbox import Sandbox, SeedOptions
from syncro_sandbox.fixtures import BRIGHTWATER, CONTACTS, CUSTOMERS, LEADS, PRIYA
from tests.sandbox.asking import Asker, Clock


@cache
def usual() -> Sandbox:
    """The account of the defaults: 500 companies, 5,000 contacts, 500 leads."""
    return Sandbox(clock=Clock(), rate_limit=0)


@pytest.mark.parametrize(
    ("companies", "contacts", "leads"),
    [
        (0, 0, 0),
        (1, 0, 0),
        (0, 7, 3),
        (1, 1, 1),
        (3, 50, 9),
        (20, 2, 1),
        (20, 40, 40),
        (37, 1000, 5),
        (500, 100, 500),
    ],
)
def test_exactly_as_many_as_asked(companies: int, contacts: int, leads: int) -> None:
    dump = Sandbox(SeedOptions(companies, contacts, leads), clock=Clock()).dump()
    assert {kind: len(rows) for kind, rows in dump.items()} == {
        "customers": companies,
        "contacts": contacts,
        "leads": leads,
        "users": 14,
    }


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        SeedOptions(companies=-1)


def test_the_same_options_give_the_same_account_and_others_another() -> None:
    options = SeedOptions(companies=60, contacts=300, leads=80)
    one, two = Sandbox(options, clock=Clock()), Sandbox(options, clock=Clock(now=1.9e9))
    other = Sandbox(SeedOptions(companies=60, contacts=300, leads=80, seed=2), clock=Clock())

    assert json.dumps(one.dump()) == json.dumps(two.dump())
    assert one.token == two.token
    assert one.dump() != other.dump()
    assert one.token != other.token


def test_reset_brings_back_the_first_day() -> None:
    box = Sandbox(SeedOptions(companies=25, contacts=50, leads=10), clock=Clock(), rate_limit=0)
    before, token = box.dump(), box.token
    api = Asker(box)
    api.delete(f"/customers/{BRIGHTWATER}")
    api.post("/leads", {"first_name": "x"})
    box.fault("reset")
    box.reset()

    assert (box.dump(), box.requests, box.token) == (before, [], token)
    assert api.get("/me")["user_id"] == 1041
    box.reset(SeedOptions(companies=1, contacts=1, leads=1))
    assert len(box.customers) == 1


@pytest.mark.parametrize("size", [20, 60, 500])
def test_the_fixed_records_are_there_from_twenty_companies_on(size: int) -> None:
    box = Sandbox(SeedOptions(companies=size, contacts=200, leads=20), clock=Clock())
    assert set(CUSTOMERS) <= set(box.customers.rows)
    assert set(CONTACTS) <= set(box.contacts.rows)
    assert set(LEADS) <= set(box.leads.rows)
    assert (box.customers[BRIGHTWATER].business_name, box.contacts[PRIYA].name) == (
        "Brightwater Dental Group",
        "Priya Raman",
    )


def test_five_thousand_contacts_share_exactly_four_hundred_addresses() -> None:
    held = Counter(contact.email for contact in usual().contacts if contact.email)
    shared = [email for email, holders in held.items() if holders > 1]
    assert len(shared) == 400
    assert sum(email.split("@")[0] in {"info", "office", "billing"} for email in shared) > 20

    none = Sandbox(SeedOptions(companies=50, contacts=400, leads=0, shared_emails=1), clock=Clock())
    again = Counter(contact.email for contact in none.contacts if contact.email)
    assert [email for email, holders in again.items() if holders > 1] == [
        "frontdesk@brightwater-dental.example"
    ]


def test_contacts_without_customer_are_as_many_as_asked() -> None:
    assert sum(contact.customer_id is None for contact in usual().contacts) == 20
    complete = Sandbox(SeedOptions(40, 300, 0, contacts_without_customer=0), clock=Clock(), rate_limit=0)
    rows = Asker(complete).get("/customers", include_disabled="true")["customers"]
    assert sum(len(row["contacts"]) for row in rows) == 300


def test_every_reference_that_is_not_meant_to_dangle_holds() -> None:
    box = usual()
    assert {contact.customer_id for contact in box.contacts} - {None} <= set(box.customers.rows)
    assert {lead.customer_id for lead in box.leads} - {None} <= set(box.customers.rows)
    for lead in box.leads:
        assert lead.contact_id is None or box.contacts[lead.contact_id].customer_id == lead.customer_id
    left = {lead.user_id for lead in box.leads} - {None} - set(box.users)
    assert left == {1019, 1026, 1033}


def test_what_an_msp_has_among_its_customers() -> None:
    customers = list(usual().customers)
    emails = [customer.email for customer in customers if customer.email]
    domains = Counter(email.split("@")[1] for email in emails if email.endswith(".example"))

    assert len(emails) == len(set(emails)) < 500
    assert 20 < sum(customer.disabled for customer in customers) < 50
    assert 40 < sum(not customer.business_name and bool(customer.lastname) for customer in customers) < 90
    nameless = [customer for customer in customers if not customer.business_then_name]
    assert 0 < len(nameless) < 25
    assert max(domains.values()) > 1
    assert any(len(customer.business_name or "") == 255 for customer in customers)
    assert any(not (customer.business_name or "").isascii() for customer in customers)
    assert any("<" in (customer.business_name or "") for customer in customers)


def test_what_an_msp_has_among_its_contacts() -> None:
    box = usual()
    contacts = list(box.contacts)
    persons = {
        customer.email: customer.fullname
        for customer in box.customers
        if customer.email and customer.lastname
    }
    same = [contact for contact in contacts if persons.get(contact.email or "") == contact.name]

    assert 300 < sum(contact.email is None for contact in contacts) < 700
    assert 50 < len(same) < len(persons)
    assert any(len(contact.name or "") == 255 for contact in contacts)
    assert max(len(rows) for rows in box.store.contacts_of.values()) > 100
    assert 50 < sum(contact.opt_out for contact in contacts) < 300


def test_what_an_msp_has_among_its_leads() -> None:
    leads = list(usual().leads)
    mail = [lead for lead in leads if lead.mailbox_id]

    assert 350 < len(mail) < 450
    assert all(lead.mailbox_name for lead in mail)
    assert 40 < sum(lead.customer_id is None for lead in leads) < 150
    assert any(lead.status == "Won" and lead.ticket_id is None for lead in leads)
    assert any(lead.status == "Won" and lead.ticket_id for lead in leads if not lead.mailbox_id)
    assert {lead.status for lead in leads} == {
        "New", "Lead", "First Contact", "Opportunity", "Prospect", "Waiting on Client", "In Negotiation",
        "Pending",
        "Won", "Lost",
    }  # fmt: skip


def test_times_are_in_order_on_both_sides_of_the_clock_change_and_in_one_instant() -> None:
    box = usual()
    for table in (box.customers, box.contacts, box.leads):
        assert all(row.created_ms <= row.updated_ms <= box.seed.as_of_ms for row in table)
    shown = [row["created_at"][-6:] for row in box.dump()["customers"]]
    assert set(shown) == {"-05:00", "-04:00"}
    assert Counter(row.created_ms for row in box.customers).most_common(1)[0][1] > 100


def test_numbers_and_domains_belong_to_nobody() -> None:
    box = usual()
    for customer in box.customers:
        assert all(phone.number[3:8] == "55501" and len(phone.number) == 10 for phone in customer.phones)
    domains = {contact.email.split("@")[1] for contact in box.contacts if contact.email}
    assert {domain for domain in domains if not domain.endswith(".example")} <= {
        "gmail.com", "outlook.com", "yahoo.com", "icloud.com",
    }  # fmt: skip


@pytest.mark.slow
def test_a_hundred_thousand_contacts() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    box = Sandbox(SeedOptions(companies=10_000, contacts=100_000, leads=10_000), clock=Clock(), rate_limit=0)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024

    assert (len(box.customers), len(box.contacts), len(box.leads)) == (10_000, 100_000, 10_000)
    assert grown_mb < 400
    api = Asker(box)
    assert api.get("/contacts", page=2000)["meta"] == {
        "total_pages": 2000, "total_entries": 100_000, "per_page": 50, "page": 2000,
    }  # fmt: skip
