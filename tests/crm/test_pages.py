"""Every page opens, for those who may, in a number of queries that does not grow with the rows."""

import csv
import io
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from propolis.accounts.scoping import in_account
from propolis.crm import activity, cells, edit, lists, notes, paging
from propolis.crm.finding import narrowed
from propolis.crm.models import Company, Contact, ListMember, Opportunity
from tests.crm.people import Msp, make_msp
from tests.crm.test_edit import company, contact, opportunity


def fill(msp: Msp, size: int) -> None:
    """Some of everything, all hanging together."""
    general = lists.system_list(msp.account, "general", "General")
    for n in range(size):
        firm = company(msp, f"Firm {n}", phone="(212) 555-0100", salesperson=msp.bob.pk, next_step="Call",
                       next_step_on=timezone.localdate().isoformat(), next_step_by=msp.alice.pk)  # fmt: skip
        jo = contact(msp, f"Jo {n}", company=firm.pk, email=f"jo{n}@firm.example", salesperson=msp.bob.pk)
        lists.add(general, [jo.pk], actor=msp.bob)
        deal = opportunity(msp, f"Deal {n}", company=firm.pk, contact=jo.pk, amount="1200",
                           salesperson=msp.alice.pk)  # fmt: skip
        notes.add_note(deal, "A note", actor=msp.bob)


PAGES = [
    "", "companies/", "contacts/", "opportunities/", "opportunities/board/", "lists/", "lists/{list}/",
    "companies/{company}/", "contacts/{contact}/", "opportunities/{deal}/", "search/?q=firm",
    "companies/new/", "contacts/new/?company={company}", "opportunities/new/?contact={contact}", "lists/new/",
    "companies/{company}/edit/", "companies/{company}/next-step/", "companies/{company}/field/phone/",
    "companies/{company}/field/phone/?show=1", "opportunities/{deal}/edit/", "opportunities/{deal}/move/",
    "lists/{list}/edit/", "contacts/export/", "contacts/export/?of_list={list}&q=jo",
    "duplicates/", "duplicates/?kind=contact", "duplicates/?show=turned-down",
    "companies/{company}/merge/", "companies/?sort=-created", "companies/?show=all&kind=business",
    "companies/?state=customer", "contacts/?show=unlisted&q=jo", "pick/companies/?q=firm",
]  # fmt: skip


def address(page: str) -> str:
    return "/acme/" + page.format(
        company=Company.objects.values_list("pk", flat=True)[0],
        contact=Contact.objects.values_list("pk", flat=True)[0],
        deal=Opportunity.objects.values_list("pk", flat=True)[0],
        list=ListMember.objects.values_list("list_id", flat=True)[0],
    )


@pytest.mark.parametrize("where", PAGES)
def test_the_page_opens(msp: Msp, alice: Client, where: str) -> None:
    fill(msp, 1)
    answer = alice.get(address(where))
    assert answer.status_code == 200
    words = re.sub(r"<[^>]*>", " ", answer.content.decode())
    assert re.findall(r"\bNone\b(?! set)", words) == []


# Questions to the CRM's and history's own tables; the frame and panels of other apps add theirs.
QUERIES = {
    "": 17,
    "companies/": 11,
    "contacts/": 11,
    "opportunities/": 11,
    "opportunities/board/": 7,
    "lists/": 8,
    "companies/{company}/": 14,
    "contacts/{contact}/": 16,
    "opportunities/{deal}/": 11,
    "search/?q=firm": 10,
    "contacts/export/": 6,
}


@pytest.mark.parametrize("where", QUERIES)
def test_the_page_asks_as_often_for_three_rows_as_for_one(msp: Msp, alice: Client, where: str) -> None:
    fill(msp, 1)
    alice.get(address(where))
    one = asked(alice, address(where))
    fill(msp, 2)
    three = asked(alice, address(where))
    ours = [sql for sql in three if re.search(r'FROM \(?"?(SELECT|crm_|history_)', sql)]
    assert (len(ours), len(three)) == (QUERIES[where], len(one))


def asked(client: Client, where: str) -> list[str]:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(where).status_code == 200
    return [query["sql"] for query in caught.captured_queries]


