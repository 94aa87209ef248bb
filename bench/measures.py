"""Every measure by name. A new one: a function that answers a dict of figures, named here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench import csv_files, importing, million, pages, resuming, sending


@dataclass(frozen=True)
class Measure:
    """`says`: what the figures are. `take` answers them; it may be called once per process.

    `alone`: takes minutes, so it is taken only when it is asked for by name."""

    says: str
    take: Callable[[], dict[str, Any]]
    alone: bool = False


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
        "requests of a first and a second import, as the other side counted them, and how many they may be",
        importing.requests,
    ),
    "resume": Measure("seconds until a run whose worker was killed goes on", resuming.resume),
    "send": Measure(
        'seconds from "Send" to "In Syncro" at 250 ms latency (wanted: 2; during an import at full speed: 5)',
        sending.send,
    ),
    "pages": Measure(
        "server time of every page with 100,000 contacts on SQLite (wanted: p95 under 100 ms)",
        pages.timings,
    ),
    "pages-million": Measure(
        "the same of the CRM's pages with 1,000,000 contacts on PostgreSQL (wanted: p95 under 150 ms)",
        million.timings,
        alone=True,
    ),
    "csv_import": Measure(
        "rows of a CSV file planned and applied a second on SQLite (wanted: 2,000)", csv_files.import_speed
    ),
    "csv_export": Measure(
        "100,000 contacts sent as CSV: memory more than for the first thousand (wanted: none to speak of)",
        csv_files.export_memory,
    ),
}
