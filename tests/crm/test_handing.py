"""Companies to whom sells to them; all of a leaver's to somebody else. Previewed, audited, undone."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from propolis.accounts import audit_log
from propolis.accounts.models import Audit, Membership
from propolis.crm import edit, hand_jobs, handing, list_jobs, lists
from propolis.crm.models import Company, Contact, List, ListMember, Opportunity
from propolis.history.models import Change
from propolis.runs.engine import work
from propolis.runs.models import Run
from tests.crm.people import Msp
from tests.crm.test_edit import company, contact, opportunity


def of(person: Membership) -> Client:
    client = Client()
    assert person.user is not None
    client.force_login(person.user)
    return client


@pytest.fixture
def sam(msp: Msp) -> Membership:
    return Membership.objects.create(
        account=msp.account,
        name="Sam Reed",
        email_key="sam@acme.example",
        is_salesperson=True,
        state="active",
    )


def whose() -> dict[str, str]:
    return {c.name: str(c.salesperson or "") for c in Company.objects.select_related("salesperson")}


def three_companies(msp: Msp, sam: Membership) -> None:
    """One without salesperson that Bob sold to last, one of Bob's that Sam sold to, one nobody sold to."""
    first, second = company(msp, "First"), company(msp, "Second", salesperson=msp.bob.pk)
    company(msp, "Third")
    opportunity(msp, "Old", company=first.pk, salesperson=sam.pk)
    opportunity(msp, "New", company=first.pk, salesperson=msp.bob.pk)
    opportunity(msp, "Unclaimed", company=first.pk)
    opportunity(msp, "Other", company=second.pk, salesperson=sam.pk)


def undo_of(page: str) -> str:
    return str(re.findall(r'action="(/acme/handed/\d+/undo/)"', page)[-1])


def test_a_company_goes_to_whoever_had_its_latest_opportunity(msp: Msp, sam: Membership) -> None:
    three_companies(msp, sam)
    assert handing.suggested_counts() == [(msp.bob, 1)]
    assert handing.suggested_counts(others_too=True) == [(msp.bob, 1), (sam, 1)]
    bob = of(msp.bob)
    page = bob.get("/acme/companies/mine/").content.decode()
    assert "Bob Seller: 1 company" in page
    assert whose() == {"First": "", "Second": "Bob Seller", "Third": ""}
    answer = bob.post("/acme/companies/mine/", {"person": [msp.bob.pk]}, follow=True)
    assert "1 record given." in answer.content.decode()
    assert whose() == {"First": "Bob Seller", "Second": "Bob Seller", "Third": ""}
    back = bob.post(undo_of(answer.content.decode()), follow=True)
    assert "Undone: 1 is back." in back.content.decode()
    assert whose()["First"] == ""


def test_those_of_somebody_else_only_when_asked_and_only_for_who_is_ticked(msp: Msp, sam: Membership) -> None:
    three_companies(msp, sam)
    bob = of(msp.bob)
    assert "Second" in bob.get("/acme/companies/mine/?others=1").content.decode()
    bob.post("/acme/companies/mine/", {"person": [sam.pk], "others": "1"})
    assert whose() == {"First": "", "Second": "Sam Reed", "Third": ""}
    nobody = bob.post("/acme/companies/mine/", {}, follow=True)
    assert "Tick at least one person." in nobody.content.decode()


def test_what_was_given_on_since_stays(msp: Msp, sam: Membership) -> None:
    three_companies(msp, sam)
    bob = of(msp.bob)
    answer = bob.post("/acme/companies/mine/", {"person": [msp.bob.pk, sam.pk], "others": "1"}, follow=True)
    edit.update(msp.account, Company.objects.get(name="First"), {"salesperson": sam.pk}, actor=msp.alice)
    back = bob.post(undo_of(answer.content.decode()), follow=True)
    assert "Undone: 1 is back. 1 was given on since and stays." in back.content.decode()
    assert whose() == {"First": "Sam Reed", "Second": "Bob Seller", "Third": ""}
    assert Change.objects.filter(kind="company", run__kind="my_companies", state="undone").count() == 1


