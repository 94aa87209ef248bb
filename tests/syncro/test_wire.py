"""Over real sockets: what a network does to answers, and what must never leave this machine unprotected."""

import datetime
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from propolis.syncro import (
    Interrupted,
    NoAnswer,
    NotSyncro,
    OutcomeUnknown,
    Resource,
    SyncroClient,
    TooLarge,
    WrongAddress,
)
from tests.syncro.fakes import TOKEN, FakeClock, FreePacer, Notes

Talk = Callable[[socket.socket], None]
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def listening(talk: Talk, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that reads one request per connection and then does as `talk` says: its host and port."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                try:
                    wrapped = context.wrap_socket(connection, server_side=True) if context else connection
                    heard = b""
                    while b"\r\n\r\n" not in heard:
                        more = wrapped.recv(65536)
                        if not more:
                            break
                        heard += more
                    talk(wrapped)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def talking(base: str, **more: Any) -> SyncroClient:
    given: dict[str, Any] = {"pacer": FreePacer(), "clock": FakeClock(), "timeout": 5.0, **more}
    return SyncroClient(f"http://{base}", TOKEN, **given)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


MISHAPS = {
    "hangs up": lambda connection: None,
    "resets": reset,
    "less than announced": lambda connection: connection.sendall(
        JSON + b'Content-Length: 99\r\n\r\n{"leads":['
    ),
    "cut in a chunk": lambda connection: connection.sendall(
        JSON + b'Transfer-Encoding: chunked\r\n\r\n40\r\n{"leads":['
    ),
    "bad compression": lambda connection: connection.sendall(
        JSON + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"
    ),
    "not HTTP": lambda connection: connection.sendall(b"220 mail.example ESMTP\r\n"),
}


@pytest.mark.parametrize("name", MISHAPS)
def test_a_broken_answer_is_asked_for_again_when_reading_and_never_when_writing(name):
    notes = Notes()
    with listening(MISHAPS[name]) as base, talking(base, on_request=notes) as syncro:
        with pytest.raises(NoAnswer):
            syncro.page(Resource.LEADS, 1)
        with pytest.raises(OutcomeUnknown):
            syncro.create_customer({"firstname": "Ann"})
    assert [(log.method, log.retry) for log in notes.logs] == [
        ("GET", 0),
        ("GET", 1),
        ("GET", 2),
        ("GET", 3),
        ("POST", 0),
    ]


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with talking(f"127.0.0.1:{port}") as syncro:
        with pytest.raises(NoAnswer):
            syncro.me()
        with pytest.raises(NoAnswer):
            syncro.create_customer({})


def test_silence_is_waited_for_only_so_long():
    silent = threading.Event()

    def say_nothing(connection: socket.socket) -> None:
        silent.wait(5)

    with listening(say_nothing) as base:
        with talking(base, timeout=0.05) as syncro, pytest.raises(OutcomeUnknown):
            syncro.update_customer(1, {})
        silent.set()


def test_a_client_closed_in_the_middle_closes_its_connections_afterwards():
    """Warnings are errors: a socket left open would fail this test."""
    asked, release, gone = threading.Event(), threading.Event(), threading.Event()

    def answer_late(connection: socket.socket) -> None:
        asked.set()
        release.wait(5)
        connection.sendall(JSON + b'Content-Length: 12\r\n\r\n{"leads":[]}')
        connection.settimeout(5)
        if connection.recv(1) == b"":
            gone.set()

    with listening(answer_late) as base:
        syncro = talking(base)
        reader = threading.Thread(target=syncro.page, args=(Resource.LEADS, 1))
        reader.start()
        assert asked.wait(5)
        syncro.close()
        release.set()
        reader.join(5)
        assert gone.wait(5)
        with pytest.raises(Interrupted):
            syncro.page(Resource.LEADS, 1)


def test_a_trickle_is_not_waited_for():
    class Hurried(FakeClock):
        def monotonic(self):
            self.now += 5.0
            return self.now

    whole = threading.Event()

    def trickle(connection):
        connection.sendall(JSON + b"Content-Length: 1000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b" ")
            time.sleep(0.005)
        whole.set()

    with (
        listening(trickle) as base,
        talking(base, clock=Hurried(), timeout=1.0) as syncro,
        pytest.raises(OutcomeUnknown),
    ):
        syncro.delete_contact(1)
    assert not whole.is_set()


def test_an_endless_answer_is_not_read():
    def flood(connection):
        connection.sendall(JSON + b"\r\n")
        for _ in range(2000):
            connection.sendall(b" " * 65536)

    with listening(flood) as base, talking(base, max_bytes=2**20) as syncro:
        with pytest.raises(TooLarge):
            syncro.page(Resource.LEADS, 1)
        with pytest.raises(OutcomeUnknown):
            syncro.update_lead(1, {})


def test_redirects_are_not_followed_with_the_token():
    heard = []

    def elsewhere(connection):
        heard.append(connection)

    with listening(elsewhere) as evil:

        def away(connection):
            connection.sendall(
                b"HTTP/1.1 302 Found\r\nLocation: http://%s/\r\nContent-Length: 0\r\n\r\n" % evil.encode()
            )

        with listening(away) as base, talking(base) as syncro, pytest.raises(NotSyncro):
            syncro.me()
    assert heard == []


def test_a_certificate_that_is_not_syncros_is_not_trusted(tmp_path):
    heard: list[socket.socket] = []
    with listening(heard.append, own_certificate(tmp_path)) as base:
        notes = Notes()
        secure = SyncroClient(
            f"https://{base}", TOKEN, pacer=FreePacer(), clock=FakeClock(), on_request=notes
        )
        with secure as syncro, pytest.raises(WrongAddress):
            syncro.me()
    assert (heard, len(notes.logs)) == ([], 1)


def own_certificate(folder) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "own.pem"
    file.write_bytes(private + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
