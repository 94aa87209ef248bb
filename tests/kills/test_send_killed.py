"""The process that sends is killed (kill -9) while Syncro has its POST: a worker finishes it, nothing is sent twice."""

from __future__ import annotations

import json
import sys

import pytest

from syncro_sandbox import Sandbox, SeedOptions, serve
from tests.runs.harness import WORKER, House

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300)]
PRESS = [sys.executable, "-m", "tests.runs.house_side", "call", "tests.kills.send_side:press", json.dumps({})]


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("path", ["/customers", "/contacts"])
def test_killed_while_syncro_is_silent(house: House, path: str, carried_out: bool) -> None:
    house.env |= {"PROPOLIS_PACE": "60000", "PROPOLIS_SEND_SETTLE_SECONDS": "0"}
    with serve(Sandbox(SeedOptions(companies=0, contacts=0, leads=0), rate_limit=0)) as syncro:
        house.call("tests.kills.send_side:ready", base_url=syncro.base_url, token=syncro.token)
        box = syncro.sandbox
        box.fault("never", method="POST", path=path, applied=carried_out, seconds=4)
        pressing = house.spawn(PRESS)
        silent = (
            f"select id from history_change where args like '%writing_at%' and remote_kind = '{_kind(path)}'"
        )
        if house.database_url:
            silent = silent.replace("args like", "args::text like")
        house.wait_for(f"{silent} and state = 'sending'")
        house.wait_until(lambda: any(fault.struck for fault in box.faults.waiting) or not box.faults.waiting)
        pressing.kill()
        house.worker(WORKER)
        assert house.wait_for("select state from runs_run where finished_at is not null") == [("complete",)]
        assert house.call("tests.kills.send_side:links") == [
            ["customer", max(row.id for row in box.customers)],
            ["contact", max(row.id for row in box.contacts)],
        ]
        assert (len(box.customers), len(box.contacts)) == (1, 1)


def _kind(path: str) -> str:
    return path.strip("/").removesuffix("s")
