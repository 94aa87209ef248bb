"""Records that look like one: suggested with reasons, merged, or kept apart for good."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from propolis.accounts.scoping import in_account
from propolis.crm import alike, combine, duplicate_search, duplicates, edit
from propolis.crm.fields import Kind
from propolis.crm.models import Company, Contact, Duplicate, NotDuplicate
from propolis.crm.rows import fill_company, fill_contact
from propolis.history.undo import undo
from propolis.runs.engine import start, work
from propolis.runs.models import Run
from tests.crm.people import Msp, make_msp
from tests.crm.test_edit import company, contact


def a_company(name: str = "Brightwater Dental", **values: object) -> Company:
    return fill_company(Company(), {"name": name, **values}, "US")


def a_contact(first: str = "Jo", last: str = "Lindqvist", **values: object) -> Contact:
    return fill_contact(Contact(), {"first": first, "last": last, **values}, "US")


def said(kind: Kind, one: object, other: object) -> list[str]:
    return [alike.words(reason) for reason in alike.likeness(kind, one, other).reasons]


PHONE = "(212) 555-0100"


@pytest.mark.parametrize(
    ("one", "other", "reasons"),
    [
        (a_company(), a_company("The Brightwater Dental, Inc."), ["Same name"]),
        (a_company(), a_company("Brightwater Dentel"), ["Similar name 94 %"]),
        (a_company(), a_company("Dental Brightwater"), ["Same name"]),
        (a_company(phone=PHONE), a_company("Another", mobile="+1 212 555 0100"), ["Same phone"]),
        (a_company(website="brightwater.example"), a_company("X", email="a@brightwater.example"),
         ["Same domain"]),
        (a_company(email="a@gmail.com"), a_company("X", email="A@gmail.com"), ["Same e-mail"]),
        (a_company(email="a@gmail.com"), a_company("X", email="b@gmail.com"), []),
        (a_company(website="one.example", city="Salem"), a_company(website="two.example", city="Reno"), []),
        (a_company("Store 12"), a_company("Store 13"), []),
        (a_company("Jo Lind", residential=True), a_company("Jo Lind", residential=True), []),
        (a_company(""), a_company(""), []),
    ],
)  # fmt: skip
def test_two_companies_and_why(one: Company, other: Company, reasons: list[str]) -> None:
    assert said(Kind.COMPANY, one, other) == said(Kind.COMPANY, other, one) == reasons


@pytest.mark.parametrize(
    ("one", "other", "reasons"),
    [
        (a_contact(email="jo@b.example"), a_contact(email="JO@b.example"), ["Same e-mail", "Same name"]),
        (a_contact(email="jo@b.example"), a_contact("Sam", "Reed", email="jo@b.example"), ["Same e-mail"]),
        (a_contact(phone=PHONE), a_contact("Sam", "Reed", phone=PHONE), []),
        (a_contact(phone=PHONE), a_contact("Jo", "Lindquist", phone=PHONE),
         ["Same phone", "Similar name 91 %"]),
        (a_contact(company=7), a_contact(company=7), ["Same company", "Same name"]),
        (a_contact(company=7), a_contact(company=8), []),
        (a_contact(company=7), a_contact(), ["Same name"]),
    ],
)  # fmt: skip
def test_two_people_and_why(one: Contact, other: Contact, reasons: list[str]) -> None:
    assert said(Kind.CONTACT, one, other) == said(Kind.CONTACT, other, one) == reasons


def pairs() -> list[tuple[str, str, list[str]]]:
    """Names and reasons of what is suggested, the likeliest first."""
    names = {("company", c.pk): c.name for c in Company.objects.all()}
    names |= {("contact", c.pk): c.name for c in Contact.objects.all()}
    return [
        (names[d.kind, d.a], names[d.kind, d.b], d.reasons)
        for d in Duplicate.objects.order_by("-score", "pk")
    ]


def searched(msp: Msp) -> Run:
    run, _new = duplicate_search.search(msp.account, by=msp.alice)
    while work(run.pk).outcome == "slice":
        pass
    run.refresh_from_db()
    assert run.state == Run.State.COMPLETE
    return run


def test_a_record_is_looked_at_as_it_is_added_changed_deleted_and_brought_back(msp: Msp) -> None:
    company(msp, "Brightwater", phone=PHONE)
    bright = company(msp, "Other", phone="212-555-0100")
    both = [("Brightwater", "Other", ["phone"])]
    assert pairs() == both
    change = edit.update(msp.account, bright, {"phone": ""}, actor=msp.bob)
    assert change is not None
    assert pairs() == []
    undo(change, actor=msp.bob)
    assert pairs() == both
    gone = edit.delete(Company.objects.get(pk=bright.pk), actor=msp.bob)
    assert pairs() == []
    undo(gone, actor=msp.bob)
    assert pairs() == both


def test_a_merge_ends_the_suggestion_and_its_undo_brings_it_back(msp: Msp) -> None:
    stays, goes = company(msp, "Brightwater"), company(msp, "Brightwater Inc")
    change = combine.combine(msp.account, stays, goes, {}, actor=msp.bob)
    assert pairs() == []
    undo(change, actor=msp.bob)
    assert pairs() == [("Brightwater", "Brightwater Inc", ["name"])]


def test_not_duplicates_is_remembered_until_taken_back(msp: Msp) -> None:
    one, other = contact(msp, "Jo", email="office@b.example"), contact(msp, "Sam", email="office@b.example")
    answer = duplicates.turn_down(Kind.CONTACT, other.pk, one.pk, actor=msp.bob)
    duplicates.turn_down(Kind.CONTACT, one.pk, other.pk, actor=msp.bob)
    duplicates.look_at(one)
    searched(msp)
    assert (pairs(), NotDuplicate.objects.count()) == ([], 1)
    duplicates.ask_again(answer)
    assert pairs() == [("Jo", "Sam", ["email"])]


def test_what_came_by_the_thousand_is_searched_page_by_page(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small pages, so that groups and neighbours lie across their ends."""
    monkeypatch.setattr(duplicate_search, "READ", 7)
    firms = [("Alpha Foods", ""), ("Alpha Fods", ""), ("Zed", "z.example"), ("Y", "z.example")]
    firms += [(f"Company {chr(97 + n) * 3}", f"c{n}.example") for n in range(20)]
    Company.objects.bulk_create(
        fill_company(Company(account=msp.account), {"name": name, "website": site}, "US")
        for name, site in firms
    )
    home = Company.objects.get(name="Zed")
    people = [("Jo", "Lind", PHONE, ""), ("Jo", "Lind", "", PHONE), ("Ann", "Reed", PHONE, "")]
    people += [("Person", chr(97 + n) * 5, "", "") for n in range(20)]
    Contact.objects.bulk_create(
        fill_contact(
            Contact(account=msp.account),
            {"first": f, "last": last, "phone": p, "mobile": m, "company": home.pk}, "US",
        )
        for f, last, p, m in people
    )  # fmt: skip
    Duplicate.objects.create(
        account=msp.account, kind="company", a=1, b=2, score=99, seen_at="2020-01-01T00:00Z"
    )
    run = searched(msp)
    assert sorted(pairs()) == [
        ("Alpha Foods", "Alpha Fods", ["similar:95"]),
        ("Jo Lind", "Jo Lind", ["phone", "company", "name"]),
        ("Zed", "Y", ["domain"]),
    ]
    assert run.counts == {"found": 3}