def test_a_salesperson_adds_changes_deletes_and_takes_back(msp: Msp, alice: Client) -> None:
    answer = alice.post(
        "/acme/companies/new/", {"name": "Brightwater", "phone": "(212) 555-0100"}, follow=True
    )
    assert "Added Brightwater." in answer.content.decode()
    row = Company.objects.get()
    assert (row.name, row.phone_key) == ("Brightwater", "12125550100")
    alice.post(f"/acme/companies/{row.pk}/edit/", {"name": "Bright", "rev": "1"})
    assert (Company.objects.get().name, Company.objects.get().phone) == ("Bright", "")
    gone = alice.post(f"/acme/companies/{row.pk}/delete/", follow=True)
    assert "Deleted Bright." in gone.content.decode()
    undo = re.findall(r'action="(/acme/changes/\d+/undo/)"', gone.content.decode())
    back = alice.post(undo[-1], follow=True)
    assert "Undone." in back.content.decode()
    assert Company.objects.get(deleted_at=None).name == "Bright"


def test_what_somebody_else_saved_meanwhile_is_shown_not_lost(msp: Msp, alice: Client) -> None:
    row = company(msp, "Brightwater", city="Portland")
    edit.update(msp.account, Company.objects.get(), {"city": "Salem"}, actor=msp.bob)
    form = {"name": "Brightwater", "city": "Eugene", "rev": "1"}
    answer = alice.post(f"/acme/companies/{row.pk}/edit/", form)
    page = answer.content.decode()
    assert (answer.status_code, "City is now: Salem" in page, 'value="Eugene"' in page) == (400, True, True)
    assert Company.objects.get().city == "Salem"
    assert alice.post(f"/acme/companies/{row.pk}/edit/", {**form, "rev": "2"}).status_code == 302
    assert Company.objects.get().city == "Eugene"


def test_a_next_step_is_done_whatever_else_was_changed_but_another_one_stays(msp: Msp, alice: Client) -> None:
    step = {"next_step": "Call", "next_step_on": "2026-11-26", "next_step_by": msp.alice.pk}
    for change, left in (
        ({"phone": "212 555 0100"}, ""),
        ({"next_step": "Ring the dentist"}, "Ring the dentist"),
    ):
        firm = company(msp, "Brightwater", **step)
        page = alice.get(f"/acme/companies/{firm.pk}/").content.decode()
        form = re.search(
            r'<form class="no-print" method="post" action="([^"]*next-step/)">(.*?)</form>', page, re.DOTALL
        )
        assert form
        hidden = dict(re.findall(r'name="([\w-]+)" value="([^"]*)"', form[2]))
        edit.update(msp.account, firm, change, actor=msp.bob)
        alice.post(form[1], hidden | {"done": "1"})
        firm.refresh_from_db()
        assert firm.next_step == left


def test_a_fact_is_edited_in_place_and_without_scripts(msp: Msp, alice: Client) -> None:
    row = company(msp, "Brightwater", city="Portland")
    where = f"/acme/companies/{row.pk}/field/city/"
    answer = alice.post(where, {"city": "Salem", "rev": "1"}, headers={"hx-request": "true"})
    assert (answer.status_code, "Salem" in answer.content.decode()) == (200, True)
    assert alice.post(where, {"city": "Eugene", "rev": "2"}).status_code == 302
    assert (Company.objects.get().city, Company.objects.get().name) == ("Eugene", "Brightwater")
    assert alice.get(f"/acme/companies/{row.pk}/field/disabled_in_syncro/").status_code == 404


def test_a_new_company_without_a_name_is_refused_in_words(msp: Msp, alice: Client) -> None:
    answer = alice.post("/acme/companies/new/", {"name": " "})
    assert (answer.status_code, "Enter the company&#x27;s name." in answer.content.decode()) == (400, True)
    assert Company.objects.count() == 0


