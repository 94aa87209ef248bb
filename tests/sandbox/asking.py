"""A client of nobody's making: it says exactly what a test tells it to say, and shows the raw answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from syncro_sandbox import Sandbox, create_app

BASE = "http://sandbox.test/api/v1"


@dataclass
class Clock:
    """Time that a test moves by hand."""

    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Asker:
    """Requests straight into the application, without a socket."""

    box: Sandbox
    address: str = "127.0.0.1"
    token: str | None = None
    client: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.token = self.token or self.box.token
        transport = httpx2.WSGITransport(app=create_app(self.box), remote_addr=self.address)
        self.client = httpx2.Client(transport=transport)

    def ask(self, method: str, path: str, **how: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}", **how.pop("headers", {})}
        return self.client.request(method, BASE + path, headers=headers, **how)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Mapping[str, Any]) -> httpx2.Response:
        return self.ask("POST", path, json=body)

    def put(self, path: str, body: Mapping[str, Any]) -> httpx2.Response:
        return self.ask("PUT", path, json=body)

    def delete(self, path: str) -> httpx2.Response:
        return self.ask("DELETE", path)

    def control(self, method: str, path: str, **how: Any) -> httpx2.Response:
        return self.client.request(method, f"http://sandbox.test/_sandbox{path}", **how)

    def ids(self, kind: str, **params: Any) -> list[int]:
        return [row["id"] for row in self.get(f"/{kind}", **params)[kind]]
