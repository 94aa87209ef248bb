"""One odd record never stops the rest, and no key's absence passes for its emptiness."""

import json
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propolis.syncro import (
    UNSET,
    BadRecord,
    Contact,
    Customer,
    Garbled,
    Lead,
    Me,
    Phone,
    Resource,
    SearchHit,
    Settings,
    Tabs,
    User,
    UserRef,
    parse_page,
    parse_record,
)
from propolis.syncro.parsing import outline, parse_search, parse_users
from propolis.syncro.records import Locale

CUSTOMER = {
    "id": 1,
    "firstname": "Walkin",
    "lastname": "Customer",
    "fullname": "Walkin Customer",
    "business_name": None,
    "email": "walkin@example.com",
    "created_at": "2019-10-21T08:33:21.053Z",
    "updated_at": "2025-04-01T15:25:12.424+02:00",
    "disabled": False,
    "no_email": True,
    "properties": {"Reg No.": "12", "Tier": 35984},
    "online_profile_url": "http://x/?portal_key=81lcr4ua1parftzvbgk9",
    "tax_rate_id": None,
    "contacts": [],
}
BOBA = {
    "id": 3_000_000_001,
    "name": "Boba Fett",
    "address1": "8653 Ivan Flat",
    "phone": "657.325.3258 x330",
    "latitude": 67.9,
    "customer_id": None,
    "created_at": "2019-10-22T08:47:09.723-04:00",
    "updated_at": "2019-11-22T08:47:09.723-05:00",
    "properties": {"title": "Hunter"},
    "opt_out": False,
    "extension": "",
}


def body(key: str, *items: object) -> bytes:
    return json.dumps({key: list(items), "meta": {"total_pages": 1}}).encode()


def test_a_customer_as_documented():
    assert parse_page(Resource.CUSTOMERS, body("customers", CUSTOMER)) == [
        Customer(
            id=1,
            firstname="Walkin",
            lastname="Customer",
            fullname="Walkin Customer",
            business_name=None,
            email="walkin@example.com",
            created_at=datetime(2019, 10, 21, 8, 33, 21, 53000, UTC),
            updated_at=datetime(2025, 4, 1, 13, 25, 12, 424000, UTC),
            disabled=False,
            no_email=True,
            properties={"Reg No.": "12", "Tier": 35984},
            contacts=[],
        )
    ]


def test_a_contact_with_its_title_and_times_across_a_change_of_clocks():
    [boba] = parse_page(Resource.CONTACTS, body("contacts", BOBA))
    assert isinstance(boba, Contact)
    assert (boba.id, boba.title, boba.customer_id, boba.extension) == (3_000_000_001, "Hunter", None, "")
    assert (boba.created_at, boba.updated_at) == (
        datetime(2019, 10, 22, 12, 47, 9, 723000, UTC),
        datetime(2019, 11, 22, 13, 47, 9, 723000, UTC),
    )
    assert isinstance(boba.created_at, datetime)
    assert boba.created_at.tzinfo is UTC
    assert boba.notes is UNSET


@pytest.mark.parametrize(
    ("properties", "title"),
    [({"title": "Boss"}, "Boss"), ({"title": None}, None), ({"title": 7}, "7"), ({}, UNSET), (None, UNSET)],
)
def test_a_title_may_be_absent(properties, title):
    contact = parse_record(Contact, json.dumps({"id": 1, "properties": properties}).encode())
    assert contact.title == title


def test_absent_is_not_null_and_null_is_not_empty():
    assert parse_page(
        Resource.CUSTOMERS,
        body("customers", {"id": 1}, {"id": 2, "contacts": None, "email": None}, {"id": 3, "contacts": []}),
    ) == [
        Customer(id=1, contacts=UNSET, email=UNSET),
        Customer(id=2, contacts=None, email=None),
        Customer(id=3, contacts=[], email=UNSET),
    ]


@pytest.mark.parametrize(
    ("resource", "kind"),
    [(Resource.CUSTOMERS, Customer), (Resource.CONTACTS, Contact), (Resource.LEADS, Lead)],
)
def test_everything_may_be_null_but_the_id(resource, kind):
    fields = kind.__struct_fields__
    nulls = {**dict.fromkeys(fields), "id": 5}
    assert parse_page(resource, body(resource.value, nulls)) == [kind(**nulls)]


def test_a_lead_that_gives_its_amount_back():
    [lead] = parse_page(
        Resource.LEADS,
        body("leads", {"id": 1, "opportunity_amount_dollars": "1250.50", "likelihood": 40, "status": "Odd"}),
    )
    assert lead == Lead(id=1, opportunity_amount_dollars=Decimal("1250.50"), likelihood=40, status="Odd")