@pytest.mark.parametrize("few", [True, False])
def test_pages_by_key_go_forth_and_back_over_ties(
    msp: Msp, alice: Client, monkeypatch: pytest.MonkeyPatch, few: bool
) -> None:
    """Few are sorted, for many the order's index is walked."""
    if not few:
        monkeypatch.setattr(paging, "COUNTED", 100)
    made = [company(msp, "Same name" if n % 2 else f"Firm {n:03}") for n in range(120)]
    Company.objects.update(created_at=timezone.now() - timedelta(days=1))
    for sort in ("name", "-name", "created", "-created"):
        forth = walk(alice, f"?sort={sort}", "next")
        assert sorted(pk for page in forth for pk in page) == sorted(row.pk for row in made)
        back = walk(alice, f"?sort={sort}&end=1", "prev")
        assert [pk for page in reversed(back) for pk in page] == [pk for page in forth for pk in page]


def walk(client: Client, query: str, rel: str) -> list[list[int]]:
    pages = []
    while query:
        text = client.get(f"/acme/companies/{query}").content.decode()
        pages.append([int(pk) for pk in re.findall(r'name="id" value="(\d+)"', text)])
        found = re.search(rf'href="([^"]*)" rel="{rel}"', text)
        query = found[1].replace("&amp;", "&") if found else ""
    return pages


def test_everything_the_filters_leave_is_put_on_a_list(msp: Msp, alice: Client) -> None:
    news = lists.create_list(msp.account, "News")
    for n in range(60):
        contact(msp, f"Jo {n}")
    contact(msp, "Sam")
    form = {"action": "add", "list": str(news.pk), "all": "1", "narrowing": "q=jo", "id": "1"}
    answer = alice.post("/acme/tables/contacts/selected/", form, follow=True)
    assert "Put 60 contacts on News." in answer.content.decode()
    assert ListMember.objects.count() == 60
    assert answer.redirect_chain[-1][0] == "/acme/contacts/?q=jo"


def test_columns_are_remembered_per_person(msp: Msp, alice: Client) -> None:
    company(msp)
    alice.post("/acme/tables/companies/columns/", {"column": ["domain", "email"]})
    page = alice.get("/acme/companies/").content.decode()
    heads = re.findall(r"<th scope=\"col\"[^>]*>(?:<a[^>]*>)?([^<]*)", page)
    assert heads == ["Name", "E-mail", "Domain"]


def test_only_of_a_prospect_a_company_and_a_contact_are_made(msp: Msp, bob: Client) -> None:
    """Or its contact would be replaced by nobody, and a company be called like the opportunity."""
    jo = contact(msp, email="jo@firm.example")
    for known in ({"contact": jo.pk}, {}, {"contact": jo.pk, "prospect_name": "Jo"}):
        deal = opportunity(msp, **known)
        where = f"/acme/opportunities/{deal.pk}/"
        page = bob.get(where).content.decode()
        assert ("Create company and contact" in page, "Choose a company" in page) == (False, True)
        bob.post(f"{where}add-company/")
        deal.refresh_from_db()
        assert (deal.company, deal.contact_id) == (None, known.get("contact"))
    assert (Company.objects.count(), Contact.objects.count()) == (0, 1)


def test_a_card_that_somebody_else_moved_meanwhile_stays_there(msp: Msp, alice: Client, bob: Client) -> None:
    deal = opportunity(msp)
    where, shown = f"/acme/opportunities/{deal.pk}/move/", msp.status("New").pk
    for page in ("board/", f"{deal.pk}/", f"{deal.pk}/move/"):
        assert 'name="was"' in bob.get(f"/acme/opportunities/{page}").content.decode(), page
    alice.post(where, {"status": msp.status("Won").pk, "was": shown})
    form = {"status": msp.status("Proposal").pk, "was": shown, "from": "board"}
    page = bob.post(where, form, follow=True).content.decode()
    assert "New firewall is in Won now: somebody moved it meanwhile." in page
    assert Opportunity.objects.get().status.name == "Won"
    bob.post(where, {**form, "was": msp.status("Won").pk})
    assert Opportunity.objects.get().status.name == "Proposal"


def test_the_rest_of_a_lane_is_that_of_the_salesperson_chosen(msp: Msp, bob: Client) -> None:
    for n in range(21):
        opportunity(msp, f"Deal {n}", salesperson=msp.bob.pk)
    opportunity(msp, "Another")
    page = bob.get(f"/acme/opportunities/board/?salesperson={msp.bob.pk}").content.decode()
    found = re.search(r'href="([^"]*)">All 21<', page)
    assert found
    rest = bob.get(found[1].replace("&amp;", "&")).context["table"]
    assert rest.count == 21


