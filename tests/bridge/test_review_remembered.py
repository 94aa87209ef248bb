"""What people do here to linked records: imports remember it, and undo forgets it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from propolis.accounts.models import Account, Membership
from propolis.bridge import remembered
from propolis.bridge.models import Link
from propolis.crm import edit, lists
from propolis.crm.combine import combine
from propolis.crm.models import Company, Contact, List, ListMember
from propolis.history.undo import undo
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, import_all, ready
from tests.bridge.review_story import a_customer, someone

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def syncro(acme: Account) -> Iterator[Running]:
    """Two customers, each with a contact, imported."""
    with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as running:
        ready(acme, running)
        first = a_customer(
            running, "Brightwater Dental", email="desk@brightwater.example", phone="5035550199"
        )
        second = a_customer(running, "Brightwater Clinic", email="hi@clinic.example")
        someone(running, first, "Jo Lindqvist", email="jo@brightwater.example")
        someone(running, second, "Sam Rivera", email="sam@clinic.example")
        import_all(acme)
        yield running


def dental() -> Company:
    return Company.objects.get(name="Brightwater Dental")


def clinic() -> Company:
    return Company.objects.get(name="Brightwater Clinic")


def link_of(company: Company) -> Link:
    return Link.objects.get(kind="customer", company=company, state="linked")


def states() -> list[tuple[str, int | None]]:
    links = Link.objects.filter(kind="customer").order_by("remote_id")
    return list(links.values_list("state", "company"))


class TestDeleted:
    def test_a_deleted_record_stays_out_until_it_is_brought_back(
        self, acme: Account, syncro: Running, alice: Membership
    ) -> None:
        row = dental()
        edit.delete(row, actor=alice)
        link = Link.objects.get(kind="customer", company=row)
        assert (link.state, link.reason) == ("deleted_here", "deleted_here")
        assert counts(import_all(acme, "companies"), "companies") == {"left_out": 1, "same": 1}
        syncro.sandbox.edit("customers", link.remote_id, {"city": "Tulsa"})
        assert counts(import_all(acme), "companies") == {"left_out": 1, "same": 1}
        told = [(each.kind, each.name, each.by) for each in remembered.deleted_here()]
        assert told == [("Company", "Brightwater Dental", "Alice")]
        link.refresh_from_db()
        assert remembered.bring_back(link, alice)
        assert counts(import_all(acme), "companies") == {"updated": 1, "same": 1}
        assert dental().city == "Tulsa"
        assert remembered.deleted_here() == []

    def test_undoing_the_deletion_restores_the_link(
        self, acme: Account, syncro: Running, alice: Membership
    ) -> None:
        change = edit.delete(dental(), actor=alice)
        assert undo(change, actor=alice).can
        assert link_of(dental()).state == "linked"


class TestMerged:
    def test_both_ids_stay_on_the_survivor_and_neither_comes_again(
        self, acme: Account, syncro: Running, alice: Membership
    ) -> None:
        survivor, loser = dental(), clinic()
        combine(acme, survivor, loser, {}, actor=alice)
        assert states() == [("linked", survivor.pk), ("secondary", survivor.pk)]
        ids = list(
            Link.objects.filter(kind="customer").order_by("remote_id").values_list("remote_id", flat=True)
        )
        told = [twin.sentence for twin in remembered.twins()]
        assert told == [f"Still two customers in Syncro: #{ids[0]}, #{ids[1]}. Merge them there too."]
        assert counts(import_all(acme), "companies") == {"same": 2}
        assert set(Contact.objects.values_list("company", flat=True)) == {survivor.pk}

    def test_unmerging_restores_the_links(self, acme: Account, syncro: Running, alice: Membership) -> None:
        before = states()
        change = combine(acme, dental(), clinic(), {}, actor=alice)
        change.refresh_from_db()
        assert undo(change, actor=alice).can
        assert states() == before
        assert remembered.twins() == []


class TestNewerHere:
    def test_a_persons_edit_is_newer_here_until_it_is_as_it_was(
        self, acme: Account, syncro: Running, alice: Membership
    ) -> None:
        row = dental()
        edit.update(acme, row, {"phone": "(503) 555-0111", "website": "brightwater.example"}, actor=alice)
        link = link_of(row)
        assert (link.newer_here, link.newer_fields) == (True, ["phone"])
        edit.update(acme, row, {"phone": "(503) 555-0199"}, actor=alice)
        link.refresh_from_db()
        assert (link.newer_here, link.newer_fields) == (False, [])

    def test_undo_of_the_edit_too(self, acme: Account, syncro: Running, alice: Membership) -> None:
        row = Contact.objects.get(first="Jo")
        change = edit.update(acme, row, {"last": "Moreau", "title": "Owner"}, actor=alice)
        link = Link.objects.get(contact=row)
        assert link.newer_fields == ["name"]
        assert change is not None
        undo(change, actor=alice)
        link.refresh_from_db()
        assert link.newer_fields == []


def test_taken_off_the_list_by_hand(acme: Account, syncro: Running, alice: Membership) -> None:
    general = List.objects.get(system_key="syncro_general")
    jo = Contact.objects.get(first="Jo")
    lists.remove(general, [jo.pk], actor=alice)
    import_all(acme)
    assert [(one.contact, one.by) for one in remembered.off_the_list()] == [(jo, alice)]
    assert remembered.put_back_on_list(acme, jo.pk, alice) == 1
    assert ListMember.objects.get(contact=jo).state == "in"
