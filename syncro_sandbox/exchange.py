"""One request and one reply, without any socket: what both the server and the WSGI application speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from .model import JSON
from .parameters import Params
from .rendering import dumps
from .tokens import Token

Wire = Literal["", "reset", "cut", "slow", "never"]
JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """`path` as sent, without the query. Header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Reply:
    """`delay`: seconds before it goes out. `wire`: what befalls it on its way, `seconds` of that."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    wire: Wire = ""
    seconds: float = 0.0

    def with_headers(self, *headers: tuple[str, str]) -> Reply:
        return replace(self, headers=(*self.headers, *headers))


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was understood: its parameters, the ids in its path, the token it came with."""

    params: Params
    ids: tuple[int, ...]
    token: Token


class Refused(Exception):
    """Ends a call with this reply; nothing was changed."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def answer(value: JSON, status: int = 200) -> Reply:
    return Reply(status, dumps(value))
