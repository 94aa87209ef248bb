"""The client and the sandbox, over a real socket: two readings of the same reference must agree."""

from collections.abc import Callable
from typing import Any

import pytest

from propolis.syncro import (
    BadRecord,
    BadToken,
    Contact,
    Customer,
    CutOff,
    EmptyAnswer,
    Lead,
    LocalPacer,
    MissingPermission,
    NotFound,
    OutcomeUnknown,
    PaceRules,
    PermissionState,
    RateLimited,
    Refused,
    RequestLog,
    Resource,
    ServerTrouble,
    SyncroClient,
    WebPage,
    parse_page,
)
from syncro_sandbox import Running, Sandbox, SeedOptions, serve
from tests.syncro.fakes import FakeClock, FreePacer, Notes

SEED = SeedOptions(companies=230, contacts=420, leads=60, seed=7)


@pytest.fixture
def running():
    """A small MSP with no rate limit."""
    with serve(Sandbox(SEED, rate_limit=0)) as running:
        yield running


def connect(running: Running, token: str | None = None, **more: Any) -> SyncroClient:
    given: dict[str, Any] = {"pacer": FreePacer(), "clock": FakeClock(), "timeout": 10.0, **more}
    return SyncroClient(running.base_url, token or running.token, **given)


def all_ids(syncro: SyncroClient, resource: Resource, **how: Any) -> tuple[list[int], int]:
    ids = [one for page in syncro.pages(resource, **how) for one in page.ids]
    return sorted(set(ids)), len(ids)


def kept_ids(running: Running, resource: Resource) -> list[int]:
    dump: Any = running.sandbox.dump()
    return sorted(row["id"] for row in dump[resource.value])


EVERYONE = {"include_disabled": "true"}


