"""What an operator may read of a conversation with Syncro: never the token, nor other secrets, nor echoed
input."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, quote_plus

import msgspec

LONGEST_EXCERPT: Final = 500
_HIDDEN: Final = "[hidden]"
# `params` and `record` repeat what was sent, which is personal data; the others open doors.
_HIDDEN_KEYS: Final = frozenset({"params", "record", "user_token", "api_key", "token", "online_profile_url"})
_SECRETS: Final = re.compile(
    r"""(?ix)
    ( (?: user_token | api_key | portal_key | access_token | authorization ) ["']? \s* [:=] \s* ["']?
      (?: bearer \s+ | basic \s+ )? )
    [^\s"'&,;<>}]+
    """
)


def excerpt(body: bytes, hidden: Callable[[str], str]) -> str:
    """The first 500 characters of an answer, echoed input left out and the rest through `hidden`."""
    text = _without_echoes(body) or body[: 8 * LONGEST_EXCERPT].decode("utf-8", "replace")
    return hidden(text)[:LONGEST_EXCERPT]


def hide(text: str, token: str) -> str:
    """The same text without the token, in any of its spellings, and without values that look like secrets."""
    for spelling in {token, quote(token, safe=""), quote_plus(token)}:
        if spelling:
            text = text.replace(spelling, _HIDDEN)
    return _SECRETS.sub(rf"\g<1>{_HIDDEN}", text)


def _without_echoes(body: bytes) -> str | None:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    kept = {key: _HIDDEN if key in _HIDDEN_KEYS else value for key, value in answer.items()}
    return msgspec.json.encode(kept).decode()
