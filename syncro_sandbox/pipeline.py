"""The way of a request through the server: limit, route, token, permission, the act itself, and what goes
wrong.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import formatdate
from typing import TYPE_CHECKING
from uuid import UUID

from . import control
from .checks import NOT_AUTHORIZED, echo, not_found
from .exchange import Call, Refused, Reply, Request, answer
from .faults import LOGIN_PAGE, Fault, error_page, of_trouble
from .model import JSON
from .paging import NoSuchPage
from .parameters import Params, Unreadable, read
from .refusals import shaped
from .routes import find, tidy
from .tokens import Token

if TYPE_CHECKING:
    from .sandbox import Sandbox

_WAITS_FOREVER = 3600.0


def respond(box: Sandbox, request: Request) -> Reply:
    """The reply to any request. Requests to the control address are neither counted nor logged."""
    if control.is_control(request.path):
        return control.respond(box, request)
    with box.lock:
        reply = _respond(box, request)
        sent_at = formatdate(box.now_ms() / 1000, usegmt=True)
        request_id = str(UUID(int=box.chance.getrandbits(128), version=4))
    latency = box.switches.number("latency_ms") / 1000
    reply = replace(reply, delay=reply.delay + latency)
    return reply.with_headers(("Date", sent_at), ("Cache-Control", "no-store"), ("X-Request-Id", request_id))


def _respond(box: Sandbox, request: Request) -> Reply:
    path = tidy(request.path)
    try:
        params = read(request.query, request.headers.get("content-type", ""), request.body)
    except Unreadable:
        params = {}
        unreadable = True
    else:
        unreadable = False
    secret = _secret(request, params)
    token = box.token_named(secret)
    entry = _entry(box, request, params, token)
    box.log.append(entry)
    box.served += 1
    if (refused := _too_many(box, request, secret)) is not None:
        reply: Reply = refused
    elif path is None:
        reply = not_found(box)
    elif unreadable:
        reply = answer({"status": 400, "error": "Bad Request"}, 400)
    else:
        reply = _with_faults(box, request.method, path, params, token, entry)
    entry["status"] = None if reply.wire in {"reset", "never"} else reply.status
    return reply


def _secret(request: Request, params: Params) -> str:
    """The token from the header, with or without a scheme, else from `api_key` anywhere."""
    header = request.headers.get("authorization", "").strip()
    scheme, _, rest = header.partition(" ")
    if header:
        return rest.strip() if scheme.lower() == "bearer" else header
    return str(params.get("api_key") or "")


def _entry(box: Sandbox, request: Request, params: Params, token: Token | None) -> dict[str, JSON]:
    """What the log keeps. The token's name stands for the token."""
    query = echo(read(request.query, "", b""))
    content_type = request.headers.get("content-type", "")
    try:
        body: JSON = echo(read("", content_type, request.body)) if request.body else None
    except Unreadable:
        body = "(not JSON)"
    return {
        "n": box.served + 1,
        "at": datetime.fromtimestamp(box.clock(), UTC).isoformat(timespec="milliseconds"),
        "method": request.method,
        "path": request.path,
        "query": query,
        "body": body,
        "status": None,
        "client": request.client,
        "user_agent": request.headers.get("user-agent", ""),
        "token": token.name if token else None,
        "fault": None,
    }


def _too_many(box: Sandbox, request: Request, secret: str) -> Reply | None:
    keys = [f"address {request.client}"]
    if box.switches["rate_limit_counts"] == "address_and_token":
        keys.append(f"token {secret}")
    seconds = box.switches.number("rate_window")
    wait = box.window.wait(keys, box.clock(), int(box.switches.number("rate_limit")), seconds)
    return too_many(box, wait) if wait > 0 else None


def too_many(box: Sandbox, wait: float) -> Reply:
    """429 as the switches shape it. `wait`: seconds until a request would be served."""
    reply = Reply(429, b"Retry later\n", "text/plain")
    if box.switches["rate_limit_body"] == "json":
        reply = answer({"error": "Rate limit exceeded"}, 429)
    seconds = int(wait) + 1
    if box.switches["retry_after"] == "seconds":
        return reply.with_headers(("Retry-After", str(seconds)))
    if box.switches["retry_after"] == "date":
        at = formatdate(box.clock() + seconds, usegmt=True)
        return reply.with_headers(("Retry-After", at))
    return reply


