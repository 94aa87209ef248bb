"""Send to Syncro as pages: the button and its reasons, the dialog, what comes after the press."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from propolis.bridge.models import Connection, Link, connection_of
from propolis.crm import edit
from propolis.crm.models import Company, Contact, Opportunity, OppStatus
from propolis.runs.models import Run
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
    row = a_company(crew.account, phone="(212) 555-0142", city="Portland")
    an_opportunity(crew.account, row)
    return row


def the_connection(crew: Crew) -> Connection:
    found = connection_of(crew.account)
    assert found is not None
    return found


def why_not(crew: Crew, row: Any, person: Any = None) -> tuple[str, str]:
    """The code and the sentence the dialog's address answers with."""
    found = client_of(person or crew.bob).get(f"/acme/companies/{row.pk}/send/").context["why_not"]
    return (found.code, found.sentence)


def form(shown: Any, *ticks: str) -> dict[str, Any]:
    return {"token": shown.context["draft"].token, "field": list(ticks)}


class TestWhyNot:
    def test_a_marketer_is_told_who_can(self, crew: Crew, company: Company) -> None:
        page = text(client_of(crew.mia).get(f"/acme/companies/{company.pk}/"))
        assert "Only an Admin or a Salesperson can send to Syncro. Ask Alice Moreau or Bob Tanaka." in page
        assert client_of(crew.mia).get(f"/acme/companies/{company.pk}/send/").status_code == 403
        assert client_of(crew.charlie).get(f"/acme/companies/{company.pk}/send/").status_code == 404

    def test_the_mapping_is_not_complete(self, crew: Crew, company: Company) -> None:
        Connection.objects.update(contacts_read_at=None)
        assert why_not(crew, company) == (
            "send.mapping",
            'The mapping is not complete yet: "Import contacts" (Contacts) is still to be done before anything can '
            "be sent. Ask Alice Moreau.",
        )

    def test_the_token_may_only_read(self, crew: Crew, company: Company) -> None:
        connection = the_connection(crew)
        connection.permissions["Customers - Edit"] = {"state": "missing", "detail": ""}
        connection.save()
        assert why_not(crew, company) == (
            "send.permission",
            'The API token may not do this: it lacks the permission "Customers - Edit". Ask Alice Moreau.',
        )

    def test_a_token_that_was_refused_or_may_no_longer_read(self, crew: Crew, company: Company) -> None:
        connection = the_connection(crew)
        connection.state, connection.permissions = "broken", {}
        connection.save()
        assert why_not(crew, company)[0] == "send.token_refused"
        connection.permissions = {"Leads - List/Search": {"state": "missing", "detail": ""}}
        connection.save()
        assert why_not(crew, company)[0] == "send.permission"

    def test_only_lost_opportunities(self, crew: Crew, company: Company) -> None:
        lost = OppStatus.objects.get(name="Lost")
        edit.move(crew.account, company.opportunities.get(), lost, actor=None)
        assert why_not(crew, company)[0] == "send.needs_opportunity"
        page = text(client_of(crew.bob).get(f"/acme/companies/{company.pk}/"))
        assert f'href="/acme/opportunities/new/?company={company.pk}"' in page

    def test_an_update_without_opportunity_warns_or_is_refused(self, crew: Crew, company: Company) -> None:
        sent(the_connection(crew), company)
        edit.delete(company.opportunities.get(), actor=None)
        edit.update(crew.account, fresh(company), {"city": "Salem"}, actor=None)
        shown = client_of(crew.bob).get(f"/acme/companies/{company.pk}/send/")
        assert shown.context["warning"] == (
            "Brightwater Dental has no opportunity that isn't Lost. You can update Syncro all the same."
        )
        Connection.objects.update(send_without_opportunity="refuse")
        assert why_not(crew, company)[0] == "send.update_needs_opportunity"

    def test_gone_deleted_disabled(self, crew: Crew, company: Company) -> None:
        sent(the_connection(crew), company)
        Link.objects.update(state=Link.State.GONE)
        assert why_not(crew, company)[0] == "send.gone"
        Link.objects.update(state=Link.State.LINKED)
        Company.objects.update(disabled_in_syncro=True)
        assert why_not(crew, company)[0] == "send.disabled"
        edit.delete(fresh(company), actor=None)
        assert why_not(crew, company)[0] == "send.deleted"

    def test_a_contact_without_a_company(self, crew: Crew, syncro: Running) -> None:
        person = a_contact(crew.account, None, "Priya", "Raman")
        found = client_of(crew.bob).get(f"/acme/contacts/{person.pk}/send/").context["why_not"]
        assert (found.code, found.way_out) == ("send.no_company", "company")


