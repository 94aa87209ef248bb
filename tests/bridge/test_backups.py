"""Making and verifying a backup."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.backup_format import DAMAGED, MANIFEST, seal
from propolis.bridge.backup_snapshot import snapshot
from propolis.bridge.backup_tables import TABLES
from propolis.bridge.backups import BEFORE_IMPORT, delete_backup, make_backup, path_of, verify
from propolis.bridge.models import Backup
from propolis.crm.models import Company
from tests.bridge.backup_story import TOKEN, furnish, new_account

pytestmark = pytest.mark.django_db

COUNTS = {
    "people": 2,
    "statuses": 7,
    "companies": 2,
    "contacts": 2,
    "opportunities": 1,
    "suppressions": 1,
    "lists": 1,
    "list_members": 2,
    "notes": 3,
    "not_duplicates": 1,
    "connection": 1,
    "remote_users": 1,
    "status_map": 1,
    "links": 2,
    "erasures": 1,
    "timeline": 2,
}


@pytest.fixture
def acme(settings: Any, tmp_path: Path) -> Account:
    settings.DATA_DIR = tmp_path / "data"
    account = new_account()
    furnish(account)
    return account


def read(path: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))


def rewrite(path: Path, to: Path, change: Any) -> Path:
    """A copy of the ZIP; `change(name, bytes)` answers the new bytes, or None to leave the file out."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return to


def refused(path: Path) -> tuple[str, str]:
    report = verify(path)
    assert not report.ok
    return report.code, report.sentence


def test_a_backup_holds_one_of_everything_and_verifies(acme: Account) -> None:
    backup = make_backup(acme)
    path = path_of(backup)
    report = verify(path)
    assert (report.ok, report.sha256, report.size) == (True, backup.sha256, path.stat().st_size)
    assert backup.counts == COUNTS
    assert backup.verified_at is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [*(table.file for table in TABLES), MANIFEST]


def test_cells_are_no_formulas_and_rows_name_each_other(acme: Account) -> None:
    path = path_of(make_backup(acme))
    companies, contacts = read(path, "companies.csv"), read(path, "contacts.csv")
    assert [row["name"] for row in companies] == ['\'=HYPERLINK("http://x")', "''t Hooft BV"]
    assert companies[0]["phone"] == "'+1 (555) 010-0100"
    assert companies[0]["notes"] == 'first line\nsecond, with "quotes"\r\nthird'
    assert companies[1]["merged_into"] == companies[0]["uid"]
    assert contacts[0]["company"] == companies[0]["uid"]
    review = read(path, "links.csv")[0]
    assert json.loads(review["candidates"]) == [{"local_id": contacts[0]["uid"], "reason": "email"}]
    change, merge = read(path, "timeline.csv")
    assert change["record"] == contacts[0]["uid"]
    assert json.loads(change["fields"])["company"] == [None, companies[0]["uid"], "edit"]
    assert json.loads(merge["args"]) == {
        "lists": [read(path, "lists.csv")[0]["uid"]],
        "loser": companies[1]["uid"],
        "moved": {"contacts": [contacts[0]["uid"]]},
    }


def test_neither_token_nor_password_is_in_it(acme: Account) -> None:
    with in_account(acme):
        from propolis.accounts.models import User

        alice = User.objects.get(email="alice@example.com")
        alice.set_password("correct horse battery")
        alice.save()
    with zipfile.ZipFile(path_of(make_backup(acme))) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert TOKEN.encode() not in everything
    assert alice.password.encode() not in everything
    assert b"argon2" not in everything


def test_another_accounts_rows_stay_out(acme: Account) -> None:
    charlies = new_account("charlie", "Charlie's")
    assert make_backup(charlies).counts == dict.fromkeys(COUNTS, 0) | {"people": 1, "statuses": 7}


