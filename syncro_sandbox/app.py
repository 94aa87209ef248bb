"""The sandbox as a WSGI application, to be driven without a socket.

There is no connection to lose here, so a lost one raises ConnectionResetError and a missing answer
TimeoutError, out of the application and, with most test transports, out of the client's call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from .exchange import Reply, Request
from .pipeline import respond
from .sandbox import Sandbox

Environ = dict[str, Any]
WSGIApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def create_app(sandbox: Sandbox) -> WSGIApp:
    """A WSGI callable serving /api/v1 and /_sandbox of this sandbox."""

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        reply = respond(sandbox, _request(environ))
        if reply.delay:
            time.sleep(reply.delay)
        body = _travelled(reply)
        start_response(f"{reply.status} {phrase(reply.status)}", headers_of(reply))
        return [body]

    return application


def _travelled(reply: Reply) -> bytes:
    match reply.wire:
        case "reset":
            raise ConnectionResetError("the connection was reset by the sandbox")
        case "never":
            raise TimeoutError("the sandbox never answers this request")
        case "cut":
            return reply.body[: len(reply.body) // 2]
        case "slow":
            time.sleep(reply.seconds)
    return reply.body


def headers_of(reply: Reply) -> list[tuple[str, str]]:
    return [
        ("Content-Type", reply.content_type),
        ("Content-Length", str(len(reply.body))),
        *reply.headers,
    ]


def phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"


def _request(environ: Environ) -> Request:
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    headers["content-type"] = environ.get("CONTENT_TYPE") or ""
    length = environ.get("CONTENT_LENGTH") or ""
    stream = environ["wsgi.input"]
    body = stream.read(int(length)) if length else _rest(stream, environ)
    return Request(
        method=environ["REQUEST_METHOD"],
        path=quote(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "/"), safe="/._-~"),
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=body,
        client=environ.get("REMOTE_ADDR") or "127.0.0.1",
    )


def _rest(stream: Any, environ: Environ) -> bytes:
    """A body of unknown length, which only some callers can end."""
    ends = environ.get("wsgi.input_terminated") or "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "")
    return bytes(stream.read()) if ends else b""
