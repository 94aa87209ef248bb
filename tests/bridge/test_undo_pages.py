"""Undoing an import in the browser, told by requests: who may, the preview, the receipt, what stays as a file."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.undo_counting import Tally
from propolis.bridge.undo_words import told
from propolis.crm import edit
from propolis.crm.models import Company, Contact
from propolis.runs.models import Run
from syncro_sandbox import SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import finish, import_all, ready
from tests.bridge.test_import_pages import words_of
from tests.people import Crew, client_of

pytestmark = pytest.mark.django_db(transaction=True)
SEED = SeedOptions(companies=12, contacts=40, leads=10, seed=5, contacts_without_customer=0)
BASE = "/acme/settings/integrations/syncro/"


@pytest.fixture
def acme(crew: Crew):
    with in_account(crew.account):
        yield crew.account


def imported(acme: Account, *objects: str) -> Run:
    with a_syncro(SEED) as syncro:
        ready(acme, syncro)
        return import_all(acme, *objects)


def the_undo() -> Run:
    return Run.objects.filter(kind="undo").get()


def csv_of(response: Any) -> list[str]:
    return b"".join(response.streaming_content).decode().splitlines()


def test_from_the_button_to_the_receipt(acme: Account, crew: Crew) -> None:
    run = imported(acme, "companies", "contacts")
    used = Contact.objects.order_by("id").first()
    assert used is not None
    edit.update(acme, used, {"title": "CEO"}, actor=crew.bob)
    alice, at = client_of(crew.alice), f"{BASE}imports/{run.number}/"
    assert f'href="{at}undo/"' in alice.get(at).content.decode()
    assert "Show what would go back" in words_of(alice.get(at + "undo/"))

    assert alice.post(at + "undo/begin/")["Location"] == at + "undo/"
    assert "Looking at what goes back" in words_of(alice.get(at + "undo/"))
    finish(the_undo())
    preview = words_of(alice.get(at + "undo/"))
    contacts, companies = Contact.objects.count(), Company.objects.count()
    assert "Preview: nothing is undone yet" in preview
    assert f"{contacts - 1 + companies - 1} records go back, 2 stay as they are" in preview
    assert f"{contacts - 1} New contacts go. The next import creates them again" in preview
    assert "Changed here since 1" in preview
    assert "Has a contact 1" in preview
    assert Contact.objects.filter(deleted_at=None).count() == contacts
    kept = csv_of(alice.get(at + "undo/kept.csv"))
    assert kept[0] == "Kind,Name,Syncro id,Why it stays,Field,Before the import,Imported"
    assert sorted(line.split(",")[3] for line in kept[1:]) == ["Changed here since", "Has a contact"]

    assert alice.post(at + "undo/confirm/")["Location"] == at + "undo/"
    assert "Undoing" in words_of(alice.get(at + "undo/"))
    finish(the_undo())
    receipt = words_of(alice.get(at + "undo/"))
    assert (
        f"Undone: {companies - 1} new companies removed, {contacts - 1} new contacts removed, "
        "1 kept because: changed here since, 1 kept because: has a contact."
    ) in receipt
    assert Contact.objects.filter(deleted_at=None).get() == used
    page = alice.get(at)
    assert "This import was undone" in words_of(page)
    assert "Undo this import" not in words_of(page)
    assert [entry.since for entry in alice.get(BASE + "imports/").context["history"].entries] == ["Undone"]
    assert alice.get(at + "undo/progress/").headers["HX-Refresh"] == "true"


def test_one_of_each_is_told_in_the_singular(acme: Account, crew: Crew) -> None:
    tally = Tally(
        removed={"company": 1, "contact": 2}, restored={"company": 1, "contact": 2}, held={"leave_out": 9}
    )
    undo = Run.objects.create(account=acme, number=1, kind="undo", counts={"plan": tally.to_dict()})
    assert [point.text for point in told(acme, None, undo, after=False).points] == [
        "new company goes. The next import creates it again",
        "new contacts go. The next import creates them again",
        "updated company: gets the values back that it had",
        "updated contacts: get the values back that they had",
        "records left out: forgotten, looked at again by the next import",
    ]


def test_a_backup_restored_since_is_told_beside_the_import(acme: Account, crew: Crew) -> None:
    run = imported(acme, "companies")
    alice, at = client_of(crew.alice), f"{BASE}imports/{run.number}/"
    assert "A backup was restored since" not in words_of(alice.get(at))
    Run.objects.create(
        account=acme, number=99, kind="restore", state=Run.State.COMPLETE, finished_at=timezone.now()
    )
    assert "A backup was restored since" in words_of(alice.get(at))
    assert "A backup was restored since" in words_of(alice.get(BASE + "companies/"))
    entries = alice.get(BASE + "imports/").context["history"].entries
    assert [entry.since for entry in entries] == ["Before a restored backup"]


def test_leaving_it_as_it_is(acme: Account, crew: Crew) -> None:
    run = imported(acme, "companies")
    alice, at = client_of(crew.alice), f"{BASE}imports/{run.number}/"
    alice.post(at + "undo/begin/")
    finish(the_undo())
    assert alice.post(at + "undo/cancel/")["Location"] == at
    assert the_undo().state == Run.State.STOPPED
    assert Company.objects.filter(deleted_at=None).count() == 12
    assert "Show what would go back" in words_of(alice.get(at + "undo/"))


def test_an_undo_that_somebody_confirmed_is_not_stopped_by_the_preview_of_another(
    acme: Account, crew: Crew
) -> None:
    run = imported(acme, "companies")
    alice, at = client_of(crew.alice), f"{BASE}imports/{run.number}/"
    alice.post(at + "undo/begin/")
    finish(the_undo())
    client_of(crew.alice).post(at + "undo/confirm/")
    left = alice.post(at + "undo/cancel/", {"preview": "1"}, follow=True)
    assert "Somebody confirmed this preview meanwhile. Nothing was stopped" in words_of(left)
    assert finish(the_undo()).state == Run.State.COMPLETE


def test_only_an_admin_of_this_account_may(acme: Account, crew: Crew) -> None:
    run = imported(acme, "companies")
    at = f"{BASE}imports/{run.number}/undo/"
    pages = {"": "get", "progress/": "get", "kept.csv": "get"}
    pages |= dict.fromkeys(("begin/", "confirm/", "cancel/", "resume/"), "post")
    pages |= {"../../../schedule/": "get"}
    for person, status in ((crew.bob, 403), (crew.mia, 403), (crew.charlie, 404)):
        client = client_of(person)
        found = {
            name: getattr(client, how)(at + name).status_code
            for name, how in pages.items()
            if ".." not in name
        }
        assert set(found.values()) == {status}, found
        assert client.get(BASE + "schedule/").status_code == status
        assert client.post(BASE + "schedule/off/").status_code == status
    assert not Run.objects.filter(kind="undo").exists()
