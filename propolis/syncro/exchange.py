"""One request, one answer: the wire. What an answer means is told in `verdict`, whether to ask again in
`client`."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final
from urllib.parse import urlsplit

import httpx2

from propolis.syncro.errors import (
    BadToken,
    Interrupted,
    NoAnswer,
    OutcomeUnknown,
    SyncroError,
    TooLarge,
    WrongAddress,
)
from propolis.syncro.pacing import Clock
from propolis.syncro.redaction import hide

Params = Mapping[str, str | list[str]]

# Nothing of the request had left when these were raised.
_UNSENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.LocalProtocolError,
    httpx2.UnsupportedProtocol,
    httpx2.ProxyError,
)


@dataclass(frozen=True)
class Asked:
    """A request as far as its answer's meaning depends on it. `what` names the record in a sentence, if it
    is one."""

    method: str
    path: str
    params: Params = field(default_factory=dict, repr=False)
    body: Mapping[str, object] | None = field(default=None, repr=False)
    what: str = ""
    # Asking for less is better than asking again when an answer is too slow or too large.
    can_shrink: bool = False

    @property
    def is_write(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True)
class Answer:
    """`body` is decompressed and whole, without the token; `seconds` from start to its last byte."""

    status: int
    # Shown nowhere by accident, such as in a traceback with its variables.
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    seconds: float

    @property
    def server_time(self) -> datetime | None:
        """Syncro's own clock, in UTC."""
        return http_date(self.headers.get("date", ""))

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_web_page(self) -> bool:
        said = self.headers.get("content-type", "").lower()
        return "html" in said or self.body[:200].lstrip()[:1] == b"<"


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates are believed, as this machine has it; read once, it takes longer than a request."""
    return httpx2.create_ssl_context(trust_env=False)


def http_date(text: str) -> datetime | None:
    """A date as HTTP headers spell it, in UTC; None where it is none."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


class Bearer(httpx2.Auth):
    """The token, on its way out only: shown nowhere."""

    def __init__(self, token: str) -> None:
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            # Never quoted: a mistyped token is nearly the token.
            raise BadToken(detail="the token is empty or has characters no token has")
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:  # type: ignore[override]
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request

    def hide(self, text: str) -> str:
        return hide(text, self._token)

    def blank_out(self, body: bytes) -> bytes:
        """An answer that repeats the token, without it: so it cannot end up in a message or a stored page."""
        token = self._token.encode()
        return body.replace(token, b"[hidden]") if token in body else body

    def __repr__(self) -> str:
        return "Bearer([hidden])"


class Exchange:
    """Sends one request at a time per calling thread; never retries, never follows, never reads too much."""

    def __init__(
        self,
        base_url: str,
        bearer: Bearer,
        *,
        transport: httpx2.BaseTransport | None,
        clock: Clock,
        timeout: float,
        user_agent: str,
        max_bytes: int,
    ) -> None:
        self.host = urlsplit(base_url).hostname or ""
        self._clock, self._timeout, self._max_bytes, self._bearer = clock, timeout, max_bytes, bearer

        self._counting = threading.Lock()
        self._under_way, self._closed = 0, False

        def client(keep_alive: int) -> httpx2.Client:
            return httpx2.Client(
                base_url=base_url,
                auth=bearer,
                transport=transport,
                headers={"User-Agent": user_agent, "Accept": "application/json"},
                timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0)),
                limits=httpx2.Limits(max_keepalive_connections=keep_alive),
                # A session cookie beside a token could only confuse.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                follow_redirects=False,
                trust_env=False,
                verify=trusted(),
            )

        self._reading = client(keep_alive=8)
        # A write never rides on an idle connection that the other side may just be closing.
        self._writing = client(keep_alive=0)

    def once(self, asked: Asked) -> Answer:
        """Raises `NoAnswer`, `WrongAddress` or `TooLarge`; `OutcomeUnknown` for a write whose bytes may
        have left."""
        try:
            with self._counted():
                return self._answer(asked)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            failure = self._failure(asked, error)
        except (NoAnswer, TooLarge) as error:
            failure = OutcomeUnknown(detail=error.detail) if asked.is_write else error
        # Out here it has no context: the library's exception holds the request, and with it the token.
        raise failure

    def close(self) -> None:
        """At once if nothing is under way, otherwise when the last request has ended."""
        with self._counting:
            self._closed = True
            idle = self._under_way == 0
        if idle:
            self._disconnect()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._counting:
            if self._closed:
                raise Interrupted(detail="the client was closed")
            self._under_way += 1
        try:
            yield
        finally:
            with self._counting:
                self._under_way -= 1
                last = self._closed and self._under_way == 0
            if last:
                self._disconnect()

    def _disconnect(self) -> None:
        self._reading.close()
        self._writing.close()

    def _answer(self, asked: Asked) -> Answer:
        began = self._clock.monotonic()
        client = self._writing if asked.is_write else self._reading
        query = _query(asked.params)
        with client.stream(asked.method, asked.path, params=query, json=asked.body) as response:
            body = self._bearer.blank_out(self._read(response, began))
            headers = {name.lower(): self._bearer.hide(value) for name, value in response.headers.items()}
            return Answer(response.status_code, headers, body, self._clock.monotonic() - began)

    def _read(self, response: httpx2.Response, began: float) -> bytes:
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self._max_bytes:
                megabytes = f"{self._max_bytes / 2**20:g} MB"
                raise TooLarge(detail=f"more than {self._max_bytes} bytes", limit=megabytes)
            # The library times each read; a trickle of single bytes would go on for ever.
            if self._clock.monotonic() - began > 2 * self._timeout:
                raise NoAnswer(detail="the answer came too slowly", slow=True)
            chunks.append(chunk)
        return b"".join(chunks)

    def _failure(self, asked: Asked, error: Exception) -> SyncroError:
        told = self._bearer.hide(f"{asked.method} {asked.path}: {type(error).__name__}: {error}")
        sent = not isinstance(error, (*_UNSENT, httpx2.InvalidURL))
        if asked.is_write and sent:
            return OutcomeUnknown(detail=told)
        if not sent and _is_nobody_there(error):
            return WrongAddress(detail=told, host=self.host)
        return NoAnswer(detail=told, slow=isinstance(error, httpx2.ReadTimeout))


def _query(params: Params) -> httpx2.QueryParams:
    """Lists as Rails reads them: `id[]=1&id[]=2`."""
    pairs: list[tuple[str, str | int | float | bool | None]] = []
    for key, value in params.items():
        if isinstance(value, str):
            pairs.append((key, value))
        else:
            pairs.extend((f"{key.removesuffix('[]')}[]", one) for one in value)
    return httpx2.QueryParams(pairs)


def _is_nobody_there(error: BaseException | None) -> bool:
    """No such name, or a certificate for another name: not a matter of trying later."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        if isinstance(error, socket.gaierror):
            return error.errno == socket.EAI_NONAME
        error = error.__cause__ or error.__context__
    return False
