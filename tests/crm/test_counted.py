"""Numbers on pages are exact up to ten thousand, so that nothing is read for more than that."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from propolis.crm import edit, lists, paging
from propolis.crm.listing import COMPANIES
from propolis.crm.models import Company, Contact, OppStatus
from tests.crm.people import Msp
from tests.crm.test_edit import company, contact, opportunity


def numbers(client: Client, where: str) -> dict[str, str]:
    """First column → last column of the page's table."""
    page = client.get(where).content.decode()
    rows = re.findall(r"<tr><th.*?</tr>", page.partition("<tbody>")[2], re.DOTALL)
    told = [re.sub(r"<[^>]*>", " ", row).split() for row in rows]
    return {" ".join(words[:-1]).replace(" Built in", ""): words[-1] for words in told}


def test_a_list_counts_the_living_up_to_so_many(
    msp: Msp, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    news, few = (lists.create_list(msp.account, name) for name in ("News", "Few"))
    lists.create_list(msp.account, "Nobody")
    people = [contact(msp, f"Jo {n}").pk for n in range(5)]
    lists.add(news, people, actor=msp.alice)
    lists.add(few, people[:3], actor=msp.alice)
    lists.remove(few, people[:1], actor=msp.alice)
    edit.delete(Contact.objects.get(pk=people[4]), actor=msp.alice)
    assert [(row.name, size) for row, size in lists.with_counts()] == [("Few", 2), ("News", 4), ("Nobody", 0)]
    monkeypatch.setattr(paging, "COUNTED", 3)
    assert [size for _, size in lists.with_counts()] == [2, 4, 0]
    assert numbers(alice, "/acme/lists/") == {
        "Few Off": "2",
        "News Off": "3+",
        "Nobody Off": "0",
        "Contacts w/o Lists": "0",
        "Unsubscribed": "0",
        "Bounced": "0",
    }


def test_what_a_leaver_has_is_counted_up_to_so_many(
    msp: Msp, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        company(msp, f"Firm {n}", salesperson=msp.bob.pk)
    monkeypatch.setattr(paging, "COUNTED", 3)
    page = alice.get(f"/acme/settings/users/{msp.bob.pk}/hand-over/").content.decode()
    assert "3+" in re.sub(r"<[^>]*>", " ", page.partition("Companies")[2])[:20]


def test_every_company_is_a_customer_or_a_prospect(msp: Msp) -> None:
    names = {"Won it", "Lost it", "Never asked", "Won and deleted"}
    rows = {name: company(msp, name) for name in names}
    opportunity(msp, "A", company=rows["Won it"].pk, status=msp.status("Won").pk)
    opportunity(msp, "B", company=rows["Lost it"].pk, status=msp.status("Lost").pk)
    gone = opportunity(msp, "C", company=rows["Won and deleted"].pk, status=msp.status("Won").pk)
    edit.delete(gone, actor=msp.alice)
    state = next(each for each in COMPANIES.filters if each.key == "state")
    told = {value: state.apply(Company.objects.all(), value) for value in ("customer", "prospect")}
    assert {row.name for row in told["customer"]} == {"Won it"}
    assert {row.name for row in told["prospect"]} == names - {"Won it"}
    many = next(each.many for each in COMPANIES.filters if each.key == "state")
    assert many is not None
    for value, found in told.items():
        assert set(many(Company.objects.all(), value)) == set(found)
    assert OppStatus.objects.filter(outcome="won").count() == 1
