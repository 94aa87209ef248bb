"""Sending and importing side by side: neither undoes the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.bridge import export_outcome
from propolis.bridge.importing import OBJECTS, start_import
from propolis.bridge.models import Link
from propolis.crm import edit
from propolis.crm.models import Company, Contact
from propolis.history.models import Change
from propolis.runs import engine
from propolis.runs.models import Run
from syncro_sandbox import Running
from tests.bridge.export_story import (
    EMPTY,
    a_company,
    a_contact,
    an_opportunity,
    fresh,
    opened,
    pressed,
    ready_to_send,
    sent,
    writes,
)
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, finish, go_on, import_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def syncro() -> Iterator[Running]:
    with a_syncro(EMPTY) as running:
        yield running


@pytest.fixture
def connection(acme: Account, syncro: Running) -> Any:
    return ready_to_send(acme, syncro)


def test_the_import_after_a_send_changes_nothing(acme: Account, syncro: Running, connection: Any) -> None:
    row = a_company(acme, email="Info@Brightwater.example", phone="(212) 555-0142", zip="97201")
    person = a_contact(
        acme,
        row,
        "Priya",
        "Raman",
        email="Priya@Brightwater.example",
        title="Office manager",
        phone="212 555 0143",
    )
    an_opportunity(acme, row)
    assert sent(connection, person).state == Run.State.COMPLETE
    run = import_all(acme)
    assert (counts(run, "companies"), counts(run, "contacts")) == ({"same": 1}, {"same": 1})
    assert not Change.objects.filter(run=run).exists()
    assert not Link.objects.filter(newer_here=True).exists()


@pytest.mark.parametrize(("taken", "told"), [("documented", "Syncro did not keep Extension."), ("all", "")])
def test_what_syncro_does_not_keep_is_told_and_stays_here(
    acme: Account, syncro: Running, connection: Any, taken: str, told: str
) -> None:
    """The reference lists no extension among what may be written of a contact."""
    syncro.sandbox.set("contact_fields", taken)
    person = a_contact(acme, a_company(acme), "Priya", "Raman", phone="(212) 555-0142", extension="12")
    an_opportunity(acme, person)
    run = sent(connection, person)
    said = export_outcome.done_words(list(Change.objects.filter(run=run, remote_kind="contact")))
    assert (run.state, writes(syncro)[-1][2]["extension"]) == (Run.State.COMPLETE, "12")
    assert said.partition("Extension. ")[2] == told

    run = import_all(acme)
    assert (counts(run, "contacts"), fresh(person).extension) == ({"same": 1}, "12")


def in_both(row: Company, syncro: Running) -> tuple[str, str]:
    """The city here and in Syncro."""
    link = Link.objects.get(company=row, kind=Link.Kind.CUSTOMER)
    return fresh(row).city, syncro.sandbox.customers[link.remote_id].city or ""


def test_a_page_read_before_a_send_does_not_undo_it(acme: Account, syncro: Running, connection: Any) -> None:
    row = a_company(acme, city="Portland")
    an_opportunity(acme, row)
    sent(connection, row)
    syncro.sandbox.edit("customers", Link.objects.get().remote_id, city="Salem")
    preview = import_all(acme, "companies", "contacts", "opportunities", show_first=True)
    assert counts(preview, "companies") == {"updated": 1}
    edit.update(acme, fresh(row), {"city": "Keizer"}, actor=None)
    sent(connection, row, "company.city")
    run = go_on(preview)
    assert (counts(run, "companies"), in_both(row, syncro)) == ({"same": 1}, ("Keizer", "Keizer"))
    assert counts(import_all(acme), "companies") == {"same": 1}
    assert in_both(row, syncro) == ("Keizer", "Keizer")


def test_a_day_old_preview_does_not_undo_a_send(acme: Account, syncro: Running, connection: Any) -> None:
    row = a_company(acme, city="Portland")
    an_opportunity(acme, row)
    sent(connection, row)
    syncro.sandbox.edit("customers", Link.objects.get().remote_id, city="Salem")
    preview = import_all(acme, show_first=True)
    edit.update(acme, fresh(row), {"city": "Keizer"}, actor=None)
    sent(connection, row, "company.city")
    Run.objects.filter(pk=preview.pk).update(planned_at=timezone.now() - timedelta(hours=25))
    with pytest.raises(engine.Refused) as refused:
        engine.confirm(preview, None)
    assert (refused.value.code, in_both(row, syncro)) == ("propolis.stale_preview", ("Keizer", "Keizer"))


def test_what_syncro_changed_and_did_not_travel_still_comes(
    acme: Account, syncro: Running, connection: Any
) -> None:
    """Sending one field agrees on that field alone."""
    row = a_company(acme, city="Portland", phone="(212) 555-0142")
    an_opportunity(acme, row)
    sent(connection, row)
    syncro.sandbox.edit("customers", Link.objects.get().remote_id, city="Salem")
    edit.update(acme, fresh(row), {"phone": "(212) 555-0190"}, actor=None)
    sent(connection, row, "company.phone")
    assert in_both(row, syncro) == ("Portland", "Salem")
    assert counts(import_all(acme), "companies") == {"updated": 1}
    assert (in_both(row, syncro), fresh(row).phone) == (("Salem", "Salem"), "(212) 555-0190")


@pytest.mark.parametrize("after", range(9))
def test_sending_while_an_import_runs(acme: Account, syncro: Running, connection: Any, after: int) -> None:
    """A new company with a contact, and a change of a linked one, sent after so many steps of the import."""
    old = a_company(acme, "Cedar Street Bakery", city="Portland")
    an_opportunity(acme, old)
    sent(connection, old)
    syncro.sandbox.create("customers", business_name="Somebody Else", email="else@else.example")
    new = a_company(acme, email="info@brightwater.example")
    person = a_contact(acme, new, "Priya", "Raman")
    an_opportunity(acme, new)
    edit.update(acme, fresh(old), {"city": "Keizer"}, actor=None)
    draft, change = opened(connection, person), opened(connection, old)
    run, _ = start_import(acme, list(OBJECTS), gate_first_import=False)
    for _ in range(after):
        engine.work(run.pk, seconds=0)
    assert pressed(connection, draft).state == Run.State.COMPLETE
    assert pressed(connection, change).state == Run.State.COMPLETE
    assert finish(run).state == Run.State.COMPLETE
    assert in_both(old, syncro) == ("Keizer", "Keizer")
    again = import_all(acme)
    assert counts(again, "companies") in ({"same": 3}, {"same": 2, "new": 1})
    assert counts(import_all(acme), "companies") == {"same": 3}
    assert (Company.objects.count(), Contact.objects.count()) == (3, 1)
    assert (len(syncro.sandbox.customers), len(syncro.sandbox.contacts)) == (3, 1)


class TestThePersonOnTheRecord:
    """Syncro keeps one person on the customer's own record: e-mail and phones are the customer's too."""

    @pytest.fixture
    def pair(self, acme: Account, syncro: Running, connection: Any) -> tuple[Company, Contact]:
        syncro.sandbox.create(
            "customers",
            business_name="Brightwater Dental",
            firstname="Priya",
            lastname="Raman",
            phone="2125550142",
        )
        import_all(acme)
        company, person = Company.objects.get(), Contact.objects.get()
        an_opportunity(acme, company)
        return company, person

    def test_their_name_is_first_and_last(
        self, acme: Account, syncro: Running, connection: Any, pair: tuple[Company, Contact]
    ) -> None:
        _, person = pair
        edit.update(acme, fresh(person), {"first": "Priya Anne", "last": "van Raman"}, actor=None)
        draft = opened(connection, person)
        number = Link.objects.get(kind="customer").remote_id
        assert draft.parts[0].words == f"Will update the person on customer #{number}."
        syncro.sandbox.forget_requests()
        pressed(connection, draft)
        assert writes(syncro) == [
            ("PUT", f"/customers/{number}", {"firstname": "Priya Anne", "lastname": "van Raman"})
        ]
        run = import_all(acme)
        assert (counts(run, "companies"), counts(run, "contacts")) == ({"same": 1}, {"same": 1})

    def test_a_phone_sent_of_one_is_the_others_too(
        self, acme: Account, syncro: Running, connection: Any, pair: tuple[Company, Contact]
    ) -> None:
        company, person = pair
        edit.update(acme, fresh(company), {"phone": "(212) 555-0190"}, actor=None)
        sent(connection, company, "company.phone")
        assert fresh(person).phone == "2125550190"
        run = import_all(acme)
        assert (counts(run, "companies"), counts(run, "contacts")) == ({"same": 1}, {"same": 1})
        assert not Link.objects.filter(newer_here=True).exists()
