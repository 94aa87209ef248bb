"""The side of the harness that runs inside a house: `worker`, or `call module:function {arguments}`."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any


def main() -> None:
    from propolis.cli import ready

    ready()
    from propolis.accounts.scoping import unscoped
    from propolis.runs.engine import register

    register(logging_job())
    if sys.argv[1] == "worker":
        from propolis.runs.worker import run_worker

        run_worker()
        return
    module, _, function = sys.argv[2].partition(":")
    with unscoped():
        answer = getattr(import_module(module), function)(**json.loads(sys.argv[3]))
    sys.stdout.write(json.dumps(answer) + "\n")


def logging_job() -> Any:
    """The counting job; every batch it begins is a line "account batch pid" in seen.log."""
    from propolis.runs.models import Run
    from tests.runs.toys import Counting

    class Logging(Counting):
        def seen(self, run: Run, at: int) -> None:
            with (Path(os.environ["PROPOLIS_DATA_DIR"]) / "seen.log").open("a") as log:
                log.write(f"{run.account_id} {at} {os.getpid()}\n")
            time.sleep(float(run.options.get("before", 0)))

        def inside(self, run: Run, at: int) -> None:
            time.sleep(float(run.options.get("inside", 0)))

    return Logging()


def start_counting(slug: str = "acme", **options: Any) -> int:
    """Starts a counting run in a new account; its id."""
    from propolis.accounts.founding import create_account
    from propolis.runs.engine import start

    run, created = start(create_account(slug), "toy.counting", options=options)
    assert created
    return run.pk


def eight_presses(rounds: int) -> list[list[int]]:
    """Per round of eight simultaneous presses: how many started a run, different runs got, answers."""
    from propolis.accounts.founding import create_account
    from propolis.runs.engine import stop

    account = create_account("acme")
    answers = []
    for _ in range(rounds):
        got = _press(account, 8)
        answers.append([sum(created for _, created in got), len({run.pk for run, _ in got}), len(got)])
        stop(got[0][0], None)
    return answers


def _press(account: Any, times: int) -> list[tuple[Any, bool]]:
    from django.db import connection

    from propolis.runs.engine import start

    together, got = threading.Barrier(times), []

    def press() -> None:
        connection.ensure_connection()
        together.wait()
        got.append(start(account, "toy.counting", options={"batches": 1}))
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


if __name__ == "__main__":
    main()