def test_a_file_cut_short_is_refused(acme: Account, tmp_path: Path) -> None:
    whole = path_of(make_backup(acme)).read_bytes()
    cut = tmp_path / "cut.zip"
    for size in (len(whole) - 1, len(whole) // 2, 40):
        cut.write_bytes(whole[:size])
        assert refused(cut) == (
            "backup.truncated",
            "This backup is cut short: the end of the file is missing. Nothing was changed here. "
            "Download or copy it again, or use another backup.",
        )


def test_a_flipped_bit_is_refused_wherever_it_is(acme: Account, tmp_path: Path) -> None:
    whole = path_of(make_backup(acme)).read_bytes()
    flipped = tmp_path / "flipped.zip"
    for at in range(60, len(whole) - 60, max(1, len(whole) // 150)):
        flipped.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        report = verify(flipped)
        assert report.ok is False or _same_content(flipped, path_of(Backup_of(acme)))


def Backup_of(account: Account) -> Backup:
    with in_account(account):
        return Backup.objects.get()


def _same_content(one: Path, other: Path) -> bool:
    """A bit of a time stamp in the ZIP's own headers changes no row."""
    with zipfile.ZipFile(one) as a, zipfile.ZipFile(other) as b:
        return {n: a.read(n) for n in a.namelist()} == {n: b.read(n) for n in b.namelist()}


def test_an_edited_table_is_refused(acme: Account, tmp_path: Path) -> None:
    path = path_of(make_backup(acme))

    def edit(name: str, data: bytes) -> bytes:
        return data.replace(b"Lindqvist", b"Lundqvist")

    edited = rewrite(path, tmp_path / "edited.zip", edit)
    assert refused(edited) == ("backup.damaged", DAMAGED.format(file="contacts.csv"))


def test_an_edited_manifest_is_refused(acme: Account, tmp_path: Path) -> None:
    path = path_of(make_backup(acme))

    def edit(name: str, data: bytes) -> bytes:
        return data.replace(b"Brightwater", b"Brightwind") if name == MANIFEST else data

    edited = rewrite(path, tmp_path / "edited.zip", edit)
    assert refused(edited) == ("backup.damaged", DAMAGED.format(file=MANIFEST))


def test_a_newer_format_a_foreign_zip_and_other_files_are_told_apart(acme: Account, tmp_path: Path) -> None:
    path = path_of(make_backup(acme))

    def newer(name: str, data: bytes) -> bytes:
        return data.replace(b'"version": 1', b'"version": 2') if name == MANIFEST else data

    assert refused(rewrite(path, tmp_path / "newer.zip", newer)) == (
        "backup.newer",
        "This backup was made by a newer Propolis (format 2; this one reads up to 1). Nothing was changed "
        "here. Update Propolis, then try again.",
    )
    not_ours = (
        "backup.foreign",
        "This file is not a Propolis backup. Nothing was changed here. Choose a ZIP file that Propolis made "
        "under Account settings, Backups.",
    )
    without = rewrite(path, tmp_path / "without.zip", lambda name, data: None if name == MANIFEST else data)
    assert refused(without) == not_ours
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG" + b"0" * 1000)
    assert refused(picture) == not_ours
    assert refused(tmp_path / "nowhere.zip") == (
        "backup.unreadable",
        "The file nowhere.zip cannot be read.",
    )


def test_a_path_out_of_the_folder_is_refused(acme: Account, tmp_path: Path) -> None:
    slip = rewrite(path_of(make_backup(acme)), tmp_path / "slip.zip", lambda name, data: data)
    with zipfile.ZipFile(slip, "a") as archive:
        archive.writestr("../../outside.txt", "x")
    assert refused(slip) == (
        "backup.other_files",
        "This backup lacks files or holds others than Propolis writes. Nothing was changed here. Use another "
        "backup.",
    )
    assert not (tmp_path.parent / "outside.txt").exists()


def test_a_bomb_is_refused_before_it_unpacks(acme: Account, tmp_path: Path) -> None:
    bomb = rewrite(
        path_of(make_backup(acme)),
        tmp_path / "bomb.zip",
        lambda name, data: data + b"0" * 200_000_000 if name == "notes.csv" else data,
    )
    assert refused(bomb) == ("backup.damaged", DAMAGED.format(file="notes.csv"))


def test_a_cell_that_is_no_date_is_refused_even_if_the_hashes_agree(acme: Account, tmp_path: Path) -> None:
    path = path_of(make_backup(acme))
    forged = forge(path, tmp_path / "forged.zip", "notes.csv", b"2026-11-20", b"2026-99-20")
    assert refused(forged) == ("backup.damaged", DAMAGED.format(file="notes.csv"))


def forge(path: Path, to: Path, file: str, old: bytes, new: bytes) -> Path:
    """A backup changed by somebody who knows how the manifest is made."""
    import hashlib

    import msgspec

    from propolis.bridge.backup_format import Manifest

    with zipfile.ZipFile(path) as archive:
        data = archive.read(file).replace(old, new)
        manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    entries = tuple(
        msgspec.structs.replace(e, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        if e.name == file
        else e
        for e in manifest.files
    )
    manifest = msgspec.structs.replace(manifest, files=entries)
    sealed = msgspec.json.encode(msgspec.structs.replace(manifest, overall=seal(manifest)))
    return rewrite(path, to, lambda name, was: {file: data, MANIFEST: sealed}.get(name, was))


def test_automatic_ones_are_pruned_and_those_by_hand_stay(acme: Account, settings: Any) -> None:
    settings.PROPOLIS_BACKUPS_KEEP = 2
    by_hand = make_backup(acme)
    automatic = [make_backup(acme, why=BEFORE_IMPORT) for _ in range(4)]
    with in_account(acme):
        assert set(Backup.objects.values_list("pk", flat=True)) == {
            by_hand.pk,
            *(b.pk for b in automatic[2:]),
        }
    assert [path_of(each).exists() for each in automatic] == [False, False, True, True]
    with in_account(acme):
        delete_backup(by_hand)
    assert not path_of(by_hand).exists()


WRITER = """
import sqlite3, sys
from propolis.cli import ready
ready()
from django.db import connection
from propolis.accounts.founding import create_account
from propolis.accounts.models import Account
from propolis.bridge.backup_snapshot import snapshot
create_account("acme")
with snapshot():
    before = Account.objects.count()
    other = sqlite3.connect(connection.settings_dict["NAME"], timeout=0)
    other.execute("UPDATE accounts_account SET slug = 'b'")
    other.execute("INSERT INTO accounts_account SELECT 99, 'x', 'c', name, phone_region, time_zone, currency,"
                  " next_run_no, created_at FROM accounts_account")
    other.commit()
    assert Account.objects.count() == before and Account.objects.get().slug == "acme"
assert Account.objects.count() == before + 1
print("written meanwhile")
"""


@pytest.mark.slow
def test_on_sqlite_people_go_on_writing_while_a_snapshot_is_read(tmp_path: Path) -> None:
    settings = {"DJANGO_SETTINGS_MODULE": "propolis.settings", "PROPOLIS_DATA_DIR": str(tmp_path)}
    place = {**settings, "PATH": os.environ["PATH"]}
    told = subprocess.run(
        [sys.executable, "-c", WRITER], env=place, capture_output=True, text=True, timeout=240, check=False
    )
    assert (told.stdout, told.returncode) == ("written meanwhile\n", 0), told.stderr


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_on_postgresql_a_snapshot_is_of_one_moment(acme: Account) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL only")
    with snapshot() as at, in_account(acme):
        before = Company.objects.count()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_delete_companies, acme).result()
        assert Company.objects.count() == before == 2
        assert at.tzinfo is not None
    with in_account(acme):
        assert Company.objects.count() == 0


def _delete_companies(account: Account) -> None:
    with in_account(account):
        Company.objects.all().delete()
    connection.close()
