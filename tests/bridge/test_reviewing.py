"""What an import held, decided by a person: linked, created or skipped at once, and changed later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from propolis.accounts.models import Account, Audit, Membership
from propolis.bridge import reviewing
from propolis.bridge.models import Connection, Link, StatusMap, connection_of
from propolis.bridge.restatusing import apply_moves
from propolis.bridge.reviewing import NotDecided, accept_all, apply_mapped_status, decide, strong
from propolis.bridge.statuses import save_choices
from propolis.crm import edit
from propolis.crm.models import Company, Contact, ListMember, Opportunity, OppStatus
from propolis.crm.rows import fill_company, fill_contact
from propolis.history.models import Change
from propolis.runs.engine import Refused, confirm, start
from propolis.runs.models import Run
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, import_all, ready

pytestmark = pytest.mark.django_db(transaction=True)
EMPTY = SeedOptions(companies=0, contacts=0, leads=0)


def a_company(account: Account, name: str, **values: Any) -> Company:
    row = fill_company(Company(account=account), {"name": name, **values}, "US")
    row.save()
    return row


def a_contact(account: Account, first: str, last: str, **values: Any) -> Contact:
    row = Contact(account=account, company=values.pop("company", None))
    fill_contact(row, {"first": first, "last": last, **values}, "US").save()
    return row


@pytest.fixture
def syncro(acme: Account) -> Iterator[Running]:
    with a_syncro(EMPTY) as running:
        ready(acme, running)
        yield running


@pytest.fixture
def held(acme: Account, syncro: Running) -> Link:
    """Brightwater: one of ours has its domain and an older, other name; a contact and a lead wait for it."""
    mine = a_company(acme, "Something Else", website="brightwater.example", city="Reno")
    Company.objects.filter(pk=mine.pk).update(edited_at=datetime(2001, 1, 1, tzinfo=UTC))
    customer = int(
        syncro.sandbox.create(
            "customers",
            {
                "business_name": "Brightwater Dental",
                "email": "desk@brightwater.example",
                "phone": "503-555-0199",
            },
        )
    )
    syncro.sandbox.create(
        "contacts", {"customer_id": customer, "name": "Jo Lindqvist", "email": "jo@brightwater.example"}
    )
    syncro.sandbox.create(
        "leads",
        {"customer_id": customer, "status": "New", "ticket_subject": "New server", "mailbox_id": None},
    )
    run = import_all(acme)
    assert counts(run, "companies") == {"review": 1}
    return Link.objects.get(kind="customer")


def ours() -> Company:
    return Company.objects.get(website="brightwater.example")


def waiting() -> list[str]:
    return sorted(Link.objects.exclude(kind="customer").values_list("reason", flat=True))


def companies_of_all() -> set[int | None]:
    return {
        *Contact.objects.values_list("company", flat=True),
        *Opportunity.objects.values_list("company", flat=True),
    }


class TestLink:
    def test_the_two_become_one_and_what_waited_is_attached(self, held: Link, alice: Membership) -> None:
        assert waiting() == ["waits_for_company"] * Link.objects.exclude(kind="customer").count()
        mine = ours()
        link = decide(held, "link", alice, local_id=mine.pk)
        mine.refresh_from_db()
        assert (link.state, link.company_id, link.rule, link.choice, link.choice_by) == (
            "linked",
            mine.pk,
            "by hand",
            "link",
            alice,
        )
        assert (mine.name, mine.phone, mine.city) == ("Brightwater Dental", "5035550199", "Reno")
        assert companies_of_all() == {mine.pk}
        assert set(waiting()) == {""}

    def test_history_and_audit_say_who_decided(self, held: Link, alice: Membership) -> None:
        mine = ours()
        decide(held, "link", alice, local_id=mine.pk)
        run = Run.objects.get(kind="review")
        assert (run.state, run.slot, run.by, counts(run, "companies")) == (
            "complete",
            None,
            alice,
            {"merged": 1},
        )
        done = Change.objects.get(kind="company", local_id=mine.pk)
        assert (done.action, done.state, done.actor, done.run) == ("merge", "applied", alice, run)
        line = Audit.objects.get(verb="syncro.review")
        assert (line.actor, line.objects_ids) == (alice, {"run": run.pk, "link": held.pk, "choice": "link"})

    def test_the_next_import_has_nothing_to_ask(self, acme: Account, held: Link, alice: Membership) -> None:
        decide(held, "link", alice, local_id=ours().pk)
        run = import_all(acme)
        assert {word for noun in run.options["objects"] for word in counts(run, noun)} == {"same"}
        assert Change.objects.filter(run=run).count() == 0

    def test_one_that_was_merged_meanwhile_stands_for_its_survivor(
        self, acme: Account, held: Link, alice: Membership
    ) -> None:
        from propolis.crm.combine import combine

        survivor = a_company(acme, "Umbrella")
        combine(acme, survivor, ours(), {}, actor=alice)
        wanted = held.candidates[0]["local_id"]
        assert decide(held, "link", alice, local_id=wanted).company_id == survivor.pk


class TestCreateAndSkip:
    def test_create_makes_a_company_of_its_own(self, held: Link, alice: Membership) -> None:
        link = decide(held, "create", alice)
        made = Company.objects.get(name="Brightwater Dental")
        assert (link.state, link.company_id, link.choice, made.phone) == (
            "linked",
            made.pk,
            "create",
            "5035550199",
        )
        assert Company.objects.count() == 2
        assert companies_of_all() == {made.pk}

    def test_skip_is_remembered_by_the_next_import(
        self, acme: Account, held: Link, alice: Membership
    ) -> None:
        link = decide(held, "skip", alice)
        assert (link.state, link.reason, link.choice, link.company_id) == ("skipped", "skipped", "skip", None)
        run = import_all(acme)
        assert counts(run, "companies") == {"left_out": 1}
        assert Company.objects.count() == 1


class TestChangingOnesMind:
    def test_from_link_to_create(self, held: Link, alice: Membership) -> None:
        mine = ours()
        link = decide(held, "link", alice, local_id=mine.pk)
        link = decide(link, "create", alice)
        mine.refresh_from_db()
        made = Company.objects.get(name="Brightwater Dental")
        assert (mine.phone, mine.name) == ("", "Something Else")
        assert (link.state, link.company_id, link.choice) == ("linked", made.pk, "create")
        assert companies_of_all() == {made.pk}

    def test_from_create_to_link(self, held: Link, alice: Membership) -> None:
        link = decide(held, "create", alice)
        link = decide(link, "link", alice, local_id=ours().pk)
        made = Company.objects.exclude(pk=ours().pk).get()
        assert made.deleted_at is not None
        assert (link.company_id, companies_of_all()) == (ours().pk, {ours().pk})

    def test_from_skip_to_link_to_skip(self, held: Link, alice: Membership) -> None:
        link = decide(held, "skip", alice)
        link = decide(link, "link", alice, local_id=ours().pk)
        assert link.state == "linked"
        link = decide(link, "skip", alice)
        assert (link.state, link.company_id, companies_of_all()) == ("skipped", None, {None})
        assert set(waiting()) == {"waits_for_company"}

    def test_a_record_used_since_stays_and_the_decision_with_it(
        self, acme: Account, held: Link, alice: Membership
    ) -> None:
        link = decide(held, "create", alice)
        made = Company.objects.get(name="Brightwater Dental")
        edit.update(acme, made, {"city": "Tulsa"}, actor=alice)
        link.refresh_from_db()
        before = Link.objects.filter(pk=link.pk).values().get()
        with pytest.raises(NotDecided) as refused:
            decide(link, "link", alice, local_id=ours().pk)
        assert refused.value.sentence == reviewing.USED
        assert Link.objects.filter(pk=link.pk).values().get() == before
        assert companies_of_all() == {made.pk}


class TestRefusals:
    def test_of_two_people_one_is_told(self, held: Link, alice: Membership) -> None:
        seen_too = Link.objects.get(pk=held.pk)
        decide(held, "skip", alice)
        with pytest.raises(NotDecided) as refused:
            decide(seen_too, "create", alice)
        assert refused.value.sentence == reviewing.MEANWHILE
        assert Company.objects.count() == 1

    def test_not_while_an_import_is_at_work(self, acme: Account, held: Link, alice: Membership) -> None:
        start(acme, "import", options={"objects": ["companies"]})
        with pytest.raises(NotDecided) as refused:
            decide(held, "create", alice)
        assert refused.value.sentence == reviewing.BUSY

    def test_only_a_candidate_that_is_still_there_and_free(
        self, acme: Account, held: Link, alice: Membership
    ) -> None:
        told = []
        for pk in (None, a_company(acme, "Nobody asked").pk):
            with pytest.raises(NotDecided) as refused:
                decide(Link.objects.get(pk=held.pk), "link", alice, local_id=pk)
            told.append(refused.value.sentence)
        edit.delete(ours(), actor=alice)
        with pytest.raises(NotDecided) as refused:
            decide(Link.objects.get(pk=held.pk), "link", alice, local_id=ours().pk)
        assert [*told, refused.value.sentence] == [
            reviewing.NO_CANDIDATE,
            reviewing.NO_CANDIDATE,
            reviewing.DELETED,
        ]

    def test_a_preview_made_before_is_stale(self, acme: Account, held: Link, alice: Membership) -> None:
        run = import_all(acme, "companies", show_first=True)
        assert run.state == Run.State.PLANNED
        decide(held, "create", alice)
        with pytest.raises(Refused):
            confirm(run, alice)


class TestMany:
    def test_accept_all_links_the_strong_ones_and_no_others(
        self, acme: Account, syncro: Running, alice: Membership
    ) -> None:
        company = a_company(acme, "Kestrel", website="kestrel.example")
        customer = syncro.sandbox.create(
            "customers", {"business_name": "Kestrel", "email": "a@kestrel.example"}
        )
        for who in ("info", "office", "billing"):
            a_contact(acme, who.title(), "Desk", email=f"{who}@kestrel.example", company=company)
            syncro.sandbox.create(
                "contacts", {"customer_id": customer, "name": "", "email": f"{who}@kestrel.example"}
            )
        a_company(acme, "Something Else", website="brightwater.example")
        syncro.sandbox.create("customers", {"business_name": "Brightwater", "email": "a@brightwater.example"})
        run = import_all(acme, "companies", "contacts")
        assert counts(run, "companies") == {"merged": 1, "review": 1}
        connection = the_connection(acme)
        found = strong()
        # What a restored backup brought is not offered before what Syncro has of it was read again.
        kept = Change.objects.filter(action="review", link_id=min(found))
        assert kept.update(state="undone") == 1
        assert strong().keys() == found.keys() - {min(found)}
        kept.update(state="applied")
        assert accept_all(connection, alice, found) == len(found) == 3
        decided = Link.objects.filter(kind="contact").values_list("state", "choice")
        assert list(decided) == [("linked", "link")] * 3
        assert Link.objects.get(state="review").kind == "customer"
        assert counts(Run.objects.get(kind="review"), "contacts") == {"merged": 3}


class TestStatuses:
    def test_leads_of_a_new_status_come_when_it_is_mapped(
        self, acme: Account, syncro: Running, alice: Membership
    ) -> None:
        for at in range(2):
            syncro.sandbox.create(
                "leads", {"status": "Dreaming", "ticket_subject": f"Server {at}", "mailbox_id": None}
            )
        run = import_all(acme)
        assert counts(run, "opportunities") == {"review": 2}
        link = Link.objects.filter(kind="lead").first()
        assert link is not None
        with pytest.raises(NotDecided) as refused:
            decide(link, "create", alice)
        assert refused.value.sentence == reviewing.BY_MAP
        status = OppStatus.objects.get(name="Qualified")
        StatusMap.objects.filter(remote_status="Dreaming").update(status=status, choice="map")
        assert apply_mapped_status(the_connection(acme), alice) == 2
        assert list(Opportunity.objects.values_list("status", flat=True)) == [status.pk] * 2
        assert set(Link.objects.filter(kind="lead").values_list("state", flat=True)) == {"linked"}
        assert counts(import_all(acme), "opportunities") == {"same": 2}

    def test_a_lead_without_subject_is_named_by_the_day_it_was_made_however_late_it_is_mapped(
        self, acme: Account, syncro: Running, alice: Membership
    ) -> None:
        made = datetime(2019, 10, 23, 12, tzinfo=UTC).timestamp()
        given = {"status": "Dreaming", "ticket_subject": None, "mailbox_id": None, "business_name": "Kestrel"}
        lead = syncro.sandbox.create("leads", given, at=made)
        syncro.sandbox.edit("leads", lead, {"phone": "503-555-0142"}, at=made + 90 * 86_400)
        import_all(acme)
        status = OppStatus.objects.get(name="Qualified")
        StatusMap.objects.filter(remote_status="Dreaming").update(status=status, choice="map")
        assert apply_mapped_status(the_connection(acme), alice) == 1
        assert Opportunity.objects.get().name == "Kestrel – lead of 23 Oct 2019"

    def test_leads_that_have_no_status_at_all_come_when_that_is_mapped(
        self, acme: Account, syncro: Running, alice: Membership
    ) -> None:
        lead = syncro.sandbox.create("leads", {"ticket_subject": "VPN", "mailbox_id": None})
        syncro.sandbox.distort("leads", lead, {"status": None})
        assert counts(import_all(acme), "opportunities") == {"review": 1}
        row = StatusMap.objects.get(remote_status="")
        assert (row.choice, row.seen) == ("unmapped", 1)
        save_choices(the_connection(acme), {row.pk: OppStatus.objects.get(name="New")})
        assert apply_mapped_status(the_connection(acme), alice) == 1
        assert Opportunity.objects.get().status.name == "New"
        assert counts(import_all(acme), "opportunities") == {"same": 1}

    def test_opportunities_that_a_changed_map_closes_were_closed_when_syncro_says(
        self, acme: Account, syncro: Running, alice: Membership
    ) -> None:
        then = datetime(2024, 3, 5, 12, tzinfo=UTC)
        given = {"status": "Pending", "ticket_subject": "Server", "mailbox_id": None}
        syncro.sandbox.create("leads", given, at=then.timestamp())
        import_all(acme)
        row = StatusMap.objects.get(remote_status="Pending")
        changed = save_choices(the_connection(acme), {row.pk: OppStatus.objects.get(name="Won")})
        moved = [(one, before) for one, before in changed if before is not None]
        assert apply_moves(moved, by=alice) == 1
        assert Opportunity.objects.get().closed_at == then


def the_connection(account: Account) -> Connection:
    found = connection_of(account)
    assert found is not None
    return found


def test_a_contact_under_review_is_put_on_the_list_when_it_is_linked(
    acme: Account, syncro: Running, alice: Membership
) -> None:
    company = a_company(acme, "Kestrel Logistics", website="kestrel.example")
    mine = a_contact(acme, "Sam", "Rivera", email="sam@old.example", company=company)
    customer = syncro.sandbox.create(
        "customers", {"business_name": "Kestrel Logistics", "email": "desk@kestrel.example"}
    )
    syncro.sandbox.create(
        "contacts", {"customer_id": customer, "name": "Sam Rivera", "email": "sam@kestrel.example"}
    )
    run = import_all(acme)
    assert counts(run, "contacts") == {"review": 1}
    link = Link.objects.get(kind="contact")
    decide(link, "link", alice, local_id=mine.pk)
    assert ListMember.objects.filter(contact=mine, state="in").count() == 1
