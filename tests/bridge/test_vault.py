"""A token at rest opens only where it was sealed for."""

import stat
from pathlib import Path
from typing import Any

import pytest

from propolis.accounts.models import Account
from propolis.accounts.scoping import unscoped
from propolis.bridge import vault
from propolis.bridge.models import Connection
from tests.bridge.house import an_account

TOKEN = "T1234567890abcdef0-ffeeddccbbaa99887766554433221100"
BASE = "https://acme.syncromsp.com/api/v1"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def sealed(account: Account) -> Connection:
    connection = Connection(account=account, base_url=BASE)
    vault.seal(connection, TOKEN)
    connection.save()
    connection.refresh_from_db()
    return connection


def test_what_was_sealed_opens_again_and_nothing_of_it_shows(acme: Account, folder: Path):
    connection = sealed(acme)
    assert vault.open_token(connection) == TOKEN
    assert connection.last4 == "1100"
    assert TOKEN.encode() not in bytes(connection.token_cipher or b"")
    assert stat.S_IMODE((folder / "token_keys").stat().st_mode) == 0o600


def test_a_short_token_shows_none_of_its_characters(acme: Account):
    connection = Connection(account=acme, base_url=BASE)
    vault.seal(connection, "abc123")
    assert connection.last4 == ""


def test_the_same_token_is_never_sealed_to_the_same_bytes(acme: Account):
    one, two = Connection(account=acme, base_url=BASE), Connection(account=acme, base_url=BASE)
    vault.seal(one, TOKEN)
    vault.seal(two, TOKEN)
    assert one.token_cipher != two.token_cipher


def test_pasted_into_another_tenants_row_it_is_refused(acme: Account):
    mine = sealed(acme)
    theirs = Connection(account=an_account("charlies"), base_url=BASE)
    theirs.token_cipher, theirs.key_id = mine.token_cipher, mine.key_id
    with pytest.raises(vault.TokenUnreadable) as refused:
        vault.open_token(theirs)
    assert refused.value.sentence == (
        "The saved Syncro token cannot be read: it was saved with another key, or for another address. "
        "Save a new token under Connection."
    )


def test_after_a_change_of_the_address_it_is_refused(acme: Account):
    connection = sealed(acme)
    connection.base_url = "https://evil.example/api/v1"
    with pytest.raises(vault.TokenUnreadable):
        vault.open_token(connection)


def test_without_a_token_the_sentence_says_so(acme: Account):
    with pytest.raises(vault.TokenUnreadable) as refused:
        vault.open_token(Connection(account=acme, base_url=BASE))
    assert refused.value.sentence == "No Syncro token is saved. Save one under Connection."


def test_the_key_has_nothing_to_do_with_djangos(acme: Account, settings: Any):
    connection = sealed(acme)
    settings.SECRET_KEY = "another"
    assert vault.open_token(connection) == TOKEN


def test_rotation_seals_every_tenants_token_anew_and_keeps_one_old_key(acme: Account, folder: Path):
    connection = sealed(acme)
    with unscoped():
        other = sealed(an_account("charlies"))
    before = connection.key_id
    assert vault.rotate() == 2
    for row in (connection, other):
        with unscoped():
            row.refresh_from_db()
        assert row.key_id != before
        assert vault.open_token(row) == TOKEN
    ids = [line.partition(":")[0] for line in (folder / "token_keys").read_text().splitlines()]
    assert ids == [connection.key_id, before]
    assert vault.rotate() == 2
    ids = [line.partition(":")[0] for line in (folder / "token_keys").read_text().splitlines()]
    assert (len(ids), before in ids) == (2, False)


def test_an_operators_keys_come_before_the_file(acme: Account, settings: Any, folder: Path):
    old, new = (f"{name}:" + vault._new_key().partition(":")[2] for name in ("old", "new"))
    settings.PROPOLIS_TOKEN_KEYS = old
    connection = sealed(acme)
    assert (connection.key_id, list(folder.iterdir())) == ("old", [])
    settings.PROPOLIS_TOKEN_KEYS = f"{new} {old}"
    assert vault.rotate() == 1
    settings.PROPOLIS_TOKEN_KEYS = new
    connection.refresh_from_db()
    assert (connection.key_id, vault.open_token(connection)) == ("new", TOKEN)
    settings.PROPOLIS_TOKEN_KEYS = "newer:" + vault._new_key().partition(":")[2]
    assert (vault.rotate(), vault.left_behind()) == (0, 1)


@pytest.mark.parametrize("key", ["", "abc", "k:abc", "k:YWJj", "k:é"])
def test_a_key_that_is_none_is_said_in_a_sentence(acme: Account, settings: Any, key: str):
    settings.PROPOLIS_TOKEN_KEYS = key or ":"
    with pytest.raises(vault.TokenUnreadable) as refused:
        sealed(acme)
    assert refused.value.sentence == "A key in PROPOLIS_TOKEN_KEYS is not 32 bytes in base64. Correct it."
