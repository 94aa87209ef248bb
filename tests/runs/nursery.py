"""Workers forked from a process that has loaded everything, for tests that kill many: each starts in milliseconds.

    with Nursery(house) as nursery:
        worker = nursery.worker()          # what `propolis worker` runs, in a process of its own
        worker.kill()                      # kill -9

`toys`: they know the toy jobs too. A line with the name of a log goes in, a process id comes out. A child is reaped by
the nursery, not by the test.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar, cast

from tests.runs.harness import ROOT, House, Process


class Forked:
    """One worker."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid, self.log = pid, log

    @property
    def alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """kill -9, and gone when this returns."""
        os.kill(self.pid, signal.SIGKILL)
        until = time.monotonic() + 10
        while self.alive:
            assert time.monotonic() < until, f"process {self.pid} outlives its kill"
            time.sleep(0.002)


Worker = TypeVar("Worker", Forked, Process)


class Nursery:
    """The loaded process of one house; leaving it kills the workers that are left."""

    def __init__(self, house: House, *, toys: bool = False) -> None:
        self.house, self.workers = house, list[Forked]()
        command = [sys.executable, "-m", "tests.runs.nursery", *(["toys"] if toys else [])]
        pipe = subprocess.PIPE
        self.popen = subprocess.Popen(command, env=house.env, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)

    def worker(self) -> Forked:
        log = self.house.folder / f"forked-{len(self.workers)}.log"
        given, told = cast(IO[str], self.popen.stdin), cast(IO[str], self.popen.stdout)
        given.write(f"{log}\n")
        given.flush()
        pid = told.readline().strip()
        assert pid, "the nursery has ended"
        self.workers.append(Forked(int(pid), log))
        return self.workers[-1]

    def __enter__(self) -> Nursery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for worker in self.workers:
            if worker.alive:
                worker.kill()
        with self.popen:
            cast(IO[str], self.popen.stdin).close()


def main() -> None:
    """Loads, then forks a worker per line. No connection and no thread may be open across a fork."""
    from propolis.cli import ready

    ready()
    from django.db import connections

    import propolis.bridge.importing
    import propolis.runs.worker  # noqa: F401
    from propolis.runs.engine import register
    from tests.runs.house_side import logging_job

    if "toys" in sys.argv:
        register(logging_job())
    connections.close_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _work(Path(line.strip()))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _work(log: Path) -> None:
    from propolis.runs.worker import run_worker

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    try:
        run_worker()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
