""" "Put the old values back": in Syncro, field by field, where it is still as sent."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from propolis.bridge.models import Link, connection_of
from propolis.crm import activity, edit
from propolis.crm.models import Company
from propolis.history.models import Change
from syncro_sandbox import Running
from tests.bridge.export_story import (
    a_company,
    a_contact,
    an_opportunity,
    fresh,
    sent,
    writes,
)
from tests.people import Crew, client_of, text


@pytest.fixture
def company(crew: Crew, syncro: Running) -> Company:
    """Sent once, then its phone and city again."""
    row = a_company(crew.account, phone="(212) 555-0142", city="Portland")
    an_opportunity(crew.account, row)
    sent(connection_of(crew.account), row)  # type: ignore[arg-type]
    edit.update(crew.account, fresh(row), {"phone": "(212) 555-0190", "city": ""}, actor=None)
    sent(connection_of(crew.account), row, "company.phone", "company.city")  # type: ignore[arg-type]
    syncro.sandbox.forget_requests()
    return row


def latest() -> Change:
    return Change.objects.filter(action=Change.Action.SEND, undoes=None).order_by("-id")[0]


def address(row: Any) -> str:
    change = latest()
    plural = "companies" if change.kind == "company" else "contacts"
    return f"/acme/{plural}/{row.pk}/send/undo/{change.pk}/"


def press(bob: Client, row: Any, *fields: str, **more: str) -> Any:
    token = bob.get(address(row)).context["token"]
    return bob.post(address(row), {"token": token, "field": list(fields), **more}, follow=True)


def test_the_old_values_come_back_there_and_stay_newer_here(
    crew: Crew, syncro: Running, company: Company
) -> None:
    bob = client_of(crew.bob)
    number = Link.objects.get(company=company).remote_id
    shown = bob.get(address(company))
    assert [(one["line"].now, one["line"].after) for one in shown.context["back"]] == [
        ("2125550190", "2125550142"),
        ("", "Portland"),
    ]
    done = press(bob, company, "phone", "city")
    assert f"Put the old values back on customer #{number} in Syncro: Phone, City." in text(done)
    assert "The old values were put back." in text(done)
    assert writes(syncro) == [("PUT", f"/customers/{number}", {"phone": "2125550142", "city": "Portland"})]
    assert fresh(company).phone == "(212) 555-0190"
    link = Link.objects.get(company=company)
    assert (link.newer_fields, link.agreed["city"]) == (["city", "phone"], "Portland")
    states = Change.objects.filter(action=Change.Action.SEND).order_by("id").values_list("state", flat=True)
    assert list(states) == ["applied", "undone", "applied"]
    assert [entry.what for entry in activity.of(fresh(company))][:2] == [
        "Old values put back in Syncro",
        "Sent to Syncro",
    ]


def test_what_syncro_changed_since_stays(crew: Crew, syncro: Running, company: Company) -> None:
    number = Link.objects.get(company=company).remote_id
    syncro.sandbox.edit("customers", number, city="Salem")
    bob = client_of(crew.bob)
    shown = bob.get(address(company))
    assert [(line.label, line.note, line.now) for line in shown.context["kept"]] == [
        ("City", "Changed in Syncro since.", "Salem")
    ]
    press(bob, company, "phone", "city")
    assert writes(syncro) == [("PUT", f"/customers/{number}", {"phone": "2125550142"})]


def test_changed_in_syncro_between_preview_and_press(crew: Crew, syncro: Running, company: Company) -> None:
    bob = client_of(crew.bob)
    token = bob.get(address(company)).context["token"]
    number = Link.objects.get(company=company).remote_id
    syncro.sandbox.edit("customers", number, phone="2125550111")
    done = bob.post(address(company), {"token": token, "field": ["phone"]}, follow=True)
    assert "Something changed since you opened this, so nothing was sent." in text(done)
    assert writes(syncro) == []


def test_a_record_that_was_made_can_be_deleted_while_nothing_hangs_on_it(
    crew: Crew, syncro: Running, company: Company
) -> None:
    person = a_contact(crew.account, fresh(company), "Priya", "Raman")
    sent(connection_of(crew.account), person)  # type: ignore[arg-type]
    bob = client_of(crew.bob)
    assert press(bob, person).context["error"] == "Tick that it may be deleted in Syncro."
    done = press(bob, person, sure="yes")
    assert "Deleted contact #" in text(done)
    assert len(syncro.sandbox.contacts) == 0
    assert not Link.objects.filter(contact=person).exists()
    again = bob.get(f"/acme/contacts/{person.pk}/send/")
    assert again.context["draft"].parts[0].words == "Will create a contact."


@pytest.mark.parametrize(
    ("hanging", "sentence"),
    [
        ("contact", "It has contacts in Syncro, so it stays there."),
        ("lead", "It has leads in Syncro, so it stays there."),
        ("edit", "It was changed in Syncro since it was sent, so it stays there."),
    ],
)
def test_a_customer_that_has_been_used_stays(
    crew: Crew, syncro: Running, hanging: str, sentence: str
) -> None:
    row = a_company(crew.account, email="info@brightwater.example")
    an_opportunity(crew.account, row)
    sent(connection_of(crew.account), row)  # type: ignore[arg-type]
    number = Link.objects.get(company=row).remote_id
    if hanging == "contact":
        syncro.sandbox.create("contacts", customer_id=number, name="Priya Raman")
    elif hanging == "lead":
        syncro.sandbox.create("leads", customer_id=number, email="info@brightwater.example", status="New")
    else:
        syncro.sandbox.edit("customers", number, city="Salem")
    bob = client_of(crew.bob)
    assert bob.get(address(row)).context["used"] == sentence
    assert sentence in text(press(bob, row, sure="yes"))
    assert number in syncro.sandbox.customers


def test_a_lost_answer_to_a_deletion(crew: Crew, syncro: Running) -> None:
    row = a_company(crew.account)
    an_opportunity(crew.account, row)
    sent(connection_of(crew.account), row)  # type: ignore[arg-type]
    syncro.sandbox.fault("lost_reply", method="DELETE")
    assert "Deleted customer #" in text(press(client_of(crew.bob), row, sure="yes"))
    assert (len(syncro.sandbox.customers), Link.objects.count()) == (0, 0)


def test_a_marketer_may_not(crew: Crew, company: Company) -> None:
    assert client_of(crew.mia).get(address(company)).status_code == 403
    assert client_of(crew.charlie).get(address(company)).status_code == 404
