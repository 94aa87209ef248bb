"""A wire between Propolis and Syncro on which this process can die, and what it leaves in the database then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import httpx2

from propolis.bridge import vault
from propolis.bridge.models import Connection
from propolis.runs.models import Run
from propolis.syncro import SyncroClient

Fate = Literal["clean", "died before", "reply lost", "died after"]
FATES: tuple[Fate, ...] = ("clean", "died before", "reply lost", "died after")
_LEASE = ("fence", "lease_owner", "lease_until", "state", "rung_at", "next_at", "stop_flag", "losses")


class Died(BaseException):
    """This process is gone, as after kill -9: nothing handles it."""


class Wire(httpx2.BaseTransport):
    """Real sockets. `fate` befalls the next write, once. `left`: the run's row at the moment of death."""

    def __init__(self) -> None:
        self.fate: Fate = "clean"
        self.left: dict[str, Any] = {}
        self._real = httpx2.HTTPTransport(limits=httpx2.Limits(max_keepalive_connections=1))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        fate: Fate = "clean"
        if request.method != "GET":
            fate, self.fate = self.fate, "clean"
        if fate == "died before":
            self._die()
        answer = self._real.handle_request(request)
        body, headers = answer.read(), answer.headers
        answer.close()
        if fate == "died after":
            self._die()
        if fate == "reply lost":
            raise httpx2.ReadError("the connection was cut", request=request)
        kept = [(name, value) for name, value in headers.raw if name.lower() != b"transfer-encoding"]
        return httpx2.Response(answer.status_code, headers=kept, content=body, request=request)

    def close(self) -> None:
        """A client that is done with it leaves it to the next; see `cut`."""

    def cut(self) -> None:
        self._real.close()

    def _die(self) -> None:
        self.left = Run.objects.filter(kind="send").order_by("-id").values("pk", *_LEASE)[0]
        raise Died


def through(wire: Wire) -> Callable[..., SyncroClient]:
    """Opens clients on this wire, at no pace."""

    def opened(connection: Connection, **how: Any) -> SyncroClient:
        token = vault.open_token(connection)
        return SyncroClient(
            connection.base_url, token, pacer=_AtOnce(), clock=_Instant(), transport=wire, **how
        )

    return opened


def as_after_a_kill(wire: Wire) -> None:
    """What the dying process would have tidied up on its way out is as it was; its lease has run out."""
    left = dict(wire.left)
    Run.objects.filter(pk=left.pop("pk")).update(**left | {"lease_until": "2020-01-01T00:00:00Z"})


class _AtOnce:
    def acquire(self, *, priority: bool = False) -> float:
        return 0.0

    def refused(self, retry_after: float | None) -> None:
        """Nobody is slowed down."""

    def succeeded(self) -> None:
        """Nor quickened."""


class _Instant:
    """Sleeping takes no time."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds
