"""Backups and imports: what was under review is asked about again, what was imported since makes a preview stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.backups import make_backup
from propolis.bridge.models import Link
from propolis.bridge.reviewing import decide
from propolis.crm.models import Company
from propolis.runs.engine import Refused, confirm
from propolis.runs.models import Run
from syncro_sandbox import Running
from tests.bridge.backup_story import new_account
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, import_all, ready
from tests.bridge.review_story import a_customer, two_to_decide
from tests.bridge.test_backups_restoring import alice_of, brought, previewed, restored
from tests.bridge.test_reviewing import EMPTY
from tests.bridge.undo_story import undo_all
from tests.people import client_of, text

REVIEW = "/elsewhere/settings/integrations/syncro/review/"
DECISIONS = f"{REVIEW}decisions/"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(settings: Any, tmp_path: Path) -> Account:
    settings.DATA_DIR = tmp_path
    return new_account()


def held(account: Account, syncro: Running) -> Run:
    """An import after which two wait for a person."""
    ready(account, syncro)
    two_to_decide(account, syncro)
    run = import_all(account)
    assert counts(run, "companies") == {"review": 2}
    return run


def decided(account: Account) -> None:
    """Imports once more, then links the first of the two that are held."""
    assert counts(import_all(account), "companies") == {"review": 2}
    link = Link.objects.filter(state="review").order_by("pk")[0]
    candidate = link.candidates[0]["local_id"]
    assert decide(link, "link", alice_of(account), local_id=candidate).company_id == candidate


def test_in_an_empty_installation_they_can_be_decided_after_the_next_import(acme: Account) -> None:
    elsewhere = new_account("elsewhere", "Elsewhere")
    with a_syncro(EMPTY) as syncro:
        with in_account(acme):
            held(acme, syncro)
            backup = make_backup(acme)
        with in_account(elsewhere):
            restored(elsewhere, brought(elsewhere, backup))
            ready(elsewhere, syncro)
            decided(elsewhere)
            # Asked once: an import after that has nothing new to say.
            assert counts(import_all(elsewhere), "companies") == {"same": 1, "review": 1}
            assert Company.objects.count() == 2


def test_one_skipped_before_can_be_asked_about_again_in_an_empty_installation(acme: Account) -> None:
    elsewhere = new_account("elsewhere", "Elsewhere")
    with a_syncro(EMPTY) as syncro:
        with in_account(acme):
            held(acme, syncro)
            link = Link.objects.order_by("remote_id")[0]
            decide(link, "skip", alice_of(acme))
            backup = make_backup(acme)
        with in_account(elsewhere):
            restored(elsewhere, brought(elsewhere, backup))
            ready(elsewhere, syncro)
            import_all(elsewhere)
            alice = client_of(alice_of(elsewhere))
            _asked_again(alice, Link.objects.get(state="skipped"))
            assert counts(import_all(elsewhere), "companies") == {"review": 2}
            link = Link.objects.order_by("remote_id")[0]
            made = decide(link, "create", alice_of(elsewhere))
            assert str(made.company) == "Harbor Freight"
            # Decided here: in the list as any other.
            listed = alice.get(DECISIONS).context["decisions"]
            assert [(one.name, one.word) for one in listed] == [("Harbor Freight", "Created")]


def _asked_again(alice: Client, link: Link) -> None:
    """Found under "Decisions made", changed; a stale tab's second click changes nothing."""
    listed = alice.get(DECISIONS)
    assert [(one.link.pk, one.word) for one in listed.context["decisions"]] == [(link.pk, "Skipped")]
    assert f"Customer #{link.remote_id}" in text(listed)
    shown = alice.get(f"{REVIEW}{link.pk}/")
    assert "Ask again, then import" in text(shown)
    again = f"{REVIEW}{link.pk}/ask-again/"
    assert "Not skipped any more" in text(alice.post(again, {"rev": link.rev}, follow=True))
    assert "Somebody decided this meanwhile" in text(alice.post(again, {"rev": link.rev}, follow=True))
    assert not alice.get(DECISIONS).context["decisions"]


def test_whose_import_was_undone_in_between_can_be_decided(acme: Account) -> None:
    with a_syncro(EMPTY) as syncro, in_account(acme):
        run = held(acme, syncro)
        backup = make_backup(acme)
        undo_all(run)
        restored(acme, backup)
        decided(acme)


def test_a_restore_previewed_before_an_import_is_out_of_date(acme: Account) -> None:
    with a_syncro(EMPTY) as syncro, in_account(acme):
        ready(acme, syncro)
        import_all(acme)
        run = previewed(acme, make_backup(acme))
        a_customer(syncro, "Newcomer")
        assert counts(import_all(acme), "companies") == {"new": 1}
        with pytest.raises(Refused) as refused:
            confirm(run, alice_of(acme))
    assert refused.value.code == "propolis.stale_preview"
