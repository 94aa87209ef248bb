"""Opportunities that go along as Syncro leads: ticked one by one, after the company."""

from __future__ import annotations

from typing import Any

import pytest

from propolis.bridge.models import Link
from propolis.crm import edit
from propolis.crm.models import Company, Opportunity, OppStatus
from propolis.runs.models import Run
from syncro_sandbox import Running
from tests.bridge.export_story import a_company, a_contact, an_opportunity, writes
from tests.bridge.import_story import counts, import_all
from tests.people import Crew, client_of, text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def company(crew: Crew, syncro: Running) -> Company:
    return a_company(crew.account, email="info@brightwater.example")


def a_deal(crew: Crew, company: Company, status: str = "Proposal", **values: Any) -> Opportunity:
    found = an_opportunity(crew.account, company, status)
    edit.update(crew.account, found, values, actor=None)
    return found


def press(crew: Crew, company: Company, *leads: Opportunity, fields: bool = True) -> Any:
    bob, address = client_of(crew.bob), f"/acme/companies/{company.pk}/send/"
    shown = bob.get(address)
    draft = shown.context["draft"]
    ticks = [f"company.{line.name}" for line in draft.parts[0].changed if line.ticked and fields]
    form = {"token": draft.token, "field": ticks, "lead": [lead.pk for lead in leads]}
    return bob.post(address, form, follow=True)


def test_off_unless_ticked(crew: Crew, syncro: Running, company: Company) -> None:
    a_deal(crew, company)
    page = text(client_of(crew.bob).get(f"/acme/companies/{company.pk}/send/"))
    assert "A lead cannot be deleted in Syncro, may notify people there" in page
    assert "as “Pending”" in page
    press(crew, company)
    assert [path for _, path, _ in writes(syncro)] == ["/customers"]


def test_the_company_first_then_the_lead(crew: Crew, syncro: Running, company: Company) -> None:
    deal = a_deal(crew, company, amount="1200.50", likelihood=60)
    a_deal(crew, company, "New")
    done = press(crew, company, deal)
    number = Link.objects.get(company=company).remote_id
    assert writes(syncro)[1:] == [
        (
            "POST",
            "/leads",
            {
                "business_name": "Brightwater Dental",
                "email": "info@brightwater.example",
                "ticket_subject": "Managed backup",
                "status": "Pending",
                "opportunity_amount_dollars": 1200.5,
                "likelihood": 60,
                "customer_id": number,
            },
        )
    ]
    lead = Link.objects.get(opportunity=deal)
    assert f"Created lead #{lead.remote_id} in Syncro: Managed backup." in text(done)
    run = import_all(crew.account)
    assert (counts(run, "companies"), counts(run, "opportunities")) == ({"same": 1}, {"same": 1})
    assert [
        each.row.name
        for each in client_of(crew.bob).get(f"/acme/companies/{company.pk}/send/").context["leads"]
    ] == ["Managed backup"]


def test_a_lead_alone_once_the_company_is_there(crew: Crew, syncro: Running, company: Company) -> None:
    a_deal(crew, company)
    press(crew, company)
    person = a_contact(crew.account, company, "Priya", "Raman")
    deal = a_deal(crew, company, contact=person.pk)
    press(crew, company, deal, fields=False)
    method, path, body = writes(syncro)[-1]
    assert (method, path, body["first_name"], "contact_id" in body) == ("POST", "/leads", "Priya", False)


def test_nothing_of_a_contact_deleted_here_travels(crew: Crew, syncro: Running, company: Company) -> None:
    person = a_contact(crew.account, company, "Priya", "Raman")
    deal = a_deal(crew, company, contact=person.pk)
    edit.delete(person, actor=None)
    press(crew, company, deal)
    _method, path, body = writes(syncro)[-1]
    assert (path, body["email"], body.get("first_name")) == ("/leads", "info@brightwater.example", None)


def test_lost_ones_and_those_syncro_has_are_not_offered(
    crew: Crew, syncro: Running, company: Company
) -> None:
    deal = a_deal(crew, company)
    press(crew, company, deal)
    edit.move(crew.account, a_deal(crew, company), OppStatus.objects.get(name="Lost"), actor=None)
    assert client_of(crew.bob).get(f"/acme/companies/{company.pk}/send/").context["leads"] == []


@pytest.mark.parametrize(("fault", "asked"), [("lost_reply", False), ("reset", True)])
def test_an_unclear_answer(crew: Crew, syncro: Running, company: Company, fault: Any, asked: bool) -> None:
    """A lead that is found had arrived; one that is not may only be late in the index: a person is asked."""
    deal = a_deal(crew, company)
    syncro.sandbox.fault(fault, method="POST", path="/leads")
    page = press(crew, company, deal)
    run = Run.objects.get(kind="send")
    if not asked:
        assert run.state == Run.State.COMPLETE
        assert len(syncro.sandbox.leads) == 1
        return
    assert (run.state, run.error_code) == (Run.State.NEEDS_ATTENTION, "send.cannot_tell")
    assert "It is not in Syncro: send it again" in text(page)
    settle = f"/acme/companies/{company.pk}/send/settle/"
    client_of(crew.bob).post(settle, {"answer": "absent"})
    assert (len(syncro.sandbox.leads), Link.objects.get(opportunity=deal).state) == (1, "linked")
