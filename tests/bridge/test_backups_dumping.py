"""The canonical dump: equal texts mean equal accounts."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import in_account
from propolis.bridge.dumping import canonical_dump
from propolis.bridge.models import Link
from propolis.crm import edit
from propolis.crm.models import Company, Contact
from tests.bridge.backup_story import NOON, company, furnish, new_account

pytestmark = pytest.mark.django_db


def dump(account: Account) -> list[str]:
    return list(canonical_dump(account))


def test_the_same_work_gives_the_same_lines_whatever_the_ids() -> None:
    one, other = new_account("one"), new_account("other")
    with in_account(other):
        for number in range(3):
            company(other, name=f"Gone {number}")
        Company.objects.all().delete()
    furnish(one)
    furnish(other)
    assert dump(one) == dump(other)
    assert len(dump(one)) == 2 + 2 + 1 + 3 + 1 + 3 + 2


def test_every_line_is_json_and_names_records_by_syncro_id() -> None:
    one = new_account("one")
    furnish(one)
    lines = [json.loads(line) for line in dump(one)]
    with in_account(one):
        acme = Company.objects.order_by("id")[0]
    mine = next(line for line in lines if line[:2] == ["company", "customer 123"])
    assert mine[3]["name"] == acme.name
    assert [line[3:6] for line in lines if line[0] == "link"][1] == ["customer 123", None, None]


@pytest.mark.parametrize("what", ["value", "link", "deleted", "list"])
def test_a_difference_shows(what: str) -> None:
    one, other = new_account("one"), new_account("other")
    furnish(one)
    furnish(other)
    with in_account(other):
        jo = Contact.objects.get(last="Lindqvist")
        if what == "value":
            edit.update(other, jo, {"city": "Leeds"}, actor=None)
        elif what == "link":
            Link.objects.filter(remote_id=123).update(agreed={"business_name": "Acme!"})
        elif what == "deleted":
            edit.delete(jo, actor=None)
        else:
            jo.on_lists.update(state="removed")
    assert dump(one) != dump(other)


def test_clocks_of_this_installation_do_not_show_and_those_of_syncro_do() -> None:
    one, other = new_account("one"), new_account("other")
    furnish(one)
    furnish(other)
    with in_account(other):
        Company.objects.exclude(links__remote_id=123).update(edited_at=NOON - timedelta(days=9))
        Membership.objects.filter(name="Bob").update(name="Robert")
    assert dump(one) == dump(other)
    with in_account(other):
        Company.objects.filter(links__remote_id=123).update(edited_at=NOON - timedelta(days=9))
    assert dump(one) != dump(other)