def test_small_liberties_are_mended():
    odd = {
        "id": "12",
        "zip": 2293,
        "phone": 5550999,
        "email": "a\0b@example.com",
        "opt_out": "1",
        "disabled": 0,
        "ref_customer_id": "",
        "created_at": "2025-04-01 15:25:12.123456789 +0000".replace(" +", "+"),
        "updated_at": "2025-04-01T15:25:12",
        "properties": [],
    }
    assert parse_page(Resource.CUSTOMERS, body("customers", odd, CUSTOMER))[0] == Customer(
        id=12,
        zip="2293",
        phone="5550999",
        email="ab@example.com",
        opt_out=True,
        disabled=False,
        ref_customer_id=None,
        created_at=datetime(2025, 4, 1, 15, 25, 12, 123457, UTC),
        # Without a zone it could be any of 26 hours: unknown.
        updated_at=None,
        properties=None,
    )


@pytest.mark.parametrize(
    ("item", "id", "reason"),
    [
        ({"email": "x"}, None, 'it has no "id"'),
        ({"id": None}, None, 'its "id" is null that cannot be understood'),
        ({"id": 0}, None, 'its "id" is a number that cannot be understood'),
        ({"id": 2**63}, None, 'its "id" is a number that cannot be understood'),
        ({"id": 7, "email": {"a": 1}}, 7, 'its "email" is an object that cannot be understood'),
        ({"id": 7, "email": True}, 7, 'its "email" is a true/false that cannot be understood'),
        ({"id": 7, "updated_at": "yesterday"}, 7, 'its "updated_at" is text that cannot be understood'),
        ({"id": 7, "email": "\ud800"}, 7, "its text is not valid Unicode"),
        ("text", None, "it is text, not a record"),
        ([1], None, "it is a list, not a record"),
        (None, None, "it is empty or unreadable"),
    ],
)
def test_one_odd_record_is_named_and_the_others_come(item, id, reason):
    raw = body("customers", {"id": 1}, item, {"id": 3, "zip": 12345})
    assert parse_page(Resource.CUSTOMERS, raw) == [
        Customer(id=1),
        BadRecord(1, id, f"Syncro's record could not be read: {reason}.", json.dumps(item).encode()),
        Customer(id=3, zip="12345"),
    ]
    told = outline(Resource.CUSTOMERS, raw)
    assert (told.ids, told.count) == ((1, 3) if id is None else (1, id, 3), 3)


def test_bytes_that_are_no_text_spoil_one_record_only():
    raw = b'{"contacts":[{"id":1,"name":"\xff"},{"id":2,"name":"Ann"}]}'
    bad, ann = parse_page(Resource.CONTACTS, raw)
    assert bad == BadRecord(
        0, 1, "Syncro's record could not be read: its text is not valid Unicode.", b'{"id":1,"name":"\xff"}'
    )
    assert ann == Contact(id=2, name="Ann")


def test_an_unreadable_nested_contact_makes_the_nested_list_unknown_never_shorter():
    customer = {"id": 1, "contacts": [{"id": 5, "name": "Ann"}, {"name": "no id"}], "phones": [{"id": "9"}]}
    assert parse_page(Resource.CUSTOMERS, body("customers", customer)) == [
        Customer(id=1, contacts=UNSET, phones=[Phone(id=9)])
    ]


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"null", b'{"contacts":[]}', b'{"customers":{}}', b'{"customers":[{"id":1}', b"[" * 9999],
)
def test_what_is_no_page_is_garbled(raw):
    with pytest.raises(Garbled):
        parse_page(Resource.CUSTOMERS, raw)
    with pytest.raises(Garbled):
        outline(Resource.CUSTOMERS, raw)


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ({"total_pages": 3, "total_entries": 250, "per_page": 100, "page": 1}, (100, 3, 250)),
        ({"total_pages": 0, "total_entries": 0, "per_page": 0}, (None, None, None)),  # an item stands there
        ({"total_pages": "3", "total_entries": None, "per_page": -1}, (None, 3, None)),
        ({"total_pages": True, "total_entries": 1.5}, (None, None, None)),
        (None, (None, None, None)),
        ([], (None, None, None)),
    ],
)
def test_a_pages_own_numbers_may_be_missing_or_odd(meta, told):
    for items in ([{"id": 1}], [{"id": "1"}]):
        raw = json.dumps({"leads": items, "meta": meta}).encode()
        found = outline(Resource.LEADS, raw)
        assert (found.page_size, found.total_pages, found.total_entries) == told
        assert found.ids == (1,)