def test_bob_moves_a_deal_on_the_board_and_undoes_it(msp: Msp) -> None:
    client = Client()
    assert msp.bob.user is not None
    client.force_login(msp.bob.user)
    deal = opportunity(msp)
    won = msp.status("Won")
    form = {"status": str(won.pk), "from": "board"}
    answer = client.post(f"/acme/opportunities/{deal.pk}/move/", form, follow=True)
    assert answer.redirect_chain[-1][0] == f"/acme/opportunities/board/#card-{deal.pk}"
    assert Opportunity.objects.get().status == won
    undo = re.findall(r'action="(/acme/changes/\d+/undo/)"', answer.content.decode())
    client.post(undo[-1])
    assert Opportunity.objects.get().status.name == "New"


def test_bob_may_not_undo_what_alice_did(msp: Msp) -> None:
    client = Client()
    assert msp.bob.user is not None
    client.force_login(msp.bob.user)
    row = company(msp)
    change = edit.delete(row, actor=msp.alice)
    answer = client.post(f"/acme/changes/{change.pk}/undo/", follow=True)
    assert "Only an Admin can undo what somebody else did. Ask Alice Admin." in answer.content.decode()
    assert Company.objects.get().deleted_at is not None


def test_a_prospect_becomes_a_company_and_a_contact(msp: Msp, alice: Client) -> None:
    deal = opportunity(msp, prospect_name="Jo Lindqvist", prospect_email="jo@new.example")
    alice.post(f"/acme/opportunities/{deal.pk}/add-company/")
    row = Opportunity.objects.get()
    assert row.company is not None
    assert row.contact is not None
    assert (row.company.name, row.contact.name, row.contact.company) == (
        "Jo Lindqvist",
        "Jo Lindqvist",
        row.company,
    )


