"""Every measure by name. A new one: a function that answers a dict of figures, named here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench import importing, pages, resuming


@dataclass(frozen=True)
class Measure:
    """`says`: what the figures are. `take` answers them; it may be called once per process."""

    says: str
    take: Callable[[], dict[str, Any]]


MEASURES = {
    "import-sqlite": Measure(
        "contacts planned and applied a second on SQLite, the network taken out (wanted: 2,500)",
        partial(importing.speed, "sqlite"),
    ),
    "import-postgres": Measure(
        "the same on PostgreSQL (wanted: 1,800)", partial(importing.speed, "postgres")
    ),
    "memory": Measure(
        "a worker's peak at 10,000 and at 100,000 contacts (wanted: at most 30 MB more)", importing.memory
    ),
    "requests": Measure(
        "requests of a first and a second import, as the other side counted them", importing.requests
    ),
    "resume": Measure("seconds until a run whose worker was killed goes on", resuming.resume),
    "pages": Measure(
        "server time of every page with 100,000 contacts on SQLite (wanted: p95 under 100 ms)",
        pages.timings,
    ),
}
