"""A small threaded HTTP/1.1 server with kept connections, able to misbehave on the wire as it is told."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from traceback import print_exception

from .app import headers_of, phrase
from .exchange import Reply, Request
from .faults import error_page
from .pipeline import respond
from .sandbox import Sandbox

_PIECES = 8
_LARGEST_BODY = 20_000_000


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that is being served. `token` has every permission."""

    base_url: str
    control_url: str
    token: str = field(repr=False)
    sandbox: Sandbox


class Server(ThreadingHTTPServer):
    """One thread per connection; `close` ends connections that are kept open as well."""

    daemon_threads = True
    block_on_close = True
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox, host: str, port: int) -> None:
        self.sandbox = sandbox
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Without the reverse look-up of the host name that the base class would do."""
        socket.socket.bind(self.socket, self.server_address)
        self.server_name, self.server_port = self.socket.getsockname()[:2]
        self.server_address = self.socket.getsockname()

    def opened(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.discard(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no event here."""

    @property
    def origin(self) -> str:
        host = "127.0.0.1" if self.server_name == "0.0.0.0" else self.server_name  # noqa: S104
        return f"http://{host}:{self.server_port}"

    def close(self) -> None:
        self.stopping.set()
        self.shutdown()
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Server
    connection: socket.socket

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        with suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """The sandbox keeps its own log."""

    def handle_expect_100(self) -> bool:
        """Says so at once: .NET and curl wait for it before they send a body."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _exchange(self) -> None:
        try:
            reply = respond(self.server.sandbox, self._request())
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:  # a server that stumbles says 500, and this one tells why on its screen
            print_exception(error)
            reply = Reply(500, error_page(500)[1])
            self.close_connection = True
        if reply.delay:
            self.server.stopping.wait(reply.delay)
        self._send(reply)

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        return Request(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
            client=str(self.client_address[0]),
        )

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _exchange

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(min(length, _LARGEST_BODY)) if length else b""

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, reply: Reply) -> None:
        match reply.wire:
            case "reset":
                return self._reset()
            case "never":
                self.server.stopping.wait(reply.seconds)
                return self._reset()
        head = self._head(reply)
        body = b"" if self.command == "HEAD" else reply.body
        if reply.wire == "cut":
            self.wfile.write(head + body[: len(body) // 2])
            self.wfile.flush()
            self.close_connection = True
        elif reply.wire == "slow":
            self._trickle(head, body, reply.seconds)
        else:
            self.wfile.write(head + body)
            self.wfile.flush()
        return None

    def _head(self, reply: Reply) -> bytes:
        lines = [f"HTTP/1.1 {reply.status} {phrase(reply.status)}"]
        lines += [f"{name}: {value}" for name, value in headers_of(reply)]
        if self.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _trickle(self, head: bytes, body: bytes, seconds: float) -> None:
        self.wfile.write(head)
        step = max(1, -(-len(body) // _PIECES))
        for start in range(0, len(body), step):
            self.wfile.flush()
            self.server.stopping.wait(seconds / _PIECES)
            self.wfile.write(body[start : start + step])
        self.wfile.flush()

    def _reset(self) -> None:
        """End the connection with a TCP reset, so that the client sees an error and no empty answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


@contextmanager
def serve(sandbox: Sandbox, port: int = 0, host: str = "127.0.0.1") -> Iterator[Running]:
    """Serve from a thread of its own while the block runs. Port 0 picks a free one."""
    server = Server(sandbox, host, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield running(server)
    finally:
        server.close()
        thread.join()


def running(server: Server) -> Running:
    origin = server.origin
    return Running(f"{origin}/api/v1", f"{origin}/_sandbox", server.sandbox.token, server.sandbox)


def serve_until(server: Server, stop: threading.Event) -> None:
    """Serve until the event is set."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    stop.wait()
    server.close()
    thread.join()