@pytest.mark.parametrize("resource", Resource)
def test_a_whole_list_is_read_with_no_request_too_many(running, resource):
    with connect(running) as syncro:
        pages = list(syncro.pages(resource, EVERYONE))
    ids = [one for page in pages for one in page.ids]
    assert sorted(ids) == kept_ids(running, resource)
    assert {page.total_entries for page in pages} == {len(ids)}
    assert {page.per_page for page in pages} == {resource.default_size}
    assert len(running.sandbox.requests) == len(pages) == -(-len(ids) // resource.default_size)
    assert all(page.server_time is not None for page in pages)
    parsed = [record for page in pages for record in parse_page(resource, page.raw)]
    assert [record.id for record in parsed] == ids
    assert not [record for record in parsed if isinstance(record, BadRecord)]


def test_nested_contacts_are_the_contacts(running):
    nested: dict[int, Contact] = {}
    listed: dict[int, Contact] = {}
    with connect(running) as syncro:
        for page in syncro.pages(Resource.CUSTOMERS, EVERYONE):
            for customer in parse_page(Resource.CUSTOMERS, page.raw):
                assert isinstance(customer, Customer)
                assert isinstance(customer.contacts, list)
                nested |= {contact.id: contact for contact in customer.contacts}
        for page in syncro.pages(Resource.CONTACTS):
            for contact in parse_page(Resource.CONTACTS, page.raw):
                assert isinstance(contact, Contact)
                if contact.customer_id:
                    listed[contact.id] = contact
    assert nested == listed


def test_single_records_are_those_of_the_list(running):
    with connect(running) as syncro:
        read: dict[Resource, Callable[[int], Customer | Contact | Lead]] = {
            Resource.CUSTOMERS: syncro.get_customer,
            Resource.CONTACTS: syncro.get_contact,
            Resource.LEADS: syncro.get_lead,
        }
        for resource, get in read.items():
            first = parse_page(resource, syncro.page(resource, 1).raw)[0]
            assert not isinstance(first, BadRecord)
            one = get(first.id)
            assert (one.id, one.email, one.updated_at) == (first.id, first.email, first.updated_at)
            with pytest.raises(NotFound):
                get(999_999_999)


@pytest.mark.parametrize("shape", ["pairs", "objects"])
def test_the_account(running, shape):
    running.sandbox.set("users_shape", shape)
    with connect(running) as syncro:
        users = syncro.users()
        assert {user.id for user in users} == set(running.sandbox.users)
        ann = syncro.user(users[0].id)
        assert (ann.full_name, isinstance(ann.email, str)) == (users[0].name, True)
        assert syncro.me().subdomain == SEED.subdomain
        locale = syncro.settings().locale
        assert locale is not None
        assert locale.time_zone == "America/New_York"
        assert syncro.tabs().leads is True


def test_permissions_one_by_one(running):
    token = running.sandbox.add_token(["Customers - List/Search", "Leads - List/Search"])
    with connect(running, token) as syncro:
        states = {result.name: result.state for result in syncro.check_permissions()}
        with pytest.raises(MissingPermission) as caught:
            next(syncro.pages(Resource.CONTACTS))
    assert states == {
        "Customers - List/Search": PermissionState.OK,
        "Customers - View Detail": PermissionState.MISSING,
        "Leads - List/Search": PermissionState.OK,
        "Customers - Edit": PermissionState.MISSING,
        "Customers - Create": PermissionState.UNKNOWN,
    }
    assert caught.value.permission == "Customers - View Detail"
    assert {line["method"] for line in running.sandbox.requests} == {"GET"}


@pytest.mark.parametrize("body", ["json", "empty", "html"])
def test_a_bad_token(running, body):
    running.sandbox.set("auth_failure_body", body)
    with connect(running, "T0000-not-a-token") as syncro:
        with pytest.raises(BadToken):
            syncro.check_permissions()
        with pytest.raises(BadToken):
            syncro.create_customer({"firstname": "Ann"})


def test_a_record_is_created_changed_and_deleted(running):
    with connect(running) as syncro:
        made = syncro.create_customer({"business_name": "Brightwater", "email": "Office@Brightwater.Example"})
        assert (made.business_name, made.email) == ("Brightwater", "office@brightwater.example")
        changed = syncro.update_customer(made.id, {"city": "Bristol"})
        assert (changed.city, changed.business_name) == ("Bristol", "Brightwater")
        ann = syncro.create_contact(
            {"customer_id": made.id, "name": "Ann Lee", "properties": {"title": "Owner"}}
        )
        assert (ann.title, ann.customer_id) == ("Owner", made.id)
        assert syncro.update_contact(ann.id, {"name": "Ann Lee", "title": "CEO"}).title == "CEO"
        assert [one.id for one in syncro.contacts_of(made.id)] == [ann.id]
        lead = syncro.create_lead({"first_name": "Ann", "customer_id": made.id, "status": "Opportunity"})
        assert syncro.update_lead(lead.id, {"status": "Won"}).status == "Won"
        assert [one.id for one in syncro.customers_by_ids([made.id, 999_999_999])] == [made.id]
        assert made.id in [one.id for one in syncro.autocomplete("Brightwater")]
        assert ("customer", made.id) in [(hit.kind, hit.id) for hit in syncro.search("Brightwater")]
        syncro.delete_contact(ann.id)
        with pytest.raises(NotFound):
            syncro.delete_contact(ann.id)
        syncro.delete_customer(made.id)
        with pytest.raises(NotFound):
            syncro.get_customer(made.id)


@pytest.mark.parametrize("answer", ["success_false", "not_found"])
def test_changing_what_is_gone(running, answer):
    running.sandbox.set("put_unknown_customer", answer)
    running.sandbox.set("put_unknown_lead", answer)
    with connect(running) as syncro:
        with pytest.raises(NotFound):
            syncro.update_customer(999_999_999, {"city": "Bristol"})
        with pytest.raises(NotFound):
            syncro.update_lead(999_999_999, {"status": "Won"})
        with pytest.raises(NotFound):
            syncro.update_contact(999_999_999, {"name": "Ann"})
        with pytest.raises(NotFound):
            syncro.create_contact({"customer_id": 999_999_999, "name": "Ann"})


@pytest.mark.parametrize("shape", ["own", *map(str, range(1, 12))])
def test_a_refusal_of_any_shape_gives_syncros_words(running, shape):
    running.sandbox.set("refusal_shape", shape)
    with connect(running) as syncro, pytest.raises(Refused) as caught:
        syncro.create_customer({"business_name": "Brightwater", "email": "no mail"})
    # One shape in which a field stands by itself lets us name it; its message is then a whole sentence too.
    assert caught.value.sentences[0].lower().startswith("email "), caught.value.sentences
    assert "email" in caught.value.fields


@pytest.mark.parametrize("moment", ["never applied", "applied"])
def test_an_unclear_write_is_sent_once(running, moment):
    if moment == "applied":
        running.sandbox.fault("lost_reply", method="POST")
    else:
        running.sandbox.fault("reset", method="POST")
    before = kept_ids(running, Resource.CUSTOMERS)
    with connect(running) as syncro, pytest.raises(OutcomeUnknown):
        syncro.create_customer({"business_name": "Brightwater"})
    added = len(kept_ids(running, Resource.CUSTOMERS)) - len(before)
    assert added == (1 if moment == "applied" else 0)


@pytest.mark.parametrize(
    ("fault", "how", "error"),
    [
        ("error", {"status": 500}, ServerTrouble),
        ("error", {"status": 503}, ServerTrouble),
        ("html", {}, WebPage),
        ("null", {}, EmptyAnswer),
        ("truncated", {}, CutOff),
        ("too_many", {}, RateLimited),
    ],
)
def test_trouble_that_passes_and_trouble_that_stays(running, fault, how, error):
    with connect(running) as syncro:
        running.sandbox.fault(fault, path="/leads", times=3, **how)
        ids, _ = all_ids(syncro, Resource.LEADS, in_flight=1)
        assert ids == kept_ids(running, Resource.LEADS)
        running.sandbox.fault(fault, path="/leads", times=None, **how)
        with pytest.raises(error):
            list(syncro.pages(Resource.LEADS))


@pytest.mark.parametrize("fault", ["reset", "cut", "lost_reply"])
def test_connections_that_break_while_reading(running, fault):
    running.sandbox.fault(fault, path="/contacts", times=3, skip=1)
    with connect(running) as syncro:
        ids, _ = all_ids(syncro, Resource.CONTACTS)
    assert ids == kept_ids(running, Resource.CONTACTS)


@pytest.mark.parametrize("over", [60, 20, 3])
def test_customers_too_heavy_for_the_gateway(running, over):
    running.sandbox.set("gateway_timeout_over", over)
    with connect(running) as syncro:
        ids, read = all_ids(syncro, Resource.CUSTOMERS, params=EVERYONE)
    assert (ids, read) == (kept_ids(running, Resource.CUSTOMERS), len(ids))


def test_a_gateway_that_gives_up_half_way_through(running):
    # Told of the first answer before its page is handed over: no request is under way when the gateway weakens.
    def tire(_: RequestLog) -> None:
        running.sandbox.set("gateway_timeout_over", 40)

    with connect(running, on_request=tire) as syncro:
        pages = list(syncro.pages(Resource.CUSTOMERS, EVERYONE, in_flight=1))
    assert [page.per_page for page in pages] == [100] + [25] * (len(pages) - 1)
    ids = [one for page in pages for one in page.ids]
    assert sorted(set(ids)) == kept_ids(running, Resource.CUSTOMERS)


@pytest.mark.parametrize(
    ("switch", "value"),
    [
        ("customers_per_page", "ignored"),
        ("contacts_per_page", "honoured"),
        ("leads_per_page", "honoured"),
        ("time_zone", "UTC"),
        ("time_zone", "Europe/Berlin"),
        ("contact_extra_keys", "absent"),
        ("opportunity_fields", "returned"),
        ("since_updated_at", "honoured"),
    ],
)
def test_both_readings_of_what_is_not_known(running, switch, value):
    running.sandbox.set(switch, value)
    with connect(running) as syncro:
        for resource in Resource:
            pages = list(syncro.pages(resource, EVERYONE, per_page=20))
            ids = [one for page in pages for one in page.ids]
            assert sorted(set(ids)) == kept_ids(running, resource)
            assert not [
                one
                for page in pages
                for one in parse_page(resource, page.raw)
                if isinstance(one, BadRecord) or one.updated_at is None
            ]


@pytest.mark.parametrize("change", ["edit", "insert"])
def test_a_newest_first_reading_of_moving_customers_misses_none_that_were_there(running, change):
    there = kept_ids(running, Resource.CUSTOMERS)
    running.sandbox.set("mutate_while_paging", change)
    newest_first = {**EVERYONE, "sort": "updated_at DESC"}
    with connect(running) as syncro:
        found, read = all_ids(syncro, Resource.CUSTOMERS, params=newest_first, per_page=20, in_flight=1)
        running.sandbox.set("mutate_while_paging", "off")
        closing, _ = all_ids(syncro, Resource.CUSTOMERS, params=newest_first, per_page=20)
    # Rows repeat, and one edited before its page came is found by the closing look at the newest.
    assert read >= len(found)
    assert set(there) <= {*found, *closing} <= set(kept_ids(running, Resource.CUSTOMERS))


def test_an_answer_that_never_comes(running):
    running.sandbox.fault("never", method="POST", applied=True, seconds=2)
    with connect(running, timeout=0.2) as syncro, pytest.raises(OutcomeUnknown):
        syncro.create_lead({"first_name": "Ann"})


@pytest.mark.parametrize("total_pages", [0, 1])
def test_an_empty_account(total_pages):
    empty = Sandbox(
        SeedOptions(companies=0, contacts=0, leads=0), rate_limit=0, empty_total_pages=total_pages
    )
    with serve(empty) as running, connect(running) as syncro:
        for resource in Resource:
            [page] = syncro.pages(resource)
            assert (page.ids, page.total_entries, page.last) == ((), 0, True)
        assert len(empty.requests) == 3


def test_reading_resumes_where_it_was_left(running):
    with connect(running) as syncro:
        pages = syncro.pages(Resource.CONTACTS)
        first = [next(pages), next(pages)]
        pages.close()
    with connect(running) as syncro:
        rest = list(syncro.pages(Resource.CONTACTS, start=first[-1].number + 1, per_page=first[-1].per_page))
    ids = [one for page in [*first, *rest] for one in page.ids]
    assert sorted(ids) == kept_ids(running, Resource.CONTACTS)


@pytest.mark.parametrize("header", ["none", "seconds", "date"])
def test_a_refused_burst_waits_and_goes_on(header):
    """The sandbox's clock and ours are one; it allows 4 in 30 s, we believe in 1,000 a minute."""
    clock = FakeClock(1_800_000_000.0)
    sandbox = Sandbox(SEED, rate_limit=4, rate_window=30, retry_after=header, clock=lambda: clock.now)
    notes = Notes()
    pacer = LocalPacer(PaceRules.per_minute(1000), clock=clock)
    with serve(sandbox) as running, connect(running, pacer=pacer, clock=clock, on_request=notes) as syncro:
        ids, _ = all_ids(syncro, Resource.CONTACTS, in_flight=1)
        assert ids == kept_ids(running, Resource.CONTACTS)
        customer = kept_ids(running, Resource.CUSTOMERS)[0]
        assert syncro.create_contact({"customer_id": customer, "name": "Ann"}).name == "Ann"
    refused = [log for log in notes.logs if log.status == 429]
    assert 1 <= len(refused) <= 3
    if header != "none":
        assert len(refused) <= 2


def test_at_our_own_pace_nothing_is_ever_refused():
    clock = FakeClock(1_800_000_000.0)
    sandbox = Sandbox(SeedOptions(companies=10, contacts=50, leads=5), clock=lambda: clock.now)
    notes = Notes()
    pacer = LocalPacer(PaceRules.per_minute(174), clock=clock)
    with serve(sandbox) as running, connect(running, pacer=pacer, clock=clock, on_request=notes) as syncro:
        for _ in range(400):
            syncro.tabs()
    assert {log.status for log in notes.logs} == {200}
    assert clock.now - 1_800_000_000 == pytest.approx(399 * 60 / 174)


def test_one_odd_record_in_the_list(running):
    victim = kept_ids(running, Resource.CONTACTS)[3]
    running.sandbox.distort("contacts", victim, {"email": {"not": "text"}})
    with connect(running) as syncro:
        parsed = [
            one for page in syncro.pages(Resource.CONTACTS) for one in parse_page(Resource.CONTACTS, page.raw)
        ]
    odd = [one for one in parsed if isinstance(one, BadRecord)]
    assert [(one.id, one.reason) for one in odd] == [
        (victim, 'Syncro\'s record could not be read: its "email" is an object that cannot be understood.')
    ]
    assert len(parsed) == len(kept_ids(running, Resource.CONTACTS))
