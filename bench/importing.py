"""Imports: speed with the network taken out, memory by size, requests as the other side counts them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.house import SLUG, House, Size, imported, open_house

if TYPE_CHECKING:
    from propolis.runs.jobs import Step
    from propolis.runs.lease import Lease
    from propolis.runs.models import Run

MEGABYTE = 1 << 20
WORKING = ("plan", "gate", "apply")
SAMPLE = Size(companies=500, contacts=5000, leads=500)


def speed(database: str) -> dict[str, Any]:
    """A first import of 10,000 contacts after their 1,000 companies; then the same again, unchanged."""
    with open_house(Size(1000, 10_000, 0), database) as house:
        imported(house, "companies")
        first, second = _timed(house, "contacts"), _timed(house, "contacts")
    return {
        "contacts": first["records"],
        "contacts_a_second": first["a_second"],
        "contacts_a_second_of_processor_time": first["a_cpu_second"],
        "planning_seconds": first["plan"],
        "applying_seconds": first["apply"],
        "reading_seconds_left_out": first["read"],
        "unchanged_contacts_a_second": second["a_second"],
    } | ({} if database == "sqlite" else {"server_processor_seconds": first["server"]})


def _timed(house: House, noun: str) -> dict[str, Any]:
    with phases() as (spent, busy, served):
        run = imported(house, noun)
    numbers = run.counts[noun]
    records = numbers["read"] + numbers["persons"]
    return {
        "records": records,
        "a_second": round(records / sum(spent[phase] for phase in WORKING)),
        "a_cpu_second": round(records / sum(busy[phase] + served[phase] for phase in WORKING)),
        "server": round(sum(served[phase] for phase in WORKING), 2),
        **{phase: round(spent[phase], 2) for phase in ("read", "plan", "apply")},
    }


@contextmanager
def phases() -> Iterator[tuple[dict[str, float], ...]]:
    """Per phase of every import the body runs in this process: seconds by the clock, of processor time here, and
    of processor time of the database server's process. Other work on the machine lengthens the latter two least."""
    from propolis.bridge.importing import ImportJob

    clocks = (time.perf_counter, time.process_time, _server_time)
    spent = tuple[defaultdict[str, float], ...](defaultdict(float) for _ in clocks)
    step = ImportJob.step

    def timed(job: ImportJob, run: Run, lease: Lease) -> Step:
        phase, began = run.cursor.get("phase", "backup"), [clock() for clock in clocks]
        try:
            return step(job, run, lease)
        finally:
            for kept, clock, before in zip(spent, clocks, began, strict=True):
                kept[phase] += clock() - before

    ImportJob.step = timed  # type: ignore[method-assign,assignment]
    try:
        yield spent
    finally:
        ImportJob.step = step  # type: ignore[method-assign]


def _server_time() -> float:
    """Of the process that serves our connection: 0 on SQLite, and where it cannot be seen from here."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    connection.ensure_connection()
    try:
        told = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text()
    except OSError:
        return 0.0
    name, _, numbers = told.partition(") ")
    user, system = numbers.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") if "postgres" in name else 0.0


def memory() -> dict[str, Any]:
    """Each size in a process of its own, which a second one measures from outside."""
    peaks = {contacts: _peak(contacts) for contacts in (10_000, 100_000)}
    return {
        **{f"peak_mb_{contacts}_contacts": peak for contacts, peak in peaks.items()},
        "mb_more": round(peaks[100_000] - peaks[10_000], 1),
    }


def _peak(contacts: int) -> float:
    """Peak resident memory, in MB, of `propolis import` of everything; the Syncro is another process."""
    command = [sys.executable, "-m", "bench.importing", str(contacts)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def _measure_child(contacts: int) -> None:
    with open_house(Size(contacts // 10, contacts, contacts // 10)):
        command = [sys.executable, "-m", "propolis.cli", "import", "all", "--account", SLUG]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0, status
    in_kilobytes = sys.platform != "darwin"
    print(round(usage.ru_maxrss * (1024 if in_kilobytes else 1) / MEGABYTE, 1))


def first_at_most(size: Size, users: int) -> int:
    """Requests a first import may take, its users read, where the contacts inside customers are all there are."""
    return _pages(size) + users + 15


def second_at_most(size: Size) -> int:
    """Requests an import straight after another may take."""
    return _pages(size) + 6


def _pages(size: Size) -> int:
    return ceil(size.companies / 100) + ceil(size.leads / 25)


def requests(size: Size = SAMPLE) -> dict[str, Any]:
    """Counted in the other side's log; the first import with the reading of the users it needs."""
    found: dict[str, Any] = {}
    with open_house(size) as house:
        users_read = [each for each in house.syncro.requests() if _list_of(each) == "users"]
        for name, already in (("first", users_read), ("second", [])):
            before = len(house.syncro.requests())
            imported(house)
            log = already + house.syncro.requests(since=before)
            found[name] = len(log)
            found[f"{name}_by_list"] = dict(sorted(Counter(map(_list_of, log)).items()))
        users = len(house.syncro.dump()["users"])
    return found | {
        "users": users,
        "first_at_most": first_at_most(size, users),
        "second_at_most": second_at_most(size),
    }


def _list_of(request: dict[str, Any]) -> str:
    return str(request["path"]).removeprefix("/api/v1/").partition("/")[0]


if __name__ == "__main__":
    _measure_child(int(sys.argv[1]))