def test_single_records_come_wrapped_or_bare():
    assert parse_record(Contact, b'{"id":4,"name":"Ann"}', under="contact") == Contact(id=4, name="Ann")
    assert parse_record(Contact, b'{"contact":{"id":4}}', under="contact", id=4) == Contact(id=4)
    assert parse_record(User, b'{"user":{"id":1,"group":"Admins","admin":true}}', under="user") == User(
        id=1, group="Admins", admin=True
    )


def test_my_secret_token_is_not_taken_in():
    me = parse_record(Me, b'{"user_token":"3746f72b","user_id":1,"user_name":"Alice","subdomain":"acme"}')
    assert me == Me(user_id=1, user_name="Alice", subdomain="acme")
    assert "3746f72b" not in repr(me)


def test_settings_and_tabs():
    settings = parse_record(
        Settings,
        json.dumps(
            {
                "customers": {"required_fields": None, "customer_fields": [], "customer_field_answers": []},
                "locale": {"time_zone": "America/Los_Angeles", "time_offset": "-08:00"},
                "ticket": {},
            }
        ).encode(),
        under="settings",
    )
    assert settings.locale == Locale(time_zone="America/Los_Angeles", time_offset="-08:00")
    assert parse_record(Tabs, b'{"tabs":{"leads":true,"domo":false}}', under="tabs") == Tabs(leads=True)


def test_users_come_as_pairs_or_objects():
    users = [[1, "Joe Doe"], [2, None], {"id": 3, "full_name": "Ann"}, {"id": "4", "name": "Bo"}]
    assert parse_users(json.dumps({"users": users}).encode()) == [
        UserRef(1, "Joe Doe"),
        UserRef(2, ""),
        UserRef(3, "Ann"),
        UserRef(4, "Bo"),
    ]


@pytest.mark.parametrize("users", [None, {}, [[1]], ["Joe"], [[None, "Joe"]], [[1, ["Joe"]]]])
def test_a_user_who_cannot_be_read_is_not_left_out(users):
    with pytest.raises(Garbled):
        parse_users(json.dumps({"users": users}).encode())


def test_search_hits():
    hit = {"table": {"_id": 9, "_type": "contact", "_source": {"table": {"customer_id": 2, "name": "Ann"}}}}
    odd = [None, {"table": None}, {"table": {"_id": 1}}, {"table": {"_type": "customer"}}]
    lean = {"table": {"_id": "7", "_type": "customer", "_source": None}}
    assert parse_search(json.dumps({"results": [hit, *odd, lean]}).encode()) == [
        SearchHit(kind="contact", id=9, customer_id=2, fields={"customer_id": 2, "name": "Ann"}),
        SearchHit(kind="customer", id=7, customer_id=None, fields={}),
    ]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2**70)
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["2025-04-01T15:25:12+02:00", "1", "2025-04-01", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["id", "email", "updated_at", "opt_out", "properties", "contacts", "customer_id", "likelihood", "odd"]
)


@given(st.sampled_from(Resource), st.lists(st.dictionaries(KEYS, VALUES, max_size=6) | VALUES, max_size=6))
def test_whatever_comes_each_record_gets_its_place(resource, items):
    raw = json.dumps({resource.value: items}).encode()
    parsed = parse_page(resource, raw)
    told = outline(resource, raw)
    assert len(parsed) == told.count == len(items)
    ids = [one.id for one in parsed if one.id is not None]
    assert list(told.ids) == ids
    for at, one in enumerate(parsed):
        if isinstance(one, BadRecord):
            assert (one.index, one.reason[-1]) == (at, ".")
        elif isinstance(one.updated_at, datetime):
            assert one.updated_at.tzinfo is UTC


@given(
    st.lists(
        st.fixed_dictionaries(
            {"id": st.integers(1, 2**63 - 1)},
            optional={
                "name": st.none() | st.text().filter(lambda text: "\0" not in text),
                "opt_out": st.none() | st.booleans(),
                "customer_id": st.none() | st.integers(1, 2**63 - 1),
            },
        ),
        max_size=5,
    )
)
def test_well_formed_records_come_through_unchanged_fast_or_slow(items):
    expected = [Contact(**item) for item in items]
    assert parse_page(Resource.CONTACTS, body("contacts", *items)) == expected
    # One odd record more, and all go the slow way.
    assert parse_page(Resource.CONTACTS, body("contacts", *items, {"id": "x"}))[:-1] == expected


def test_a_hundred_thousand_contacts_take_less_than_two_seconds():
    raw = body("contacts", *({**BOBA, "id": number} for number in range(1, 51)))
    began = time.process_time()
    for _ in range(2000):
        parse_page(Resource.CONTACTS, raw)
    assert time.process_time() - began < 2.0
