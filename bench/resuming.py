"""How long a run stands still when its worker is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

from bench.house import Size, open_house

LEASE = 5
ROUNDS = 3


def resume() -> dict[str, Any]:
    """kill -9 while reading, another worker idle beside it; from the kill to the next claim of the run.

    The lease (60 s unless set otherwise) has to run out first; here it is 5 s.
    """
    with open_house(Size(2000, 4000, 0), PROPOLIS_LEASE_SECONDS=str(LEASE)) as house:
        from propolis.bridge.importing import start_import
        from propolis.runs.models import RunPage

        run, _ = start_import(house.account, ["companies"], gate_first_import=False)
        workers = [_worker(), _worker()]
        took, repeated = [], []
        try:
            for at in range(ROUNDS):
                owner = _owner_after(run, fence=run.fence, pages=3 * (at + 1))
                kept = RunPage.objects.filter(run=run).count()
                victim = next(worker for worker in workers if f":{worker.pid}:" in owner)
                victim.kill()
                victim.wait()
                killed = time.monotonic()
                workers[workers.index(victim)] = _worker()
                _owner_after(run, fence=run.fence + 1, pages=0)
                took.append(round(time.monotonic() - killed, 2))
                repeated.append(RunPage.objects.filter(run=run).count() < kept)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
    return {"lease_seconds": LEASE, "resumed_after_seconds": took, "pages_lost": sum(repeated)}


def _worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "propolis.cli", "worker"])


def _owner_after(run: Any, *, fence: int, pages: int) -> str:
    """Who holds the run once its fence and its pages have come so far."""
    from propolis.runs.models import RunPage

    while True:
        run.refresh_from_db()
        assert not run.ended, "the run ended before its worker was killed"
        if run.fence >= fence and run.lease_owner and RunPage.objects.filter(run=run).count() >= pages:
            return str(run.lease_owner)
        time.sleep(0.02)
