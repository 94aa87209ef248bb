"""Restoring: into the account, and into an empty one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import in_account
from propolis.bridge.backup_format import BackupFile, BackupRefused
from propolis.bridge.backup_preview import lost_edits
from propolis.bridge.backup_restoring import start_restore
from propolis.bridge.backups import (
    BEFORE_RESTORE,
    UPLOADED,
    file_hash,
    make_backup,
    path_of,
    register,
    verify,
)
from propolis.bridge.models import Backup, Connection, Erasure, Link
from propolis.crm import edit, lists, mailing
from propolis.crm.combine import combine
from propolis.crm.fields import Kind
from propolis.crm.models import Company, Contact, List, ListMember, Note, Opportunity, Suppression
from propolis.history.models import Change
from propolis.runs.engine import confirm, job_for, work
from propolis.runs.models import Run, Schedule
from tests.bridge.backup_story import TOKEN, furnish, new_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(settings: Any, tmp_path: Path) -> Account:
    settings.DATA_DIR = tmp_path / "data"
    account = new_account()
    furnish(account)
    return account


def alice_of(account: Account) -> Membership:
    return Membership.objects.get(account=account, email_key="alice@example.com")


def worked(run: Run) -> Run:
    for _ in range(200):
        if work(run.pk, seconds=0.5).outcome != "slice":
            break
    run.refresh_from_db()
    return run


def previewed(account: Account, backup: Backup) -> Run:
    run, fresh = start_restore(account, backup, by=alice_of(account))
    assert fresh
    run = worked(run)
    assert (run.state, run.error_detail) == (Run.State.PLANNED, "")
    return run


def restored(account: Account, backup: Backup) -> Run:
    run = previewed(account, backup)
    assert confirm(run, alice_of(account))
    run = worked(run)
    assert (run.state, run.error_code, run.error_detail) == (Run.State.COMPLETE, "", "")
    return run


def hashes(backup: Backup) -> dict[str, tuple[int, str]]:
    with BackupFile(path_of(backup)) as file:
        return {entry.name: (entry.rows, entry.sha256) for entry in file.manifest.files}


def brought(account: Account, backup: Backup) -> Backup:
    """Another account's file as if uploaded here."""
    with in_account(account):
        return _brought(account, backup)


def _brought(account: Account, backup: Backup) -> Backup:
    path = path_of(backup)
    here = path.parent.parent / account.slug / path.name
    here.parent.mkdir(parents=True, exist_ok=True)
    here.write_bytes(path.read_bytes())
    report = verify(here)
    return register(account, here, report, why=UPLOADED)


def changed_much(account: Account) -> dict[str, Any]:
    """What people do in an afternoon."""
    bob = Membership.objects.get(account=account, email_key="bob@example.com")
    acme_co, jo = Company.objects.order_by("id")[0], Contact.objects.order_by("id")[0]
    edit.update(account, acme_co, {"phone": "555 999 0000", "city": "Leeds"}, actor=bob)
    edit.delete(jo, actor=bob)
    new = edit.create(account, Kind.COMPANY, {"name": "Newcomer"}, actor=bob)
    lists.create_list(account, "Spring mailing")
    general = List.objects.get(system_key="syncro_general")
    ListMember.objects.filter(list=general).delete()
    Opportunity.objects.all().delete()
    Link.objects.filter(remote_id=123).update(company=new)
    Schedule.objects.create(account=account, kind="import", enabled=True)
    return {"company": acme_co, "contact": jo, "new": new, "bob": bob}


def test_into_an_empty_account_counts_and_hashes_are_equal(acme: Account) -> None:
    backup = make_backup(acme)
    elsewhere = new_account("elsewhere", "Elsewhere")
    with in_account(elsewhere):
        run = restored(elsewhere, brought(elsewhere, backup))
        again = make_backup(elsewhere)
        connection = Connection.objects.get()
        bob = Membership.objects.get(email_key="bob@example.com")
        elsewhere.refresh_from_db()
        assert hashes(again) == hashes(backup)
        assert again.counts == backup.counts
        assert run.counts["tables"]["contacts"] == {"added": 2, "changed": 0, "removed": 0, "same": 0}
        assert (connection.state, connection.token_cipher, connection.label, connection.base_url) == (
            "disconnected",
            None,
            "brightwater",
            "",
        )
        assert (bob.state, bob.user, bob.is_salesperson, bob.may_sign_in) == ("linked", None, True, False)
        assert elsewhere.name == "Brightwater IT"
        assert alice_of(elsewhere).may_sign_in
    with in_account(acme):
        assert Contact.objects.count() == 2


