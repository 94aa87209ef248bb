"""The Syncro token at rest: AES-GCM, bound to its account and address.

The ciphertext opens only for the account and base URL it was sealed for: pasted into another tenant's row, or
after the address was changed, it is refused. Keys are independent of Django's SECRET_KEY: the lines of
`<DATA_DIR>/token_keys`, or the words of PROPOLIS_TOKEN_KEYS: `<id>:<32 bytes, base64>`, the first one seals.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from propolis.accounts.models import Account
from propolis.accounts.scoping import unscoped
from propolis.bridge.models import Connection
from propolis.keyring import keep

_NONCE: Final = 12
_KEY: Final = 32
# Fewer characters than this and the last four would give too much of it away.
_SHOWN_FROM: Final = 12
_UNREADABLE: Final = (
    "The saved Syncro token cannot be read: it was saved with another key, or for another address. "
    "Save a new token under Connection."
)


class TokenUnreadable(Exception):
    """There is no token, or none that opens with our keys for this account and address; see `sentence`."""

    code = "bridge.token_unreadable"

    def __init__(self, sentence: str = _UNREADABLE) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def seal(connection: Connection, token: str) -> None:
    """Sets cipher, key id and last 4 characters for the row's present account and base URL. Saves nothing."""
    key_id, key = next(iter(_keys().items()))
    nonce = secrets.token_bytes(_NONCE)
    connection.token_cipher = nonce + AESGCM(key).encrypt(nonce, token.encode(), _bound_to(connection))
    connection.key_id = key_id
    connection.last4 = token[-4:] if len(token) >= _SHOWN_FROM else ""


def open_token(connection: Connection) -> str:
    """The token. Raises `TokenUnreadable`."""
    if not connection.token_cipher:
        raise TokenUnreadable("No Syncro token is saved. Save one under Connection.")
    key = _keys().get(connection.key_id)
    if key is None:
        raise TokenUnreadable
    cipher = bytes(connection.token_cipher)
    try:
        return AESGCM(key).decrypt(cipher[:_NONCE], cipher[_NONCE:], _bound_to(connection)).decode()
    except (InvalidTag, ValueError):
        raise TokenUnreadable from None


def rotate() -> int:
    """Seals every token anew under a new key; how many. Keys from the environment: under the first of them.

    The key used until now stays in the file, for a token that another process is sealing at this moment.
    """
    if not settings.PROPOLIS_TOKEN_KEYS:
        _put_new_key_first(_key_file())
    newest = next(iter(_keys()))
    count = 0
    with unscoped():
        for connection in Connection.objects.exclude(token_cipher=None).exclude(key_id=newest):
            count += _sealed_anew(connection)
    return count


def left_behind() -> int:
    """How many saved tokens are not sealed with the first key: none of ours opened them when it became the first."""
    with unscoped():
        found = Connection.objects.exclude(token_cipher=None).exclude(key_id=next(iter(_keys())))
        return found.count()


def _sealed_anew(connection: Connection) -> int:
    before = connection.token_cipher
    try:
        seal(connection, open_token(connection))
    except TokenUnreadable:
        return 0
    # Only if nobody replaced the token meanwhile.
    return Connection.objects.filter(pk=connection.pk, token_cipher=before).update(
        token_cipher=connection.token_cipher, key_id=connection.key_id
    )


def _bound_to(connection: Connection) -> bytes:
    account: Account = connection.account
    return b"\0".join((b"propolis syncro token 1", account.uid.bytes, connection.base_url.encode()))


def _keys() -> dict[str, bytes]:
    """Id → key, the one that seals first. Read each time: another process may have rotated."""
    given: str = settings.PROPOLIS_TOKEN_KEYS or keep(_key_file(), _new_key)
    keys = {}
    for word in given.replace(",", " ").split():
        key_id, _, text = word.partition(":")
        try:
            key = base64.b64decode(text)
        except ValueError:
            key = b""
        if len(key) != _KEY:
            raise TokenUnreadable("A key in PROPOLIS_TOKEN_KEYS is not 32 bytes in base64. Correct it.")
        keys[key_id] = key
    return keys


def _put_new_key_first(path: Path) -> None:
    newest_before = keep(path, _new_key).split()[:1]
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join([_new_key(), *newest_before]))
    draft.replace(path)


def _new_key() -> str:
    return f"{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(_KEY)).decode()}"


def _key_file() -> Path:
    return Path(settings.DATA_DIR) / "token_keys"
