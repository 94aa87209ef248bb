"""A page out of a list: which rows, and the `meta` that goes with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .exchange import Reply
from .model import JSON, Kind, whole_number
from .parameters import Params
from .rendering import dumps

if TYPE_CHECKING:
    from .sandbox import Sandbox

PAGE_SIZES: dict[Kind, int] = {"customers": 100, "contacts": 50, "leads": 25}
LARGEST = 100


class NoSuchPage(Exception):
    """Page 0, a negative one, or no number: Rails answers 404."""


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    size: int

    @property
    def start(self) -> int:
        return (self.number - 1) * self.size

    @property
    def stop(self) -> int:
        return self.start + self.size


def asked(box: Sandbox, kind: Kind, params: Params) -> Page:
    """Raises NoSuchPage."""
    given = params.get("page")
    number = 1 if given in (None, "") else whole_number(given)
    if number is None or number < 1:
        raise NoSuchPage
    size = PAGE_SIZES[kind]
    wanted = whole_number(params.get("per_page"))
    if wanted is not None and wanted > 0 and box.switches[f"{kind}_per_page"] == "honoured":
        size = min(wanted, LARGEST)
    return Page(number, size)


def meta(box: Sandbox, page: Page, entries: int) -> dict[str, JSON]:
    pages = -(-entries // page.size) if entries else int(box.switches.number("empty_total_pages"))
    return {"total_pages": pages, "total_entries": entries, "per_page": page.size, "page": page.number}


def listed(box: Sandbox, kind: Kind, rows: list[bytes], page: Page, entries: int) -> Reply:
    """The whole answer from rows that are JSON already."""
    body = (
        b'{"'
        + kind.encode()
        + b'":['
        + b",".join(rows)
        + b'],"meta":'
        + dumps(meta(box, page, entries))
        + b"}"
    )
    return Reply(200, body)
