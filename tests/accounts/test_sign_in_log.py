"""Who came in, with what, and who tried: in the log of the accounts it concerns, and of no other."""

from __future__ import annotations

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache

from propolis.accounts.models import Account, Audit
from propolis.accounts.scoping import in_account
from tests.accounts.test_signing_in import sign_in
from tests.people import Crew, client_of, make_account, make_person


@pytest.fixture(autouse=True)
def calm(db: None) -> None:
    """No failed attempts from the test before."""
    cache.clear()


def logged(account: Account) -> list[tuple[str, str, dict[str, str]]]:
    """Who, what, with what; the oldest first."""
    with in_account(account):
        lines = Audit.objects.select_related("actor").order_by("id")
        return [(str(line.actor), line.verb.removeprefix("user."), line.objects_ids) for line in lines]


def test_a_sign_in_is_noted_once_where_the_person_enters(crew: Crew) -> None:
    with in_account(crew.elsewhere):
        make_person(crew.elsewhere, "Alice M.", "Salesperson", email="alice@acme.example")
    alice = client_of(None)
    sign_in(alice, "alice@acme.example")
    assert (logged(crew.account), logged(crew.elsewhere)) == ([], [])
    alice.get("/acme/")
    alice.get("/acme/settings/")
    came = ("Alice Moreau", "signed_in", {"with": "password"})
    assert (logged(crew.account), logged(crew.elsewhere)) == ([came], [])
    alice.get("/umbel/")
    assert logged(crew.elsewhere) == [("Alice M.", "signed_in", {"with": "password"})]
    alice.post("/auth/logout/")
    assert logged(crew.account) == [came, ("Alice Moreau", "signed_out", {})]


def test_leaving_without_having_entered_is_nobodys_business(crew: Crew) -> None:
    bob = client_of(None)
    sign_in(bob, "bob@acme.example")
    bob.post("/auth/logout/")
    assert logged(crew.account) == []


def test_a_wrong_password_is_noted_for_whoever_it_was_tried(crew: Crew) -> None:
    quiet = make_account("quiet", "Quiet IT")
    with in_account(quiet):
        make_person(quiet, "Bob", email="bob@acme.example")  # No Types: cannot sign in there
    sign_in(client_of(None), "Bob@acme.example", "nothing like it")
    sign_in(client_of(None), "stranger@acme.example", "nothing like it")
    assert logged(crew.account) == [("Bob Tanaka", "sign_in_failed", {})]
    assert (logged(quiet), logged(crew.elsewhere)) == ([], [])


def test_changed_passwords_are_noted(crew: Crew) -> None:
    mia = client_of(crew.mia)
    new = "lantern orbit meadow"
    mia.post(
        "/auth/password/change/",
        {"oldpassword": "violet tractor umbrella", "password1": new, "password2": new},
    )
    assert logged(crew.account) == [("Mia Okafor", "password_changed", {})]


def test_the_second_factor_is_named_and_a_wrong_code_is_a_failure(crew: Crew) -> None:
    secret = totp.generate_totp_secret()
    assert crew.bob.user is not None
    totp.TOTP.activate(crew.bob.user, secret)
    bob = client_of(None)
    sign_in(bob, "bob@acme.example")
    bob.post("/auth/2fa/authenticate/", {"code": "000000"})
    code = totp.format_hotp_value(totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time())))
    bob.post("/auth/2fa/authenticate/", {"code": code})
    bob.get("/acme/")
    assert logged(crew.account) == [
        ("Bob Tanaka", "sign_in_failed", {"with": "authenticator app"}),
        ("Bob Tanaka", "signed_in", {"with": "password, authenticator app"}),
    ]
