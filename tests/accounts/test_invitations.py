"""Inviting: a real e-mail, a link good for 7 days and once, nobody learns who has a sign-in elsewhere."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from propolis.accounts import invitations
from propolis.accounts.models import Audit, Invitation, Membership, User
from propolis.accounts.scoping import in_account, unscoped
from tests.accounts.mail_server import mail_server
from tests.people import PASSWORD, Crew, client_of, make_person


@pytest.fixture
def jo(crew: Crew) -> Membership:
    """Known from elsewhere, a Salesperson, not invited yet."""
    with in_account(crew.account):
        return Membership.objects.create(
            account=crew.account, name="Jo Lindqvist", email_key="jo@acme.example", is_salesperson=True
        )


def invite(crew: Crew, *people: Membership) -> list[invitations.Sent]:
    with in_account(crew.account):
        return invitations.invite(people, crew.alice)


def path_of(link: str) -> str:
    found = re.fullmatch(r"http://127\.0\.0\.1:8000(/invite/[\w-]{43}/)", link)
    assert found, link
    return found[1]


def state_of(person: Membership) -> tuple[str, str | None]:
    with unscoped():
        now = Membership.objects.select_related("user").get(pk=person.pk)
    return now.state, now.user.email if now.user else None


def test_jo_is_invited_and_joins(crew: Crew, jo: Membership) -> None:
    [sent] = invite(crew, jo)
    [letter] = mail.outbox
    assert (letter.to, letter.subject) == (
        ["jo@acme.example"],
        "Alice Moreau invites you to Acme Managed IT on Propolis",
    )
    assert sent.link in letter.body
    assert state_of(jo) == ("invited", None)

    browser = client_of(None)
    page = browser.get(path_of(sent.link))
    assert page.context["form"].initial == {"name": "Jo Lindqvist"}
    answer = browser.post(path_of(sent.link), {"name": "Jo Lindqvist-Ek", "password": "harbour violin tulip"})
    assert (answer.status_code, answer["Location"]) == (302, "/acme/")
    with unscoped():
        assert Membership.objects.get(pk=jo.pk).name == "Jo Lindqvist-Ek", "as they write it themselves"
    assert state_of(jo) == ("active", "jo@acme.example")
    assert browser.get("/acme/settings/").status_code == 200
    with unscoped():
        assert list(Audit.objects.order_by("id").values_list("verb", flat=True)) == [
            "user.invited",
            "user.joined",
            "user.signed_in",
        ]


def test_an_invitation_reaches_a_mail_server(crew: Crew, jo: Membership, settings: Any) -> None:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
        [sent] = invite(crew, jo)
    [(to, letter)] = server.letters
    assert (to, letter["Subject"], sent.problem) == (
        ["jo@acme.example"],
        "Alice Moreau invites you to Acme Managed IT on Propolis",
        "",
    )
    assert sent.link in letter.get_content()


def test_without_a_mail_server_nobody_is_said_to_have_got_one(
    crew: Crew, jo: Membership, settings: Any, tmp_path: Path
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = invitations.TO_FILES, tmp_path
    sent = invite(crew, jo)
    assert invitations.told(sent) == (
        "",
        [
            "No e-mail went to Jo Lindqvist. No mail server is set up here; the letter was put into a file. "
            "Use “Copy link” beside their name instead."
        ],
    )
    assert sent[0].link in next(tmp_path.iterdir()).read_text()


def test_only_a_hash_of_the_link_is_kept(crew: Crew, jo: Membership) -> None:
    [sent] = invite(crew, jo)
    token = path_of(sent.link).split("/")[2]
    with unscoped():
        kept = Invitation.objects.values().get()
    assert token not in str(kept)
    assert kept["token_hash"] == invitations.hash_of(token)


def test_a_link_works_once(crew: Crew, jo: Membership) -> None:
    [sent] = invite(crew, jo)
    client_of(None).post(path_of(sent.link), {"name": "Jo", "password": "harbour violin tulip"})
    assert client_of(None).get(path_of(sent.link)).status_code == 404


def test_a_link_dies_after_7_days_by_revoking_and_by_a_newer_one(crew: Crew, jo: Membership) -> None:
    [first] = invite(crew, jo)
    [second] = invite(crew, jo)
    assert client_of(None).get(path_of(first.link)).status_code == 404
    assert client_of(None).get(path_of(second.link)).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert client_of(None).get(path_of(second.link)).status_code == 404
    with in_account(crew.account):
        jo.refresh_from_db()
        assert invitations.revoke(jo, crew.alice) is True
        assert invitations.revoke(jo, crew.alice) is False
    assert client_of(None).get(path_of(second.link)).status_code == 404
    assert state_of(jo) == ("linked", None)


def test_a_wrong_link_looks_like_a_used_one(crew: Crew, jo: Membership) -> None:
    [sent] = invite(crew, jo)
    client_of(None).post(path_of(sent.link), {"name": "Jo", "password": "harbour violin tulip"})
    used, wrong = client_of(None).get(path_of(sent.link)), client_of(None).get("/invite/" + "x" * 43 + "/")
    assert (used.status_code, used.content) == (wrong.status_code, wrong.content)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "This password is too short. It must contain at least 12 characters."),
        ("password1234", "This password is too common."),
        ("jo@acme.example", "The password is too similar to the email."),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(
    crew: Crew, jo: Membership, password: str, sentence: str
) -> None:
    [sent] = invite(crew, jo)
    page = client_of(None).post(path_of(sent.link), {"name": "Jo Lindqvist", "password": password})
    assert page.context["form"].errors["password"] == [sentence]
    assert state_of(jo) == ("invited", None)
    assert not User.objects.filter(email="jo@acme.example").exists()


def test_charlie_is_invited_here_and_joins_with_the_sign_in_he_has(crew: Crew) -> None:
    """Alice's pages and the e-mail are those of anybody; only Charlie, signed in, sees the difference."""
    with in_account(crew.account):
        guest = Membership.objects.create(
            account=crew.account, name="Charlie", email_key="charlie@umbel.example", is_marketer=True
        )
    [sent] = invite(crew, guest)
    alices = client_of(crew.alice).get("/acme/settings/users/").content.decode()
    assert "Umbel" not in alices
    assert alices.count("Invited</span>") == 1

    anonymous = client_of(None).get(path_of(sent.link))
    assert anonymous["Location"] == f"/auth/login/?next={path_of(sent.link)}"
    charlie = client_of(crew.charlie)
    assert charlie.get(path_of(sent.link)).status_code == 200
    assert state_of(guest) == ("invited", None), "opening the link must not be enough"
    assert charlie.post(path_of(sent.link))["Location"] == "/acme/"
    assert state_of(guest) == ("active", "charlie@umbel.example")
    assert charlie.get("/umbel/settings/").status_code == 200