def test_a_crowd_at_one_address_is_no_crowd_of_duplicates(msp: Msp) -> None:
    Contact.objects.bulk_create(
        fill_contact(
            Contact(account=msp.account), {"first": chr(97 + n) * 6, "email": "info@b.example"}, "US"
        )
        for n in range(25)
    )
    searched(msp)
    assert Duplicate.objects.count() == 0


def test_a_search_is_due_after_data_came_by_a_run_and_only_then(msp: Msp) -> None:
    assert not duplicate_search.is_stale(None)
    company(msp)
    assert duplicate_search.is_stale(None)
    last = searched(msp)
    company(msp, "Another")
    assert not duplicate_search.is_stale(last)
    run, _new = start(msp.account, "import")
    Run.objects.filter(pk=run.pk).update(state="complete", slot=None, finished_at="2099-01-01T00:00Z")
    assert duplicate_search.is_stale(last)


def test_bob_merges_from_the_page_and_comes_back_to_it(msp: Msp, bob: Client) -> None:
    one, other = company(msp, "Brightwater", phone=PHONE), company(msp, "Brightwater LLC", city="Salem")
    contact(msp, company=other.pk)
    page = bob.get("/acme/duplicates/").content.decode()
    assert re.findall(r'class="badge brand">([^<]*)', page) == ["Same name"]
    where = f"/acme/companies/{one.pk}/merge/?with={other.pk}&from=duplicates"
    assert where.replace("&", "&amp;") in page
    asked = bob.get(where).content.decode()
    assert "Brightwater stays and gets 1 contact of the other one." in asked
    answer = bob.post(where, {"take-city": "theirs"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/acme/duplicates/?kind=company"
    assert (Company.objects.get(deleted_at=None).city, Duplicate.objects.count()) == ("Salem", 0)
    undone = re.findall(r'action="(/acme/changes/\d+/undo/)"', answer.content.decode())
    bob.post(undone[-1])
    assert Duplicate.objects.count() == 1


def test_bob_keeps_two_apart_and_takes_it_back(msp: Msp, bob: Client) -> None:
    jo = contact(msp, "Jo", last="Lindqvist", email="office@b.example")
    sam = contact(msp, "Sam", last="Reed", email="office@b.example")
    page = bob.get("/acme/duplicates/?kind=contact").content.decode()
    assert re.findall(r'badge warn">([^<]*)', page) == ["Sam Reed shares e-mail with Jo Lindqvist"]
    pair = Duplicate.objects.get()
    answer = bob.post(f"/acme/duplicates/{pair.pk}/not/", follow=True)
    assert answer.redirect_chain[-1][0] == "/acme/duplicates/?kind=contact"
    apart = bob.get("/acme/duplicates/?kind=contact&show=turned-down").content.decode()
    assert f"Suggest {jo.name} and {sam.name} again" in apart
    undone = re.findall(r'action="(/acme/duplicates/said/\d+/again/)"', answer.content.decode())
    bob.post(undone[-1])
    assert pairs() == [("Jo Lindqvist", "Sam Reed", ["email"])]


def test_numbers_are_grouped_where_two_are_compared(msp: Msp, bob: Client) -> None:
    company(msp, "Brightwater", phone="2125550100")
    company(msp, "Brightwater LLC", phone="2125550100", mobile="212.555.0199")
    page = bob.get("/acme/duplicates/").content.decode()
    assert ("2125550100" in page, page.count("(212) 555-0100"), "212.555.0199" in page) == (False, 2, True)


def test_opening_the_page_starts_one_search_and_shows_how_far_it_is(msp: Msp, bob: Client) -> None:
    for name in ("Brightwater", "Brightwater Inc"):
        fill_company(Company(account=msp.account), {"name": name}, "US").save()
    for _ in range(2):
        assert (
            'hx-get="/acme/duplicates/?kind=company&amp;empty=1"'
            in bob.get("/acme/duplicates/").content.decode()
        )
    run = Run.objects.get()
    while work(run.pk).outcome == "slice":
        pass
    done = bob.get("/acme/duplicates/", headers={"hx-request": "true"}).content.decode()
    assert ("Show what was found" in done, "hx-trigger" in done) == (True, False)
    nothing_shown = bob.get("/acme/duplicates/?empty=1", headers={"hx-request": "true"})
    assert nothing_shown.headers["HX-Refresh"] == "true", "what was found comes by itself"
    page = bob.get("/acme/duplicates/").content.decode()
    assert "Looking for duplicates" not in page
    assert pairs() == [("Brightwater", "Brightwater Inc", ["name"])]
    bob.post("/acme/duplicates/search/")
    assert Run.objects.count() == 2


def test_nothing_of_another_account_is_suggested_or_answered(msp: Msp, bob: Client) -> None:
    other = make_msp("other")
    with in_account(other.account):
        company(other, "Brightwater")
        company(other, "Brightwater Inc")
        theirs = Duplicate.objects.get().pk
    company(msp, "Brightwater")
    searched(msp)
    assert Duplicate.objects.count() == 0
    assert bob.post(f"/acme/duplicates/{theirs}/not/").status_code == 404