@pytest.fixture
def step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row a step."""
    job = job_for("restore")
    monkeypatch.setattr(job, "rows_at_once", 1)
    monkeypatch.setattr(job, "seconds", 0)


def slices(run: Run) -> int:
    """Each slice as if another process took over: somebody claimed in between, so nothing kept is used."""
    count = 0
    while work(run.pk, seconds=0).outcome == "slice":
        Run.objects.filter(pk=run.pk).update(fence=F("fence") + 1)
        count += 1
    return count


@pytest.mark.usefixtures("step_by_step")
def test_picked_up_after_every_row_it_ends_the_same(acme: Account) -> None:
    with in_account(acme):
        backup = make_backup(acme)
        changed_much(acme)
    elsewhere = new_account("elsewhere")
    for account, here in ((elsewhere, brought(elsewhere, backup)), (acme, backup)):
        with in_account(account):
            run, _ = start_restore(account, here, by=alice_of(account))
            assert slices(run) > sum(backup.counts.values())
            confirm(run, None)
            assert slices(run) > sum(backup.counts.values())
            run.refresh_from_db()
            assert run.state == Run.State.COMPLETE
            then, now = hashes(backup), hashes(make_backup(account))
            differing = {name for name in then if then[name] != now[name]}
            assert differing == (set() if account is elsewhere else {"companies.csv", "timeline.csv"})


def test_keys_are_made_again(acme: Account) -> None:
    backup = make_backup(acme)
    elsewhere = new_account("elsewhere")
    keys = ("sort_name", "name_key", "email_key", "phone_key", "mobile_key", "uid")
    with in_account(acme):
        before = list(Contact.objects.order_by("uid").values_list(*keys))
    with in_account(elsewhere):
        restored(elsewhere, brought(elsewhere, backup))
        assert list(Contact.objects.order_by("uid").values_list(*keys)) == before


def test_an_afternoon_is_taken_back(acme: Account) -> None:
    with in_account(acme):
        ids = list(Company.objects.order_by("id").values_list("id", flat=True))
        backup = make_backup(acme)
        did = changed_much(acme)
        made = lost_edits(acme, backup.at)
        assert (made.total, made.people, made.sentence) == (3, (("Bob", 3),), "Loses 3 edits by 1 person.")
        run = restored(acme, backup)
        tables = run.counts["tables"]
        assert tables["companies"] == {"added": 0, "changed": 1, "removed": 1, "same": 1}
        assert tables["contacts"] == {"added": 0, "changed": 1, "removed": 0, "same": 1}
        assert tables["opportunities"] == {"added": 1, "changed": 0, "removed": 0, "same": 0}
        assert tables["list_members"] == {"added": 2, "changed": 0, "removed": 0, "same": 0}
        assert tables["links"] == {"added": 0, "changed": 1, "removed": 0, "same": 1}
        assert tables["lists"] == {"added": 0, "changed": 0, "removed": 1, "same": 1}
        now = make_backup(acme)
        then, here = hashes(backup), hashes(now)
        same = {name for name in then if then[name] == here[name]}
        assert set(then) - same == {"companies.csv", "timeline.csv"}
        newcomer = Company.objects.get(pk=did["new"].pk)
        assert newcomer.deleted_at is not None
        assert list(Company.objects.order_by("id").values_list("id", flat=True)) == [*ids, newcomer.pk]
        assert Schedule.objects.values_list("enabled", "off_because").get() == (
            False,
            "A backup was restored",
        )


def test_the_connection_keeps_its_token(acme: Account) -> None:
    with in_account(acme):
        backup = make_backup(acme)
        Connection.objects.update(rule="syncro", watermark=None)
        restored(acme, backup)
        found = Connection.objects.get()
        assert (bytes(found.token_cipher or b""), found.state, found.rule) == (
            TOKEN.encode(),
            "connected",
            "more_current",
        )
        assert found.watermark is not None


def test_another_syncro_account_since_needs_its_token_again(acme: Account) -> None:
    with in_account(acme):
        backup = make_backup(acme)
        Connection.objects.update(label="other", remote_account="other")
        restored(acme, backup)
        found = Connection.objects.get()
        assert (found.token_cipher, found.state, found.label) == (None, "disconnected", "brightwater")


def test_history_says_what_the_restore_did(acme: Account) -> None:
    with in_account(acme):
        backup = make_backup(acme)
        did = changed_much(acme)
        run = restored(acme, backup)
        found = Change.objects.filter(run=run, kind="company").order_by("local_id")
        assert [(c.local_id, c.action, c.reason, c.actor) for c in found] == [
            (did["company"].pk, "update", "restore", alice_of(acme)),
            (did["new"].pk, "delete", "restore", alice_of(acme)),
        ]
        assert {n: f[:2] for n, f in found[0].fields.items()} == {
            "phone": ["555 999 0000", "+1 (555) 010-0100"],
            "city": ["Leeds", ""],
        }
        (contact,) = Change.objects.filter(run=run, kind="contact")
        assert contact.action == "restore"


def test_a_restore_is_taken_back_by_the_backup_before_it(acme: Account) -> None:
    with in_account(acme):
        backup = make_backup(acme)
        changed_much(acme)
        afternoon = make_backup(acme)
        restored(acme, backup)
        before = Backup.objects.get(why=BEFORE_RESTORE)
        restored(acme, before)
        then, here = hashes(afternoon), hashes(make_backup(acme))
        out_of_sight = {"opportunities.csv", "notes.csv"}  # were gone for good, are deleted now
        assert {name for name in then if then[name] != here[name]} == out_of_sight
        assert not Opportunity.objects.filter(deleted_at=None).exists()


def test_merged_records_are_two_again(acme: Account) -> None:
    with in_account(acme):
        sam, jo = Contact.objects.order_by("-id")
        Link.objects.filter(remote_id=9).update(state="linked", contact=jo, candidates=[])
        Link.objects.create(
            account=acme, connection=Connection.objects.get(), kind="contact", remote_id=10, contact=sam
        )
        backup = make_backup(acme)
        Link.objects.filter(remote_id=9).update(state="secondary", contact=sam)
        combine(acme, sam, jo, {}, actor=alice_of(acme))
        Link.objects.filter(remote_id=10).update(contact=None)
        Link.objects.filter(remote_id=9).update(state="linked")
        restored(acme, backup)
        pairs = {
            (link.remote_id, link.contact_id, link.state) for link in Link.objects.filter(kind="contact")
        }
        assert pairs == {(9, jo.pk, "linked"), (10, sam.pk, "linked")}
        jo.refresh_from_db()
        assert (jo.deleted_at, jo.merged_into) == (None, None)
        assert Opportunity.objects.get().contact_id == jo.pk


def test_two_links_that_changed_places(acme: Account) -> None:
    with in_account(acme):
        connection = Connection.objects.get()
        a, b = Company.objects.order_by("id")
        Link.objects.create(account=acme, connection=connection, kind="customer", remote_id=124, company=b)
        backup = make_backup(acme)
        Link.objects.filter(remote_id=124).update(company=None)
        Link.objects.filter(remote_id=123).update(company=b)
        Link.objects.filter(remote_id=124).update(company=a)
        restored(acme, backup)
        assert dict(Link.objects.filter(kind="customer").values_list("remote_id", "company")) == {
            123: a.pk,
            124: b.pk,
        }


def test_nobody_is_subscribed_again(acme: Account) -> None:
    with in_account(acme):
        sam = Contact.objects.get(last="-Okafor")
        edit.update(acme, sam, {"email": "sam@x.example"}, actor=alice_of(acme))
        backup = make_backup(acme)
        mailing.suppress(acme, "sam@x.example", Suppression.Kind.UNSUBSCRIBED, actor=None)
        restored(acme, backup)
        sam.refresh_from_db()
        assert sam.mail_state == "unsubscribed"


def test_who_was_erased_stays_erased(acme: Account) -> None:
    with in_account(acme):
        jo = Contact.objects.get(last="Lindqvist")
        Link.objects.filter(remote_id=9).update(state="linked", contact=jo, candidates=[])
        backup = make_backup(acme)
        Erasure.objects.create(account=acme, kind="contact", remote_id=9, salt="ab")
        Link.objects.filter(remote_id=9).update(state="erased", contact=None, agreed={})
        jo.delete()
        restored(acme, backup)
        assert not Contact.objects.filter(last="Lindqvist").exists()
        assert Link.objects.get(remote_id=9).state == "erased"
        assert Note.objects.filter(contact__isnull=False).count() == 0


def test_anothers_backup_is_refused_where_there_are_records(acme: Account) -> None:
    other = new_account("other", "Other MSP")
    furnish(other)
    with in_account(acme):
        foreign = brought(acme, make_backup(other))
    with in_account(acme), pytest.raises(BackupRefused) as refused:
        start_restore(acme, foreign, by=None)
    assert refused.value.sentence == (
        "This is a backup of another account (Other MSP), and Brightwater IT has records already. "
        "Nothing was changed here. Restore it into an empty account."
    )
    with in_account(acme):
        assert not Run.objects.exists()


def test_a_file_exchanged_after_the_preview_changes_nothing(acme: Account) -> None:
    with in_account(acme):
        backup, other = make_backup(acme), make_backup(acme)
        changed_much(acme)
        run = previewed(acme, backup)
        path_of(backup).write_bytes(path_of(other).read_bytes())
        assert file_hash(path_of(backup)) != backup.sha256
        before = list(Company.objects.order_by("id").values())
        confirm(run, None)
        run = worked(run)
        assert (run.state, run.error_code, run.error_detail) == (
            "failed",
            "backup.gone",
            "The backup file is gone or was exchanged. Nothing was changed here. Use another backup.",
        )
        assert list(Company.objects.order_by("id").values()) == before


def test_a_preview_changes_nothing(acme: Account) -> None:
    with in_account(acme):
        backup = make_backup(acme)
        changed_much(acme)
        before = hashes(make_backup(acme))
        run = previewed(acme, backup)
        assert hashes(make_backup(acme)) == before
        assert run.slot is None
        (sample,) = [each for each in run.counts["samples"] if each["kind"] == "company"]
        assert sample["fields"] == {
            "phone": ["555 999 0000", "'+1 (555) 010-0100"],
            "city": ["Leeds", ""],
        }


def test_a_day_old_preview_is_refused(acme: Account) -> None:
    from propolis.runs.engine import Refused

    with in_account(acme):
        run = previewed(acme, make_backup(acme))
        Run.objects.filter(pk=run.pk).update(planned_at=timezone.now() - timedelta(hours=25))
        with pytest.raises(Refused) as refused:
            confirm(run, None)
        assert refused.value.code == "propolis.stale_preview"
