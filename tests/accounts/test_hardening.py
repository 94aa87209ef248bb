"""What every answer carries, what a sign-in changes, what the database refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, transaction

from propolis.accounts import audit_guard
from propolis.accounts.models import Audit, audit
from propolis.accounts.scoping import in_account
from tests.people import PASSWORD, Crew, client_of

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "font-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "manifest-src": "'self'",
}
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/acme/", 200),
        ("/acme/companies/", 200),
        ("/acme/tables/companies/export.csv", 200),
        ("/acme/nothing/", 404),
        ("/acme/companies/?q=%00", 400),
        ("/nobody/", 404),
        ("/me/", 200),
        ("/auth/sessions/", 200),
        ("/healthz", 200),
    ],
)
def test_every_answer_carries_the_same_protection(crew: Crew, address: str, status: int) -> None:
    answer = client_of(crew.alice).get(address)
    assert answer.status_code == status
    told = (part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
    assert dict(told) == POLICY
    assert {name: answer.get(name) for name in HEADERS} == HEADERS


def test_what_an_account_knows_is_not_kept_by_browsers(crew: Crew) -> None:
    alice = client_of(crew.alice)
    kept = {at: alice.get(at)["Cache-Control"] for at in ("/acme/", "/acme/tables/companies/export.csv")}
    assert kept == dict.fromkeys(kept, "no-store, private")


def test_signing_in_gives_a_new_session_and_leaving_ends_it(crew: Crew) -> None:
    """A session somebody planted beforehand is worth nothing afterwards."""
    client = client_of(None)
    client.get("/auth/login/")
    planted = client.session
    planted["planted"] = True
    planted.save()
    client.cookies["sessionid"] = str(planted.session_key)
    client.post("/auth/login/", {"login": "alice@acme.example", "password": PASSWORD})
    mine = client.session.session_key
    assert mine != planted.session_key
    assert set(Session.objects.values_list("session_key", flat=True)) == {mine}
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    client.post("/auth/logout/")
    assert Session.objects.count() == 0


def test_after_a_new_password_sessions_elsewhere_are_over(crew: Crew) -> None:
    here, there = client_of(crew.alice), client_of(crew.alice)
    new = "harbour violin anchor"
    here.post("/auth/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert here.get("/acme/").status_code == 200
    assert there.get("/acme/").status_code == 302


def test_the_database_keeps_the_audit_log_as_it_was_written(crew: Crew) -> None:
    with in_account(crew.account):
        audit(crew.account, crew.alice, "story.told")
        lines = Audit.objects.filter(verb="story.told")
        audit_guard.install(connection)
        try:
            for change in (lambda: lines.update(verb="nothing.happened"), lines.delete):
                with pytest.raises(DatabaseError, match="audit rows cannot be"), transaction.atomic():
                    change()
            assert lines.count() == 1
        finally:
            audit_guard.remove(connection)


def test_the_settings_of_a_deployment_leave_nothing_to_warn_of(tmp_path: Path) -> None:
    env: dict[str, Any] = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "propolis.settings",
        "PROPOLIS_DATA_DIR": str(tmp_path),
        "PROPOLIS_URL": "https://crm.example",
    }
    command = [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "no issues" in done.stdout) == (0, True), done.stderr