class TestTheDialog:
    def test_create_then_update(self, crew: Crew, syncro: Running, company: Company) -> None:
        bob = client_of(crew.bob)
        address = f"/acme/companies/{company.pk}/send/"
        shown = bob.get(address)
        assert shown.context["draft"].parts[0].words == "Will create a customer."
        done = bob.post(address, form(shown, "company.phone"), follow=True)
        number = Link.objects.get(company=company).remote_id
        assert f"Created customer #{number} in Syncro: Name, Phone." in text(done)
        edit.update(crew.account, fresh(company), {"phone": "(212) 555-0190"}, actor=None)
        shown = bob.get(address)
        part = shown.context["draft"].parts[0]
        assert part.words == f"Will update customer #{number}."
        assert [(line.name, line.now, line.after, line.ticked) for line in part.changed] == [
            ("phone", "2125550142", "(212) 555-0190", True),
            ("city", "", "Portland", True),
        ]
        done = bob.post(address, form(shown, "company.phone"), follow=True)
        assert f"Updated customer #{number} in Syncro: Phone." in text(done)
        assert [body for _, _, body in writes(syncro)] == [
            {"business_name": "Brightwater Dental", "phone": "(212) 555-0142"},
            {"phone": "(212) 555-0190"},
        ]

    def test_nothing_ticked(self, crew: Crew, syncro: Running, company: Company) -> None:
        sent(the_connection(crew), company, "company.name")
        bob, address = client_of(crew.bob), f"/acme/companies/{company.pk}/send/"
        again = bob.post(address, form(bob.get(address)))
        assert again.context["error"] == "Tick at least one field."
        assert len(writes(syncro)) == 1

    def test_what_a_colleague_just_sent_leaves_nothing_to_send(
        self, crew: Crew, syncro: Running, company: Company
    ) -> None:
        sent(the_connection(crew), company, "company.name", "company.phone", "company.city")
        Opportunity.objects.update(deleted_at=timezone.now())
        edit.update(crew.account, fresh(company), {"phone": "(212) 555-0190"}, actor=None)
        bob, address = client_of(crew.bob), f"/acme/companies/{company.pk}/send/"
        shown = bob.get(address)
        assert "has no opportunity" in shown.context["warning"]
        bob.post(address, form(shown, "company.phone"))
        again = bob.post(address, form(shown, "company.phone"))
        assert (again.context["error"], again.context["warning"]) == ("", "")
        assert "Nothing to send: every field is the same on both sides." in text(again)
        assert len(writes(syncro)) == 2

    def test_a_possible_match_is_asked_about_and_linked(
        self, crew: Crew, syncro: Running, company: Company
    ) -> None:
        number = syncro.sandbox.create(
            "customers", business_name="Brightwater Dental LLC", phone="2125550142"
        )
        bob, address = client_of(crew.bob), f"/acme/companies/{company.pk}/send/"
        asking = bob.get(address)
        candidate = asking.context["draft"].parts[0].candidates[0]
        assert (candidate.remote_id, candidate.why) == (number, "same name, same phone")
        shown = bob.post(address, {"as_company": str(number)})
        assert shown.context["draft"].parts[0].words == f"Will link it to and update customer #{number}."
        bob.post(address, form(shown, "company.city") | {"as_company": str(number)})
        assert writes(syncro) == [("PUT", f"/customers/{number}", {"city": "Portland"})]
        link = Link.objects.get(company=company)
        assert (link.remote_id, link.rule, link.state) == (number, "by hand", "linked")

    def test_what_syncro_refuses_stands_beside_the_field(
        self, crew: Crew, syncro: Running, company: Company
    ) -> None:
        edit.update(crew.account, fresh(company), {"email": "info at brightwater"}, actor=None)
        bob, address = client_of(crew.bob), f"/acme/companies/{company.pk}/send/"
        for shape in range(1, 12):
            syncro.sandbox.set("refusal_shape", str(shape))
            again = bob.post(address, form(bob.get(address), "company.email"))
            part = again.context["draft"].parts[0]
            assert again.context["error"].startswith("Syncro did not accept this.")
            assert list(part.errors) == ["email"], shape
            assert "is not an email" in part.errors["email"][0]
        assert not Link.objects.exists()

    def test_a_dialog_with_htmx_and_a_page_without(self, crew: Crew, company: Company) -> None:
        bob, address = client_of(crew.bob), f"/acme/companies/{company.pk}/send/"
        assert "<nav" in text(bob.get(address))
        alone = text(bob.get(address, headers={"hx-request": "true"}))
        assert "<nav" not in alone and 'hx-target="#dialog"' in alone
        done = bob.post(address, form(bob.get(address)), headers={"hx-request": "true"})
        assert (done.status_code, done.headers["HX-Redirect"]) == (204, f"/acme/companies/{company.pk}/")