def test_disabling_a_leaver_leads_to_handing_everything_over(msp: Msp, sam: Membership) -> None:
    company(msp, "First", salesperson=msp.bob.pk, next_step="Call", next_step_by=msp.bob.pk)
    contact(msp, salesperson=msp.bob.pk)
    opportunity(msp, "Open", salesperson=msp.bob.pk)
    opportunity(msp, "Won", salesperson=msp.bob.pk, status=msp.status("Won").pk)
    alice = of(msp.alice)
    answer = alice.post(f"/acme/settings/users/{msp.bob.pk}/disable/", follow=True)
    where = f"/acme/settings/users/{msp.bob.pk}/hand-over/"
    assert answer.redirect_chain[-1][0] == where
    shown = re.findall(
        r'name="share" value="(\w+)"( checked)?>([^<]*) <span[^>]*>(\d+)', answer.content.decode()
    )
    assert shown == [
        ("companies", " checked", "Companies", "1"),
        ("contacts", " checked", "Contacts", "1"),
        ("opportunities", " checked", "Open opportunities", "1"),
        ("closed", "", "Won and lost opportunities", "1"),
        ("company_steps", " checked", "Next steps on companies", "1"),
    ]
    shares = ["companies", "contacts", "opportunities", "company_steps"]
    given = alice.post(where, {"share": shares, "to": str(sam.pk)}, follow=True)
    assert "4 records given." in given.content.decode()
    before = re.search(r"Alice Admin: ([^<]*)</span>", given.content.decode())
    assert before is not None
    assert before[1] == "1 company, 1 contact, 1 open opportunity, 1 next step on a company"
    firm = Company.objects.get()
    assert (firm.salesperson, firm.next_step_by, Contact.objects.get().salesperson) == (sam, sam, sam)
    deals = Opportunity.objects.order_by("name").values_list("name", "salesperson__name")
    assert list(deals) == [("Open", "Sam Reed"), ("Won", "Bob Seller")]
    line = Audit.objects.get(verb="records.hand_over")
    assert (line.actor, line.objects_ids["of"], line.objects_ids["to"]) == (msp.alice, msp.bob.pk, sam.pk)
    alice.post(undo_of(given.content.decode()))
    assert (Company.objects.get().salesperson, Company.objects.get().next_step_by) == (msp.bob, msp.bob)


def test_a_leaver_without_records_needs_no_handing_over(msp: Msp) -> None:
    answer = of(msp.alice).post(f"/acme/settings/users/{msp.bob.pk}/disable/", follow=True)
    assert answer.redirect_chain[-1][0] == "/acme/settings/users/"


def test_without_an_heir_nothing_is_handed_over(msp: Msp) -> None:
    company(msp, salesperson=msp.bob.pk)
    where = f"/acme/settings/users/{msp.bob.pk}/hand-over/"
    answer = of(msp.alice).post(where, {"share": ["companies"], "to": str(msp.bob.pk)}, follow=True)
    assert "Choose who gets them, and tick what to hand over." in answer.content.decode()
    assert Run.objects.count() == 0


def test_bob_neither_hands_over_nor_undoes_what_alice_did(msp: Msp, sam: Membership) -> None:
    three_companies(msp, sam)
    assert of(msp.bob).get(f"/acme/settings/users/{sam.pk}/hand-over/").status_code == 403
    given = of(msp.alice).post("/acme/companies/mine/", {"person": [msp.bob.pk]}, follow=True)
    answer = of(msp.bob).post(undo_of(given.content.decode()), follow=True)
    assert "Only an Admin can undo what somebody else did. Ask Alice Admin." in answer.content.decode()
    assert whose()["First"] == "Bob Seller"


def test_many_given_at_once_are_taken_back_at_once(msp: Msp, sam: Membership) -> None:
    three_companies(msp, sam)
    bob, ids = of(msp.bob), [str(pk) for pk in Company.objects.values_list("pk", flat=True)]
    form = {"action": "assign", "salesperson": str(sam.pk), "id": ids, "narrowing": ""}
    page = bob.post("/acme/tables/companies/selected/", form, follow=True).content.decode()
    assert "3 companies given to Sam Reed." in page
    assert set(whose().values()) == {"Sam Reed"}
    edit.update(
        msp.account, Company.objects.get(name="Third"), {"salesperson": msp.alice.pk}, actor=msp.alice
    )
    back = bob.post(undo_of(page), follow=True)
    assert back.redirect_chain[-1][0] == "/acme/companies/"
    assert "Undone: 2 are back. 1 was given on since and stays." in back.content.decode()
    assert whose() == {"First": "", "Second": "Bob Seller", "Third": "Alice Admin"}
    assert [a.verb for a in Audit.objects.order_by("pk")][-2:] == ["records.give", "records.take_back"]
    again = bob.post(
        "/acme/tables/companies/selected/", {**form, "salesperson": "none", "id": ids[:1]}, follow=True
    )
    assert "That one had no salesperson." in again.content.decode()


def test_one_of_many_given_is_undone_alone(msp: Msp, sam: Membership) -> None:
    three_companies(msp, sam)
    bob, ids = of(msp.bob), [str(pk) for pk in Company.objects.values_list("pk", flat=True)]
    form = {"action": "assign", "salesperson": str(sam.pk), "id": ids, "narrowing": ""}
    bob.post("/acme/tables/companies/selected/", form)
    first = Company.objects.get(name="First")
    page = bob.get(f"/acme/companies/{first.pk}/").content.decode()
    bob.post(re.findall(r'action="(/acme/changes/\d+/undo/)"', page)[0])
    assert whose() == {"First": "", "Second": "Sam Reed", "Third": "Sam Reed"}


def members(row: List) -> dict[str, tuple[str, str]]:
    return {m.contact.first: (m.state, str(m.by or "")) for m in ListMember.objects.filter(list=row)}


