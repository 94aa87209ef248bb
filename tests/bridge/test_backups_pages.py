"""Account settings → Data → Backups."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from propolis.accounts.models import Account, Membership, User
from propolis.accounts.scoping import in_account
from propolis.bridge.backups import make_backup, path_of
from propolis.bridge.models import Backup
from propolis.crm import edit
from propolis.crm.models import Company
from propolis.runs.engine import work
from propolis.runs.models import Run
from tests.bridge.backup_story import furnish, new_account
from tests.people import BACKEND

pytestmark = pytest.mark.django_db
ROOT = "/brightwater/settings/backups/"


@pytest.fixture
def acme(settings: Any, tmp_path: Path) -> Account:
    settings.DATA_DIR = tmp_path / "data"
    account = new_account()
    furnish(account)
    return account


def signed_in(email: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(email=email), backend=BACKEND)
    return client


@pytest.fixture
def alice(acme: Account) -> Client:
    return signed_in("alice@example.com")


@pytest.fixture
def bob(acme: Account) -> Client:
    user = User.objects.create(email="bob@example.com", name="Bob")
    with in_account(acme):
        Membership.objects.filter(email_key=user.email).update(user=user, state="active")
    return signed_in(user.email)


def worked(account: Account) -> Run:
    with in_account(account):
        run = Run.objects.latest("id")
    for _ in range(100):
        if work(run.pk, seconds=0.5).outcome != "slice":
            break
    run.refresh_from_db()
    return run


def text_of(response: Any) -> str:
    body = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", body)


def test_back_up_now_verify_download_delete(acme: Account, alice: Client) -> None:
    assert "No backup yet" in text_of(alice.get(ROOT))
    assert alice.post(ROOT + "make/").headers["Location"] == ROOT
    assert "Making and verifying a backup" in text_of(alice.get(ROOT))
    assert "hx-trigger" in alice.get(ROOT + "making/").content.decode()
    assert worked(acme).state == "complete"
    done = alice.get(ROOT + "making/")
    assert (done.status_code, done.headers["HX-Refresh"]) == (204, "true")
    with in_account(acme):
        backup = Backup.objects.get()
        assert backup.by is not None and backup.by.name == "Alice"
    page = text_of(alice.post(f"{ROOT}{backup.pk}/verify/", follow=True))
    assert "A whole and unchanged backup of Brightwater IT" in page
    assert "2 companies, 2 contacts, 1 opportunity." in page
    # When it was made and when it was verified, both with the year.
    assert len(re.findall(r"\d+ [A-Z][a-z]{2} \d{4}, \d\d:\d\d", page.split("Verified", 1)[1])) >= 2
    got = alice.get(f"{ROOT}{backup.pk}/download/")
    assert b"".join(got) == path_of(backup).read_bytes()
    assert got.headers["Content-Disposition"].startswith('attachment; filename="propolis-brightwater-')
    assert "Delete the backup of" in text_of(alice.get(f"{ROOT}{backup.pk}/delete/"))
    alice.post(f"{ROOT}{backup.pk}/delete/")
    assert not path_of(backup).exists()


def test_restore_is_previewed_and_confirmed_by_typing(acme: Account, alice: Client) -> None:
    with in_account(acme):
        backup = make_backup(acme)
        bob = Membership.objects.get(email_key="bob@example.com")
        first = Company.objects.order_by("id")[0]
        edit.update(acme, first, {"city": "Leeds"}, actor=bob)
    place = alice.post(f"{ROOT}{backup.pk}/restore/").headers["Location"]
    assert place == f"{ROOT}restores/1/"
    assert "Waiting for a worker" in text_of(alice.get(place))
    worked(acme)
    assert alice.get(place + "progress/").status_code == 204
    page = text_of(alice.get(place))
    assert "Loses 1 edit by 1 person." in page
    assert "=HYPERLINK(&quot;http://x&quot;) City Leeds (empty)" in page
    assert re.search(r"\d+ \w+ \d{4}, \d\d:\d\d Bob", page)
    assert "=HYPERLINK(&quot;http://x&quot;) Updated: company, City" in page
    wrong = alice.post(place + "confirm/", {"typed": "bright"})
    assert "That is not brightwater." in text_of(wrong)
    assert wrong.content.decode().count("<title>Error: Restore") == 1
    assert alice.post(place + "confirm/", {"typed": "brightwater"}).headers["Location"] == place
    assert worked(acme).state == "complete"
    back = r"To take this back, restore the backup made before it , \d+ \w+ \d{4}, \d\d:\d\d\."
    assert re.search(back, text_of(alice.get(place)))
    with in_account(acme):
        first.refresh_from_db()
        assert first.city == ""


def test_leave_everything_as_it_is(acme: Account, alice: Client) -> None:
    with in_account(acme):
        backup = make_backup(acme)
    place = alice.post(f"{ROOT}{backup.pk}/restore/").headers["Location"]
    worked(acme)
    assert "Nothing differs" in text_of(alice.get(place))
    alice.post(place + "cancel/")
    with in_account(acme):
        assert Run.objects.get().state == "stopped"


def test_a_restore_that_somebody_confirmed_is_not_called_left_alone(acme: Account, alice: Client) -> None:
    with in_account(acme):
        backup = make_backup(acme)
        edit.update(acme, Company.objects.order_by("id")[0], {"city": "Leeds"}, actor=None)
    place = alice.post(f"{ROOT}{backup.pk}/restore/").headers["Location"]
    worked(acme)
    signed_in("alice@example.com").post(place + "confirm/", {"typed": "brightwater"})
    page = text_of(alice.post(place + "cancel/", follow=True))
    assert "Somebody confirmed this preview meanwhile." in page
    assert "Nothing was changed." not in page
    assert worked(acme).state == "complete"


def test_a_file_from_elsewhere(acme: Account, alice: Client) -> None:
    with in_account(acme):
        whole = path_of(make_backup(acme)).read_bytes()
    upload = "/brightwater/settings/backups/upload/"
    cut = alice.post(upload, {"file": SimpleUploadedFile("b.zip", whole[:-100])})
    assert "This backup is cut short" in text_of(cut)
    assert "Choose a backup file." in text_of(alice.post(upload, {}))
    with in_account(acme):
        assert Backup.objects.count() == 1
    other = new_account("other", "Other MSP")
    furnish(other)
    with in_account(other):
        theirs = path_of(make_backup(other)).read_bytes()
    refused = alice.post(upload, {"file": SimpleUploadedFile("b.zip", theirs)})
    assert "This is a backup of another account (Other MSP)" in text_of(refused)
    begun = alice.post(upload, {"file": SimpleUploadedFile("b.zip", whole)})
    assert begun.headers["Location"] == f"{ROOT}restores/1/"


def test_only_an_admin_of_this_account(acme: Account, alice: Client, bob: Client) -> None:
    with in_account(acme):
        backup = make_backup(acme)
    run = alice.post(f"{ROOT}{backup.pk}/restore/").headers["Location"]
    User.objects.create(email="charlie@example.com")
    charlie = signed_in("charlie@example.com")
    gets = ("", "making/", f"{backup.pk}/download/", f"{backup.pk}/delete/", "upload/")
    posts = ("make/", f"{backup.pk}/verify/", f"{backup.pk}/restore/", f"{backup.pk}/delete/", "upload/")
    for place in (*(ROOT + each for each in gets), run, run + "progress/"):
        assert (bob.get(place).status_code, charlie.get(place).status_code) == (403, 404), place
    for place in (*(ROOT + each for each in posts), run + "confirm/", run + "cancel/"):
        assert (bob.post(place).status_code, charlie.post(place).status_code) == (403, 404), place
    assert path_of(backup).exists()


def test_another_accounts_backup_is_not_there(acme: Account, alice: Client) -> None:
    other = new_account("other")
    with in_account(other):
        theirs = make_backup(other)
        Membership.objects.all().update(user=None)
    for what in ("download/", "delete/"):
        assert alice.get(f"{ROOT}{theirs.pk}/{what}").status_code == 404


def test_the_list_costs_the_same_with_one_and_with_three(acme: Account, alice: Client) -> None:
    with in_account(acme):
        make_backup(acme)
    alice.get(ROOT)
    with CaptureQueriesContext(connection) as one:
        alice.get(ROOT)
    with in_account(acme):
        make_backup(acme)
        make_backup(acme)
    with CaptureQueriesContext(connection) as three:
        alice.get(ROOT)
    assert len(one) == len(three)