def test_merging_from_the_page_and_back(msp: Msp, alice: Client) -> None:
    stays, goes = company(msp, "Brightwater", phone="1"), company(msp, "Bright", phone="2")
    where = f"/acme/companies/{stays.pk}/merge/?with={goes.pk}"
    assert alice.get(where).status_code == 200
    answer = alice.post(where, {"take-phone": "theirs", "take-name": "ours"}, follow=True)
    assert (Company.objects.get(deleted_at=None).name, Company.objects.get(deleted_at=None).phone) == (
        "Brightwater",
        "2",
    )
    assert alice.get(f"/acme/companies/{goes.pk}/").headers["Location"] == f"/acme/companies/{stays.pk}/"
    undo = re.findall(r'action="(/acme/changes/\d+/undo/)"', answer.content.decode())
    alice.post(undo[-1])
    assert sorted(Company.objects.filter(deleted_at=None).values_list("name", "phone")) == [
        ("Bright", "2"),
        ("Brightwater", "1"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("jo lind", ["Jo Lindqvist"]),
        ("LINDQVIST", ["Jo Lindqvist"]),
        ("brightwater", ["Jo Lindqvist"]),
        ("(212) 555-0100", ["Jo Lindqvist"]),
        ("555-0100", ["Jo Lindqvist"]),
        ("zoe", ["Zoë O'Neil"]),
        ("o'neil", ["Zoë O'Neil"]),
        ("o'neil@firm", ["Zoë O'Neil"]),
        ("oneil", ["Zoë O'Neil"]),
        ("zoe oʼneil", ["Zoë O'Neil"]),
        ("O’Neil", ["Zoë O'Neil"]),
        ("neil", ["Zoë O'Neil"]),
        ("''", []),
        ("https://www.brightwater.example/contact?from=mail", ["Jo Lindqvist"]),
        ("WWW.Brightwater.example", ["Jo Lindqvist"]),
        ("brightwater.example/about-us", ["Jo Lindqvist"]),
        ("https://facebook.com/brightwater", []),
        ("Lindqvist, Jo <jo@brightwater.example>;", ["Jo Lindqvist"]),
        ("mailto:jo@brightwater.example", ["Jo Lindqvist"]),
        ("tel:+12125550100", ["Jo Lindqvist"]),
        ('jo" OR *', []),
        ("*", []),
    ],
)
def test_people_are_found_by_what_one_types(msp: Msp, alice: Client, text: str, found: list[str]) -> None:
    contact(msp, "Jo", last="Lindqvist", email="jo@brightwater.example", phone="(212) 555-0100")
    zoe = contact(msp, "Zoe")
    edit.update(
        msp.account, zoe, {"first": "Zoë", "last": "O'Neil", "email": "z.o'neil@firm.example"}, actor=msp.bob
    )
    edit.delete(contact(msp, "Jo", last="Lindgren"), actor=msp.bob)
    assert [row.name for row in narrowed(Contact.objects.filter(deleted_at=None), text)] == found


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses the order's index by itself")
def test_many_that_match_are_not_all_sorted(msp: Msp, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Mo", "Jo", "Joan", "Jo", "Ed"):
        contact(msp, name)
    monkeypatch.setattr(paging, "COUNTED", 2)
    with CaptureQueriesContext(connection) as queries:
        table = alice.get("/acme/contacts/?q=j").context["table"]
    assert [row.first for row in table.page.rows] == ["Jo", "Jo", "Joan"]
    (asked,) = [one["sql"] for one in queries if "MATCH" in one["sql"] and "ORDER BY" in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + asked)
        plan = [row[3] for row in cursor.fetchall()]
    assert plan[0] == "SEARCH crm_contact USING INDEX contact_by_name (account_id=?)"


VALUED = {
    "Big": ("1200.50", "2027-01-31"),
    "Small": ("99", "2026-12-01"),
    "Free": ("0", None),
    "Unknown": (None, None),
}


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-amount", ["Big", "Small", "Free", "Unknown"]),
        ("amount", ["Unknown", "Free", "Small", "Big"]),
        ("close", ["Small", "Big", "Free", "Unknown"]),
        ("-close", ["Unknown", "Free", "Big", "Small"]),
    ],
)
def test_opportunities_are_sorted_by_what_may_be_unknown(
    msp: Msp, alice: Client, monkeypatch: pytest.MonkeyPatch, sort: str, expected: list[str], many: bool
) -> None:
    """The unknown stand at the end of what one looks for: the largest, the soonest. Two on a page, there and back."""
    for name, (amount, close) in VALUED.items():
        opportunity(msp, name, amount=amount, expected_close=close)
    monkeypatch.setattr(paging, "COUNTED", 1 if many else 100)
    monkeypatch.setattr(paging.page, "__defaults__", (2, None))
    table = alice.get(f"/acme/opportunities/?sort={sort}").context["table"]
    further = alice.get("/acme/opportunities/" + table.page.next).context["table"]
    assert [row.name for row in [*table.page.rows, *further.page.rows]] == expected
    back = alice.get("/acme/opportunities/" + further.page.prev).context["table"]
    assert [row.name for row in back.page.rows] == expected[:2]
    last = alice.get("/acme/opportunities/" + table.page.last).context["table"]
    assert [row.name for row in last.page.rows] == expected[2:]
    answer: Any = alice.get(f"/acme/tables/opportunities/export.csv?sort={sort}")
    file = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert [row["Name"] for row in csv.DictReader(io.StringIO(file))] == expected


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a table of so few rows whole")
@pytest.mark.parametrize(("sort", "index"), [("-amount", "opp_by_amount"), ("close", "opp_by_close")])
def test_the_order_by_what_may_be_unknown_has_its_index(
    msp: Msp, alice: Client, monkeypatch: pytest.MonkeyPatch, sort: str, index: str
) -> None:
    first, *_ = [opportunity(msp, name, amount=amount) for name, (amount, _) in VALUED.items()]
    monkeypatch.setattr(paging, "COUNTED", 1)
    for place in ("", f"&after={first.pk}"):
        with CaptureQueriesContext(connection) as queries:
            alice.get(f"/acme/opportunities/?sort={sort}{place}")
        asked = next(one["sql"] for one in queries if "ORDER BY" in one["sql"] and "COALESCE" in one["sql"])
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + asked)
            plan = [row[3] for row in cursor.fetchall()]
        assert any(index in step for step in plan), plan
        assert not any("ORDER BY" in step for step in plan), plan


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no trigrams")
def test_a_slip_of_the_pen_is_forgiven_on_postgresql(msp: Msp, alice: Client) -> None:
    jo = contact(msp, "Jo", last="Lindqvist", email="jo@brightwater.example")
    contact(msp, "Sam", last="Okafor")
    for text in ("lindqvst", "lindkvist", "brigthwater", "jo lindqvistt"):
        found = alice.get(f"/acme/search/?q={text}").content.decode()
        assert re.findall(r"/contacts/(\d+)/", found) == [str(jo.pk)], text


