"""Importing companies and contacts from a CSV file: what is planned is what is done, and can be taken back."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from propolis.accounts.models import Membership
from propolis.crm import edit, lists, mailing
from propolis.crm.combine import combine
from propolis.crm.csv_export import complete_export
from propolis.crm.csv_import.changes import problems_csv, rows_of
from propolis.crm.csv_import.deciding import decide_row, undecided
from propolis.crm.csv_import.named_lists import names_in
from propolis.crm.csv_import.sentences import CsvRefused
from propolis.crm.fields import Kind
from propolis.crm.models import Company, Contact, List, ListMember, Suppression
from propolis.crm.paging import Sort
from propolis.history.models import Change
from propolis.merge.plan import Word
from propolis.runs import engine
from propolis.runs.models import Run, RunPage
from tests.crm.csv_story import PEOPLE, confirmed, effects, imported, planned, told, uploaded, worked
from tests.crm.people import Msp
from tests.crm.test_edit import company, contact


def people() -> list[tuple[str, str, str]]:
    """name, e-mail and company of every living contact."""
    rows = Contact.objects.filter(deleted_at=None).select_related("company").order_by("sort_name", "pk")
    return [(row.name, row.email, row.company.name if row.company else "") for row in rows]


def test_a_file_into_an_empty_crm(msp: Msp) -> None:
    text = PEOPLE + (
        "Jo,Lindqvist,jo@brightwater.example,Brightwater Marine,+1 212 555 0100\n"
        "Sam,Ortiz,sam@brightwater.example,Brightwater Marine LLC,\n"
        "Ada,Byron,ada@home.example,,\n"
    )
    run = planned(msp, text)
    assert told(run) == [
        "people.csv has 3 rows: 3 New, 0 Failed.",
        "It names 1 company: 1 New.",
    ]
    assert (Contact.objects.count(), Company.objects.count()) == (0, 0)
    run = confirmed(run, msp.alice)
    assert people() == [
        ("Ada Byron", "ada@home.example", ""),
        ("Jo Lindqvist", "jo@brightwater.example", "Brightwater Marine"),
        ("Sam Ortiz", "sam@brightwater.example", "Brightwater Marine"),
    ]
    jo = Contact.objects.get(first="Jo")
    assert (jo.phone, jo.phone_key, jo.created_run_id, jo.edited_at) == (
        "+1 212 555 0100", "12125550100", run.pk, run.created_at,
    )  # fmt: skip
    assert set(Change.objects.filter(run=run).values_list("state", flat=True)) == {"applied"}
    assert not RunPage.objects.filter(run=run, body__isnull=False).exists()


def test_the_same_file_again_changes_nothing(msp: Msp) -> None:
    text = PEOPLE + "Jo,Lindqvist,jo@brightwater.example,Brightwater,212 555 0100\nAda,Byron,,Brightwater,\n"
    imported(msp, text)
    before = list(Contact.objects.order_by("pk").values()), list(Company.objects.order_by("pk").values())
    again = imported(msp, text)
    assert told(again) == [
        "people.csv has 2 rows: 2 Already the same, 0 Failed.",
        "It names 1 company: 0 New, 1 here already.",
    ]
    assert effects(again) == []
    assert (
        list(Contact.objects.order_by("pk").values()),
        list(Company.objects.order_by("pk").values()),
    ) == before


def test_the_more_current_side_wins_field_by_field_and_a_blank_never_does(msp: Msp) -> None:
    jo = contact(
        msp, "Jo", last="Lindqvist", email="jo@firm.example", title="CEO", city="Salem", phone="212 555 0100"
    )
    Contact.objects.filter(pk=jo.pk).update(edited_at=timezone.now() - timedelta(days=20))
    head = "Name,E-mail,Title,City,Mobile,Phone\n"
    row = "Jo Lindqvist,JO@firm.example,,Portland,212 555 0177,(212) 555-0100\n"
    old = imported(msp, head + row, age="month")
    assert effects(old) == [("contact", "merge", {"mobile": ["", "212 555 0177", "blank here"]})]
    young = imported(msp, head + row, age="week")
    assert effects(young) == [("contact", "merge", {"city": ["Salem", "Portland", "syncro newer"]})]
    jo.refresh_from_db()
    assert (jo.title, jo.city, jo.mobile, jo.phone) == ("CEO", "Portland", "212 555 0177", "212 555 0100")
    assert jo.edited_at == young.created_at - timedelta(days=7)


def test_a_last_changed_column_counts_row_by_row(msp: Msp) -> None:
    for first in ("Ada", "Bea"):
        made = contact(msp, first, email=f"{first.lower()}@firm.example", city="Salem")
        Contact.objects.filter(pk=made.pk).update(edited_at=datetime(2026, 3, 1, tzinfo=UTC))
    text = (
        "First name,E-mail,City,Last modified date\n"
        "Ada,ada@firm.example,Portland,02/28/2026 9:30 PM\nBea,bea@firm.example,Portland,03/13/2026\n"
    )
    run = imported(msp, text, age="")
    assert told(run) == ["people.csv has 2 rows: 1 Merged, 1 Already the same, 0 Failed."]
    assert list(Contact.objects.order_by("first").values_list("city", flat=True)) == ["Salem", "Portland"]
    assert Contact.objects.get(first="Bea").edited_at.date().isoformat() == "2026-03-13"


def test_our_own_export_changed_in_a_spreadsheet_comes_home_by_its_id(msp: Msp) -> None:
    from tests.crm.test_csv_export import client_of

    firm = company(msp, "Brightwater", website="brightwater.example")
    contact(
        msp, "Jo", last="Lindqvist", company=firm.pk, email="jo@brightwater.example", phone="+1 212 555 0100"
    )
    contact(msp, "Sam", notes="=cmd|' /C calc'!A0\nnext line; \"quoted\"")
    answer = client_of(msp.alice).get("/acme/tables/contacts/export.csv")
    raw = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    unchanged = planned(msp, raw)
    assert told(unchanged)[0] == "people.csv has 2 rows: 2 Already the same, 0 Failed."
    married = raw.replace(b"Lindqvist", b"Berg").replace(b"jo@", b"jo.berg@")
    run = imported(msp, married)
    assert told(run)[0] == "people.csv has 2 rows: 1 Updated, 1 Already the same, 0 Failed."
    assert people()[0] == ("Jo Berg", "jo.berg@brightwater.example", "Brightwater")


def test_unsubscribed_people_stay_so_and_the_re_subscribed_too(msp: Msp) -> None:
    lifted = contact(msp, "Lia", email="lia@firm.example")
    mailing.suppress(msp.account, lifted.email, Suppression.Kind.UNSUBSCRIBED, actor=msp.alice)
    mailing.lift(msp.account, lifted.email, actor=msp.alice, reason="Asked for it")
    stopped = contact(msp, "Uma", email="uma@firm.example")
    mailing.suppress(msp.account, stopped.email, Suppression.Kind.UNSUBSCRIBED, actor=msp.alice)
    shared = contact(msp, "Ann", email="news@firm.example")
    text = (
        "Name,Email,Unsubscribed from all email\nLia,lia@firm.example,Yes\nUma,uma@firm.example,No\n"
        "Bob New,bob@firm.example,TRUE\nCy New,cy@firm.example,Bounced\nDee New,news@firm.example,yes\n"
    )
    imported(msp, text)
    states = dict(Contact.objects.values_list("first", "mail_state"))
    assert states == {
        "Lia": "subscribed", "Uma": "unsubscribed", "Bob": "unsubscribed", "Cy": "bounced", "Dee": "unsubscribed",
        "Ann": "unsubscribed",
    }  # fmt: skip
    assert shared.pk and Suppression.objects.filter(source="CSV import").count() == 3


def test_what_is_said_of_mailing_is_said_of_the_address_in_the_file(msp: Msp) -> None:
    """Whichever address the record then has; and a file that says what is known changes nothing."""
    moved, kept, bare = (
        contact(msp, name, email=f"{name}@old.example".lower()) for name in ("Jo", "Kim", "Lou")
    )
    mailing.suppress(msp.account, moved.email, Suppression.Kind.UNSUBSCRIBED, actor=msp.alice)
    text = f"Propolis ID,First name,E-mail,Mailing\n{moved.uid},Jo,jo@new.example,Unsubscribed\n"
    imported(msp, text)
    imported(msp, text.replace(str(moved.uid), str(kept.uid)).replace("Jo,jo", "Kim,kim"), age="old")
    imported(msp, f"Propolis ID,First name,Mailing\n{bare.uid},Lou,Bounced\n")
    states = dict(Contact.objects.values_list("email", "mail_state"))
    assert states == {
        "jo@new.example": "unsubscribed", "kim@old.example": "subscribed", "lou@old.example": "bounced",
    }  # fmt: skip
    assert mailing.state_of("kim@new.example") == "unsubscribed"


def test_a_file_that_says_of_mailing_what_is_known_changes_nothing(msp: Msp) -> None:
    gone, back = contact(msp, "Jo", email="jo@firm.example"), contact(msp, "Kim", email="kim@firm.example")
    for each in (gone, back):
        mailing.suppress(msp.account, each.email, Suppression.Kind.BOUNCED, actor=msp.alice)
    mailing.lift(msp.account, back.email, actor=msp.alice, reason="A new mailbox")
    run = imported(msp, "Name,E-mail,Mailing\nJo,jo@firm.example,Bounced\nKim,kim@firm.example,Bounced\n")
    assert told(run)[0] == "people.csv has 2 rows: 2 Already the same, 0 Failed."


def test_a_blank_cell_makes_no_business_of_a_private_person(msp: Msp) -> None:
    given = {"name": "Jo Berg", "email": "jo@gmail.com", "residential": True}
    jo = edit.create(msp.account, Kind.COMPANY, given, actor=msp.alice)
    text = f"Propolis ID,Name,Residential,Phone\n{jo.uid},Jo Berg,{{}},206-555-0142\n"
    run = imported(msp, text.format(""), kind=Kind.COMPANY)
    assert list(effects(run)[0][2]) == ["phone"]
    run = imported(msp, text.format("No"), kind=Kind.COMPANY)
    assert list(effects(run)[0][2]) == ["residential"]


def test_a_list_is_named_by_all_its_words(msp: Msp) -> None:
    lists.create_list(msp.account, "News")
    imported(msp, "Name,E-mail,Lists\nJo,jo@firm.example,The News; News CO\n", make_lists=True)
    on = ListMember.objects.order_by("list__name").values_list("list__name", flat=True)
    assert list(on) == ["News CO", "The News"]


def test_everybody_goes_on_the_chosen_list_but_who_was_taken_off_it(msp: Msp) -> None:
    news = lists.create_list(msp.account, "News")
    ada, bea = contact(msp, "Ada", email="ada@firm.example"), contact(msp, "Bea", email="bea@firm.example")
    lists.add(news, [bea.pk], actor=msp.alice)
    lists.remove(news, [bea.pk], actor=msp.alice)
    text = "Name,Email\nAda,ada@firm.example\nBea,bea@firm.example\nCleo,cleo@firm.example\n"
    run = imported(msp, text, new_list="news")
    assert told(run) == ["people.csv has 3 rows: 1 New, 1 Updated, 1 Already the same, 0 Failed."]
    on_it = ListMember.objects.filter(list=news, state="in").order_by("contact__first")
    assert list(on_it.values_list("contact__first", "run")) == [("Ada", run.pk), ("Cleo", run.pk)]
    assert (ada.pk, List.objects.count()) == (on_it[0].contact_id, 1)


def members() -> list[tuple[str, str]]:
    """Who is on which list."""
    on_it = ListMember.objects.filter(state="in", contact__deleted_at=None)
    return sorted(on_it.values_list("list__name", "contact__first"))


def test_lists_named_in_our_own_export_come_back(msp: Msp) -> None:
    """Somewhere else, or here after people were taken off; who was taken off by hand stays off."""
    news, vip = (lists.create_list(msp.account, name) for name in ("News", "VIP, west"))
    ada, bea = contact(msp, "Ada", email="ada@firm.example"), contact(msp, "Bea", email="bea@firm.example")
    lists.add(news, [ada.pk, bea.pk], actor=msp.alice)
    lists.add(vip, [ada.pk], actor=msp.alice)
    file = b"".join(complete_export(Kind.CONTACT, Contact.objects.all(), Sort("name", "sort_name", False)))
    was = members()
    assert told(imported(msp, file))[0] == "people.csv has 2 rows: 2 Already the same, 0 Failed."
    lists.remove(news, [bea.pk], actor=msp.bob)
    ListMember.objects.filter(contact=ada).delete()
    run = imported(msp, file)
    assert told(run) == [
        "people.csv has 2 rows: 1 Updated, 1 Already the same, 0 Failed.",
        "Lists in the file: News (2 rows), VIP, west (1 row).",
    ]
    assert members() == [each for each in was if each != ("News", "Bea")]


def test_a_list_with_a_semicolon_in_its_name_comes_back_as_one(msp: Msp) -> None:
    ada = contact(msp, "Ada", email="ada@firm.example")
    for name in ("Gold; Silver", 'The "best"', '"A"; B', "News"):
        lists.add(lists.create_list(msp.account, name), [ada.pk], actor=msp.alice)
    file = b"".join(complete_export(Kind.CONTACT, Contact.objects.all(), Sort("name", "sort_name", False)))
    was = members()
    ListMember.objects.all().delete()
    List.objects.all().delete()
    imported(msp, file, make_lists=True)
    assert members() == was
    assert list(names_in('Rock "n" roll; 5" screens;"open')) == ['rock "n" roll', '5" screens', "open"]


def test_a_list_that_is_not_here_is_made_only_when_asked_for(msp: Msp) -> None:
    ada, text = contact(msp, "Ada", email="ada@firm.example"), "Name,Email,Lists\n"
    text += "Ada,ada@firm.example,Golf\nBea,bea@firm.example,golf ; ;Tea\n"
    run = imported(msp, text)
    assert (
        told(run)[1]
        == "Lists in the file: Golf (2 rows, not here, left out), Tea (1 row, not here, left out)."
    )
    assert (List.objects.count(), Contact.objects.count()) == (0, 2)
    [bea] = rows_of(msp.account, run, list(Change.objects.filter(run=run)))
    assert bea.notes == ["There is no list Golf here: left out", "There is no list Tea here: left out"]
    run = imported(msp, text, make_lists=True)
    assert told(run) == [
        "people.csv has 2 rows: 2 Updated, 0 Failed.",
        "Lists in the file: Golf (2 rows, new), Tea (1 row, new).",
    ]
    assert members() == [("Golf", "Ada"), ("Golf", "Bea"), ("Tea", "Bea")]
    assert ada.pk and run.cursor["made_lists"].keys() == {"Golf", "Tea"}


def test_a_column_of_something_else_is_no_column_of_lists(msp: Msp) -> None:
    rows = "".join(f"P{n},p{n}@firm.example,Remark {n}\n" for n in range(101))
    with pytest.raises(CsvRefused, match="The column Lists names more than 100 lists"):
        planned(msp, "Name,Email,Lists\n" + rows)


def test_a_record_twice_in_the_file_comes_once(msp: Msp) -> None:
    mine = contact(msp, "Ada", last="Byron", email="ada@firm.example")
    text = PEOPLE + (
        "Jo,Lindqvist,jo@firm.example,,1\nJo,Lindqvist,JO@firm.example,,2\n"
        "Ada,Byron,ada@firm.example,,2125550100\nA.,Byron,ada@firm.example,,2125550199\n"
    )
    run = imported(msp, text)
    assert told(run) == ["people.csv has 4 rows: 1 New, 1 Merged, 1 Needs review, 1 Left out, 0 Failed."]
    mine.refresh_from_db()
    assert (mine.phone, Contact.objects.count()) == ("2125550100", 2)
    lines = b"".join(problems_csv(run)).decode().splitlines()
    assert lines == [
        "\ufeffFirst name,Last name,E-mail,Company,Phone,Line,What happened",
        'Jo,Lindqvist,JO@firm.example,,2,3,"Left out: Is in the file before, on line 2."',
        "A.,Byron,ada@firm.example,,2125550199,5,Needs review: Fits the same record here as line 4 of the file.",
    ]


def test_what_nobody_can_be_sure_of_waits_for_a_person(msp: Msp) -> None:
    firm = company(msp, "Brightwater Marine", phone="212 555 0100")
    text = "Company name,Phone,City\nHarbor Freight,2125550100,Salem\nHarbor Inn,2125550100,\nHarbor Pub,2125550100,\n"
    run = planned(msp, text, kind=Kind.COMPANY)
    assert told(run) == ["people.csv has 3 rows: 3 Needs review, 0 Failed."]
    one, two, three = undecided(run)
    assert decide_row(run, one, "link", firm.pk, by=msp.alice) == Word.MERGED
    assert decide_row(run, two, "skip", None, by=msp.alice) == Word.LEFT_OUT
    run = confirmed(Run.objects.get(pk=run.pk), msp.alice)
    assert told(run) == ["people.csv has 3 rows: 1 Merged, 1 Needs review, 1 Left out, 0 Failed."]
    firm.refresh_from_db()
    assert (firm.name, firm.city) == ("Harbor Freight", "Salem")
    assert decide_row(run, three, "create", None, by=msp.alice) == Word.NEW
    assert [c.name for c in Company.objects.order_by("pk")] == ["Harbor Freight", "Harbor Pub"]
    assert told(Run.objects.get(pk=run.pk)) == [
        "people.csv has 3 rows: 1 New, 1 Merged, 1 Left out, 0 Failed."
    ]


def test_what_a_person_changes_between_preview_and_import_stays(msp: Msp) -> None:
    ada = contact(msp, "Ada", email="ada@firm.example", city="Salem")
    bea = contact(msp, "Bea", email="bea@firm.example", city="Salem")
    text = "Name,Email,City,Title\nAda,ada@firm.example,Portland,CEO\nBea,bea@firm.example,Portland,CTO\n"
    run = planned(msp, text)
    edit.update(msp.account, Contact.objects.get(pk=ada.pk), {"city": "Eugene"}, actor=msp.bob)
    edit.delete(bea, actor=msp.bob)
    run = confirmed(run, msp.alice)
    ada.refresh_from_db()
    assert (ada.city, ada.title) == ("Eugene", "CEO")
    assert told(run) == ["people.csv has 2 rows: 1 Merged, 1 Left out, 0 Failed."]


def test_a_preview_overtaken_by_another_import_is_refused(msp: Msp) -> None:
    first = planned(msp, "Name,Email\nAda,ada@firm.example\n")
    imported(msp, "Name,Email\nBea,bea@firm.example\n")
    with pytest.raises(engine.Refused) as refused:
        engine.confirm(first, msp.alice)
    assert (refused.value.code, Contact.objects.count()) == ("csv.stale_preview", 1)


def test_salespeople_come_by_name_or_e_mail_where_nobody_is_set(msp: Msp) -> None:
    contact(msp, "Ada", email="ada@firm.example", salesperson=msp.alice.pk)
    text = (
        "Name,Email,Contact owner\nAda,ada@firm.example,Bob Seller\nBea,bea@firm.example,bob@acme.example\n"
        "Cleo,cleo@firm.example,Nobody We Know\n"
    )
    run = imported(msp, text)
    found = dict(Contact.objects.values_list("first", "salesperson__name"))
    assert found == {"Ada": "Alice Admin", "Bea": "Bob Seller", "Cleo": None}
    assert isinstance(msp.bob, Membership)
    assert told(run)[-1] == "1 row names a salesperson who is none here and comes without: Nobody We Know."


def test_salespeople_who_are_none_here_are_named_before_anything_is_imported(msp: Msp) -> None:
    rows = [f"Firm {n},Person {n % 7}" for n in range(700)]
    run = planned(
        msp, "\n".join(["Company,Salesperson", *rows, "Last,Bob Seller", "Blank,"]), kind=Kind.COMPANY
    )
    assert told(run)[-1] == (
        "700 rows name a salesperson who is none here and come without: "
        "Person 0, Person 1, Person 2, Person 3, Person 4 and others."
    )


def test_a_worker_that_dies_between_two_batches_changes_nothing_of_the_result(msp: Msp) -> None:
    """Every step by a process of its own: nothing that counts is kept in memory."""
    rows = [f"Person {n},p{n}@firm{n % 7}.example,Firm {n % 7}" for n in range(1203)]
    text = "\n".join(["Name,Email,Company", *rows, rows[1], rows[700]]) + "\n"
    run = uploaded(msp, text)
    from propolis.crm.csv_import import starting

    assert starting.choose(run, run.options["guess"], age="today", list_id="", new_list="News")
    steps = 0
    while True:
        engine.job_for("csv_import")._here.known = None  # type: ignore[attr-defined]
        outcome = engine.work(run.pk, seconds=0).outcome
        steps += 1
        if outcome == "gate":
            assert engine.confirm(Run.objects.get(pk=run.pk), msp.alice)
        elif outcome != "slice":
            break
    run = worked(run)
    assert (run.state, steps > 8) == ("complete", True)
    assert told(run) == [
        "people.csv has 1,205 rows: 1,203 New, 2 Left out, 0 Failed.",
        "It names 7 companies: 7 New.",
    ]
    assert (Contact.objects.count(), Company.objects.count(), ListMember.objects.count()) == (1203, 7, 1203)
    assert Contact.objects.filter(company=None).count() == 0


def exported(kind: Kind) -> bytes:
    model = Company if kind is Kind.COMPANY else Contact
    return b"".join(complete_export(kind, model.objects.all(), Sort("name", "sort_name", False)))


ODD = [
    "=1+1",
    "+49 30 123",
    "-x-",
    "@home",
    "'quoted'",
    '"dq" "',
    "a;b,c",
    "two\r\nlines\nthree",
    "👩\u200d🔧 é",
    "שלום",
    "0123",
]


def test_our_own_export_comes_home_with_every_row_the_same(msp: Msp) -> None:
    for n, text in enumerate(ODD):
        values = {"name": text, "notes": text, "address_1": text, "city": text, "residential": n % 2 == 0}
        firm = edit.create(msp.account, Kind.COMPANY, values, actor=msp.alice)
        person = {"first": text, "last": "Reed", "notes": text, "phone": text, "company": firm.pk}
        edit.create(msp.account, Kind.CONTACT, person, actor=msp.alice)
    rows = len(ODD)
    companies = planned(msp, exported(Kind.COMPANY), kind=Kind.COMPANY)
    assert told(companies) == [f"people.csv has {rows} rows: {rows} Already the same, 0 Failed."]
    contacts = planned(msp, exported(Kind.CONTACT))
    assert told(contacts) == [
        f"people.csv has {rows} rows: {rows} Already the same, 0 Failed.",
        f"It names {rows} companies: 0 New, {rows} here already.",
    ]
    assert effects(contacts) == []


def test_a_contact_stays_at_the_company_of_the_name_in_the_file(msp: Msp) -> None:
    """A private person's company and one of two branches, which are never found by their name alone."""
    firms = [company(msp, "Jo Reed", residential=True), company(msp, "Subway"), company(msp, "Subway")]
    for n, firm in enumerate(firms):
        contact(msp, f"P{n}", last="Reed", email=f"p{n}@mail.example", company=firm.pk)
    text = PEOPLE + "".join(f"P{n},Reed,p{n}@mail.example,{firm.name},\n" for n, firm in enumerate(firms))
    run = imported(msp, text + "Al,Reed,al@mail.example,Jo Reed,\nBo,Reed,bo@mail.example,Subway,\n")
    assert told(run)[:2] == [
        "people.csv has 5 rows: 2 New, 3 Already the same, 0 Failed.",
        "It names 2 companies: 0 New, 1 here already, 1 not clear, so its contacts come without a company.",
    ]
    at = {row.first: row.company for row in Contact.objects.select_related("company")}
    assert at == {"P0": firms[0], "P1": firms[1], "P2": firms[2], "Al": firms[0], "Bo": None}
    assert Company.objects.count() == 3


def test_a_list_whose_name_nobody_can_see_is_not_made(msp: Msp) -> None:
    imported(msp, PEOPLE + "Jo,Reed,jo@mail.example,,\n", new_list="\u200b \u2060")
    assert not List.objects.filter(name="").exists()


def test_what_was_merged_since_the_export_is_not_made_again(msp: Msp) -> None:
    one, two = contact(msp, "Jo", last="Reed"), contact(msp, "Joanna", last="Reed")
    file = exported(Kind.CONTACT)
    combine(msp.account, one, two, {}, actor=msp.alice)
    run = imported(msp, file)
    assert told(run)[0] == "people.csv has 2 rows: 1 Already the same, 1 Left out, 0 Failed."
    assert [change.reason for change in Change.objects.filter(run=run)] == ["csv.merged_here"]
    assert people() == [("Jo Reed", "", "")]