def test_many_put_on_a_list_are_off_it_again_as_they_were(msp: Msp) -> None:
    """Who was never on it is not remembered as taken off; who was taken off before is again, by whom it was."""
    news = lists.create_list(msp.account, "Newsletter")
    jo, ed, mo, al = (contact(msp, name) for name in ("Jo", "Ed", "Mo", "Al"))
    lists.add(news, [ed.pk, al.pk], actor=msp.alice)
    lists.remove(news, [ed.pk], actor=msp.alice)
    before = members(news)
    bob, ids = of(msp.bob), [str(one.pk) for one in (jo, ed, mo, al)]
    form = {"action": "add", "list": str(news.pk), "id": ids, "narrowing": ""}
    page = bob.post("/acme/tables/contacts/selected/", form, follow=True).content.decode()
    assert "Put 3 contacts on Newsletter." in page
    assert set(members(news).values()) == {("in", "Bob Seller"), ("in", "Alice Admin")}
    lists.remove(news, [mo.pk], actor=msp.alice)
    back = bob.post(undo_of(page), follow=True)
    assert back.redirect_chain[-1][0] == f"/acme/lists/{news.pk}/"
    words = "Undone: 2 are off Newsletter again. 1 was changed since and stays."
    assert words in back.content.decode()
    assert members(news) == {**before, "Mo": ("removed", "Alice Admin")}
    assert "That was taken back already." in bob.post(undo_of(page), follow=True).content.decode()
    done, undone = Run.objects.order_by("pk")
    assert [told for _line, told in audit_log.told(list(Audit.objects.order_by("pk")))][-2:] == [
        f"on, run {done.pk}, list Newsletter",
        f"run {undone.pk}, undoes {done.pk}",
    ]


def test_many_taken_off_a_list_are_on_it_again_as_they_were(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several batches; whom an import put on the list are there as its own again, for its undo."""
    monkeypatch.setattr(list_jobs, "BATCH", 2)
    news = lists.create_list(msp.account, "Newsletter")
    people = [contact(msp, f"P{n}") for n in range(5)]
    run = Run.objects.create(account=msp.account, kind="import", number=900, state="complete")
    ListMember.objects.bulk_create(
        ListMember(account=msp.account, list=news, contact_id=one.pk, run=run) for one in people
    )
    was = list(ListMember.objects.order_by("pk").values())
    alice = of(msp.alice)
    form = {"action": "remove", "list": str(news.pk), "all": "1", "narrowing": "", "of_list": str(news.pk)}
    page = alice.post("/acme/tables/contacts/selected/", form, follow=True).content.decode()
    assert "Took 5 contacts off Newsletter." in page
    assert set(members(news).values()) == {("removed", "Alice Admin")}
    refused = of(msp.bob).post(undo_of(page), follow=True).content.decode()
    assert "Only an Admin can undo what somebody else did. Ask Alice Admin." in refused
    back = alice.post(undo_of(page), follow=True).content.decode()
    assert "Undone: 5 are on Newsletter again." in back
    assert list(ListMember.objects.order_by("pk").values()) == was
    lists.delete_list(news)
    assert alice.post(undo_of(page), follow=True).redirect_chain[-1][0] == "/acme/lists/"


def test_an_undo_says_what_is_so(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing ticked, nothing to change, not done yet, list deleted: each has a sentence of its own, and "Undo" stays
    until it was done."""
    news = lists.create_list(msp.account, "Newsletter")
    ids = [str(contact(msp, f"P{n}").pk) for n in range(3)]
    alice = of(msp.alice)
    form = {"action": "add", "list": str(news.pk), "narrowing": ""}

    def chosen(**more: object) -> str:
        return alice.post("/acme/tables/contacts/selected/", {**form, **more}, follow=True).content.decode()

    assert "Tick at least one row." in chosen()
    assert "None of them were on Newsletter." in chosen(id=ids, action="remove")
    assert "None of them had a salesperson." in chosen(id=ids, action="assign", salesperson="none")
    monkeypatch.setattr(list_jobs, "BATCH", 1)
    monkeypatch.setattr(hand_jobs, "_SECONDS", 0)
    page = chosen(id=ids)
    assert "The rest follows within the next minutes." in page
    undo = undo_of(page)
    busy = alice.post(undo, follow=True).content.decode()
    assert ("Many records are being changed already." in busy, undo_of(busy)) == (True, undo)
    work(Run.objects.latest("pk").pk)
    monkeypatch.undo()
    assert "All of them were on Newsletter already." in chosen(id=ids)
    monkeypatch.setattr(hand_jobs, "_SECONDS", 0)
    words = alice.post(undo, follow=True).content.decode()
    assert re.search(
        r"Undone: \d (is|are) off Newsletter again. The rest follows within the next minutes.", words
    )
    work(Run.objects.latest("pk").pk)
    assert not ListMember.objects.filter(list=news, state="in").exists()


def test_a_list_deleted_meanwhile_leaves_nothing_to_undo(msp: Msp) -> None:
    news = lists.create_list(msp.account, "Newsletter")
    alice = of(msp.alice)
    form = {"action": "add", "list": str(news.pk), "id": [str(contact(msp, "Jo").pk)], "narrowing": ""}
    page = alice.post("/acme/tables/contacts/selected/", form, follow=True).content.decode()
    lists.delete_list(news)
    words = alice.post(undo_of(page), follow=True).content.decode()
    assert "Nothing is left to undo: the list was deleted meanwhile." in words
