"""Signing in, being slowed down, resetting a password, one's own pages."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from propolis.accounts.models import Membership, User
from propolis.accounts.scoping import unscoped
from tests.people import PASSWORD, Crew, client_of, make_person


@pytest.fixture(autouse=True)
def calm(db: None) -> None:
    """No failed attempts from the test before."""
    cache.clear()


def sign_in(client: Any, email: str, password: str = PASSWORD) -> Any:
    return client.post("/auth/login/", {"login": email, "password": password})


def test_alice_signs_in_and_is_home(crew: Crew) -> None:
    client = client_of(None)
    answer = sign_in(client, "Alice@acme.example")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/")["Location"] == "/acme/"


def test_unknown_and_wrong_look_the_same(crew: Crew) -> None:
    wrong = sign_in(client_of(None), "alice@acme.example", "nothing like it")
    unknown = sign_in(client_of(None), "nobody@acme.example", "nothing like it")
    assert wrong.context["form"].errors == unknown.context["form"].errors
    assert wrong.context["form"].non_field_errors() == ["This e-mail and password do not belong together."]


def test_after_five_wrong_passwords_even_the_right_one_waits(crew: Crew) -> None:
    """Counted in the database, so every process counts together."""
    for _ in range(5):
        sign_in(client_of(None), "alice@acme.example", "nothing like it")
    answer = sign_in(client_of(None), "alice@acme.example")
    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors() == [
        "Too many attempts failed. Wait five minutes, then try again."
    ]


def test_nobody_signs_up(crew: Crew) -> None:
    client = client_of(None)
    client.post("/auth/signup/", {"email": "new@acme.example", "password1": PASSWORD, "password2": PASSWORD})
    assert User.objects.filter(email="new@acme.example").exists() is False
    assert b"By invitation only" in client.get("/auth/signup/").content


def test_a_forgotten_password_by_mail_from_our_own_address(crew: Crew) -> None:
    client = client_of(None)
    client.post("/auth/password/reset/", {"email": "alice@acme.example"}, headers={"host": "localhost"})
    [letter] = mail.outbox
    [link] = re.findall(
        r"^http://127\.0\.0\.1:8000(/auth/password/reset/key/\S+)$", str(letter.body), re.MULTILINE
    )
    form = client.get(link)["Location"]
    client.post(form, {"password1": "lantern orbit meadow", "password2": "lantern orbit meadow"})
    assert sign_in(client_of(None), "alice@acme.example", "lantern orbit meadow").status_code == 302
    assert client.get(link).status_code == 200, "used once, it only says so"


def test_a_reset_for_nobody_says_the_same_and_mails_nobody(crew: Crew) -> None:
    known = client_of(None).post("/auth/password/reset/", {"email": "alice@acme.example"})
    unknown = client_of(None).post("/auth/password/reset/", {"email": "nobody@acme.example"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [m.to for m in mail.outbox] == [["alice@acme.example"]]


def test_the_theme_is_in_the_page_the_server_sends(crew: Crew) -> None:
    alice = client_of(crew.alice)
    assert b'<html lang="en">' in alice.get("/me/").content
    answer = alice.post("/me/theme/", {"theme": "dark", "next": "/acme/settings/"})
    assert answer["Location"] == "/acme/settings/"
    assert b'<html lang="en" data-theme="dark">' in alice.get("/acme/settings/").content
    alice.post("/me/theme/", {"theme": "neon"})
    assert b'data-theme="dark"' in alice.get("/me/").content


def test_the_theme_does_not_lead_elsewhere(crew: Crew) -> None:
    answer = client_of(crew.alice).post("/me/theme/", {"theme": "dark", "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_the_profile_is_saved(crew: Crew) -> None:
    alice = client_of(crew.alice)
    alice.post("/me/", {"name": "Alice M.", "theme": "light", "time_zone": "Europe/Paris"})
    saved = User.objects.get(email="alice@acme.example")
    assert (saved.name, saved.theme, saved.time_zone) == ("Alice M.", "light", "Europe/Paris")
    wrong = alice.post("/me/", {"name": "", "theme": "light", "time_zone": "Moon/Base"})
    assert set(wrong.context["form"].errors) == {"name", "time_zone"}
    assert b"<title>Error: Your profile" in wrong.content


def test_colleagues_see_ones_new_name_an_account_with_a_name_of_its_own_keeps_it(crew: Crew) -> None:
    with unscoped():
        make_person(crew.elsewhere, "Alice M.", "Marketer", email="alice@acme.example")
    client_of(crew.alice).post("/me/", {"name": "Alice Moreau-Diaz", "theme": "", "time_zone": ""})
    assert "Alice Moreau-Diaz" in client_of(crew.bob).get("/acme/companies/").content.decode()
    with unscoped():
        names = Membership.objects.filter(user=crew.alice.user).order_by("pk").values_list("name", flat=True)
        assert list(names) == ["Alice Moreau-Diaz", "Alice M."]


def test_ones_own_address_is_not_changed_behind_the_accounts_back(crew: Crew) -> None:
    assert client_of(crew.alice).get("/auth/email/").status_code == 404


def test_every_page_forbids_inline_scripts_and_styles(crew: Crew) -> None:
    policy = client_of(crew.alice).get("/acme/settings/")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy


def test_reading_a_page_writes_nothing_but_last_seen_now_and_then(crew: Crew) -> None:
    alice = client_of(None)
    sign_in(alice, "alice@acme.example")

    def writes() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            alice.get("/acme/settings/")
        return [q["sql"].split()[0] for q in asked if q["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]

    writes()
    assert writes() == []
    with time_machine.travel(timezone.now() + timedelta(seconds=301)):
        assert writes() == ["UPDATE", "UPDATE"]  # last seen, and the session that remembers when


def test_sessions_elsewhere_are_ended(crew: Crew) -> None:
    here, there = client_of(None), client_of(None)
    for client in (here, there):
        sign_in(client, "alice@acme.example")
        client.get("/acme/settings/")
    here.post("/auth/sessions/")
    assert here.get("/acme/settings/").status_code == 200
    assert there.get("/acme/settings/").status_code == 302