def test_searching_among_the_contacts_of_a_company_stays_there(msp: Msp, alice: Client) -> None:
    firm, other = company(msp), company(msp, "Other")
    contact(msp, "Joan", company=other.pk)
    contact(msp, "Jo", company=firm.pk)
    page = alice.get(f"/acme/contacts/?company={firm.pk}&sort=-created").content.decode()
    form = re.search(r'<form class="filters".*?</form>', page, re.DOTALL)
    assert form
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
    assert hidden == {"company": str(firm.pk), "sort": "-created"}


def test_a_table_narrowed_to_one_record_names_it(msp: Msp, alice: Client) -> None:
    firm = company(msp, "Bright & Water")
    jo = contact(msp, "Jo", company=firm.pk)
    opportunity(msp, company=firm.pk, contact=jo.pk)
    for page, words, where in (
        (f"contacts/?company={firm.pk}", "Company: Bright &amp; Water", f"/acme/companies/{firm.pk}/"),
        (f"opportunities/?company={firm.pk}", "Company: Bright &amp; Water", f"/acme/companies/{firm.pk}/"),
        (f"opportunities/?contact={jo.pk}", "Contact: Jo", f"/acme/contacts/{jo.pk}/"),
    ):
        label, name = words.split(": ")
        assert f'{label}: <a href="{where}">{name}</a>' in alice.get(f"/acme/{page}").content.decode(), page
    assert alice.get("/acme/contacts/?company=x").status_code == 200


def test_who_bounced_can_be_unsubscribed_too(msp: Msp, alice: Client) -> None:
    jo = contact(msp, "Jo", email="jo@firm.example")
    alice.post(f"/acme/contacts/{jo.pk}/mail/", {"bounced": "1"})
    assert "Unsubscribe this address" in alice.get(f"/acme/contacts/{jo.pk}/").content.decode()
    page = alice.post(f"/acme/contacts/{jo.pk}/mail/", follow=True).content.decode()
    assert ("jo@firm.example is unsubscribed" in page, "Unsubscribe this address" in page) == (True, False)
    jo.refresh_from_db()
    assert jo.mail_state == "unsubscribed"


def test_a_number_is_found_as_tables_show_it(msp: Msp, alice: Client) -> None:
    contact(msp, "Zora", phone="206-555-0142 x12")
    for text in ("206-555-0142 x12", "(206) 555-0142 ext. 12", "206-555-0142"):
        assert "Zora" in alice.get("/acme/search/", {"q": text}).content.decode(), text


def test_one_letter_is_told_to_be_too_few(msp: Msp, alice: Client) -> None:
    page = alice.get("/acme/search/?q=f").content.decode()
    assert ("One letter is too few" in page, "Nothing here is called" in page) == (True, False)


def test_what_is_no_address_is_not_said_to_be_mailed(msp: Msp, alice: Client) -> None:
    page = alice.get(f"/acme/contacts/{contact(msp, email='none').pk}/").content.decode()
    assert ("May be mailed." in page, "Unsubscribe this address" in page) == (False, False)
    assert "“none” is no e-mail address, so nothing is mailed." in page


def test_searching_finds_nothing_of_another_account(msp: Msp, alice: Client) -> None:
    other = make_msp("other")
    with in_account(other.account):
        company(other, "Secret Brightwater")
    company(msp, "Brightwater")
    page = alice.get("/acme/search/?q=brightwater").content.decode()
    assert re.findall(r"/(?:acme|other)/companies/\d+/\">([^<]*)", page) == ["Brightwater"]


