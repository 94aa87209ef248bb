"""Exports as CSV: complete and readable again, or for a mailing with a sum that adds up."""

import csv
import io
import re
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from propolis.accounts.csv_cells import original
from propolis.accounts.models import Audit, Membership
from propolis.accounts.scoping import ScopeMissing, in_account
from propolis.crm import csv_export, edit, lists, mailing, paging
from propolis.crm.fields import Kind
from propolis.crm.mailing_export import mailing_sum
from propolis.crm.models import Company, Contact, ListMember, Suppression
from propolis.crm.paging import Sort
from tests.crm.people import Msp, make_msp
from tests.crm.test_edit import company, contact, opportunity

NAME = Sort("name", "sort_name", False)


def client_of(person: Membership) -> Client:
    client = Client()
    assert person.user is not None
    client.force_login(person.user)
    return client


def read(answer: Any) -> list[list[str]]:
    """The lines as a person's spreadsheet would have them, made inert ones as they were."""
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return [[original(cell) for cell in line] for line in csv.reader(io.StringIO(text[1:], newline=""))]


def records(answer: Any) -> list[dict[str, str]]:
    head, *lines = read(answer)
    return [dict(zip(head, line, strict=True)) for line in lines]


def filled(record: dict[str, str]) -> dict[str, str]:
    """What is not blank, without ids and instants."""
    return {k: v for k, v in record.items() if v and k != "Propolis ID" and not k.endswith("(UTC)")}


def test_a_contact_leaves_with_everything_it_holds(msp: Msp, alice: Client) -> None:
    firm = company(msp, "Brightwater", website="https://brightwater.example")
    jo = contact(msp, "Jo", last="Lindqvist", company=firm.pk, email="jo@brightwater.example",
                 phone="+1 212 555 0100", notes="=HYPERLINK(1)\nsecond line", salesperson=msp.bob.pk)  # fmt: skip
    for name in ("News", "Events"):
        lists.add(lists.create_list(msp.account, name), [jo.pk], actor=msp.alice)
    answer = alice.get("/acme/tables/contacts/export.csv")
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="contacts-{timezone.localdate().isoformat()}.csv"'
    )
    (record,) = records(answer)
    assert record["Propolis ID"] == str(jo.uid)
    assert filled(record) == {
        "First name": "Jo", "Last name": "Lindqvist", "Company": "Brightwater",
        "Company domain": "brightwater.example", "E-mail": "jo@brightwater.example",
        "Phone": "+1 212 555 0100", "Notes": "=HYPERLINK(1)\nsecond line", "Salesperson": "Bob Seller",
        "Mailing": "Subscribed", "Lists": "Events; News",
    }  # fmt: skip


def test_companies_and_opportunities_leave_too(msp: Msp, alice: Client) -> None:
    firm = company(msp, "Brightwater", residential=True, next_step="Call", next_step_on="2026-11-27")
    gone = contact(msp, "Jo", company=firm.pk)
    opportunity(msp, "Firewall", company=firm.pk, contact=gone.pk, amount="1200", likelihood=60,
                expected_close="2026-12-24")  # fmt: skip
    edit.delete(gone, actor=msp.alice)
    assert [filled(r) for r in records(alice.get("/acme/tables/companies/export.csv"))] == [
        {"Name": "Brightwater", "Residential": "Yes", "Next step": "Call", "Next step on": "2026-11-27",
         "Disabled in Syncro": "No"}
    ]  # fmt: skip
    assert [filled(r) for r in records(alice.get("/acme/tables/opportunities/export.csv"))] == [
        {"Name": "Firewall", "Status": "New", "Company": "Brightwater", "Amount": "1200.00",
         "Likelihood": "60", "Expected close": "2026-12-24"}
    ]  # fmt: skip


def test_the_file_is_what_the_table_shows(msp: Msp, alice: Client) -> None:
    news = lists.create_list(msp.account, "News")
    made = [contact(msp, name) for name in ("Cleo", "Ada", "Bea", "Dan")]
    lists.add(news, [each.pk for each in made[:3]], actor=msp.alice)
    edit.delete(made[2], actor=msp.alice)

    def names(query: str) -> list[str]:
        return [r["First name"] for r in records(alice.get(f"/acme/tables/contacts/export.csv?{query}"))]

    assert names("sort=-name") == ["Dan", "Cleo", "Ada"]
    assert names(f"of_list={news.pk}") == ["Ada", "Cleo"]
    assert names(f"of_list={news.pk}&q=cleo") == ["Cleo"]
    assert names("show=deleted") == ["Bea"]
    assert alice.get("/acme/tables/contacts/export.csv?of_list=999").status_code == 404
    assert alice.get("/acme/tables/nothing/export.csv").status_code == 404