def test_the_profile_says_who_sent_what(crew: Crew, syncro: Running, company: Company) -> None:
    sent(the_connection(crew), company, "company.phone", by=crew.bob)
    page = text(client_of(crew.alice).get(f"/acme/companies/{company.pk}/"))
    assert "by Bob Tanaka: Name, Phone." in page
    assert "Sent to Syncro" in page


def test_there_is_no_bulk_export_and_the_table_says_why(crew: Crew, company: Company) -> None:
    page = text(client_of(crew.bob).get("/acme/companies/"))
    assert "there is no bulk export, to keep Syncro tidy." in page


def test_another_send_of_the_company_is_under_way(crew: Crew, company: Company) -> None:
    Run.objects.create(
        account=crew.account,
        number=99,
        kind="send",
        slot=f"send:{company.pk}",
        state="needs_attention",
        by=crew.alice,
    )
    page = text(client_of(crew.bob).get(f"/acme/companies/{company.pk}/"))
    assert "Propolis is looking whether it arrived" in page


def test_an_open_dialog_asks_how_it_went(crew: Crew, company: Company) -> None:
    run = sent(the_connection(crew), company)
    bob, address = client_of(crew.bob), f"/acme/companies/{company.pk}/send/"
    answer = bob.get(address, {"watch": run.number}, headers={"hx-request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, f"/acme/companies/{company.pk}/")
    assert "Created customer #" in text(bob.get(f"/acme/companies/{company.pk}/"))
    other = a_company(crew.account, "Somebody Else")
    for number in (run.number, 99, "9" * 30, "x"):
        bob.get(f"/acme/companies/{other.pk}/send/", {"watch": number}, headers={"hx-request": "true"})
        assert "Created customer #" not in text(bob.get(f"/acme/companies/{other.pk}/"))


class TestAfterwards:
    def test_won_asks_whether_to_send_the_company(self, crew: Crew, company: Company) -> None:
        bob = client_of(crew.bob)
        opportunity = company.opportunities.get()
        won = OppStatus.objects.get(name="Won")
        page = text(bob.post(f"/acme/opportunities/{opportunity.pk}/move/", {"status": won.pk}, follow=True))
        asks = f'<a href="/acme/companies/{company.pk}/send/">Send Brightwater Dental to Syncro?</a>'
        assert asks in page
        assert "<p>Send Brightwater Dental to Syncro?</p>" in page
        sent(the_connection(crew), company)
        assert "Send Brightwater Dental to Syncro?" not in text(
            bob.get(f"/acme/opportunities/{opportunity.pk}/")
        )

    def test_its_contacts_one_after_the_other(self, crew: Crew, company: Company) -> None:
        for first in ("Priya", "Ann"):
            a_contact(crew.account, company, first, "Raman")
        bob, address = client_of(crew.bob), f"/acme/companies/{company.pk}/"
        assert "of its contacts" not in text(bob.get(address))
        sent(the_connection(crew), company)
        assert "2 of its contacts are not in Syncro: next, <a" in text(bob.get(address))
        sent(the_connection(crew), Contact.objects.get(first="Ann"))
        page = text(bob.get(address))
        assert "1 of its contacts is not in Syncro: next, <a" in page
        assert ">Priya Raman</a>" in page

    def test_an_admin_chooses_what_an_update_without_opportunity_is(
        self, crew: Crew, company: Company
    ) -> None:
        alice, rule = client_of(crew.alice), "/acme/settings/integrations/syncro/send/"
        page = text(alice.post(rule, {"without_opportunity": "refuse"}, follow=True))
        assert 'value="refuse" checked' in page
        assert the_connection(crew).send_without_opportunity == "refuse"
        assert client_of(crew.bob).post(rule, {"without_opportunity": "warn"}).status_code == 403
        assert the_connection(crew).send_without_opportunity == "refuse"