def test_history_speaks_as_the_page_does(msp: Msp, alice: Client) -> None:
    """Amounts, days and numbers as people read them; a number that was only typed anew as it was typed."""
    deal = opportunity(msp, amount="4200", likelihood=20, expected_close="2026-03-01")
    edit.update(msp.account, deal, {"amount": "2400.50", "likelihood": 50}, actor=msp.alice)
    edit.update(msp.account, deal, {"expected_close": "2027-12-31"}, actor=msp.alice)
    edit.update(msp.account, deal, {"prospect_phone": "2125550100"}, actor=msp.alice)
    edit.update(msp.account, deal, {"prospect_phone": "(212) 555-0100"}, actor=msp.alice)
    told = [(e.label, e.before, e.after) for entry in activity.of(deal) for e in entry.effects]
    assert told == [
        ("Prospect's phone", "2125550100", "(212) 555-0100"),
        ("Prospect's phone", "", "(212) 555-0100"),
        ("Expected close", cells.day(date(2026, 3, 1)), "31 Dec 2027"),
        ("Amount", "$4,200", "$2,400.50"),
        ("Likelihood", "20 %", "50 %"),
    ]


def test_assigning_without_choosing_takes_nobody_away(msp: Msp, alice: Client) -> None:
    firm = company(msp, salesperson=msp.bob.pk)
    form = {"action": "assign", "id": str(firm.pk), "narrowing": ""}
    for chosen, left in (("", msp.bob), ("none", None)):
        answer = alice.post("/acme/tables/companies/selected/", {**form, "salesperson": chosen}, follow=True)
        firm.refresh_from_db()
        assert firm.salesperson == left
        assert ("Choose a salesperson." in answer.content.decode()) == (chosen == "")


def test_a_name_of_which_nothing_can_be_seen_is_none(msp: Msp, alice: Client) -> None:
    for where, values, says in (
        ("companies", {"name": "\u200b \u2060"}, "Enter the company&#x27;s name."),
        ("contacts", {"first": "\ufeff", "last": "\u200d"}, "Enter a name or an e-mail address."),
        ("opportunities", {"name": "\u3164", "status": msp.status("New").pk}, "Enter a name, for example"),
    ):
        assert says in alice.post(f"/acme/{where}/new/", values).content.decode(), where
    assert (Company.objects.count(), Contact.objects.count(), Opportunity.objects.count()) == (0, 0, 0)


def test_what_must_be_filled_in_is_not_called_optional(msp: Msp, alice: Client) -> None:
    for where, label in (("companies", "Name"), ("opportunities", "Name")):
        page = alice.get(f"/acme/{where}/new/").content.decode()
        assert re.findall(rf'<label for="id_name">{label}(.*?)</label>', page) == [""]
        assert " required" not in page
        answer = alice.post(f"/acme/{where}/new/", {"notes": "x"})
        assert (answer.status_code, "Enter " in answer.content.decode()) == (400, True)


def test_of_few_that_match_the_order_s_index_is_not_walked(msp: Msp, alice: Client) -> None:
    """Those with Z would be found at its very end."""
    for name in ("Zoe", "Ada", "Zoe"):
        contact(msp, name)
    with CaptureQueriesContext(connection) as queries:
        table = alice.get("/acme/contacts/?q=zoe").context["table"]
    assert [row.first for row in table.page.rows] == ["Zoe", "Zoe"]
    (asked,) = [one["sql"] for one in queries if "LIMIT 51" in one["sql"]]
    assert 'ORDER BY CASE WHEN U0."id" > 0 THEN U0."sort_name"' in asked


def test_the_search_of_a_list_names_it_as_it_is(msp: Msp, alice: Client) -> None:
    row = lists.create_list(msp.account, "Spring & Co")
    assert 'placeholder="Search Spring &amp; Co"' in alice.get(f"/acme/lists/{row.pk}/").content.decode()
    assert 'placeholder="Search companies"' in alice.get("/acme/companies/").content.decode()
