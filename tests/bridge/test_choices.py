"""What comes along: chosen on one page, followed by every plan from then on; the two questions about leads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.dumping import canonical_dump
from propolis.bridge.import_words import title_of
from propolis.bridge.models import Connection, Link
from propolis.bridge.statuses import ensure_status_map
from propolis.crm import activity
from propolis.crm.models import Company, Contact, Opportunity
from propolis.crm.rows import fill_company
from propolis.history.models import Change
from propolis.runs.models import Run, RunPage
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro, an_account
from tests.bridge.import_story import counts, finish, import_all, ready
from tests.bridge.test_import_pages import words_of
from tests.people import Crew, client_of

pytestmark = pytest.mark.django_db(transaction=True)
EMPTY = SeedOptions(companies=0, contacts=0, leads=0)
LEADS = SeedOptions(companies=3, contacts=4, leads=40, seed=7, contacts_without_customer=0)
BASE = "/acme/settings/integrations/syncro/"
EARLY = "2026-01-01T00:00Z"
LONG_AGO = 1_577_836_800.0  # 2020
DOOR = "Door code 4711"


@pytest.fixture
def acme(crew: Crew) -> Iterator[Account]:
    with in_account(crew.account):
        yield crew.account


@pytest.fixture
def syncro() -> Iterator[Running]:
    with a_syncro(EMPTY) as running:
        yield running


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def form(**changed: Any) -> dict[str, Any]:
    """The page as it is at first, some of it chosen otherwise; None: unticked."""
    ticked = [f"{kind}-{key}" for kind in ("company", "contact") for key in ("phone", "mobile", "address")]
    given = dict.fromkeys([*ticked, "contact-extension", "contact-title", "include_disabled"], "1")
    given |= {"rule": "more_current", "mail": "leave", "months": "0"} | changed
    return {name: value for name, value in given.items() if value is not None}


def choose(visitor: Client, **changed: Any) -> list[str]:
    return said(visitor.post(BASE + "choices/", form(**changed), follow=True))


def brightwater(syncro: Running, **values: Any) -> int:
    told = {"business_name": "Brightwater Legal", "email": "office@brightwater.example"}
    return int(syncro.sandbox.create("customers", told | values))


class TestFields:
    def test_notes_come_only_when_they_were_chosen_and_are_kept_nowhere_before(
        self, acme: Account, visitor: Client, syncro: Running
    ) -> None:
        ready(acme, syncro)
        number = brightwater(syncro, notes=DOOR)
        syncro.sandbox.create("contacts", {"name": "Priya Raman", "customer_id": number, "notes": DOOR})
        import_all(acme)
        assert not any(notes for notes in Company.objects.values_list("notes", flat=True))
        kept = [
            *Link.objects.values_list("agreed", flat=True),
            *Change.objects.values_list("args", flat=True),
        ]
        assert DOOR not in json.dumps(kept)
        shown = words_of(visitor.get(BASE + "choices/"))
        assert "Technicians keep door codes and passwords in notes" in shown
        assert choose(visitor, **{"contact-notes": "1"}) == ["Saved. Imports follow it from now on."]
        run = import_all(acme)
        assert (Company.objects.get().notes, Contact.objects.get().notes) == ("", DOOR)
        assert counts(run, "contacts") == {"updated": 1}
        assert choose(visitor) == ["Saved. Imports follow it from now on."]
        syncro.sandbox.edit("contacts", Contact.objects.get().links.get().remote_id, {"notes": "5812"})
        import_all(acme)
        assert Contact.objects.get().notes == DOOR

    def test_name_and_e_mail_come_whatever_a_form_says(
        self, acme: Account, visitor: Client, syncro: Running
    ) -> None:
        ready(acme, syncro)
        choose(visitor, **{"company-phone": None, "company-address": None})
        brightwater(syncro, phone="(303) 555-0144", city="Denver")
        import_all(acme, "companies")
        row = Company.objects.get()
        assert (row.name, row.email, row.phone, row.city) == (
            "Brightwater Legal",
            "office@brightwater.example",
            "",
            "",
        )

    def test_which_side_counts_is_chosen_for_all_and_for_one_field(
        self, acme: Account, visitor: Client, syncro: Running
    ) -> None:
        ready(acme, syncro)
        ours = {"name": "Brightwater Legal", "website": "brightwater.example"}
        row = fill_company(Company(account=acme), ours | {"phone": "(303) 555-0101", "city": "Boulder"}, "US")
        row.save()
        choose(visitor, rule="propolis", **{"rule-phone": "syncro"})
        brightwater(syncro, phone="3035550144", city="Denver", address="1 Main St")
        import_all(acme, "companies")
        row.refresh_from_db()
        assert (row.phone, row.city, row.address_1) == ("3035550144", "Boulder", "1 Main St")
        assert "Where both sides have something else, the value here stays." in words_of(
            visitor.get(BASE + "contacts/")
        )

    def test_disabled_customers_stay_out_if_so_chosen(
        self, acme: Account, visitor: Client, syncro: Running
    ) -> None:
        ready(acme, syncro)
        choose(visitor, include_disabled=None)
        brightwater(syncro, disabled=True)
        assert counts(import_all(acme, "companies"), "companies") == {"left_out": 1}
        choose(visitor)
        assert counts(import_all(acme), "companies") == {"new": 1}


class TestCustomFields:
    def test_up_to_five_come_as_facts_of_the_company_and_its_people_and_go_again(
        self, acme: Account, visitor: Client, syncro: Running
    ) -> None:
        ready(acme, syncro)
        facts = {f"Field {n}": f"value {n}" for n in range(6)} | {"SLA": "<b>Gold</b>"}
        number = brightwater(syncro, properties=facts)
        syncro.sandbox.create("contacts", {"name": "Priya Raman", "customer_id": number})
        looked = visitor.post(BASE + "choices/", form(look="1"))
        assert [name for name, _ in looked.context["custom"]] == [*(f"Field {n}" for n in range(6)), "SLA"]
        assert Connection.objects.get().custom_fields == []
        many = visitor.post(BASE + "choices/", form(custom=list(facts)[:6]))
        assert "Choose at most 5 custom fields; 6 are ticked." in words_of(many)
        choose(visitor, custom=["SLA", "Field 2"])
        import_all(acme)
        company, contact = Company.objects.get(), Contact.objects.get()
        assert company.facts == {"SLA": "<b>Gold</b>", "Field 2": "value 2"}
        for address in (f"/acme/companies/{company.pk}/", f"/acme/contacts/{contact.pk}/"):
            assert "&lt;b&gt;Gold&lt;/b&gt;" in visitor.get(address).content.decode()
        choose(visitor)
        run = import_all(acme)
        assert Company.objects.get().facts == {}
        told = activity.of(company)[0]
        assert [(each.label, each.before, each.after) for each in told.effects] == [
            ("SLA", "<b>Gold</b>", ""),
            ("Field 2", "value 2", ""),
        ]
        assert (told.who, run.started_at is not None) == (title_of(run), True)

    def test_a_page_opened_before_somebody_else_chose_changes_nothing(
        self, acme: Account, visitor: Client, syncro: Running
    ) -> None:
        ready(acme, syncro)
        shown = visitor.get(BASE + "choices/").context["as_of"]
        assert choose(visitor, as_of=shown, mail="import") == ["Saved. Imports follow it from now on."]
        answer = visitor.post(BASE + "choices/", form(as_of=shown, rule="syncro"))
        assert "Somebody changed these choices meanwhile. Nothing of yours was saved" in words_of(answer)
        connection = Connection.objects.get()
        assert (connection.mail_leads, connection.rule) == ("import", "more_current")
        again = answer.context["as_of"]
        choose(visitor, as_of=again, mail="import", rule="syncro")
        assert Connection.objects.get().rule == "syncro"

    def test_a_syncro_that_does_not_answer_is_told_and_the_ticks_stay(
        self, acme: Account, visitor: Client, syncro: Running
    ) -> None:
        ready(acme, syncro)
        syncro.sandbox.revoke_token(syncro.token)
        answer = visitor.post(BASE + "choices/", form(look="1", rule="syncro"))
        assert "Syncro did not accept the API token." in words_of(answer)
        assert (answer.context["now"].rule, Connection.objects.get().rule) == ("syncro", "more_current")


class TestQuestions:
    def test_mail_is_asked_about_once_with_numbers_and_five_samples(
        self, acme: Account, visitor: Client
    ) -> None:
        with a_syncro(LEADS) as syncro:
            ready(acme, syncro)
            import_all(acme)
            run = import_all(acme, "opportunities", show_first=True)
            mails = [lead for lead in syncro.sandbox.dump()["leads"] if lead["mailbox_id"] is not None]
            shown = visitor.get(BASE + "opportunities/")
            asked = shown.context["panel"].preview.questions[0]
            assert asked.sentence == f"{len(mails)} of 40 leads are e-mails to your mailbox."
            assert len(asked.samples) == min(5, len(mails)) == 5
            assert "Leave them out (recommended)" in words_of(shown)
            syncro.sandbox.forget_requests()
            answered = visitor.post(BASE + "choices/answer/", {"mail": "import"}, follow=True)
            assert said(answered) == [
                "Saved. The preview is being made again with that. Nothing is downloaded again."
            ]
            run = finish(run)
            assert (run.state, syncro.sandbox.requests) == (Run.State.PLANNED, [])
            assert counts(run, "opportunities")["new"] == len(mails)
            assert not any(
                q.key == "mail"
                for q in visitor.get(BASE + "opportunities/").context["panel"].preview.questions
            )
            visitor.post(BASE + f"imports/{run.number}/confirm/", {"on": "opportunities"})
            assert finish(run).counts["opportunities"]["leads"]["samples"] == []
        assert Opportunity.objects.count() == 40

    def test_what_closed_long_ago_is_asked_about_and_left_out(
        self, acme: Account, visitor: Client, syncro: Running
    ) -> None:
        for status, at in (("Lost", LONG_AGO), ("Won", LONG_AGO), ("New", LONG_AGO), ("Lost", None)):
            syncro.sandbox.create("leads", {"ticket_subject": "VPN", "status": status}, at=at)
        ready(acme, syncro)
        run = import_all(acme, gate_first_import=True)
        assert counts(run, "opportunities") == {"new": 4}
        Connection.objects.update(companies_read_at=EARLY, contacts_read_at=EARLY)
        (asked,) = visitor.get(BASE + "opportunities/").context["panel"].preview.questions
        assert asked.sentence == "Closed more than 24 months ago: 2."
        visitor.post(BASE + "choices/answer/", {"months": "24"})
        assert counts(finish(run), "opportunities") == {"new": 2, "left_out": 2}

    def test_whoever_imports_without_answering_is_not_asked_again(
        self, acme: Account, visitor: Client
    ) -> None:
        with a_syncro(LEADS) as syncro:
            ready(acme, syncro)
            run = import_all(acme, gate_first_import=True)
            visitor.post(BASE + f"imports/{run.number}/confirm/", {"on": "companies"})
            finish(run)
        told = Connection.objects.get()
        assert (told.mail_leads, told.old_leads_months) == ("leave", 0)


class TestAPreviewThatWaits:
    def test_it_follows_the_choices_without_a_download_and_equals_an_import_made_so(
        self, acme: Account, visitor: Client
    ) -> None:
        with a_syncro(LEADS) as syncro:
            ready(acme, syncro)
            run = import_all(acme, gate_first_import=True)
            before = counts(run, "opportunities")["new"]
            syncro.sandbox.forget_requests()
            choose(visitor, include_disabled=None, mail="import", **{"company-notes": "1"})
            run = finish(run)
            assert (run.state, syncro.sandbox.requests) == (Run.State.PLANNED, [])
            assert counts(run, "opportunities")["new"] > before
            visitor.post(BASE + f"imports/{run.number}/confirm/", {"on": "companies"})
            assert finish(run).state == Run.State.COMPLETE
            other = an_account("other")
            with in_account(other):
                connection = ready(other, syncro)
                mine = Connection.objects.filter(pk=connection.pk)
                with in_account(acme):
                    kept = Connection.objects.values("fields_chosen", "include_disabled", "mail_leads").get()
                mine.update(**kept)
                import_all(other)
        assert list(canonical_dump(acme)) == list(canonical_dump(other))

    def test_the_status_map_is_followed_too(self, acme: Account, visitor: Client) -> None:
        with a_syncro(LEADS) as syncro:
            connection = ready(acme, syncro)
            run = import_all(acme, gate_first_import=True)
            Connection.objects.update(companies_read_at=EARLY, contacts_read_at=EARLY)
            shown = words_of(visitor.get(BASE + "opportunities/"))
            assert "Status map" in shown
            every = {f"status-{row.pk}": "skip" for row in ensure_status_map(connection)}
            visitor.post(BASE + "opportunities/statuses/", every)
            run = finish(run)
        assert counts(run, "opportunities") == {"left_out": 40}

    def test_while_something_else_is_at_work_it_is_out_of_date(self, acme: Account, visitor: Client) -> None:
        with a_syncro(LEADS) as syncro:
            ready(acme, syncro)
            import_all(acme, "companies", gate_first_import=True)
            Run.objects.create(account=acme, kind="undo", number=99, slot="data", state="reading")
            assert choose(visitor, include_disabled=None) == ["Saved. Imports follow it from now on."]
            Run.objects.filter(number=99).delete()
            shown = words_of(visitor.get(BASE + "companies/"))
        assert "What comes along was chosen anew since this preview was made" in shown

    def test_choosing_while_it_is_planned_plans_it_again(self, acme: Account) -> None:
        from propolis.bridge.importing import start_import
        from propolis.runs.engine import work

        with a_syncro(LEADS) as syncro:
            ready(acme, syncro)
            run, _ = start_import(acme, ["companies"])
            while not (run.phase == "planning" and run.cursor.get("at")):
                work(run.pk, seconds=0)
                run.refresh_from_db()
            Connection.objects.update(include_disabled=False)
            run = finish(run)
            disabled = sum(each["disabled"] for each in syncro.sandbox.dump()["customers"])
        assert counts(run, "companies").get("left_out", 0) == disabled
        assert RunPage.objects.filter(run=run).exists()


def test_only_admins_choose_and_only_after_connecting(crew: Crew, acme: Account, visitor: Client) -> None:
    locked = visitor.get(BASE + "choices/", follow=True)
    assert "Waits for Connection: save credentials that work." in said(locked)
    for person, status in ((crew.bob, 403), (crew.mia, 403), (crew.charlie, 404)):
        client = client_of(person)
        answers = [
            client.get(BASE + "choices/"),
            client.post(BASE + "choices/", form()),
            client.post(BASE + "choices/answer/", {"mail": "import"}),
        ]
        assert [answer.status_code for answer in answers] == [status] * 3
