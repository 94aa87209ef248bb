"""Whom an import blames when its workers keep dying: the record they had begun, never one they had not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.bridge.importing import start_import
from propolis.bridge.models import Connection
from propolis.bridge.planner import BLAMED_AFTER, CAREFUL_AFTER, Planner
from propolis.history.models import Change
from propolis.runs.engine import Lease, claim, work
from propolis.runs.models import Run
from syncro_sandbox import SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, finish, ready

pytestmark = pytest.mark.django_db(transaction=True)
THREE = SeedOptions(companies=3, contacts=0, leads=0, seed=5)


class Died(BaseException):
    """Nothing catches this, as nothing catches a kill."""


def read(account: Account) -> Run:
    """An import of companies that has read everything and planned nothing."""
    run, _ = start_import(account, ["companies"], gate_first_import=False)
    while run.cursor.get("phase") != "plan":
        assert work(run.pk, seconds=0).outcome == "slice"
        run.refresh_from_db()
    return run


def killed(run: Run, *, at: int | None = None) -> None:
    """A worker takes the run and dies: as it plans the record with this id, or (None) before it begins any."""
    lease = claim(run.pk, "here:1:x")
    assert lease is not None
    planner = Planner(lease.run, Connection.objects.get())
    plan = planner._plan

    def deadly(stage: Any, items: Any) -> Any:
        if at in {item.remote_id for item in items}:
            raise Died
        return plan(stage, items)

    planner._plan = deadly  # type: ignore[method-assign]
    if at is not None:
        with pytest.raises(Died):
            _to_the_end(planner, lease)
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(minutes=1))


def _to_the_end(planner: Planner, lease: Lease) -> None:
    while not planner.finished:
        planner.step(lease)


def test_killed_before_it_began_a_record_a_worker_blames_none(acme: Account) -> None:
    with a_syncro(THREE) as syncro:
        ready(acme, syncro)
        first = min(each["id"] for each in syncro.sandbox.dump()["customers"])
        run = read(acme)
        for _ in range(CAREFUL_AFTER + 1):
            killed(run, at=first)
        for _ in range(3 * BLAMED_AFTER):
            killed(run)
        run = finish(run)
    assert (run.state, counts(run, "companies")) == (Run.State.COMPLETE, {"new": 3})


def test_workers_that_chance_kills_at_one_record_do_not_cost_it(acme: Account) -> None:
    with a_syncro(THREE) as syncro:
        ready(acme, syncro)
        unlucky = sorted(each["id"] for each in syncro.sandbox.dump()["customers"])[1]
        run = read(acme)
        for _ in range(CAREFUL_AFTER + BLAMED_AFTER):
            killed(run, at=unlucky)
        run = finish(run)
    assert (run.state, counts(run, "companies")) == (Run.State.COMPLETE, {"new": 3})


def test_the_record_at_which_workers_die_is_set_aside_and_the_rest_comes(acme: Account) -> None:
    with a_syncro(THREE) as syncro:
        ready(acme, syncro)
        deadly = sorted(each["id"] for each in syncro.sandbox.dump()["customers"])[1]
        run = read(acme)
        for _ in range(CAREFUL_AFTER + 1 + BLAMED_AFTER):
            killed(run, at=deadly)
        run = finish(run)
    assert (run.state, counts(run, "companies")) == (Run.State.COMPLETE, {"new": 2, "failed": 1})
    assert Change.objects.values_list("remote_id", "reason").get(action="fail") == (
        deadly,
        "killed_the_worker",
    )