def test_somebody_else_signed_in_does_not_join(crew: Crew) -> None:
    with in_account(crew.account):
        guest = Membership.objects.create(
            account=crew.account, name="Charlie", email_key="charlie@umbel.example", is_marketer=True
        )
    [sent] = invite(crew, guest)
    assert client_of(crew.bob).post(path_of(sent.link)).status_code == 403
    assert state_of(guest) == ("invited", None)


def test_who_is_signed_in_neither_becomes_the_invited_nor_learns_whether_they_are_known(
    crew: Crew, jo: Membership
) -> None:
    """Alice opens a link she copied: of Jo, who is new, and of Charlie, who has a sign-in elsewhere."""
    with in_account(crew.account):
        charlie = Membership.objects.create(
            account=crew.account, name="Charlie", email_key=crew.charlie.email_key, is_marketer=True
        )
    alice, told = client_of(crew.alice), []
    for sent in invite(crew, jo, charlie):
        page = alice.get(path_of(sent.link))
        told.append((page.status_code, re.sub(r'value="[^"]*"', "", page.content.decode())))
        alice.post(path_of(sent.link), {"name": "Jo", "password": "harbour violin tulip"})
    assert told[0] == told[1]
    assert (told[0][0], "This invitation is for somebody else" in told[0][1]) == (403, True)
    assert state_of(jo) == ("invited", None)
    assert alice.get("/acme/").wsgi_request.user == crew.alice.user


def test_no_types_cannot_be_invited_and_nothing_is_sent(crew: Crew, jo: Membership) -> None:
    with in_account(crew.account):
        sam = Membership.objects.create(account=crew.account, name="Sam", email_key="sam@acme.example")
        with pytest.raises(invitations.NoRole) as refused:
            invitations.invite([jo, sam], crew.alice)
    assert str(refused.value) == "Give a role first: Sam."
    assert mail.outbox == []


