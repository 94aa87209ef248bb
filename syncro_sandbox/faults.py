"""Faults: what can go wrong between a client and Syncro, queued for requests to come.

Before it is carried out: `error`, `reset`, `html`, `null`, `reply`, `refuse`, `too_many`.
After it was carried out: `lost_reply` (nothing comes), `cut` (the connection ends inside the body),
`truncated` (whole HTTP, half JSON), `slow` (the body trickles), and `error` with `applied=True`.
`never`: carried out or not (`applied`), the answer does not come until `seconds` have passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, get_args

from .model import JSON

FaultKind = Literal[
    "error",
    "reset",
    "lost_reply",
    "truncated",
    "cut",
    "html",
    "null",
    "slow",
    "never",
    "reply",
    "refuse",
    "too_many",
]
AFTERWARDS = frozenset({"lost_reply", "truncated", "cut", "slow"})


@dataclass(slots=True, kw_only=True)
class Fault:
    """`method`: one or several (`"POST,PUT"`), `*` = any, `write` = all but GET. `path`: pattern below
    /api/v1, such as `/customers` or `/customers/*`. `query`: parameters the request must carry. `skip`: let
    so many pass first. `times`: strike so often (None = always). `for_seconds`: strike only so long, from
    when it was queued.
    """

    kind: FaultKind
    method: str = "*"
    path: str = "*"
    query: Mapping[str, str] = field(default_factory=dict)
    times: int | None = 1
    skip: int = 0
    for_seconds: float | None = None
    status: int | None = None
    applied: bool = False
    seconds: float | None = None
    shape: int = 1
    messages: tuple[str, ...] = ("Email is not an email",)
    body: JSON = None
    content_type: str = "application/json; charset=utf-8"
    ends_at: float | None = None
    number: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"{self.kind!r} is no kind of fault; there are {', '.join(get_args(FaultKind))}")
        if self.shape not in range(1, 12):
            raise ValueError("shape is 1 to 11")

    @property
    def after(self) -> bool:
        return self.applied or self.kind in AFTERWARDS

    def fits(self, method: str, path: str, params: Mapping[str, JSON]) -> bool:
        wanted = self.method.upper().replace("|", ",").split(",")
        fitting = method in wanted or "*" in wanted or ("WRITE" in wanted and method != "GET")
        return (
            fitting
            and fnmatchcase(path, self.path)
            and all(str(params.get(name)) == str(value) for name, value in self.query.items())
        )

    def described(self) -> dict[str, JSON]:
        names = (
            "number",
            "kind",
            "method",
            "path",
            "times",
            "skip",
            "status",
            "applied",
            "seconds",
            "struck",
        )
        return {name: getattr(self, name) for name in names} | {"query": dict(self.query)}


class FaultBook:
    """The queue. The first fault that fits a request strikes; one that has struck often enough goes."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self._numbered = 0

    def add(self, fault: Fault, now: float) -> int:
        self._numbered += 1
        fault.number = self._numbered
        if fault.for_seconds is not None:
            fault.ends_at = now + fault.for_seconds
            if fault.times == 1:
                fault.times = None
        self.waiting.append(fault)
        return fault.number

    def take(self, method: str, path: str, params: Mapping[str, JSON], now: float) -> Fault | None:
        self.waiting = [fault for fault in self.waiting if fault.ends_at is None or fault.ends_at > now]
        for fault in self.waiting:
            if not fault.fits(method, path, params):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.struck += 1
            if fault.times is not None and fault.struck >= fault.times:
                self.waiting.remove(fault)
            return fault
        return None

    def clear(self, number: int | None = None) -> None:
        self.waiting = [] if number is None else [fault for fault in self.waiting if fault.number != number]


_TROUBLE: Mapping[str, tuple[FaultKind, int, bool]] = {
    "500": ("error", 500, False),
    "502": ("error", 502, False),
    "503": ("error", 503, False),
    "504": ("error", 504, False),
    "504_after_write": ("error", 504, True),
    "reset": ("reset", 500, False),
    "lost_reply": ("lost_reply", 500, True),
    "cut": ("cut", 500, True),
    "slow": ("slow", 500, True),
}


def of_trouble(name: str) -> Fault:
    """The fault that the `trouble` switch stands for."""
    kind, status, applied = _TROUBLE[name]
    return Fault(
        kind=kind, status=status, applied=applied, method="write" if name == "504_after_write" else "*"
    )


_TITLES = {
    500: "We're sorry, but something went wrong (500)",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


def error_page(status: int) -> tuple[str, bytes]:
    """Content type and body: JSON for a 500 of the application, HTML of the load balancer otherwise."""
    if status == 500:
        return "application/json; charset=utf-8", b'{"status":500,"error":"Internal Server Error"}'
    title = _TITLES.get(status, f"{status} Error")
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return "text/html", page.encode()


LOGIN_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Log in</title></head><body><h1>Log in</h1>"
    b"<form action='/users/sign_in' method='post'><input name='user[email]'><input name='user[password]' "
    b"type='password'><button>Log in</button></form></body></html>\n"
)
