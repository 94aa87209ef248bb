"""Backups and imports: what was under review is asked about again, what was imported since makes a preview stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.backups import make_backup
from propolis.bridge.models import Link
from propolis.bridge.reviewing import decide
from propolis.crm.models import Company
from propolis.runs.engine import Refused, confirm
from tests.bridge.backup_story import new_account
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, import_all, ready
from tests.bridge.review_story import a_customer, two_to_decide
from tests.bridge.test_backups_restoring import alice_of, brought, previewed, restored
from tests.bridge.test_reviewing import EMPTY
from tests.bridge.undo_story import undo_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(settings: Any, tmp_path: Path) -> Account:
    settings.DATA_DIR = tmp_path
    return new_account()


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
            ready(acme, syncro)
            two_to_decide(acme, syncro)
            assert counts(import_all(acme), "companies") == {"review": 2}
            backup = make_backup(acme)
        with in_account(elsewhere):
            restored(elsewhere, brought(elsewhere, backup))
            ready(elsewhere, syncro)
            decided(elsewhere)
            # Asked once: an import after that has nothing new to say.
            assert counts(import_all(elsewhere), "companies") == {"same": 1, "review": 1}
            assert Company.objects.count() == 2


def test_whose_import_was_undone_in_between_can_be_decided(acme: Account) -> None:
    with a_syncro(EMPTY) as syncro, in_account(acme):
        ready(acme, syncro)
        two_to_decide(acme, syncro)
        run = import_all(acme)
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
