"""The Users page with two Admins at once, who take nothing back from each other; and with somebody disabled."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import in_account
from propolis.bridge.models import Connection, Link, RemoteUser
from propolis.crm.models import Opportunity, OppStatus
from tests.people import Crew, client_of

USERS = "/acme/settings/integrations/syncro/users/"
Form = dict[str, list[str]]


@pytest.fixture
def acme(crew: Crew) -> Iterator[Account]:
    with in_account(crew.account):
        yield crew.account


@pytest.fixture
def rows(acme: Account, crew: Crew) -> list[RemoteUser]:
    """Bob, a Salesperson here; Mia, a Marketer here; Kim, nobody yet."""
    now = timezone.now()
    connection = Connection.objects.create(
        account=acme, connected_at=now, users_read_at=now, users_step="read", state="connected"
    )
    return [
        RemoteUser.objects.create(
            account=acme, connection=connection, remote_id=number, name=name, membership=person,
            email_key=f"{name.lower()}@acme.example", first_seen_at=now, read_at=now,
        )
        for number, (name, person) in enumerate((("Bob", crew.bob), ("Mia", crew.mia), ("Kim", None)), 1)
    ]  # fmt: skip


def as_shown(client: Client) -> Form:
    """What the page would send as it is."""
    page = client.get(USERS).content.decode()
    form: Form = {}
    for tag in re.findall(r'<input [^>]*form="roles-form"[^>]*>', page):
        found = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if found["type"] == "hidden" or " checked" in tag:
            form.setdefault(found["name"], []).append(found["value"])
    return form


def roles() -> dict[str, list[str]]:
    return {person.name: person.role_types for person in Membership.objects.order_by("name")}


def test_a_page_opened_before_changes_only_what_was_ticked_on_it(
    crew: Crew, rows: list[RemoteUser], visitor: Client
) -> None:
    bob, mia, kim = rows
    before = as_shown(visitor)
    # Meanwhile another Admin makes Mia an Admin, takes Bob's roles and imports Kim.
    theirs = as_shown(client_of(crew.alice))
    theirs |= {f"roles-{mia.pk}": ["Marketer", "Admin"], f"roles-{bob.pk}": ["No Types"]}
    client_of(crew.alice).post(f"{USERS}roles/", theirs | {f"roles-{kim.pk}": ["Admin"]})
    visitor.post(f"{USERS}roles/", before | {f"roles-{mia.pk}": ["Marketer", "Salesperson"]})
    assert roles() == {
        "Alice Moreau": ["Admin"],
        "Bob Tanaka": [],
        "Kim": ["Admin"],
        "Mia Okafor": ["Marketer", "Salesperson", "Admin"],
    }


def test_opportunities_that_wait_for_somebody_disabled_are_given_away_not_linked(
    acme: Account, crew: Crew, rows: list[RemoteUser], visitor: Client
) -> None:
    bob = rows[0]
    Membership.objects.filter(pk=crew.bob.pk).update(state="disabled")
    status = OppStatus.objects.create(account=acme, name="New", position=0)
    deal = Opportunity.objects.create(
        account=acme, name="Firewall", status=status, waits_for_remote_user=bob.remote_id
    )
    connection = Connection.objects.get()
    Link.objects.create(account=acme, connection=connection, kind="lead", remote_id=7, opportunity=deal)
    page = visitor.get(USERS).content.decode()
    assert (f"{bob.pk}/relink/" in page, f"{bob.pk}/hand-over/" in page) == (False, True)
    profile = visitor.get(f"/acme/opportunities/{deal.pk}/").content.decode()
    assert "Bob has it in Syncro, but is disabled here: so nobody has it here." in profile
    told = visitor.post(f"{USERS}{bob.pk}/relink/", follow=True).content.decode()
    assert "Bob Tanaka is disabled here. Give the opportunities to somebody else, or enable them." in told
    visitor.post(f"{USERS}{bob.pk}/hand-over/", {"to": crew.alice.pk})
    deal.refresh_from_db()
    assert deal.salesperson_id is None
    Membership.objects.filter(pk=crew.alice.pk).update(is_salesperson=True)
    visitor.post(f"{USERS}{bob.pk}/hand-over/", {"to": crew.alice.pk})
    deal.refresh_from_db()
    assert deal.salesperson_id == crew.alice.pk


def test_a_group_that_is_imported_already_is_told_so(rows: list[RemoteUser], visitor: Client) -> None:
    everybody = {"scope": "all", "roles": ["Marketer"]}
    assert "1 user imported" in visitor.post(f"{USERS}roles/", everybody, follow=True).content.decode()
    told = visitor.post(f"{USERS}roles/", everybody, follow=True).content.decode()
    assert "Nobody to import: these users are imported already, or left out." in told
    assert "tick role types, or No Types, first" not in told
    nothing = visitor.post(f"{USERS}roles/", {"scope": "all"}, follow=True).content.decode()
    assert "Nothing to import: tick role types, or No Types, first." in nothing


def test_ticks_taken_off_are_taken_off(rows: list[RemoteUser], visitor: Client) -> None:
    bob, _mia, kim = rows
    form = as_shown(visitor)
    form[f"roles-{bob.pk}"] = []
    told = visitor.post(f"{USERS}roles/", form, follow=True)
    assert [str(one) for one in told.context["messages"]] == ["Role types of 1 changed."]
    visitor.post(f"{USERS}roles/", as_shown(visitor) | {f"roles-{kim.pk}": ["No Types"]})
    assert (roles()["Bob Tanaka"], roles()["Kim"], roles()["Mia Okafor"]) == ([], [], ["Marketer"])