def test_no_cell_is_a_formula(msp: Msp, alice: Client) -> None:
    nasty = ["=1+1", "+1", "-1", "@x", "\tx", "\nx", "＝1", "'=1", "'s"]
    for text in nasty:
        company(msp, "x", notes=text)
    answer: Any = alice.get("/acme/tables/companies/export.csv")
    body = b"".join(answer.streaming_content).decode()
    lines = list(csv.DictReader(io.StringIO(body[1:], newline="")))
    assert [line["Notes"] for line in lines] == [f"'{text}" for text in nasty]
    assert [original(line["Notes"]) for line in lines] == nasty


def test_rows_come_by_key_over_ties_and_in_few_queries(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(7):
        company(msp, "Same" if n % 2 else f"Firm {n}")
    monkeypatch.setattr(csv_export, "BATCH", 3)
    with CaptureQueriesContext(connection) as caught:
        text = b"".join(csv_export.complete_export(Kind.COMPANY, Company.objects.all(), NAME)).decode()
    names = [line["Name"] for line in csv.DictReader(io.StringIO(text[1:]))]
    assert names == ["Firm 0", "Firm 2", "Firm 4", "Firm 6", "Same", "Same", "Same"]
    assert len(caught) == 3


def test_a_streamed_file_stays_inside_the_account(msp: Msp, alice: Client) -> None:
    other = make_msp("umbel")
    with in_account(other.account):
        theirs = contact(other, "Zoe", email="zoe@umbel.example")
        news = lists.create_list(other.account, "News")
        lists.add(news, [theirs.pk], actor=other.alice)
    contact(msp, "Ada", email="ada@acme.example")
    complete = alice.get("/acme/tables/contacts/export.csv")
    mail = alice.get("/acme/contacts/mailing.csv")
    with in_account(other.account):  # whatever is in scope when the server sends it
        assert [r["First name"] for r in records(complete)] == ["Ada"]
        assert [r["First name"] for r in records(mail)] == ["Ada"]
    assert alice.get(f"/acme/tables/contacts/export.csv?of_list={news.pk}").status_code == 404
    assert alice.get("/umbel/tables/contacts/export.csv").status_code == 404


def test_without_a_scope_nothing_is_read(msp: Msp) -> None:
    query = Company.objects.all()
    company(msp)
    from django_scopes import scope

    with scope(account=None), pytest.raises(ScopeMissing):
        b"".join(csv_export.complete_export(Kind.COMPANY, Company.objects.all(), NAME))
    assert query.count() == 1


def test_memory_stays_flat(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty batches need no more than two: nothing is kept of a batch once it is sent."""
    Company.objects.bulk_create(
        Company(account=msp.account, name=f"Firm {n}", sort_name=f"firm {n:05}", notes="x" * 2000)
        for n in range(1000)
    )
    monkeypatch.setattr(csv_export, "BATCH", 50)

    def peak(parts: Iterator[bytes], batches: int) -> int:
        tracemalloc.start()
        for _ in range(batches + 1):
            next(parts)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    def fresh() -> Iterator[bytes]:
        return csv_export.complete_export(Kind.COMPANY, Company.objects.all(), NAME)

    peak(fresh(), 2)  # what Python keeps for itself
    assert peak(fresh(), 20) < 1.5 * peak(fresh(), 2)


def mailed(msp: Msp) -> None:
    """Ten contacts, of whom three addresses may be mailed."""
    off = company(msp, "Gone dark")
    Company.objects.filter(pk=off.pk).update(disabled_in_syncro=True)
    contact(msp, "Jo", last="Lindqvist", email="Jo@Firm.example", title="CEO")
    contact(msp, "Joanna", email="jo@firm.example")
    contact(msp, "Ada", email="ada@firm.example; ada@home.example")
    contact(msp, "Sam", email="+sam@firm.example")
    contact(msp, "Uma", email="uma@firm.example")
    contact(msp, "Ben", email="ben@firm.example")
    contact(msp, "Nil")
    contact(msp, "Odd", email="no address")
    contact(msp, "Off", email="off@dark.example", company=off.pk)
    edit.delete(contact(msp, "Del", email="del@firm.example"), actor=msp.alice)
    mailing.suppress(msp.account, "uma@firm.example", Suppression.Kind.UNSUBSCRIBED, actor=msp.alice)
    mailing.suppress(msp.account, "ben@firm.example", Suppression.Kind.BOUNCED, actor=msp.alice)


def test_a_mailing_has_one_row_per_address_and_adds_up(msp: Msp, alice: Client) -> None:
    mailed(msp)
    page = alice.get("/acme/contacts/export/").content.decode()
    words = (
        "9 contacts: 3 rows, 1 unsubscribed, 1 bounced, 2 without e-mail, "
        "1 of companies disabled in Syncro, 1 shares an address with another."
    )
    assert words in page
    assert "Download 3 rows" in page and "Download all 9" in page
    assert read(alice.get("/acme/contacts/mailing.csv")) == [
        ["E-mail", "First name", "Last name", "Title", "Company", "Phone", "City", "State", "ZIP", "Country"],
        ["+sam@firm.example", "Sam", *[""] * 8],
        ["ada@firm.example", "Ada", *[""] * 8],
        ["jo@firm.example", "Jo", "Lindqvist", "CEO", *[""] * 6],
    ]
    everyone = mailing_sum(Contact.objects.all())
    assert everyone.contacts == everyone.rows + sum(count for count, _ in everyone.left_out) == 10


def test_of_many_the_page_comes_first_and_the_sum_is_asked_for(
    msp: Msp, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailed(msp)
    monkeypatch.setattr(paging, "COUNTED", 8)
    page = alice.get("/acme/contacts/export/?q=firm").content.decode()
    assert "is being counted" not in page and "Download 3 rows" in page
    page = alice.get("/acme/contacts/export/?sort=-created").content.decode()
    assert "More than 8 contacts. What the file will hold is being counted." in page
    assert "/acme/contacts/mailing.csv?sort=-created" in page and "/export.csv?sort=-created" in page
    further = re.findall(r'(?:hx-get|href)="(\?count=[^"]*)"', page)
    assert further == ["?count=all&amp;sort=-created"] * 2
    whole = alice.get(f"/acme/contacts/export/{further[0].replace('&amp;', '&')}").content.decode()
    assert "9 contacts: 3 rows, 1 unsubscribed" in whole and "Download all 9" in whole
    assert 'hx-get="?count' not in whole


def test_the_address_decides_even_if_a_contacts_copy_is_behind(msp: Msp) -> None:
    mailed(msp)
    Contact.objects.update(mail_state=Contact.MailState.SUBSCRIBED)
    assert mailing_sum(Contact.objects.filter(first__in=["Uma", "Ben", "Jo"])).words == (
        "3 contacts: 1 row, 1 unsubscribed, 1 bounced."
    )


def test_a_mailing_of_a_list_by_its_own_page(msp: Msp, alice: Client) -> None:
    news = lists.create_list(msp.account, "Spring news")
    mailed(msp)
    lists.add(news, Contact.objects.filter(first__in=["Jo", "Uma"]).values_list("pk", flat=True), actor=None)
    listed = alice.get(f"/acme/lists/{news.pk}/").content.decode()
    assert f'href="/acme/contacts/export/?of_list={news.pk}"' in listed
    page = alice.get(f"/acme/contacts/export/?of_list={news.pk}").content.decode()
    assert "2 contacts: 1 row, 1 unsubscribed." in page and "Contacts on Spring news." in page
    answer = alice.get(f"/acme/contacts/mailing.csv?of_list={news.pk}")
    assert (
        f"mailing-spring-news-{timezone.localdate().isoformat()}.csv" in answer.headers["Content-Disposition"]
    )
    assert [line[0] for line in read(answer)] == ["E-mail", "jo@firm.example"]


def test_who_took_what_out_of_the_house_is_in_the_audit_log(msp: Msp, alice: Client) -> None:
    mailed(msp)
    read(alice.get("/acme/contacts/mailing.csv?q=firm"))
    read(alice.get("/acme/tables/companies/export.csv?show=all"))
    assert list(Audit.objects.order_by("pk").values_list("actor__name", "verb", "objects_ids")) == [
        ("Alice Admin", "export.mailing", {"table": "contacts", "rows": 3}),
        ("Alice Admin", "export.complete", {"table": "companies", "rows": 1}),
    ]


def test_a_salesperson_may_not_export(msp: Msp) -> None:
    contact(msp)
    bob = client_of(msp.bob)
    pages = ["tables/contacts/export.csv", "contacts/mailing.csv", "contacts/export/"]
    assert [bob.get(f"/acme/{page}").status_code for page in pages] == [403, 403, 403]
    assert "Export" not in bob.get("/acme/contacts/").content.decode()


def test_select_all_on_a_lists_page_means_the_list(msp: Msp, alice: Client) -> None:
    news, other = lists.create_list(msp.account, "News"), lists.create_list(msp.account, "Other")
    jo = contact(msp, "Jo")
    contact(msp, "Sam")
    lists.add(news, [jo.pk], actor=msp.alice)
    form = {"action": "add", "list": str(other.pk), "all": "1", "narrowing": "", "of_list": str(news.pk)}
    alice.post("/acme/tables/contacts/selected/", form)
    assert list(ListMember.objects.filter(list=other).values_list("contact_id", flat=True)) == [jo.pk]
