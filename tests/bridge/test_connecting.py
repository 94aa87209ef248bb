"""Connecting: by reading only, a bad token never taken for a missing permission, another Syncro refused."""

from __future__ import annotations

import time
from typing import Any

import pytest

from propolis.accounts.models import Account, Audit, Membership
from propolis.bridge import connecting, vault
from propolis.bridge.connecting import Refusal, connect
from propolis.bridge.models import Connection, Link, RemoteUser
from propolis.syncro import BadToken, MissingPermission, PermissionState
from syncro_sandbox import SeedOptions
from tests.bridge.house import SMALL, a_syncro, connected
from tests.bridge.import_story import documented

READING = ["Customers - List/Search", "Customers - View Detail", "Leads - List/Search"]


def states(lines: Any) -> dict[str, str]:
    return {line.name: line.state.value for line in lines}


def test_a_token_that_may_only_read_is_connected_and_nothing_was_written_in_syncro(
    acme: Account, alice: Membership
):
    with a_syncro() as syncro:
        token = syncro.sandbox.add_token(READING)
        before = syncro.sandbox.dump()
        found = connect(
            acme, address_or_base_url=syncro.base_url, token=f" {token}\n", by=alice, allow_any_url=True
        )
        assert syncro.sandbox.dump() == before
        assert {request["method"] for request in syncro.sandbox.requests} == {"GET"}
        owner = syncro.sandbox.owner.id
    assert isinstance(found, Connection)
    found.refresh_from_db()
    assert (found.state, found.last4, vault.open_token(found)) == ("connected", token[-4:], token)
    assert (found.connected_by, found.remote_user_id) == (alice, owner)
    assert found.remote_account == SMALL.subdomain
    assert states(connecting.permission_lines(found)) == {
        "Customers - List/Search": "ok",
        "Customers - View Detail": "ok",
        "Leads - List/Search": "ok",
        "Customers - Edit": "missing",
        "Customers - Create": "unknown",
    }
    assert list(Audit.objects.values_list("verb", "actor", "objects_ids")) == [
        ("syncro.connected", alice.pk, {"connection": found.pk})
    ]


def test_a_wrong_token_is_called_that_and_nothing_is_saved(acme: Account):
    with a_syncro() as syncro:
        found = connect(
            acme, address_or_base_url=syncro.base_url, token="Twrong", by=None, allow_any_url=True
        )
    assert isinstance(found, Refusal)
    assert (found.code, found.field, found.sentence) == (
        "syncro.bad_token",
        "token",
        documented("syncro.bad_token"),
    )
    assert not Connection.objects.exists()


def test_a_wrong_subdomain_is_called_that_and_nothing_is_saved(acme: Account):
    with a_syncro() as syncro:
        nowhere = syncro.base_url.replace("/api/v1", "/nobody/api/v1")
        found = connect(acme, address_or_base_url=nowhere, token=syncro.token, by=None, allow_any_url=True)
    assert isinstance(found, Refusal)
    assert (found.code, found.field, found.sentence) == (
        "syncro.wrong_address",
        "address",
        documented("syncro.wrong_address", host="127.0.0.1"),
    )
    assert not Connection.objects.exists()


def test_another_web_site_at_that_address_is_called_that(acme: Account):
    with a_syncro() as syncro:
        syncro.sandbox.fault("html", times=None)
        found = connect(
            acme, address_or_base_url=syncro.base_url, token=syncro.token, by=None, allow_any_url=True
        )
    assert isinstance(found, Refusal)
    assert (found.code, found.field, found.sentence) == (
        "syncro.not_syncro",
        "address",
        documented("syncro.not_syncro", host="127.0.0.1"),
    )
    assert not Connection.objects.exists()


@pytest.mark.parametrize("body", ["json", "empty", "html"])
def test_a_missing_permission_is_named_and_never_taken_for_a_wrong_token(acme: Account, body: str):
    with a_syncro(auth_failure_body=body) as syncro:
        token = syncro.sandbox.add_token(READING[:2])
        found = connect(acme, address_or_base_url=syncro.base_url, token=token, by=None, allow_any_url=True)
    assert isinstance(found, Refusal)
    assert found.report is not None
    assert found.code == "bridge.cannot_read"
    missing = [line for line in found.report.results if line.state is PermissionState.MISSING]
    assert [line.name for line in missing] == ["Leads - List/Search", "Customers - Edit"]
    assert missing[0].detail == MissingPermission("Leads - List/Search").sentence
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("http://127.0.0.1:9/api/v1", "syncro.bad_address"),
        ("acme.syncromsp.com.evil.example", "syncro.bad_address"),
        ("acme.syncromsp.com@evil.example", "syncro.bad_address"),
        ("localhost:8000", None),
        ("", "syncro.bad_address"),
    ],
)
def test_a_page_cannot_send_the_token_anywhere_but_to_syncro(acme: Account, typed: str, code: str | None):
    if code is None:
        # A port is no part of a subdomain: what remains is a label of Syncro's own host.
        assert connecting.target_of(typed).base_url == "https://localhost.syncromsp.com/api/v1"
        return
    found = connect(acme, address_or_base_url=typed, token="Tnever-sent", by=None)
    assert isinstance(found, Refusal)
    assert (found.code, found.field) == (code, "address")


