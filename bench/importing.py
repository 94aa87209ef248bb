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
from typing import TYPE_CHECKING, Any

from bench.house import SLUG, House, Size, imported, open_house

if TYPE_CHECKING:
    from propolis.runs.jobs import Step
    from propolis.runs.lease import Lease
    from propolis.runs.models import Run

MEGABYTE = 1 << 20
WORKING = ("plan", "gate", "apply")


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
    }


def _timed(house: House, noun: str) -> dict[str, Any]:
    with phases() as (spent, busy):
        run = imported(house, noun)
    numbers = run.counts[noun]
    records = numbers["read"] + numbers["persons"]
    return {
        "records": records,
        "a_second": round(records / sum(spent[phase] for phase in WORKING)),
        "a_cpu_second": round(records / sum(busy[phase] for phase in WORKING)),
        **{phase: round(spent[phase], 2) for phase in ("read", "plan", "apply")},
    }


@contextmanager
def phases() -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    """Per phase of every import the body runs in this process: seconds by the clock, and of processor time
    (which other work on the machine does not lengthen; what the database server spends is not in it)."""
    from propolis.bridge.importing import ImportJob

    spent: defaultdict[str, float] = defaultdict(float)
    busy: defaultdict[str, float] = defaultdict(float)
    step = ImportJob.step

    def timed(job: ImportJob, run: Run, lease: Lease) -> Step:
        phase, began, used = run.cursor.get("phase", "backup"), time.perf_counter(), time.process_time()
        try:
            return step(job, run, lease)
        finally:
            spent[phase] += time.perf_counter() - began
            busy[phase] += time.process_time() - used

    ImportJob.step = timed  # type: ignore[method-assign,assignment]
    try:
        yield spent, busy
    finally:
        ImportJob.step = step  # type: ignore[method-assign]


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


def requests() -> dict[str, Any]:
    """Counted in the other side's log, from after the users were read."""
    size = Size(500, 5000, 500)
    found: dict[str, Any] = {}
    with open_house(size) as house:
        users = sum("/users" in each["path"] for each in house.syncro.requests())
        for name in ("first", "second"):
            before = len(house.syncro.requests())
            imported(house)
            log = house.syncro.requests()[before:]
            found[name] = len(log)
            found[f"{name}_by_list"] = dict(Counter(each["path"].rpartition("/")[2] for each in log))
    pages = ceil(size.companies / 100) + ceil(size.leads / 25)
    found["users_read_before"] = users
    return found | {"first_at_most": pages + 15, "second_at_most": pages + 6}


if __name__ == "__main__":
    _measure_child(int(sys.argv[1]))
