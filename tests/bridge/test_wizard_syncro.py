"""Connection and Users as a person meets them, against a Syncro on a real socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import in_account
from propolis.bridge import vault
from propolis.bridge.models import Connection, Link, RemoteUser
from propolis.bridge.statuses import ensure_status_map
from propolis.bridge.steps import steps_of
from propolis.crm.models import Opportunity, OppStatus
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro
from tests.people import Crew, client_of

BASE = "/acme/settings/integrations/syncro/"
READING = ["Customers - List/Search", "Customers - View Detail", "Leads - List/Search"]


@pytest.fixture
def acme(crew: Crew) -> Iterator[Account]:
    with in_account(crew.account):
        yield crew.account


@pytest.fixture
def syncro(settings: Any) -> Iterator[Running]:
    with a_syncro() as running:
        settings.PROPOLIS_SYNCRO_BASE_URL = running.base_url
        yield running


def words_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def said(response: Any) -> list[str]:
    """The messages a page shows, in order."""
    return [str(message) for message in response.context["messages"]]


def results(response: Any) -> dict[str, str]:
    return {line["name"]: line["word"] for group in response.context["groups"] for line in group["lines"]}


def test_check_shows_every_permission_and_saves_nothing(acme: Account, visitor: Client, syncro: Running):
    token = syncro.sandbox.add_token(READING)
    shown = visitor.post(BASE + "connection/check/", {"token": token}, headers={"HX-Request": "true"})
    assert results(shown) == {
        "Customers - List/Search": "Yes",
        "Customers - View Detail": "Yes",
        "Leads - List/Search": "Yes",
        "Customers - Edit": "Missing",
        "Customers - Create": "Not tested",
    }
    assert "This token can import" in words_of(shown)
    edit = shown.context["groups"][1]["lines"][0]
    assert (edit["tone"], edit["detail"]) == (
        "warn",
        "Importing works without it. Add it before you use Send to Syncro.",
    )
    assert token not in words_of(shown)
    assert not Connection.objects.exists()


def test_a_wrong_token_and_a_missing_permission_each_have_their_sentence(
    acme: Account, visitor: Client, syncro: Running
):
    wrong = visitor.post(BASE + "connection/", {"token": "Twrong"})
    assert wrong.context["form"].errors == {
        "token": [
            "Syncro did not accept the API token. It may have expired or been removed: make a new one in "
            "Syncro (Admin > API Tokens) and save it under Connection."
        ]
    }
    token = syncro.sandbox.add_token(READING[:2])
    missing = visitor.post(BASE + "connection/", {"token": token})
    assert missing.context["form"].errors == {
        "token": [
            "Not connected: the token lacks a permission needed to import. Add what is marked below in "
            "Syncro, or make a new token, then check again."
        ]
    }
    assert results(missing)["Leads - List/Search"] == "Missing"
    assert not Connection.objects.exists()
    for shown in (wrong, missing):
        assert token not in words_of(shown)


def test_an_empty_form_and_a_bad_subdomain_are_told_beside_their_fields(acme: Account, visitor: Client):
    empty = visitor.post(BASE + "connection/", {})
    assert empty.context["form"].errors == {
        "address": ["Enter your Syncro subdomain."],
        "token": ["Paste the API token that you made in Syncro."],
    }
    bad = visitor.post(BASE + "connection/", {"address": "http://evil.example/", "token": "T1"})
    assert bad.context["form"].errors["address"] == [
        '"http://evil.example/" is not a Syncro address. Give the first part of the address you sign in to, '
        "such as acme of acme.syncromsp.com."
    ]


def connect(visitor: Client, syncro: Running) -> Connection:
    visitor.post(BASE + "connection/", {"token": syncro.token})
    return Connection.objects.get()


def test_saved_credentials_show_who_when_and_the_last_four_only(
    acme: Account, crew: Crew, visitor: Client, syncro: Running
):
    connection = connect(visitor, syncro)
    assert (connection.state, connection.connected_by) == ("connected", crew.alice)
    shown = words_of(visitor.get(BASE + "connection/"))
    assert f"ends in {syncro.token[-4:]}" in shown
    assert "by Alice Moreau" in shown
    assert syncro.token not in shown


def test_a_token_that_died_is_told_and_replaced(acme: Account, visitor: Client, syncro: Running):
    connection = connect(visitor, syncro)
    syncro.sandbox.revoke_token(syncro.token)
    shown = visitor.post(BASE + "connection/check-saved/", follow=True)
    assert "Syncro does not accept the saved token" in words_of(shown)
    assert shown.context["groups"] == []  # what it was once allowed is no longer true
    assert shown.context["replacing"]
    wrong = visitor.post(BASE + "connection/replace/", {"token": "Twrong"})
    assert "token" in wrong.context["replace"].errors
    token = syncro.sandbox.add_token(READING)
    assert said(visitor.post(BASE + "connection/replace/", {"token": token}, follow=True)) == [
        f"The token is replaced. Connected to {syncro.base_url.split('/')[2]}."
    ]
    connection.refresh_from_db()
    assert (connection.state, vault.open_token(connection)) == ("connected", token)


def test_a_permission_taken_away_later_is_named_and_not_taken_for_a_dead_token(
    acme: Account, visitor: Client, syncro: Running
):
    connection = connect(visitor, syncro)
    vault.seal(connection, syncro.sandbox.add_token(READING[:2]))
    connection.save()
    shown = visitor.post(BASE + "connection/check-saved/", follow=True)
    assert "The saved token lacks Leads - List/Search" in words_of(shown)
    assert "Permission missing" in words_of(shown)
    assert "Token refused" not in words_of(shown)
    assert results(shown)["Leads - List/Search"] == "Missing"
    assert steps_of(Connection.objects.get())[0].line == "The saved token lacks a permission"


def test_disconnecting_asks_first_and_keeps_the_links(acme: Account, visitor: Client, syncro: Running):
    connection = connect(visitor, syncro)
    Link.objects.create(account=acme, connection=connection, kind="customer", remote_id=1)
    assert "Disconnect from" in words_of(visitor.get(BASE + "connection/disconnect/"))
    assert Connection.objects.get().state == "connected"
    visitor.post(BASE + "connection/disconnect/")
    assert (Connection.objects.get().state, Link.objects.count()) == ("disconnected", 1)
    again = connect(visitor, syncro)
    assert (again.pk, again.state) == (connection.pk, "connected")


def test_another_syncro_is_refused_until_its_links_are_dropped_on_purpose(
    acme: Account, visitor: Client, syncro: Running, settings: Any
):
    connection = connect(visitor, syncro)
    Link.objects.create(account=acme, connection=connection, kind="customer", remote_id=1)
    visitor.post(BASE + "connection/disconnect/")
    with a_syncro(SeedOptions(companies=1, subdomain="other-msp")) as other:
        settings.PROPOLIS_SYNCRO_BASE_URL = other.base_url
        refused = words_of(visitor.post(BASE + "connection/", {"token": other.token}))
        assert "This token belongs to another Syncro account (other-msp)" in refused
        assert "1 record here is linked to" in refused
        assert Link.objects.count() == 1
        visitor.post(BASE + "connection/", {"token": other.token, "drop_links": "on"})
    assert (Connection.objects.get().remote_account, Link.objects.count()) == ("other-msp", 0)


def read_users(visitor: Client) -> Any:
    """Presses "Read users" and goes on until nothing is left to read."""
    response = visitor.post(BASE + "users/read/", follow=True)
    while response.context["roster"].unread:
        response = visitor.post(BASE + "users/details/", follow=True)
    return response


def test_users_are_read_portion_by_portion(acme: Account, visitor: Client, syncro: Running):
    connect(visitor, syncro)
    count = len(syncro.sandbox.users)
    assert count > 8
    first = visitor.post(BASE + "users/read/", follow=True)
    assert (first.context["roster"].read, first.context["roster"].unread) == (8, count - 8)
    assert f"8 of {count} users" in words_of(first)
    part = visitor.post(BASE + "users/details/", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (204, BASE + "users/")
    assert Connection.objects.get().users_step == "read"


def test_a_token_that_dies_while_users_are_read_leads_back_to_connection(
    acme: Account, visitor: Client, syncro: Running
):
    connect(visitor, syncro)
    syncro.sandbox.revoke_token(syncro.token)
    shown = visitor.post(BASE + "users/read/", follow=True)
    assert shown.request["PATH_INFO"] == BASE + "connection/"
    assert Connection.objects.get().state == "broken"


def test_import_users_by_group_and_row_by_row(acme: Account, crew: Crew, visitor: Client, syncro: Running):
    connect(visitor, syncro)
    read_users(visitor)
    sales = [user for user in syncro.sandbox.users.values() if user.group == "Sales"]
    others = [user for user in syncro.sandbox.users.values() if user.group != "Sales"]
    told = visitor.post(
        BASE + "users/roles/", {"scope": "group:Sales", "roles": ["Salesperson"]}, follow=True
    )
    assert said(told) == [f"{len(sales)} users imported."]
    row = RemoteUser.objects.get(remote_id=others[0].id)
    form = {f"row-{row.pk}": "1", f"roles-{row.pk}": ["No Types"]}
    for seller in RemoteUser.objects.exclude(membership=None):
        form |= {f"row-{seller.pk}": "1", f"roles-{seller.pk}": ["Salesperson", "Marketer"]}
    told = visitor.post(BASE + "users/roles/", form, follow=True)
    assert said(told) == [f"1 user imported, role types of {len(sales)} changed."]
    made = Membership.objects.filter(state="linked")
    assert {person.email_key: person.role_types for person in made} == {
        **{user.email.lower(): ["Marketer", "Salesperson"] for user in sales},
        others[0].email.lower(): [],
    }
    assert not [person for person in made if person.user_id]
    nothing = visitor.post(BASE + "users/roles/", {"scope": "all"}, follow=True)
    assert said(nothing) == ["Nothing to import: tick role types, or No Types, first."]


def test_invite_names_them_links_by_e_mail_and_passes_over_who_has_no_role(
    acme: Account, visitor: Client, syncro: Running
):
    connect(visitor, syncro)
    read_users(visitor)
    two, three = RemoteUser.objects.order_by("remote_id")[:2]
    visitor.post(
        BASE + "users/roles/",
        {f"row-{two.pk}": "1", f"roles-{two.pk}": "Salesperson", f"row-{three.pk}": "1",
         f"roles-{three.pk}": "No Types"},
    )  # fmt: skip
    two.refresh_from_db()
    three.refresh_from_db()
    page = words_of(visitor.get(BASE + "users/"))
    tick = re.search(rf'<input type="checkbox"[^>]*value="{three.membership_id}"[^>]*Invite[^>]*>', page)
    assert tick is not None
    assert 'disabled title="Give a role first"' in tick[0]
    assert not re.search(r'name="person"[^>]* checked', page)
    nobody = visitor.get(BASE + "users/invite/", follow=True)
    assert said(nobody) == [
        "No further Syncro users to link by e-mail.",
        "Nobody is ticked, so nobody was invited. Somebody with No Types needs a role first.",
    ]
    late = RemoteUser.objects.filter(membership=None).order_by("remote_id")[0]
    RemoteUser.objects.filter(pk=late.pk).update(email_key="late@acme.example")
    Membership.objects.bulk_create([Membership(account=acme, name="Late", email_key="late@acme.example")])
    ticked = {"person": [str(two.membership_id), str(three.membership_id)]}
    asked = visitor.get(BASE + "users/invite/", ticked)
    assert f"<h1>Send 1 invitation: {two.name}</h1>" in words_of(asked)
    assert said(asked) == ["1 Syncro user linked by e-mail."]
    assert mail.outbox == []
    sent = visitor.post(BASE + "users/invite/", ticked, follow=True)
    assert said(sent) == [
        "No further Syncro users to link by e-mail.",
        f"1 invitation sent: {two.name}.",
    ]
    assert [message.to for message in mail.outbox] == [[two.email_key]]
    assert "Invited, until" in words_of(sent)


def test_an_invitation_is_sent_again_copied_and_revoked(acme: Account, visitor: Client, syncro: Running):
    connect(visitor, syncro)
    read_users(visitor)
    row = RemoteUser.objects.order_by("remote_id")[0]
    visitor.post(BASE + "users/roles/", {f"row-{row.pk}": "1", f"roles-{row.pk}": "Admin"})
    row.refresh_from_db()
    person = row.membership
    assert person is not None
    for _ in range(2):
        visitor.post(BASE + "users/invite/", {"person": person.pk})
    first, second = (re.search(r"/invite/\S+", str(message.body)) for message in mail.outbox)
    assert first and second
    outsider = client_of(None)
    assert "Join Acme Managed IT" not in words_of(outsider.get(first[0]))
    copied = visitor.post(BASE + f"users/{person.pk}/link/")
    link = re.search(r'value="[^"]*(/invite/[^"]+)"', words_of(copied))
    assert link
    assert "Join Acme Managed IT" in words_of(outsider.get(link[1]))
    visitor.post(BASE + f"users/{person.pk}/revoke/")
    assert "Join Acme Managed IT" not in words_of(outsider.get(link[1]))


def test_is_this_you_and_matching_by_hand(acme: Account, crew: Crew, visitor: Client, syncro: Running):
    connect(visitor, syncro)
    shown = words_of(read_users(visitor))
    assert "Is this you?" in shown
    owner = syncro.sandbox.owner
    told = visitor.post(BASE + "users/me/", follow=True)
    assert said(told) == [f"{owner.full_name} in Syncro is you."]
    assert RemoteUser.objects.get(membership=crew.alice).remote_id == owner.id
    other = RemoteUser.objects.filter(membership=None).order_by("remote_id")[0]
    assert f"Who is {other.name} here?" in words_of(visitor.get(BASE + f"users/{other.pk}/"))
    visitor.post(BASE + f"users/{other.pk}/", {"choice": str(crew.bob.pk)})
    other.refresh_from_db()
    assert (other.membership, other.choice) == (crew.bob, "hand")
    visitor.post(BASE + f"users/{other.pk}/", {"choice": "leave_out"})
    other.refresh_from_db()
    assert (other.membership, other.choice) == (None, "leave_out")


def test_give_sams_open_opportunities_to_somebody_else(
    acme: Account, crew: Crew, visitor: Client, syncro: Running
):
    connection = connect(visitor, syncro)
    read_users(visitor)
    ensure_status_map(connection)
    sam = RemoteUser.objects.order_by("remote_id").last()
    assert sam is not None
    status = OppStatus.objects.get(name="New")
    for name in ("Firewall", "Laptops"):
        Opportunity.objects.create(
            account=acme, name=name, status=status, waits_for_remote_user=sam.remote_id
        )
    RemoteUser.objects.filter(pk=sam.pk).update(left_at=timezone.now())
    page = words_of(visitor.get(BASE + "users/"))
    assert "Left Syncro" in page
    address = BASE + f"users/{sam.pk}/hand-over/"
    assert f"Give {sam.name}’s 2 open opportunities to …" in words_of(visitor.get(address))
    told = visitor.post(address, {"to": crew.bob.pk}, follow=True)
    assert said(told) == [f"2 open opportunities of {sam.name} given to Bob Tanaka."]
    assert set(Opportunity.objects.values_list("salesperson", flat=True)) == {crew.bob.pk}
    assert visitor.post(address, {"to": crew.mia.pk}).status_code == 404


def test_a_new_salesperson_gets_what_waited_for_them_wherever_the_role_was_given(
    acme: Account, crew: Crew, visitor: Client, syncro: Running
):
    connection = connect(visitor, syncro)
    read_users(visitor)
    ensure_status_map(connection)
    user = RemoteUser.objects.order_by("remote_id")[1]
    opportunity = Opportunity.objects.create(
        account=acme,
        name="Firewall",
        status=OppStatus.objects.get(name="New"),
        waits_for_remote_user=user.remote_id,
    )
    response = visitor.post(
        "/acme/settings/users/new/",
        {"name": user.name, "email": user.email_key, "is_salesperson": "on"},
    )
    assert response.status_code == 302
    opportunity.refresh_from_db()
    assert opportunity.salesperson is not None
    assert opportunity.salesperson.email_key == user.email_key


def test_one_click_links_what_was_imported_without_its_salesperson(
    acme: Account, crew: Crew, visitor: Client, syncro: Running
):
    connection = connect(visitor, syncro)
    read_users(visitor)
    ensure_status_map(connection)
    user = RemoteUser.objects.order_by("remote_id")[1]
    status = OppStatus.objects.get(name="New")
    firewall, laptops = (
        Opportunity.objects.create(
            account=acme, name=name, status=status, waits_for_remote_user=user.remote_id
        )
        for name in ("Firewall", "Laptops")
    )
    link = Link(account=acme, connection=connection, kind="lead", remote_id=1, opportunity=firewall)
    link.save()
    assert "2 opportunities wait for this salesperson." in words_of(visitor.get(BASE + "users/"))
    shown = words_of(visitor.get(f"/acme/opportunities/{firewall.pk}/"))
    assert f"{user.name} has it in Syncro, but is not a Salesperson here: so nobody has it here." in shown
    address = BASE + f"users/{user.pk}/relink/"
    assert client_of(crew.bob).post(address).status_code == 403
    assert client_of(crew.charlie).post(address).status_code == 404
    told = visitor.post(address, {"opportunity": firewall.pk})
    assert told.headers["Location"] == f"/acme/opportunities/{firewall.pk}/"
    firewall.refresh_from_db()
    laptops.refresh_from_db()
    person = Membership.objects.get(email_key=user.email_key)
    assert [firewall.salesperson, laptops.salesperson] == [person, person]
    assert (person.name, person.role_types) == (user.name, ["Salesperson"])


def test_the_same_button_under_users_links_by_e_mail_too(acme: Account, visitor: Client, syncro: Running):
    connect(visitor, syncro)
    read_users(visitor)
    user = RemoteUser.objects.order_by("remote_id")[1]
    Membership.objects.bulk_create([Membership(account=acme, name="Late", email_key=user.email_key)])
    told = said(visitor.get("/acme/settings/users/invite/", follow=True))
    assert told[0] == "1 Syncro user linked by e-mail."
