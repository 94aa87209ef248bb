"""A clock that only moves when slept on, a pacer that never waits, and a Syncro of scripted answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from propolis.syncro import RequestLog, SyncroClient

TOKEN = "T1f2e3d4c5b6a7988-00112233445566778899aabbccddeeff"
URL = "https://acme.syncromsp.com/api/v1"
Handler = Callable[[httpx2.Request], httpx2.Response]


class FakeClock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


@dataclass
class FreePacer:
    """Lets everybody through and remembers what it was told."""

    told: list[object] = field(default_factory=list)
    priorities: list[bool] = field(default_factory=list)

    def acquire(self, *, priority: bool = False) -> float:
        self.priorities.append(priority)
        return 0.0

    def refused(self, retry_after: float | None) -> None:
        self.told.append(("refused", retry_after))

    def succeeded(self) -> None:
        self.told.append("succeeded")


def client(handler: Handler, **more: Any) -> SyncroClient:
    given: dict[str, Any] = {"pacer": FreePacer(), "clock": FakeClock(), **more}
    return SyncroClient(URL, TOKEN, transport=httpx2.MockTransport(handler), **given)


class Script:
    """Answers one after the other, the last one for ever; remembers what was asked."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        # A fresh copy: a response can be read once only.
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def lines(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


def ok(body: object, **headers: str) -> httpx2.Response:
    return httpx2.Response(200, json=body, headers=headers)


def page_body(key: str, rows: Iterable[object], *, number: int = 1, size: int = 100, total: int) -> bytes:
    meta = {"total_pages": -(-total // size), "total_entries": total, "per_page": size, "page": number}
    return json.dumps({key: list(rows), "meta": meta}).encode()


@dataclass
class Shelf:
    """A list of customers behind /customers: pages by LIMIT and OFFSET like Syncro's, with its moods.

    `chokes_above`: 504 for larger pages. `heeds_size`: whether `per_page` is honoured.
    """

    ids: list[int]
    chokes_above: int | None = None
    heeds_size: bool = True
    key: str = "customers"
    before: Callable[[int], None] | None = None
    asked: list[tuple[int, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        query = request.url.params
        number = int(query["page"])
        size = int(query.get("per_page", "100")) if self.heeds_size else 100
        with self.lock:
            self.asked.append((number, size))
        if self.before:
            self.before(number)
        if self.chokes_above is not None and size > self.chokes_above:
            return httpx2.Response(504, html="<html><h1>504 Gateway Time-out</h1></html>")
        rows = [{"id": one} for one in self.ids[(number - 1) * size : number * size]]
        body = page_body(self.key, rows, number=number, size=size, total=len(self.ids))
        return httpx2.Response(200, content=body, headers={"Content-Type": "application/json"})


@dataclass
class Notes:
    """Collects the request logs of a client."""

    logs: list[RequestLog] = field(default_factory=list)

    def __call__(self, log: RequestLog) -> None:
        self.logs.append(log)
