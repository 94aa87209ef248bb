"""The import from the first page to the second import, against a Syncro on a real socket."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bench.house import Size
from bench.importing import first_at_most, second_at_most
from propolis.accounts.models import Account
from propolis.bridge.connecting import client_for
from propolis.bridge.models import Link
from propolis.bridge.people import read_users
from propolis.bridge.sentences import RECORDS
from propolis.crm import edit, mailing
from propolis.crm.models import Company, Contact, List, ListMember, Opportunity, Suppression
from propolis.crm.rows import fill_company, fill_contact
from propolis.history.models import Change
from propolis.runs.models import Run
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro, connected
from tests.bridge.import_story import counts, documented, go_on, import_all, ready

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = Size(companies=30, contacts=200, leads=40)
SEED = SeedOptions(companies=30, contacts=200, leads=40, seed=5, contacts_without_customer=0)


def a_company(account: Account, name: str, **values: Any) -> Company:
    row = fill_company(Company(account=account), {"name": name, **values}, "US")
    row.save()
    return row


def a_contact(account: Account, first: str, last: str, **values: Any) -> Contact:
    company = values.pop("company", None)
    row = fill_contact(
        Contact(account=account, company=company), {"first": first, "last": last, **values}, "US"
    )
    row.save()
    return row


def a_customer(syncro: Running, **values: Any) -> int:
    return int(syncro.sandbox.create("customers", values))


def a_remote_contact(syncro: Running, customer: int, **values: Any) -> int:
    return int(syncro.sandbox.create("contacts", {"customer_id": customer, **values}))


class TestAWholeAccount:
    def test_everything_comes_and_the_numbers_are_syncros(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            syncro.sandbox.forget_requests()
            run = import_all(acme)
            asked = len(syncro.sandbox.requests)
            dump = syncro.sandbox.dump()
        assert run.state == Run.State.COMPLETE
        persons = run.counts["contacts"]["persons"]
        assert counts(run, "companies") == {"new": len(dump["customers"])} == {"new": 30}
        assert counts(run, "contacts") == {"new": len(dump["contacts"]) + persons}
        assert run.counts["contacts"]["read"] == 200
        mail = sum(lead["mailbox_id"] is not None for lead in dump["leads"])
        assert counts(run, "opportunities") == {"new": 40 - mail, "left_out": mail}
        assert run.requests == asked <= second_at_most(SIZE)

    def test_a_first_import_reads_its_users_and_stays_within_its_requests(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            connection = connected(acme, syncro)
            before = len(syncro.sandbox.requests)
            with client_for(connection) as client:
                read_users(connection, client)
            import_all(acme)
            log = [each["path"] for each in syncro.sandbox.requests[before:]]
            users = len(syncro.sandbox.users)
        assert sum(path.startswith("/api/v1/users") for path in log) == users + 1
        assert len(log) <= first_at_most(SIZE, users)

    def test_every_contact_is_on_the_list_and_with_its_company(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            import_all(acme)
            dump = syncro.sandbox.dump()
        general = List.objects.get(system_key="syncro_general")
        assert (general.name, general.leads) == ("Syncro General", False)
        assert ListMember.objects.filter(list=general, state="in").count() == Contact.objects.count()
        customer = dict(Link.objects.filter(kind="customer").values_list("company_id", "remote_id"))
        linked = Link.objects.filter(kind="contact").values_list("remote_id", "contact__company")
        ours = {remote: customer.get(company) for remote, company in linked}
        assert ours == {each["id"]: each["customer_id"] for each in dump["contacts"]}

    def test_a_second_import_changes_nothing(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            import_all(acme)
            syncro.sandbox.forget_requests()
            run = import_all(acme)
            asked = len(syncro.sandbox.requests)
        assert {word for noun in run.options["objects"] for word in counts(run, noun)} == {"same", "left_out"}
        assert Change.objects.filter(run=run).count() == 0
        assert asked <= second_at_most(SIZE)

    def test_contacts_without_a_customer_make_us_read_them_all(self, acme: Account) -> None:
        seed = SeedOptions(companies=10, contacts=120, leads=0, seed=2, contacts_without_customer=7)
        with a_syncro(seed) as syncro:
            ready(acme, syncro)
            run = import_all(acme, "companies", "contacts")
            dump = syncro.sandbox.dump()
        assert run.state == Run.State.COMPLETE
        assert run.counts["contacts"]["read"] == len(dump["contacts"]) == 120
        assert Contact.objects.filter(company=None).count() == 7

    def test_shared_addresses_are_no_reason_for_review(self, acme: Account) -> None:
        seed = SeedOptions(companies=60, contacts=900, leads=0, seed=4, shared_emails=80)
        with a_syncro(seed) as syncro:
            ready(acme, syncro)
            run = import_all(acme, "companies", "contacts")
        assert set(counts(run, "contacts")) == {"new"}

    def test_step_by_step_is_the_same_as_all_at_once(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            states = [import_all(acme, each).state for each in ("companies", "contacts", "opportunities")]
            assert states == [Run.State.COMPLETE] * 3
            companies = Contact.objects.exclude(company=None).count()
            run = import_all(acme)
        assert companies == Contact.objects.count()
        assert Change.objects.filter(run=run).count() == 0


class TestThePreview:
    def test_the_first_import_stops_at_its_plan_and_writes_nothing(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme, "companies", gate_first_import=True)
            assert (run.state, run.slot, run.gate_reason) == (Run.State.PLANNED, None, "preview")
            assert Company.objects.count() == Link.objects.count() == 0
            syncro.sandbox.forget_requests()
            run = go_on(run)
            asked = [each["path"] for each in syncro.sandbox.requests]
        assert (run.state, Company.objects.count()) == (Run.State.COMPLETE, 30)
        assert asked == []


class TestMerging:
    def test_blanks_are_filled_and_the_more_current_record_wins(self, acme: Account) -> None:
        ours = a_company(acme, "Brightwater Dental", website="brightwater.example", phone="(503) 555-0100")
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            customer = a_customer(
                syncro,
                business_name="Brightwater Dental Group",
                email="desk@brightwater.example",
                phone="503-555-0199",
                city="Portland",
            )
            Company.objects.update(edited_at="2020-01-01T00:00:00Z")
            run = import_all(acme, "companies")
        assert counts(run, "companies") == {"merged": 1}
        ours.refresh_from_db()
        assert (ours.name, ours.phone, ours.city) == ("Brightwater Dental Group", "5035550199", "Portland")
        link = Link.objects.get(kind="customer")
        assert (link.remote_id, link.company_id, link.rule) == (customer, ours.pk, "same domain")
        change = Change.objects.get(run=run)
        assert change.fields["phone"] == ["(503) 555-0100", "5035550199", "syncro newer"]

    def test_what_is_newer_here_stays_and_says_so(self, acme: Account, alice: Any) -> None:
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Kestrel Logistics", city="Tulsa")
            import_all(acme, "companies")
            company = Company.objects.get()
            edit.update(acme, company, {"city": "Omaha"}, actor=alice)
            syncro.sandbox.edit("customers", customer, {"zip": "74103"})
            run = import_all(acme)
        company.refresh_from_db()
        assert (company.city, company.zip) == ("Omaha", "74103")
        link = Link.objects.get(kind="customer")
        assert (link.newer_here, link.newer_fields) == (True, ["city"])
        assert counts(run, "companies") == {"updated": 1}

    def test_clearing_a_field_in_syncro_clears_it_here(self, acme: Account) -> None:
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Kestrel Logistics", city="Tulsa")
            import_all(acme, "companies")
            syncro.sandbox.edit("customers", customer, {"city": ""})
            import_all(acme, "companies")
        assert Company.objects.get().city == ""

    def test_weak_evidence_is_held_and_its_people_come_anyway(self, acme: Account) -> None:
        a_company(acme, "Something Else", website="brightwater.example")
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Brightwater Dental", email="a@brightwater.example")
            a_remote_contact(syncro, customer, name="Priya Raman", email="priya@brightwater.example")
            run = import_all(acme)
            again = import_all(acme)
        assert counts(run, "companies") == {"review": 1} == counts(again, "companies")
        assert counts(run, "contacts") == {"new": 1}
        waiting = Link.objects.get(kind="contact")
        assert waiting.contact is not None
        assert (waiting.contact.company, waiting.reason, waiting.parent_id) == (
            None,
            "waits_for_company",
            customer,
        )
        assert Change.objects.filter(run=again).count() == 0
        assert run.state == Run.State.COMPLETE

    def test_one_of_ours_claimed_by_two_is_held(self, acme: Account) -> None:
        a_company(acme, "Brightwater Dental", website="brightwater.example")
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            for city in ("Salem", "Portland"):
                email = f"{city}@brightwater.example"
                a_customer(syncro, business_name="Brightwater Dental", email=email, city=city)
            run = import_all(acme, "companies")
        assert counts(run, "companies") == {"review": 2}
        assert set(Link.objects.values_list("state", "reason")) == {("review", "claimed by two")}

    def test_a_real_contact_takes_over_from_the_person_on_the_record(self, acme: Account) -> None:
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            customer = a_customer(
                syncro,
                business_name="Kestrel",
                firstname="Jo",
                lastname="Lindqvist",
                email="jo@kestrel.example",
            )
            import_all(acme)
            person = Contact.objects.get()
            contact = a_remote_contact(syncro, customer, name="Jo Lindqvist", email="jo@kestrel.example")
            run = import_all(acme)
        assert Contact.objects.get().pk == person.pk
        assert counts(run, "contacts") == {"merged": 1}
        states = dict(Link.objects.filter(contact=person).values_list("kind", "state"))
        assert states == {"contact": "linked", "customer_person": "secondary"}
        assert Link.objects.get(kind="contact").remote_id == contact

    def test_a_contact_that_changes_customer_changes_company(self, acme: Account) -> None:
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            old, new = (a_customer(syncro, business_name=name) for name in ("Kestrel", "Osprey"))
            contact = a_remote_contact(syncro, old, name="Jo Lindqvist", email="jo@kestrel.example")
            import_all(acme)
            syncro.sandbox.edit("contacts", contact, {"customer_id": new})
            run = import_all(acme)
        assert Contact.objects.values_list("company__name", flat=True).get() == "Osprey"
        assert counts(run, "contacts") == {"updated": 1}

    def test_removed_from_the_list_by_hand_stays_removed(self, acme: Account) -> None:
        with a_syncro(SeedOptions(companies=1, contacts=1, leads=0, contacts_without_customer=0)) as syncro:
            ready(acme, syncro)
            import_all(acme)
            ListMember.objects.update(state="removed")
            for contact in syncro.sandbox.dump()["contacts"]:
                syncro.sandbox.edit("contacts", contact["id"], {"notes": "x", "phone": "5035550123"})
            import_all(acme)
        assert set(ListMember.objects.values_list("state", flat=True)) == {"removed"}

    def test_deleted_here_stays_deleted(self, acme: Account, alice: Any) -> None:
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Kestrel")
            import_all(acme, "companies")
            edit.delete(Company.objects.get(), actor=alice)
            syncro.sandbox.edit("customers", customer, {"city": "Tulsa"})
            run = import_all(acme)
        assert counts(run, "companies") == {"left_out": 1}
        assert Company.objects.filter(deleted_at=None).count() == 0

    def test_an_opt_out_is_per_address(self, acme: Account) -> None:
        a_contact(acme, "Somebody", "Else", email="JO@kestrel.example")
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Kestrel")
            name, email = "Jo Lindqvist", "jo@kestrel.example"
            a_remote_contact(syncro, customer, name=name, email=email, opt_out=True)
            import_all(acme)
        assert Contact.objects.count() == 2
        assert set(Contact.objects.values_list("mail_state", flat=True)) == {"unsubscribed"}

    def test_whoever_changes_address_is_mailed_as_the_new_address_is(self, acme: Account) -> None:
        old, quiet, new = "jo@kestrel.example", "Jo.L@osprey.example", "jo@osprey.example"
        mailing.suppress(acme, quiet, Suppression.Kind.BOUNCED, actor=None)
        states = []
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Kestrel")
            contact = a_remote_contact(syncro, customer, name="Jo Lindqvist", email=old)
            for email in (old, quiet, new):
                syncro.sandbox.edit("contacts", contact, {"email": email})
                import_all(acme)
                states.append(Contact.objects.values_list("email", "mail_state").get())
        assert states == [(old, "subscribed"), (quiet, "bounced"), (new, "subscribed")]

    def test_an_opt_out_in_syncro_goes_along_to_a_new_address(self, acme: Account) -> None:
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Kestrel")
            name, old, new = "Jo Lindqvist", "jo@kestrel.example", "jo@osprey.example"
            contact = a_remote_contact(syncro, customer, name=name, email=old, opt_out=True)
            import_all(acme)
            syncro.sandbox.edit("contacts", contact, {"email": new})
            import_all(acme)
        assert Contact.objects.values_list("email", "mail_state").get() == (new, "unsubscribed")
        assert sorted(Suppression.objects.values_list("email_key", flat=True)) == [old, new]

    def test_with_another_address_comes_whether_it_may_be_mailed(self, acme: Account, alice: Any) -> None:
        for kind in Suppression.Kind:
            mailing.suppress(acme, "old@kestrel.example", kind, actor=alice)
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Kestrel")
            jo = a_remote_contact(syncro, customer, name="Jo Lindqvist", email="first@kestrel.example")
            seen = []
            for email in ("Old@kestrel.example", "new@kestrel.example", "mailto:OLD@kestrel.example", ""):
                import_all(acme)
                syncro.sandbox.edit("contacts", jo, {"email": email})
                import_all(acme)
                seen.append((Contact.objects.get().email, Contact.objects.get().mail_state))
        assert seen == [
            ("Old@kestrel.example", "unsubscribed"),
            ("new@kestrel.example", "subscribed"),
            ("mailto:OLD@kestrel.example", "unsubscribed"),
            ("", "subscribed"),
        ]


class TestOpportunities:
    def test_only_name_and_status_follow_syncro(self, acme: Account) -> None:
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Kestrel")
            lead = syncro.sandbox.create(
                "leads",
                {"customer_id": customer, "ticket_subject": "RE: Fw: New firewall", "status": "New"}
                | {"email": "a@b.example"},
            )
            import_all(acme)
            found = Opportunity.objects.select_related("status", "company").get()
            assert (found.name, found.status.name, str(found.company)) == ("New firewall", "New", "Kestrel")
            Opportunity.objects.update(amount=500)
            change = {"ticket_subject": "New firewall and VPN", "status": "Won", "email": "other@b.example"}
            syncro.sandbox.edit("leads", lead, change)
            run = import_all(acme)
        found = Opportunity.objects.select_related("status").get()
        assert (found.name, found.status.name, found.amount) == ("New firewall and VPN", "Won", Decimal(500))
        assert found.closed_at is not None
        assert counts(run, "opportunities") == {"updated": 1}

    def test_an_unheard_of_status_is_held_not_lost(self, acme: Account) -> None:
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(acme, syncro)
            lead = syncro.sandbox.create("leads", {"ticket_subject": "VPN", "status": "New"})
            syncro.sandbox.distort("leads", lead, {"status": "Gone fishing"})
            run = import_all(acme)
        assert counts(run, "opportunities") == {"review": 1}
        reason = Link.objects.get(kind="lead").reason
        assert (reason, RECORDS[reason]) == ("status_unmapped", documented("status_unmapped"))
        assert run.state == Run.State.COMPLETE