@pytest.mark.parametrize(
    ("pasted", "base_url"),
    [
        ("acme", "https://acme.syncromsp.com/api/v1"),
        (" https://ACME.syncromsp.com/customers/12?x=1 ", "https://acme.syncromsp.com/api/v1"),
        ("acme.shield.syncromsp.com", "https://acme.shield.syncromsp.com/api/v1"),
    ],
)
def test_a_pasted_address_is_cut_down_to_its_subdomain(pasted: str, base_url: str):
    assert connecting.target_of(pasted).base_url == base_url


def test_the_server_setting_decides_where_pages_connect_to(acme: Account, settings: Any):
    with a_syncro() as syncro:
        settings.PROPOLIS_SYNCRO_BASE_URL = syncro.base_url
        found = connect(acme, address_or_base_url="acme", token=syncro.token, by=None)
    assert isinstance(found, Connection)
    assert (found.base_url, found.label) == (syncro.base_url, "")


def test_another_syncro_account_is_refused_while_links_exist_unless_they_are_dropped(acme: Account):
    with a_syncro() as first, a_syncro(SeedOptions(companies=2, subdomain="other-msp")) as second:
        connection = connected(acme, first)
        Link.objects.create(account=acme, connection=connection, kind="customer", remote_id=1)
        RemoteUser.objects.create(account=acme, connection=connection, remote_id=1, name="Joe")
        refused = connect(
            acme, address_or_base_url=second.base_url, token=second.token, by=None, allow_any_url=True
        )
        assert isinstance(refused, Refusal)
        assert refused.sentence == (
            f"This token belongs to another Syncro account (other-msp) than the one that was imported "
            f"({SMALL.subdomain}). Nothing was changed. Use a token of {SMALL.subdomain}, "
            "or drop the links to it first."
        )
        connection.refresh_from_db()
        assert (connection.base_url, connection.remote_account) == (first.base_url, SMALL.subdomain)
        dropped = connect(
            acme,
            address_or_base_url=second.base_url,
            token=second.token,
            by=None,
            allow_any_url=True,
            drop_links=True,
        )
    assert isinstance(dropped, Connection)
    assert (dropped.pk, dropped.remote_account) == (connection.pk, "other-msp")
    assert (Link.objects.count(), RemoteUser.objects.count()) == (0, 0)


def test_disconnecting_forgets_the_token_and_keeps_the_links(acme: Account, alice: Membership):
    with a_syncro() as syncro:
        connection = connected(acme, syncro, alice)
        Link.objects.create(account=acme, connection=connection, kind="customer", remote_id=1)
        connecting.disconnect(connection, by=alice)
        connection.refresh_from_db()
        assert (connection.state, connection.token_cipher, connection.last4) == ("disconnected", None, "")
        assert Link.objects.count() == 1
        again = connecting.replace_token(connection, token=syncro.token, by=alice)
    assert isinstance(again, Connection)
    assert (again.pk, again.state, Link.objects.count()) == (connection.pk, "connected", 1)


def test_a_token_that_dies_is_noted_but_not_on_one_that_replaced_it(acme: Account):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
        old = Connection.objects.get()
        syncro.sandbox.revoke_token(syncro.token)
        report = connecting.check_saved(connection)
        assert report.code == "syncro.bad_token"
        connection.refresh_from_db()
        assert connection.state == "broken"
        token = syncro.sandbox.add_token()
        connecting.replace_token(connection, token=token, by=None)
        connecting.token_died(old, BadToken())
        connection.refresh_from_db()
        assert (connection.state, vault.open_token(connection)) == ("connected", token)


def test_a_lost_reading_permission_breaks_the_connection_a_lost_sending_one_does_not(acme: Account):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
    connecting.token_died(connection, MissingPermission("Customers - Edit"))
    connection.refresh_from_db()
    assert (connection.state, connection.permissions["Customers - Edit"]["state"]) == ("connected", "missing")
    connecting.token_died(connection, MissingPermission("Leads - List/Search"))
    connection.refresh_from_db()
    assert connection.state == "broken"


def test_a_syncro_that_does_not_answer_is_given_up_in_time(acme: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connecting, "PERSON_TIMEOUT", 0.2)
    with a_syncro() as syncro:
        syncro.sandbox.fault("never", seconds=5, times=50)
        began = time.monotonic()
        report = connecting.check(syncro.base_url, syncro.token)
    assert (report.code, report.reading_ok) == ("syncro.no_answer", False)
    assert time.monotonic() - began < 20


def test_the_client_reads_with_the_saved_token_and_shows_it_nowhere(acme: Account):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
        with connecting.client_for(connection) as client:
            assert client.me().subdomain == SMALL.subdomain
            assert syncro.token not in repr(client) + repr(vars(client)) + str(connection.__dict__)
