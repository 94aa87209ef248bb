"""Every page `make bench` measures, and those that send, answer in so many queries, be there little or much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from django.db import connection as database
from django.db import transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.addresses import Some, addresses
from bench.pages import prepared
from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.models import Link
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import import_all, ready
from tests.bridge.review_story import a_customer, a_lead, someone
from tests.people import Crew, client_of

pytestmark = pytest.mark.django_db(transaction=True)
SEED: Final = SeedOptions(companies=20, contacts=60, leads=60, seed=5)
MORE: Final = 70
GONE: Final = "company merged in Syncro"
# More than the page of the integrations, which asks for the frame and the connection.
QUERIES: Final[dict[str, int]] = {
    "dashboard": 15,
    "dashboard, everybody's steps": 15,
    "companies": 9,
    "companies, newest first": 9,
    "companies, last changed": 9,
    "companies, last page": 9,
    "companies, all": 9,
    "companies, customers": 9,
    "companies, prospects": 6,
    "companies, residential": 9,
    "companies, of a salesperson": 6,
    "companies, of nobody": 9,
    "companies, not in Syncro any more": 6,
    "companies, newer here": 6,
    "companies, not from Syncro": 6,
    "companies, disabled": 6,
    "contacts": 9,
    "contacts, newest first": 9,
    "contacts, last page": 9,
    "contacts, deep inside": 10,
    "contacts, on a list": 10,
    "contacts, on no list": 6,
    "contacts, unsubscribed": 9,
    "contacts, of a company": 10,
    "contacts, of a salesperson": 6,
    "contacts, newer here": 6,
    "contacts, waiting": 7,
    "contacts, linked": 9,
    "contacts, not from Syncro": 6,
    "opportunities": 8,
    "opportunities, won": 8,
    "opportunities, all": 8,
    "opportunities, last page": 8,
    "opportunities, of a status": 8,
    "opportunities, of a salesperson": 6,
    "opportunities, of nobody": 8,
    "opportunities, without amount": 8,
    "opportunities, by amount": 8,
    "opportunities, by expected close": 8,
    "opportunities, not from Syncro": 6,
    "companies, searched": 9,
    "contacts, searched": 9,
    "contacts, searched by two words": 9,
    "contacts, searched by a letter": 9,
    "contacts, searched by phone": 6,
    "contacts, searched in vain": 6,
    "opportunities, searched": 8,
    "search": 5,
    "search, two letters": 5,
    "search, in vain": 5,
    "picking a company": -5,
    "picking a contact": -5,
    GONE: 13,
    "company": 18,
    "new company": 0,
    "editing a company": 1,
    "a fact of a company": -6,
    "contact": 19,
    "new contact": 0,
    "editing a contact": 1,
    "a fact of a contact": -6,
    "opportunity": 8,
    "new opportunity": 3,
    "editing a opportunity": 3,
    "a fact of a opportunity": -6,
    "next step of a company": 1,
    "next step of a opportunity": 1,
    "merging a company": 1,
    "merging a contact": 1,
    "new contact of a company": 1,
    "board": 8,
    "board of a salesperson": 2,
    "amounts": 5,
    "amounts, to be filled": 5,
    "moving an opportunity": 1,
    "lists": 3,
    "list": 11,
    "new list": -1,
    "editing a list": 2,
    "my companies": 3,
    "my companies, others' too": 3,
    "duplicates": 6,
    "duplicates among contacts": 7,
    "duplicates turned down": 5,
    "exporting contacts": 1,
    "exporting contacts, counted": 1,
    "exporting a list": 3,
    "csv imports": 0,
    "csv preview": 4,
    "audit log": 2,
    "audit log of one deed": 2,
    "statuses": 1,
    "archiving a status": 2,
    "people": 1,
    "handing over a leaver's": 7,
    "account": -1,
    "integration": 12,
    "connection": 4,
    "users": 9,
    "disconnecting": 1,
    "matching by hand": 2,
    "handing over": 3,
    "what comes along": 1,
    "schedule": 3,
    "review": 8,
    "decisions made": 4,
    "health": 9,
    "health: in_sync": 1,
    "health: newer": 1,
    "health: review": 1,
    "health: left_out": 3,
    "health: failed": 1,
    "health: gone": 1,
    "health: waiting": 1,
    "health: without_email": 2,
    "health: shared_emails": 2,
    "health: look_alikes": 1,
    "health: kept_out": 3,
    "remembered decisions": 2,
    "backups": 3,
    "restore from a file": -1,
    "deleting a backup": 0,
    "import companies": 13,
    "import contacts": 13,
    "import opportunities": 15,
    "imports": 0,
    "import preview": 7,
    "import result": 19,
    "import result: new": 19,
    "import result: left_out": 19,
    "import result: failed": 17,
    "undo preview": 13,
    "restore preview": 3,
    "sending a company": 14,
    "sending a contact": 14,
}


@pytest.fixture
def acme(crew: Crew) -> Iterator[Account]:
    with in_account(crew.account):
        yield crew.account


def test_every_page_asks_so_many_times_be_there_little_or_much(acme: Account, crew: Crew) -> None:
    client = client_of(crew.alice)
    with a_syncro(SEED) as syncro:
        ready(acme, syncro)
        import_all(acme)
        prepared(acme, crew.alice)
        little = all_asked(client, acme)
        grow(syncro)
        import_all(acme)
        prepared(acme, crew.alice)
        much = all_asked(client, acme)
    # PostgreSQL looks once more for what is only alike.
    wanted = QUERIES | ({"search, in vain": 15} if database.vendor == "postgresql" else {})
    assert little == wanted
    assert much == wanted


@contextmanager
def one_gone() -> Iterator[None]:
    """A company that Syncro has no more, for one page and then never was: others would say so too."""
    with transaction.atomic():
        linked = Link.objects.filter(
            company__isnull=False, company__opportunities=None, state=Link.State.LINKED
        )
        Link.objects.filter(pk=linked.order_by("pk")[0].pk).update(state=Link.State.GONE)
        yield
        transaction.set_rollback(True)


def grow(syncro: Running) -> None:
    """Some more of everything that is imported."""
    for n in range(MORE):
        held = a_customer(syncro, f"Grown {n} LLC", email=f"office@grown{n}.example")
        for name in ("Ann", "Bo", "Cy"):
            someone(syncro, held, f"{name} Grown {n}", email=f"{name}@grown{n}.example")
        a_lead(syncro, f"Server for {n}", customer_id=held)


def all_asked(client: Client, account: Account) -> dict[str, int]:
    """Name of a page → queries, the frame's left out."""
    with one_gone():
        pages = {**addresses(account), **sending(account)}
        told = {GONE: asked(client, pages.pop(GONE))}
    told |= {name: asked(client, at) for name, at in pages.items()}
    frame = told.pop("integrations")
    return {name: count - frame for name, count in told.items()}


def sending(account: Account) -> dict[str, str]:
    """The dialogs that read Syncro while they open."""
    some, site = Some.find(), f"/{account.slug}"
    return {
        "sending a company": f"{site}/companies/{some.company.pk}/send/",
        "sending a contact": f"{site}/contacts/{some.contact.pk}/send/",
    }


def asked(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(database) as queries:
        assert client.get(address).status_code == 200, address
    return len(queries)