def test_a_mail_server_that_refuses_leaves_a_link_to_copy(crew: Crew, jo: Membership, settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.accounts.deaf_mail.DeafMail"
    [sent] = invite(crew, jo)
    assert sent.problem == "The mail server refused: ConnectionRefusedError."
    assert client_of(None).get(path_of(sent.link)).status_code == 200


def test_active_people_are_passed_over(crew: Crew) -> None:
    assert invite(crew, crew.bob) == []
    assert mail.outbox == []


def test_the_users_page_invites_by_name(crew: Crew, jo: Membership) -> None:
    alice = client_of(crew.alice)
    asked = alice.get("/acme/settings/users/invite/", {"person": [jo.pk, crew.bob.pk]})
    assert [p.name for p in asked.context["people"]] == ["Jo Lindqvist"]
    assert "Send 1 invitation" in asked.content.decode()
    alice.post("/acme/settings/users/invite/", {"person": [jo.pk]})
    assert [m.to for m in mail.outbox] == [["jo@acme.example"]]


def test_a_changed_address_kills_the_link_sent_to_the_old_one(crew: Crew, jo: Membership) -> None:
    [sent] = invite(crew, jo)
    client_of(crew.alice).post(
        f"/acme/settings/users/{jo.pk}/", {"name": "Jo", "email": "jo@other.example", "is_salesperson": "on"}
    )
    assert client_of(None).get(path_of(sent.link)).status_code == 404
    assert state_of(jo) == ("linked", None)


def test_a_newcomers_page_adds_and_invites(crew: Crew) -> None:
    client_of(crew.alice).post(
        "/acme/settings/users/new/", {"name": "Ida", "email": "Ida@Acme.example", "is_marketer": "on"}
    )
    assert [m.to for m in mail.outbox] == [["ida@acme.example"]]
    again = client_of(crew.alice).post(
        "/acme/settings/users/new/", {"name": "Ida", "email": "ida@acme.example", "is_marketer": "on"}
    )
    assert again.context["form"].errors == {"email": ["Ida already has this e-mail address here."]}


def test_the_last_admin_stays(crew: Crew) -> None:
    alice = client_of(crew.alice)
    sentence = "Alice Moreau is the only Admin who can sign in. Make somebody else an Admin first."
    page = alice.post(f"/acme/settings/users/{crew.alice.pk}/", {"name": "Alice Moreau", "is_marketer": "on"})
    assert page.context["form"].errors == {"is_admin": [sentence]}
    alice.post(f"/acme/settings/users/{crew.alice.pk}/disable/")
    assert state_of(crew.alice) == ("active", "alice@acme.example")
    make_person(crew.account, "Ada Second", "Admin")
    alice.post(f"/acme/settings/users/{crew.alice.pk}/disable/")
    assert state_of(crew.alice) == ("disabled", "alice@acme.example")
    assert alice.get("/acme/settings/").status_code == 404


def test_a_leaver_comes_back(crew: Crew) -> None:
    alice = client_of(crew.alice)
    alice.post(f"/acme/settings/users/{crew.bob.pk}/disable/")
    bob = client_of(None)
    bob.post("/auth/login/", {"login": "bob@acme.example", "password": PASSWORD})
    assert bob.get("/acme/settings/").status_code == 404
    alice.post(f"/acme/settings/users/{crew.bob.pk}/enable/")
    assert bob.get("/acme/settings/").status_code == 200


def test_a_form_opened_before_gives_back_no_role_that_was_taken_since(crew: Crew) -> None:
    eve = make_person(crew.account, "Eve Leaver", "Admin")
    at, shown = f"/acme/settings/users/{eve.pk}/", {"name": "Eve Leaver", "is_admin": "on"}
    page = client_of(crew.alice).get(at).content.decode()
    for name, value in re.findall(r'type="hidden" name="(initial-\w+)" value="([^"]*)"', page):
        shown[name] = value
    assert shown["initial-is_admin"] == "True"
    client_of(crew.alice).post(at, {"name": "Eve Leaver", "is_marketer": "on"})
    client_of(crew.alice).post(at, shown | {"name": "Eve L."})
    with in_account(crew.account):
        eve.refresh_from_db()
    assert (eve.name, eve.role_types) == ("Eve L.", ["Marketer"])
