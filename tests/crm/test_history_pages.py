"""The history on a profile: all of it, a page at a time, each thing a person did with its Undo."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from propolis.accounts.models import Membership
from propolis.crm import edit, lists, notes
from propolis.crm.combine import combine
from propolis.crm.models import Company, Contact, ListMember, Note, OppStatus
from propolis.history.models import Change
from tests.crm.people import Msp
from tests.crm.test_edit import company, contact, opportunity


def browsing(person: Membership) -> Client:
    client = Client(raise_request_exception=True)
    assert person.user is not None
    client.force_login(person.user)
    return client


def undos(page: str) -> list[tuple[str, str]]:
    """(address, what it takes back), newest first."""
    return re.findall(r'action="(/acme/changes/\d+/undo/)".*?aria-label="Undo “(.*?)”', page, re.DOTALL)


def test_every_entry_of_a_long_history_is_reached(msp: Msp) -> None:
    jo, news = contact(msp), lists.create_list(msp.account, "News")
    lists.add(news, [jo.pk], actor=msp.bob)
    for n in range(70):
        edit.update(msp.account, jo, {"title": f"Title {n:02}"}, actor=msp.bob)
    start = timezone.now() - timedelta(days=9)
    for n, pk in enumerate(Change.objects.order_by("pk").values_list("pk", flat=True)):
        Change.objects.filter(pk=pk).update(at=start + timedelta(hours=n))
    ListMember.objects.update(at=start + timedelta(hours=1, minutes=30))
    client, where, titles, lines = browsing(msp.bob), f"/acme/contacts/{jo.pk}/", list[str](), list[str]()
    for _page in range(3):
        page = client.get(where).content.decode()
        titles += re.findall(r"<ins><span class=\"sr\">now </span>(Title \d\d)</ins>", page)
        lines += re.findall(r"Put on the list \w+|<p>Created</p>", page)
        older = re.search(r'href="(\?before=\d+)#activity"', page)
        where = f"/acme/contacts/{jo.pk}/{older[1]}" if older else ""
    assert titles == [f"Title {n:02}" for n in reversed(range(70))]
    assert lines == ["Put on the list News", "<p>Created</p>"], "each once, in its place"
    assert where == ""


def test_a_merge_is_undone_from_the_history_long_after(msp: Msp) -> None:
    stays, goes = contact(msp, "Jo", title="Owner"), contact(msp, "Joanne", title="CEO")
    combine(msp.account, stays, goes, {"title": True}, actor=msp.bob)
    edit.update(msp.account, Contact.objects.get(pk=stays.pk), {"city": "Salem"}, actor=msp.bob)
    client = browsing(msp.bob)
    page = client.get(f"/acme/contacts/{stays.pk}/").content.decode()
    assert [what for _at, what in undos(page)] == ["City changed", "Merged with Joanne"]
    answer = client.post(undos(page)[1][0], follow=True)
    assert "Undone." in answer.content.decode()
    there = Contact.objects.filter(deleted_at=None).order_by("pk").values_list("first", "title", "city")
    assert list(there) == [("Jo", "Owner", "Salem"), ("Joanne", "CEO", "")]
    assert [what for _at, what in undos(answer.content.decode())] == ["City changed"]


def test_a_note_is_taken_back_by_who_wrote_it(msp: Msp) -> None:
    firm = company(msp)
    notes.add_note(firm, "Wrong firm", actor=msp.bob)
    edit.update(msp.account, Company.objects.get(), {"city": "Salem"}, actor=msp.alice)
    client = browsing(msp.bob)
    page = client.get(f"/acme/companies/{firm.pk}/").content.decode()
    assert [what for _at, what in undos(page)] == ["Note"], "not what Alice did"
    client.post(undos(page)[0][0])
    assert "Wrong firm" not in client.get(f"/acme/companies/{firm.pk}/").content.decode()
    assert Note.objects.get().deleted_at is not None
    theirs = browsing(msp.alice).get(f"/acme/companies/{firm.pk}/").content.decode()
    assert [what for _at, what in undos(theirs)] == ["City changed"]


def test_a_move_tells_of_the_closing_date_only_where_it_changed(msp: Msp) -> None:
    deal, client = opportunity(msp), browsing(msp.alice)
    told = []
    for name in ("Qualified", "Won", "Lost", "New"):
        edit.move(msp.account, deal, OppStatus.objects.get(name=name), actor=msp.alice)
        page = client.get(f"/acme/opportunities/{deal.pk}/").content.decode()
        newest = page.split('id="feed"')[1].split("</li>")[0]
        told.append("Closed:" in newest)
    assert told == [False, True, False, True]


@pytest.mark.parametrize("body", ["", "  ", "\x00 \n"])
def test_a_note_of_nothing_is_no_note(msp: Msp, body: str) -> None:
    firm = company(msp)
    answer = browsing(msp.bob).post(f"/acme/companies/{firm.pk}/note/", {"body": body}, follow=True)
    assert "Write something first." in answer.content.decode()
    assert not Note.objects.exists()


def test_what_one_may_no_longer_change_one_may_no_longer_undo(msp: Msp) -> None:
    deal = opportunity(msp)
    change = edit.update(msp.account, deal, {"amount": "4200"}, actor=msp.bob)
    assert change is not None
    Membership.objects.filter(pk=msp.bob.pk).update(is_salesperson=False, is_marketer=True)
    client = browsing(msp.bob)
    assert undos(client.get(f"/acme/opportunities/{deal.pk}/").content.decode()) == []
    answer = client.post(f"/acme/changes/{change.pk}/undo/", follow=True)
    assert "Only an Admin or a Salesperson can change opportunities." in answer.content.decode()
    deal.refresh_from_db()
    assert str(deal.amount) == "4200.00"


def test_what_follows_by_itself_is_told_in_words_and_nobodys_to_undo(msp: Msp) -> None:
    deal = opportunity(msp)
    deal.waits_for_remote_user = 1044
    deal.save()
    given = {"salesperson": msp.bob.pk, "waits_for_remote_user": None}
    edit.update(msp.account, deal, given, actor=None)
    page = browsing(msp.alice).get(f"/acme/opportunities/{deal.pk}/").content.decode()
    assert "<p>Salesperson changed</p>" in page
    assert ("Waits for" in page, "1044" in page, undos(page)) == (False, False, [])
