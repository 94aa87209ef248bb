"""What an answer means: one table from status and body to what the caller must do.

    status       body                           reading                 writing
    2xx          JSON                           fine                    fine
    2xx          {"success": false, …}          Refused                 Refused; a PUT of none: NotFound
    2xx          HTML · empty · null · other    WebPage, EmptyAnswer,   OutcomeUnknown
                                                Garbled; /me: NotSyncro
    3xx          any                            NotSyncro               NotSyncro
    400, 422     any of the eleven shapes       Refused                 Refused
    401          "Not authorized…"              MissingPermission       MissingPermission
    401          anything else, even nothing    BadToken                BadToken
    403          HTML                           NotSyncro               NotSyncro
    403          anything else                  MissingPermission       MissingPermission
    404          on one record                  NotFound                NotFound
    404          on /leads                      LeadsOff                LeadsOff
    404          on any other list              WrongAddress            WrongAddress
    408          any                            NoAnswer                OutcomeUnknown
    429          any                            RateLimited             RateLimited (not executed)
    other 4xx    any                            Refused                 Refused
    5xx          any                            ServerTrouble           OutcomeUnknown

Sources: docs/syncro; that 401 means two things is documented [A] and seen in production code [B].
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from propolis.syncro.errors import (
    BadToken,
    EmptyAnswer,
    Garbled,
    LeadsOff,
    MissingPermission,
    NoAnswer,
    NotFound,
    NotSyncro,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ServerTrouble,
    SyncroError,
    WebPage,
    WrongAddress,
)
from propolis.syncro.exchange import Answer, Asked, http_date
from propolis.syncro.permissions import permission_for
from propolis.syncro.redaction import excerpt
from propolis.syncro.refusals import read_refusal

_NOT_AUTHORIZED: Final = b"not authorized"


def judge(asked: Asked, answer: Answer, *, host: str, hide: Callable[[str], str]) -> SyncroError | None:
    """The error an answer stands for, None for a 2xx with JSON in it."""
    error = _in_success(asked, answer, host) if answer.is_success else _in_failure(asked, answer, host)
    if error is None:
        return None
    if asked.is_write and isinstance(error, ServerTrouble | Garbled | NoAnswer):
        error = OutcomeUnknown()
    error.status, error.detail = answer.status, describe(asked, answer, hide)
    return error


def describe(asked: Asked, answer: Answer, hide: Callable[[str], str]) -> str:
    """For the operator: what was asked, what came, no secrets."""
    request_id = answer.headers.get("x-request-id", "-")[:80]
    return (
        f"{asked.method} {asked.path}: {answer.status} request-id={request_id} {excerpt(answer.body, hide)}"
    )


def retry_after(answer: Answer) -> float | None:
    """Seconds from now, from either spelling of the header; None if it names no sensible time."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    when = http_date(text)
    if when is None:
        return None
    # Both ends on Syncro's clock where it tells it: ours may be wrong.
    return max(0.0, (when - (answer.server_time or datetime.now(UTC))).total_seconds())


def _in_success(asked: Asked, answer: Answer, host: str) -> SyncroError | None:
    body = answer.body.strip()
    if answer.is_web_page:
        return NotSyncro(host=host) if asked.path == "/me" else WebPage()
    if body in (b"", b"null"):
        return None if asked.method == "DELETE" and not body else EmptyAnswer()
    if body[:1] not in (b"{", b"["):
        return Garbled()
    return _failed_quietly(asked, answer) if _says_failure(body) else None


def _in_failure(asked: Asked, answer: Answer, host: str) -> SyncroError:
    status = answer.status
    if status in (401, 403):
        return _unwelcome(asked, answer, host)
    if status == 404:
        return _nothing_there(asked, host)
    if status == 408:
        return NoAnswer()
    if status == 429:
        return RateLimited(retry_after(answer))
    if status >= 500:
        return ServerTrouble(status)
    return _refused(answer) if status >= 400 else NotSyncro(host=host)


def _unwelcome(asked: Asked, answer: Answer, host: str) -> SyncroError:
    if answer.status == 403 and answer.is_web_page:
        return NotSyncro(host=host)
    if answer.status == 403 or _NOT_AUTHORIZED in answer.body.lower():
        return MissingPermission(permission_for(asked.method, asked.path))
    return BadToken()


def _nothing_there(asked: Asked, host: str) -> SyncroError:
    if asked.what:
        return NotFound(what=asked.what)
    return LeadsOff() if asked.path == "/leads" else WrongAddress(host=host)


def _failed_quietly(asked: Asked, answer: Answer) -> SyncroError:
    refused = _refused(answer)
    reasons = " ".join(refused.sentences).lower()
    if asked.method == "PUT" and (not reasons or "not found" in reasons):
        # How a customer that does not exist answers a change of it [B].
        return NotFound(what=asked.what)
    return refused


def _refused(answer: Answer) -> Refused:
    fields, sentences = ({}, []) if answer.is_web_page else read_refusal(answer.body)
    return Refused(fields, sentences)


class _Success(msgspec.Struct):
    success: object = None


def _says_failure(body: bytes) -> bool:
    """`{"success": false}`: a failure in the clothes of a success, from older parts of Syncro [B]."""
    try:
        return body[:1] == b"{" and msgspec.json.decode(body, type=_Success).success is False
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
