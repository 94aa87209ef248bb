"""What is gone in Syncro and stands there once more as another record: one record here, never two."""

from __future__ import annotations

import pytest

from propolis.accounts.models import Account
from propolis.bridge.models import Link
from propolis.crm.models import Company, Contact
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, import_all, ready
from tests.bridge.test_import import a_customer, a_remote_contact
from tests.bridge.undo_story import account_lines, undo_all

pytestmark = pytest.mark.django_db(transaction=True)
EMPTY = SeedOptions(companies=0, contacts=0, leads=0)
JO = {"firstname": "Jo", "lastname": "Lindqvist", "email": "jo@kestrel.example"}


def links() -> dict[tuple[str, int], str]:
    return {
        (kind, remote): state
        for kind, remote, state in Link.objects.values_list("kind", "remote_id", "state")
    }


def a_contact_deleted_there(syncro: Running, acme: Account) -> tuple[int, int]:
    """A customer whose person is among its contacts, imported; then that contact is deleted in Syncro."""
    ready(acme, syncro)
    customer = a_customer(syncro, business_name="Kestrel", **JO)
    contact = a_remote_contact(syncro, customer, name="Jo Lindqvist", email=JO["email"], phone="503-555-0123")
    import_all(acme)
    syncro.sandbox.delete("contacts", contact)
    return customer, contact


def test_of_a_deleted_contact_the_person_on_the_record_makes_no_second_one(acme: Account) -> None:
    with a_syncro(EMPTY) as syncro:
        customer, contact = a_contact_deleted_there(syncro, acme)
        noticing = import_all(acme)
        here = Contact.objects.get()
        assert counts(noticing, "contacts") == {"left_out": 1}
        assert links()["contact", contact] == "gone"
        assert Link.objects.get(kind="customer_person").reason == "contact_missing"
        before = account_lines(acme)
        following = import_all(acme)
        assert Contact.objects.get().pk == here.pk
        assert counts(following, "contacts") == {"merged": 1}
        assert links() == {
            ("customer", customer): "linked",
            ("customer_person", customer): "linked",
            ("contact", contact): "secondary",
        }
        assert counts(import_all(acme), "contacts") == {"same": 1}
        undo_all(following)
        assert account_lines(acme) == before
        assert links()["contact", contact] == "gone"


def test_who_is_somebody_else_than_the_missing_contact_comes_at_once(acme: Account) -> None:
    with a_syncro(EMPTY) as syncro:
        ready(acme, syncro)
        customer = a_customer(syncro, business_name="Kestrel")
        contact = a_remote_contact(syncro, customer, name="Sam Okafor", email="sam@kestrel.example")
        import_all(acme)
        syncro.sandbox.delete("contacts", contact)
        syncro.sandbox.edit("customers", customer, JO)
        run = import_all(acme)
    assert counts(run, "contacts") == {"new": 1}
    assert set(Contact.objects.values_list("first", flat=True)) == {"Sam", "Jo"}


def test_a_customer_deleted_and_made_again_is_the_same_company(acme: Account) -> None:
    with a_syncro(EMPTY) as syncro:
        ready(acme, syncro)
        kestrel = {
            "business_name": "Kestrel Logistics",
            "email": "office@kestrel.example",
            "phone": "503-555-0123",
        }
        old = a_customer(syncro, **kestrel)
        a_customer(syncro, business_name="Osprey", email="office@osprey.example")
        import_all(acme)
        syncro.sandbox.delete("customers", old)
        import_all(acme)
        assert links()["customer", old] == "gone"
        before = account_lines(acme)
        new = a_customer(syncro, **kestrel)
        run = import_all(acme)
        assert Company.objects.count() == 2
        assert counts(run, "companies") == {"merged": 1, "same": 1}
        assert (links()["customer", old], links()["customer", new]) == ("secondary", "linked")
        again = import_all(acme)
        assert counts(again, "companies") == {"same": 2}
        undo_all(run)
        assert account_lines(acme) == before
