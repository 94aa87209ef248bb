"""Who is on no list is found whoever wrote, in whatever order; on PostgreSQL without looking through all."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.crm import combine, lists
from propolis.crm.models import Contact, List, ListMember
from propolis.history.models import Change
from propolis.history.undo import undo
from tests.crm.people import Msp, make_msp
from tests.crm.test_edit import contact


def names() -> set[str]:
    """As the filter finds them; by looking through all, and on PostgreSQL by where to look, it must be the same."""
    found = {row.first for row in lists.without_lists(Contact.objects.all())}
    on_one = ListMember.objects.filter(contact=OuterRef("pk"), state="in")
    assert found == {row.first for row in Contact.objects.filter(~Exists(on_one))}
    if connection.vendor == "postgresql":
        assert kept() == set(Contact.objects.filter(~Exists(on_one)).values_list("pk", flat=True))
    return found


def kept() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT record_id FROM crm_unlisted WHERE record_id IN (SELECT id FROM crm_contact)")
        return {pk for (pk,) in cursor.fetchall()}


def test_contacts_come_and_go(msp: Msp) -> None:
    news, leads = (lists.create_list(msp.account, name) for name in ("News", "Leads"))
    jo, sam, ada = (contact(msp, name) for name in ("Jo", "Sam", "Ada"))
    assert names() == {"Jo", "Sam", "Ada"}
    lists.add(news, [jo.pk, sam.pk], actor=msp.alice)
    lists.add(leads, [sam.pk], actor=msp.alice)
    assert names() == {"Ada"}
    lists.remove(news, [jo.pk, sam.pk], actor=msp.alice)
    assert names() == {"Ada", "Jo"}
    lists.add(news, [jo.pk], actor=msp.alice)
    assert names() == {"Ada"}
    lists.delete_list(leads)
    assert names() == {"Ada", "Sam"}
    ada.delete()
    assert names() == {"Sam"}


def test_rows_written_past_everything_count_too(msp: Msp) -> None:
    news = lists.create_list(msp.account, "News")
    people = [contact(msp, name).pk for name in ("Jo", "Sam", "Ada")]
    rows = [ListMember(account=msp.account, list=news, contact_id=pk) for pk in people]
    ListMember.objects.bulk_create(rows)
    assert names() == set()
    ListMember.objects.bulk_create(rows, ignore_conflicts=True)
    ListMember.objects.filter(contact=people[0]).update(state="removed")
    assert names() == {"Jo"}
    ListMember.objects.filter(contact=people[1]).update(contact=people[0], list=List.objects.create(
        account=msp.account, name="Other", name_key="other"))  # fmt: skip
    assert names() == {"Sam"}
    ListMember.objects.all().delete()
    assert names() == {"Jo", "Sam", "Ada"}


def test_merging_two_and_taking_it_back(msp: Msp) -> None:
    news = lists.create_list(msp.account, "News")
    stays, goes = contact(msp, "Jo"), contact(msp, "Joanna")
    lists.add(news, [goes.pk], actor=msp.alice)
    change = combine.combine(msp.account, stays, goes, {}, actor=msp.alice)
    before = names()
    assert "Jo" not in before
    undo(Change.objects.get(pk=change.pk), actor=msp.alice)
    assert names() == {"Jo"}


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_two_people_take_somebody_off_two_lists_at_once() -> None:
    msp = make_msp()
    with in_account(msp.account):
        both = [lists.create_list(msp.account, name) for name in ("News", "Leads")]
        jo = contact(msp, "Jo")
        for each in both:
            lists.add(each, [jo.pk], actor=msp.alice)
        other = threading.Thread(target=taken_off, args=(msp.account, both[1], jo.pk))
        with transaction.atomic():
            lists.remove(both[0], [jo.pk], actor=msp.alice)
            other.start()
            other.join(1.0)
        other.join()
        assert names() == {"Jo"}


def taken_off(account: Account, row: List, pk: int) -> None:
    with in_account(account):
        lists.remove(row, [pk], actor=None)
    connection.close()
