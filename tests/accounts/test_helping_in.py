"""A lost password or phone: a link made on the server, for every account the person works in to read about."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache

from propolis.accounts.helping_in import Nobody, way_in
from propolis.accounts.invitations import TO_FILES
from propolis.accounts.models import Audit, Membership
from propolis.accounts.scoping import in_account, unscoped
from tests.people import Crew, client_of

NEW = "lantern orbit meadow"


@pytest.fixture(autouse=True)
def calm(db: None) -> None:
    """No failed attempts from the test before."""
    cache.clear()


def signs_in(email: str, password: str) -> Any:
    client = client_of(None)
    client.post("/auth/login/", {"login": email, "password": password})
    return client.get("/acme/")


def verbs(account: Any) -> list[str]:
    with in_account(account):
        return list(Audit.objects.order_by("id").values_list("verb", flat=True))


def test_a_link_works_once_and_stands_in_the_log(crew: Crew) -> None:
    made = way_in(" Alice@ACME.example ")
    assert made.url.startswith("http://127.0.0.1:8000/auth/password/reset/key/")
    path = made.url.removeprefix("http://127.0.0.1:8000")
    form = client_of(None).get(path)
    client = client_of(None)
    client.get(path)
    client.post(form["Location"], {"password1": NEW, "password2": NEW})
    assert signs_in("alice@acme.example", NEW).status_code == 200
    assert "no longer good" in client_of(None).get(path).content.decode()
    assert verbs(crew.alice.account)[:2] == ["user.password_link_made", "user.password_reset"]


def test_a_lost_phone_is_no_longer_asked_for(crew: Crew) -> None:
    assert crew.alice.user is not None
    TOTP.activate(crew.alice.user, generate_totp_secret())
    RecoveryCodes.activate(crew.alice.user)
    assert way_in("alice@acme.example").second_step_was_on
    assert Authenticator.objects.count() == 2, "without being told so, it stays"
    assert way_in("alice@acme.example", without_second_step=True).second_step_was_on
    assert not Authenticator.objects.exists()
    assert verbs(crew.alice.account).count("user.second_factor_removed") == 1
    assert not way_in("alice@acme.example", without_second_step=True).second_step_was_on
    assert verbs(crew.alice.account).count("user.second_factor_removed") == 1


def test_who_cannot_sign_in_gets_none(crew: Crew) -> None:
    with pytest.raises(Nobody, match=r"Nobody signs in with nobody@acme\.example"):
        way_in("nobody@acme.example")
    with unscoped():
        Membership.objects.filter(user=crew.alice.user).update(state=Membership.State.DISABLED)
    with pytest.raises(Nobody, match=r"alice@acme\.example may not sign in to any account"):
        way_in("alice@acme.example")
    assert verbs(crew.alice.account) == []


def test_without_a_mail_server_the_pages_say_whom_to_ask(crew: Crew, settings: Any) -> None:
    bob = f"/acme/settings/users/{crew.bob.pk}/"
    assert "Look in your mail" in client_of(None).get("/auth/password/reset/done/").content.decode()
    assert "gets a link by e-mail" in client_of(crew.alice).get(bob).content.decode()
    settings.EMAIL_BACKEND = TO_FILES
    done = client_of(None).get("/auth/password/reset/done/").content.decode()
    assert "Look in your mail" not in done
    assert "This installation sends no e-mail. Ask whoever runs it" in done
    said = client_of(crew.alice).get(bob).content.decode()
    assert "Bob Tanaka cannot get a link by themselves" in said
    assert "propolis passwordlink --email bob@acme.example</code>" in said
