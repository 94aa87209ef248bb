""" "Needs review" as pages: side by side, three buttons, the next one by itself; only for Admins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.models import Link
from propolis.crm.models import Company
from syncro_sandbox import SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import import_all, ready
from tests.bridge.review_story import two_to_decide
from tests.people import Crew, client_of, text

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/acme/settings/integrations/syncro/review/"


@pytest.fixture
def acme(crew: Crew) -> Iterator[Account]:
    with in_account(crew.account):
        with a_syncro(SeedOptions(companies=0, contacts=0, leads=0)) as syncro:
            ready(crew.account, syncro)
            two_to_decide(crew.account, syncro)
            import_all(crew.account, "companies")
        yield crew.account


def post(client: Client, link: Link, **values: Any) -> Any:
    return client.post(f"{BASE}{link.pk}/decide/", {"rev": link.rev, **values}, follow=True)


def held() -> list[Link]:
    return list(Link.objects.order_by("pk"))


def test_side_by_side_with_the_evidence_in_words(acme: Account, crew: Crew) -> None:
    found = client_of(crew.alice).get(BASE)
    review = found.context["review"]
    one = review.candidates[0]
    assert (review.name, review.why) == (
        "Brightwater Dental",
        "It may be one of yours, but the evidence is too weak to merge by itself.",
    )
    assert (one.name, one.evidence, one.detail) == (
        "Something Else",
        "Same domain, but different names",
        "brightwater.example",
    )
    told = {line.label: (line.theirs, [(c.text, c.differs) for c in line.ours]) for line in review.lines}
    assert (
        told
        == {
            "Name": ("Brightwater Dental", [("Something Else", True)]),
            "E-mail": ("desk@brightwater.example", [("", False)]),
            "Phone": ("5035550199", [("", False)]),
            "City": ("", [("Reno", False)]),
            "Website": ("", [("brightwater.example", False)]),
        }
        or told
    )
    assert "2 left to decide" in text(found)


def test_a_decision_is_applied_and_the_next_one_opens(acme: Account, crew: Crew) -> None:
    client = client_of(crew.alice)
    first, second = held()
    found = post(client, first, choice="link", local=first.candidates[0]["local_id"])
    assert found.redirect_chain == [(f"{BASE}{second.pk}/", 302)]
    assert found.context["review"].name == "Harbor Freight"
    found = post(client, second, choice="skip")
    assert found.redirect_chain == [(BASE, 302)]
    assert "Nothing to decide" in text(found)
    assert [(link.state, link.choice) for link in held()] == [("linked", "link"), ("skipped", "skip")]


def test_decisions_are_listed_and_changed(acme: Account, crew: Crew) -> None:
    client = client_of(crew.alice)
    first, second = held()
    post(client, second, choice="skip")
    post(client, first, choice="create")
    listed = client.get(f"{BASE}decisions/").context["decisions"]
    assert [(one.name, one.word, one.local, one.who) for one in listed] == [
        ("Brightwater Dental", "Created", "Brightwater Dental", "Alice Moreau"),
        ("Harbor Freight", "Skipped", "", "Alice Moreau"),
    ]
    changed = Link.objects.get(pk=second.pk)
    found = post(client, changed, choice="link", local=second.candidates[0]["local_id"])
    assert found.redirect_chain == [(f"{BASE}decisions/", 302)]
    assert [(one.name, one.word) for one in found.context["decisions"]] == [
        ("Harbor Freight", "Linked"),
        ("Brightwater Dental", "Created"),
    ]


def test_a_page_that_is_out_of_date_changes_nothing(acme: Account, crew: Crew) -> None:
    client = client_of(crew.alice)
    first, _ = held()
    post(client, first, choice="skip")
    found = post(client, first, choice="create")
    assert [str(each) for each in found.context["messages"]][-1].startswith(
        "Somebody decided this meanwhile."
    )
    assert Company.objects.count() == 2


def test_accept_all_asks_first_and_never_takes_weak_ones(acme: Account, crew: Crew) -> None:
    client = client_of(crew.alice)
    link, _ = held()
    strong = [{**link.candidates[0], "strength": "strong"}]
    Link.objects.filter(pk=link.pk).update(candidates=strong)
    assert "Accept all 1 strong match" in text(client.get(BASE))
    asked = client.get(f"{BASE}accept/")
    assert (asked.context["count"], asked.context["rows"]) == (
        1,
        [("Brightwater Dental", "Something Else", "Same domain, but different names: brightwater.example")],
    )
    again = client.post(f"{BASE}accept/", {"count": "2"})
    assert (again.context["again"], Link.objects.filter(state="linked").count()) == (True, 0)
    client.post(f"{BASE}accept/", {"count": "1"})
    assert [one.state for one in held()] == ["linked", "review"]


def test_only_an_admin_of_this_account(acme: Account, crew: Crew) -> None:
    link, _ = held()
    addresses = [BASE, f"{BASE}{link.pk}/", f"{BASE}decisions/", f"{BASE}accept/"]
    for person, status in ((crew.bob, 403), (crew.mia, 403), (crew.charlie, 404)):
        client = client_of(person)
        told = {client.get(address).status_code for address in addresses}
        told.add(client.post(f"{BASE}{link.pk}/decide/", {"choice": "create", "rev": link.rev}).status_code)
        assert told == {status}, person
    assert [one.state for one in held()] == ["review", "review"]


def test_queries_do_not_grow_with_what_waits(
    acme: Account, crew: Crew, django_assert_num_queries: Any
) -> None:
    client = client_of(crew.alice)
    client.get(BASE)
    first = held()[0]
    more = [
        Link(account=acme, connection=first.connection, kind="customer", remote_id=10**6 + at, state="review")
        for at in range(200)
    ]
    with django_assert_num_queries(18):
        client.get(BASE)
    Link.objects.bulk_create(more)
    with django_assert_num_queries(18):
        client.get(BASE)