def _with_faults(
    box: Sandbox, method: str, path: str, params: Params, token: Token | None, entry: dict[str, JSON]
) -> Reply:
    fault = box.faults.take(method, path, params, box.clock()) or _trouble(box, method, path, params)
    if fault is None:
        return _serve(box, method, path, params, token)
    entry["fault"] = fault.kind
    if not fault.after:
        return _instead(box, fault, params)
    return _spoilt(box, fault, _serve(box, method, path, params, token))


def _trouble(box: Sandbox, method: str, path: str, params: Params) -> Fault | None:
    name, every = str(box.switches["trouble"]), max(1, int(box.switches.number("trouble_every")))
    if name == "off" or box.served % every:
        return None
    fault = of_trouble(name)
    return fault if fault.fits(method, path, params) else None


def _instead(box: Sandbox, fault: Fault, params: Params) -> Reply:
    """The answer of a request that was never carried out."""
    match fault.kind:
        case "reset":
            return Reply(0, wire="reset")
        case "never":
            return Reply(0, wire="never", seconds=fault.seconds or _WAITS_FOREVER)
        case "html":
            return Reply(200, LOGIN_PAGE, "text/html; charset=utf-8")
        case "null":
            return Reply(200, b"null")
        case "too_many":
            return _told_to_wait(box, fault)
        case "refuse":
            return answer(shaped(fault.shape, fault.messages, echo(params)), 422)
        case "reply":
            return _given(fault)
    return _error(fault, delay=fault.seconds or 0)


def _told_to_wait(box: Sandbox, fault: Fault) -> Reply:
    """429 as the switches shape it, or with Retry-After if the fault says how many seconds."""
    if fault.seconds is None:
        return too_many(box, 30)
    return Reply(429, b"Retry later\n", "text/plain", (("Retry-After", f"{fault.seconds:g}"),))


def _given(fault: Fault) -> Reply:
    body = fault.body.encode() if isinstance(fault.body, str) else json.dumps(fault.body).encode()
    return Reply(fault.status or 200, body, fault.content_type)


def _spoilt(box: Sandbox, fault: Fault, reply: Reply) -> Reply:
    """The answer of a request that was carried out, and what becomes of it."""
    match fault.kind:
        case "lost_reply":
            return replace(reply, wire="reset")
        case "never":
            return replace(reply, wire="never", seconds=fault.seconds or _WAITS_FOREVER)
        case "cut":
            return replace(reply, wire="cut")
        case "slow":
            return replace(reply, wire="slow", seconds=fault.seconds or box.switches.number("slow_seconds"))
        case "truncated":
            return replace(reply, body=reply.body[: len(reply.body) // 2])
        case "reply":
            return _given(fault)
        case "html":
            return Reply(200, LOGIN_PAGE, "text/html; charset=utf-8")
        case "null":
            return Reply(200, b"null")
    return _error(fault)


def _error(fault: Fault, delay: float = 0) -> Reply:
    status = fault.status or 500
    content_type, body = error_page(status)
    return Reply(status, body, content_type, delay=delay)


def _serve(box: Sandbox, method: str, path: str, params: Params, token: Token | None) -> Reply:
    found = find(method, path)
    if found is None:
        return not_found(box)
    if token is None:
        return _unknown_token(box)
    permission, handler, ids = found
    if not token.may(permission):
        return answer({"error": NOT_AUTHORIZED}, int(box.switches["permission_status"]))
    try:
        return handler(box, Call(params, ids, token))
    except NoSuchPage:
        return not_found(box)
    except Refused as refused:
        return refused.reply


def _unknown_token(box: Sandbox) -> Reply:
    match box.switches["auth_failure_body"]:
        case "empty":
            return Reply(401, b"", "text/html")
        case "html":
            return Reply(401, LOGIN_PAGE, "text/html; charset=utf-8")
    return answer({"error": "Failed to authenticate account"}, 401)
