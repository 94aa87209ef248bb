"""Sync health: the numbers, the list and the file behind each, and what shows on the CRM's own pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge import health
from propolis.bridge.merged_there import merged_into
from propolis.bridge.models import Connection, Link, connection_of
from propolis.crm import edit
from propolis.crm.fields import Kind
from propolis.crm.models import Company, Contact, Opportunity
from propolis.runs.models import Run
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import import_all, ready
from tests.bridge.review_story import a_customer, a_lead, someone, two_to_decide
from tests.people import Crew, client_of

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/acme/settings/integrations/syncro/health/"


@pytest.fixture
def syncro(crew: Crew) -> Iterator[Running]:
    """Two to decide with people waiting for one, twins by name, an odd record, an e-mail to the mailbox."""
    with in_account(crew.account), a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as running:
        ready(crew.account, running)
        two_to_decide(crew.account, running)
        held = running.sandbox.dump()["customers"][0]["id"]
        someone(running, held, "Jo Lindqvist", email="jo@harbor.example")
        first = a_customer(running, "Kestrel Logistics", email="a@kestrel.example")
        a_customer(running, "Kestrel Logistics", email="b@osprey.example")
        someone(running, first, "Sam Rivera")
        someone(running, first, "Ann Lee", email="desk@kestrel.example")
        someone(running, first, "Tom Lee", email="desk@kestrel.example")
        a_lead(running, "New server", mailbox_id=3)
        odd = a_customer(running, "Odd One")
        running.sandbox.distort("customers", odd, {"business_name": {"x": 1}, "email": [1, 2]})
        import_all(crew.account)
        yield running


@pytest.fixture
def acme(crew: Crew, syncro: Running) -> Account:
    return crew.account


def the_connection(account: Account) -> Connection:
    found = connection_of(account)
    assert found is not None
    return found


def numbers(account: Account) -> dict[str, int]:
    return {one.key: one.count for one in health.counters(the_connection(account)) if one.count}


def test_every_record_has_its_place(acme: Account, crew: Crew) -> None:
    assert numbers(acme) == {"in_sync": 6, "review": 2, "left_out": 1, "failed": 1, "waiting": 1}
    kestrel = Company.objects.filter(name="Kestrel Logistics").earliest("pk")
    edit.update(acme, kestrel, {"phone": "503-555-0100"}, actor=crew.alice)
    assert numbers(acme)["newer"] == 1
    assert {one.key: one.count for one in health.data_health()} == {
        "without_email": 1,
        "shared_emails": 2,
        "look_alikes": 2,
        "kept_out": 1,
    }


def test_each_number_leads_to_its_list_and_its_file(acme: Account, crew: Crew) -> None:
    client = client_of(crew.alice)
    shown = client.get(BASE)
    counted = {one.key: one.count for one in [*shown.context["counters"], *shown.context["data"]]}
    for key, count in counted.items():
        listed = client.get(f"{BASE}{key}/").context["listed"]
        answer = client.get(f"{BASE}{key}.csv")
        lines = b"".join(answer).decode().splitlines()
        assert (len(listed.rows), len(lines) - 1) == (count, count), key
    names = {
        key: sorted(row.name for row in client.get(f"{BASE}{key}/").context["listed"].rows)
        for key in ("review", "failed", "left_out", "shared_emails")
    }
    odd = Link.objects.get(state="failed")
    assert names == {
        "review": ["Brightwater Dental", "Harbor Freight"],
        "failed": [f"Customer #{odd.remote_id}"],
        "left_out": ["New server"],
        "shared_emails": ["Ann Lee", "Tom Lee"],
    }


def test_what_syncros_data_lacks_is_counted_up_to_a_thousand(acme: Account, crew: Crew) -> None:
    Contact.objects.bulk_create(
        Contact(account=acme, first=f"N{n}", email=f"{n // 3}@x.example", email_key=f"{n // 3}@x.example")
        for n in range(1800)
    )
    Contact.objects.filter(email_key__startswith="7").update(deleted_at=timezone.now())
    counted = {one.key: one.count for one in health.data_health()}
    assert counted == {"without_email": 1, "shared_emails": 1001, "look_alikes": 2, "kept_out": 1}
    assert "1,000+" in client_of(crew.alice).get(BASE).content.decode()


@pytest.mark.skipif(database.vendor != "sqlite", reason="PostgreSQL takes statistics of its own")
def test_the_first_who_share_an_email_are_found_without_looking_at_all(acme: Account) -> None:
    asked = health._data("shared_emails").order_by("email_key", "pk")[:51]
    told = asked.explain().splitlines()
    plan = [line.partition(" USING ")[2].partition(" (")[0] for line in told if "SEARCH" in line]
    assert plan == ["INDEX contact_email", "COVERING INDEX contact_email"]
    assert "LIST" not in " ".join(told)


def test_what_failed_stands_by_cause_and_is_read_again(acme: Account, crew: Crew) -> None:
    client = client_of(crew.alice)
    causes = client.get(BASE).context["causes"]
    assert [(cause.reason, cause.count) for cause in causes] == [("unreadable", 1)]
    answer = client.post(f"{BASE}retry/", {"reason": "unreadable"})
    run = Run.objects.latest("pk")
    assert run.options["only"] == health.failed_only(the_connection(acme))
    assert answer["Location"].endswith(f"/imports/{run.number}/")


def test_one_that_failed_shows_what_syncro_sent_and_is_read_again_alone(acme: Account, crew: Crew) -> None:
    client = client_of(crew.alice)
    (row,) = client.get(f"{BASE}failed/").context["listed"].rows
    assert row.raw.startswith("{") and row.retry.startswith("customer:")
    client.post(f"{BASE}retry/", {"record": row.retry})
    assert Run.objects.latest("pk").options["only"] == [["customer", int(row.retry.partition(":")[2])]]
    assert health.failed_only(the_connection(acme), record="customer:no number") == []


def test_queries_do_not_grow(acme: Account, crew: Crew) -> None:
    client = client_of(crew.alice)
    client.get(BASE)
    connection = the_connection(acme)
    told = []
    for more in (0, 300):
        Link.objects.bulk_create(
            Link(account=acme, connection=connection, kind="lead", remote_id=10**6 + n, state="left_out")
            for n in range(more)
        )
        told.append(
            [queries(client, BASE + where) for where in ("", "review/", "left_out/", "shared_emails/")]
        )
    assert told == [[19, 12, 13, 12]] * 2


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(database) as caught:
        assert client.get(address).status_code == 200
    return len(caught.captured_queries)


def test_gone_in_syncro_is_marked_found_and_never_deleted(acme: Account, crew: Crew, syncro: Running) -> None:
    kestrel = Company.objects.filter(name="Kestrel Logistics", email="a@kestrel.example").get()
    other = Company.objects.get(email="b@osprey.example")
    ids = dict(Link.objects.filter(kind="customer").values_list("company", "remote_id"))
    syncro.sandbox.merge_customers(ids[other.pk], ids[kestrel.pk])
    import_all(acme)
    client = client_of(crew.alice)
    assert Link.objects.get(company=kestrel).state == "gone"
    assert set(Contact.objects.filter(first="Sam").values_list("company", flat=True)) == {other.pk}
    profile = " ".join(client.get(f"/acme/companies/{kestrel.pk}/").content.decode().split())
    assert f"Probably merged into #{ids[other.pk]}." in profile
    assert f"/acme/companies/{other.pk}/merge/?with={kestrel.pk}" in profile
    for where in ("show=gone", "syncro=gone"):
        view = client.get(f"/acme/companies/?{where}").context["table"]
        assert [row.pk for row in view.page.rows] == [kestrel.pk]
    client.post(f"/acme/companies/{other.pk}/merge/?with={kestrel.pk}", {})
    links = Link.objects.filter(kind="customer", company=other).order_by("state")
    assert [(link.state, link.reason) for link in links] == [("linked", ""), ("secondary", "merged_gone")]


@pytest.mark.skipif(database.vendor != "sqlite", reason="PostgreSQL reads a table of so few rows whole")
def test_where_the_contacts_of_a_gone_customer_went_is_found_by_an_index(acme: Account) -> None:
    company = Company.objects.earliest("pk")
    with CaptureQueriesContext(database) as asked:
        assert merged_into(company) is None
    (query,) = (each["sql"] for each in asked.captured_queries)
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query}")
        plan = [line[-1] for line in cursor.fetchall()]
    assert plan[0] == "SEARCH history_change USING INDEX change_of_company (account_id=? AND <expr>=?)"


def test_the_profile_says_how_it_stands(acme: Account, crew: Crew) -> None:
    kestrel = Company.objects.get(email="a@kestrel.example")
    edit.update(acme, kestrel, {"phone": "503-555-0100"}, actor=crew.alice)
    link = Link.objects.get(company=kestrel)
    profile = " ".join(client_of(crew.bob).get(f"/acme/companies/{kestrel.pk}/").content.decode().split())
    host = the_connection(acme).base_url.split("/")[2]
    assert f'href="http://{host}/customers/{link.remote_id}"' in profile
    assert "Newer here</dt><dd>Phone" in profile
    board = client_of(crew.alice).get("/acme/").content.decode()
    assert "Sync health" in board
    assert "Sync health" not in client_of(crew.bob).get("/acme/").content.decode()


def test_who_is_a_customer_in_syncro_is_one_here(acme: Account, crew: Crew) -> None:
    mine = edit.create(acme, Kind.COMPANY, {"name": "Only Here Ltd"}, actor=crew.bob)
    client = client_of(crew.bob)
    prospects = client.get("/acme/companies/?state=prospect&show=all").context["table"].page.rows
    held = set(
        Company.objects.exclude(
            pk__in=Link.objects.filter(kind="customer", company__isnull=False).values("company")
        )
    )
    assert mine in held
    assert set(prospects) == held
    customers = client.get("/acme/companies/?state=customer&show=all").context["table"].page.rows
    assert {row.name for row in customers} == {"Kestrel Logistics"}


def test_only_an_admin_of_this_account(acme: Account, crew: Crew) -> None:
    for person, status in ((crew.bob, 403), (crew.mia, 403), (crew.charlie, 404)):
        client = client_of(person)
        told = {
            client.get(BASE + where).status_code for where in ("", "review/", "review.csv", "remembered/")
        }
        told |= {client.post(BASE + where).status_code for where in ("retry/", "remembered/1/bring-back/")}
        assert told == {status}, person


def test_remembered_decisions_and_bring_back(acme: Account, crew: Crew) -> None:
    client = client_of(crew.alice)
    edit.delete(Company.objects.get(email="a@kestrel.example"), actor=crew.bob)
    shown = " ".join(client.get(f"{BASE}remembered/").content.decode().split())
    assert "by Bob Tanaka; imports leave it out" in shown
    link = Link.objects.get(state="deleted_here")
    client.post(f"{BASE}remembered/{link.pk}/bring-back/")
    link.refresh_from_db()
    assert (link.state, Company.objects.get(email="a@kestrel.example").deleted_at) == ("linked", None)


def not_from_syncro(client: Client) -> dict[str, set[int]]:
    """Kind → ids, as the filter finds them."""
    pages = {"company": "companies", "contact": "contacts", "opportunity": "opportunities"}
    found = {}
    for kind, page in pages.items():
        view = client.get(f"/acme/{page}/?show=all&syncro=none").context["table"]
        found[kind] = {row.pk for row in view.page.rows}
        model = {"company": Company, "contact": Contact, "opportunity": Opportunity}[kind]
        linked = Link.objects.filter(**{f"{kind}__isnull": False}).values(kind)
        assert found[kind] == set(model.objects.exclude(pk__in=linked).values_list("pk", flat=True))
    return found


def test_what_is_not_from_syncro_is_found_whoever_wrote(acme: Account, crew: Crew) -> None:
    client = client_of(crew.alice)
    ours = not_from_syncro(client)
    assert (len(ours["company"]), ours["contact"], ours["opportunity"]) == (2, set(), set())
    by_hand = edit.create(acme, Kind.CONTACT, {"first": "Ada"}, actor=crew.alice)
    assert not_from_syncro(client) == ours | {"contact": {by_hand.pk}}
    link = Link.objects.get(contact__first="Sam")
    sam = link.contact_id
    Link.objects.filter(pk=link.pk).update(contact=by_hand)
    assert not_from_syncro(client) == ours | {"contact": {sam}}
    Link.objects.filter(pk=link.pk).update(state="gone")
    assert not_from_syncro(client) == ours | {"contact": {sam}}
    Link.objects.all().delete()
    assert not_from_syncro(client)["company"] == set(Company.objects.values_list("pk", flat=True))
