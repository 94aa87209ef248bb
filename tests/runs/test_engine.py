"""One run's life, told from outside: what work answers, and what the row says afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import InternalError, OperationalError
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from propolis.accounts.models import Account
from propolis.runs import leaving
from propolis.runs.engine import (
    Continue,
    Finish,
    Gate,
    Lease,
    LeaseLost,
    NeedsAttention,
    Refused,
    StopRequested,
    TryAgain,
    WorkResult,
    claim,
    confirm,
    discard,
    follow,
    holder,
    pause,
    resume,
    start,
    stop,
    work,
)
from propolis.runs.models import Run, RunPage
from tests.runs.toys import Counting, Scripted, fresh

State = Run.State


def row(run: Run, *names: str) -> dict[str, Any]:
    return {name: getattr(fresh(run), name) for name in names}


def raising(error: Exception) -> Any:
    def step(run: Run, lease: Lease) -> Any:
        raise error

    return step


def saving(**fields: Any) -> Any:
    def step(run: Run, lease: Lease) -> Continue:
        with lease.batch() as batch:
            batch.save(**fields)
        return Continue()

    return step


def finish(run: Run, lease: Lease) -> Finish:
    return Finish(State.COMPLETE)


def due(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(next_at=timezone.now() - timedelta(seconds=1))


class TestStart:
    def test_the_first_press_starts_the_second_finds_it(self, acme: Account) -> None:
        run, created = start(acme, "toy.scripted", options={"a": 1})
        again, created_again = start(acme, "toy.scripted")
        assert (created, created_again, again) == (True, False, run)
        assert row(run, "number", "slot", "state", "options") == {
            "number": 1,
            "slot": "data",
            "state": "queued",
            "options": {"a": 1},
        }

    def test_slots_and_accounts_do_not_wait_for_each_other(self, acme: Account) -> None:
        other = Account.objects.create(slug="other", name="Other")
        runs = [start(acme, "a")[0], start(acme, "b", slot="backup")[0], start(other, "a")[0]]
        assert [(r.account.slug, r.number, r.slot) for r in runs] == [
            ("acme", 1, "data"),
            ("acme", 2, "backup"),
            ("other", 1, "data"),
        ]

    def test_a_bell_with_the_id_and_nothing_else_rings_on_commit(
        self, acme: Account, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            run, _ = start(acme, "toy.scripted")
        assert [bell.args_kwargs for bell in DBTaskResult.objects.all()] == [{"args": [run.pk], "kwargs": {}}]


class TestWork:
    def test_counts_to_the_end(self, acme: Account, counting: Counting) -> None:
        run, _ = start(acme, counting.kind, options={"batches": 3})
        assert work(run.pk) == WorkResult("ended", 4)
        assert row(run, "state", "slot", "counts", "cursor", "requests", "lease_until", "fence") == {
            "state": "complete",
            "slot": None,
            "counts": {"rows": 15},
            "cursor": {"batch": 3},
            "requests": 3,
            "lease_until": None,
            "fence": 1,
        }
        assert list(RunPage.objects.filter(run=run).values_list("seq", flat=True)) == list(range(15))
        assert fresh(run).started_at is not None and fresh(run).finished_at is not None
        assert holder(acme) is None

    def test_in_slices_it_ends_the_same(self, acme: Account, counting: Counting) -> None:
        run, _ = start(acme, counting.kind, options={"batches": 3})
        outcomes = [work(run.pk, seconds=0).outcome for _ in range(4)]
        assert outcomes == ["slice", "slice", "slice", "ended"]
        assert row(run, "state", "fence") == {"state": "complete", "fence": 4}

    def test_work_on_a_run_that_is_held_or_over_does_nothing(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        assert claim(run.pk, "somebody") is not None
        assert work(run.pk) == WorkResult("busy")
        stopped, _ = start(acme, toy.kind, slot="backup")
        stop(stopped, None)
        assert work(stopped.pk) == WorkResult("busy")

    def test_each_end_calls_the_job_once(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        toy.script = [lambda r, lease: Finish(State.INCOMPLETE, "toy.pages_missing", "2 of 9")]
        work(run.pk)
        assert toy.ends == [(run.pk, "incomplete")]
        assert row(run, "error_code", "error_detail") == {
            "error_code": "toy.pages_missing",
            "error_detail": "2 of 9",
        }


class TestTrouble:
    def test_try_again_waits_longer_each_time_and_starts_over_after_progress(
        self, acme: Account, toy: Scripted, settings: Any
    ) -> None:
        settings.PROPOLIS_RETRY_SECONDS = [30.0, 120.0]
        run, _ = start(acme, toy.kind)
        waits = []
        for attempt in range(3):
            toy.script = [raising(TryAgain("syncro.down", "HTTP 500"))]
            assert work(run.pk) == WorkResult("waiting")
            fresh(run)
            assert (run.state, run.attempt, run.error_code, run.slot) == (
                "waiting",
                attempt + 1,
                "syncro.down",
                "data",
            )
            assert run.next_at is not None
            waits.append((run.next_at - timezone.now()).total_seconds())
            assert work(run.pk) == WorkResult("busy")
            due(run)
        assert [20 < waits[0] < 40, 90 < waits[1] < 150, 90 < waits[2] < 150] == [True] * 3
        toy.script = [saving(cursor={"page": 2}), finish]
        assert work(run.pk) == WorkResult("ended", 2)
        assert row(run, "attempt", "error_code", "losses") == {"attempt": 0, "error_code": "", "losses": 0}

    def test_the_other_side_may_name_the_wait(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        toy.script = [raising(TryAgain("syncro.slow_down", seconds=7))]
        work(run.pk)
        next_at = fresh(run).next_at
        assert next_at is not None and 5 < (next_at - timezone.now()).total_seconds() < 7.5

    def test_a_waiting_run_goes_back_to_where_it_was(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        toy.script = [saving(state=State.READING, phase="companies"), raising(TryAgain("x"))]
        work(run.pk)
        due(run)
        lease = claim(run.pk, "me")
        assert lease is not None and lease.run.state == "reading"

    def test_needs_attention_keeps_the_slot_until_resumed(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        toy.script = [raising(NeedsAttention("syncro.token", "401"))]
        assert work(run.pk).outcome == "needs_attention"
        assert row(run, "state", "slot", "error_code") == {
            "state": "needs_attention",
            "slot": "data",
            "error_code": "syncro.token",
        }
        assert [now.state for now in follow(run)] == ["needs_attention"]
        assert work(run.pk).outcome == "busy"
        assert resume(run, None)
        toy.script = [finish]
        assert work(run.pk).outcome == "ended"
        assert row(run, "state", "error_code") == {"state": "complete", "error_code": ""}

    def test_five_unforeseen_errors_without_progress_fail_the_run(
        self, acme: Account, toy: Scripted, caplog: Any
    ) -> None:
        run, _ = start(acme, toy.kind)
        seen = []
        for _ in range(5):
            toy.script = [raising(ZeroDivisionError("oh"))]
            seen.append((work(run.pk).outcome, fresh(run).losses))
            due(run)
        assert seen == [("waiting", 1), ("waiting", 2), ("waiting", 3), ("waiting", 4), ("ended", 5)]
        assert row(run, "state", "slot", "error_code", "error_detail") == {
            "state": "failed",
            "slot": None,
            "error_code": "propolis.unexpected",
            "error_detail": "ZeroDivisionError: oh",
        }
        assert caplog.text.count("ZeroDivisionError: oh") == 5

    @pytest.mark.parametrize(
        "error",
        [
            OperationalError("database is locked"),
            OperationalError("canceling statement due to statement timeout"),
            InternalError("terminating connection due to idle-in-transaction timeout"),
        ],
    )
    def test_a_busy_database_is_no_loss(self, acme: Account, toy: Scripted, error: Exception) -> None:
        run, _ = start(acme, toy.kind)
        toy.script = [raising(error)]
        assert work(run.pk).outcome == "waiting"
        assert row(run, "losses", "error_code") == {"losses": 0, "error_code": "propolis.database"}

    def test_the_job_learns_how_often_its_worker_died_here(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        seen = []

        def look(run: Run, lease: Lease) -> Finish:
            seen.append(lease.attempts_here)
            return Finish(State.COMPLETE)

        for _ in range(3):
            assert claim(run.pk, "dies") is not None
            Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        toy.script = [look]
        work(run.pk)
        assert seen == [3]

    def test_a_batch_that_fails_leaves_nothing_but_what_was_spent(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)

        def half(run: Run, lease: Lease) -> Continue:
            lease.spent(requests=2, waited=1.5)
            with lease.batch() as batch:
                batch.save(cursor={"page": 9}, requests=1)
                raise TryAgain("x")

        toy.script = [half]
        work(run.pk)
        assert row(run, "cursor", "requests", "waited") == {"cursor": {}, "requests": 2, "waited": 1.5}
        due(run)
        toy.script = [saving(cursor={"page": 9}, requests=1), finish]
        work(run.pk)
        assert row(run, "cursor", "requests") == {"cursor": {"page": 9}, "requests": 3}


class TestPeople:
    def test_pause_and_stop_at_once_where_nobody_works(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        assert pause(run, None) and row(run, "state", "slot") == {"state": "paused", "slot": "data"}
        assert work(run.pk).outcome == "busy"
        assert resume(run, None) and fresh(run).state == "queued"
        assert stop(run, None) and row(run, "state", "slot") == {"state": "stopped", "slot": None}
        assert toy.ends == [(run.pk, "stopped")]
        assert [pause(run, None), resume(run, None), stop(run, None)] == [False] * 3

    @pytest.mark.parametrize(
        ("ask", "outcome", "state"), [(pause, "paused", "paused"), (stop, "ended", "stopped")]
    )
    def test_a_working_run_obeys_after_its_batch(
        self, acme: Account, toy: Scripted, ask: Any, outcome: str, state: str
    ) -> None:
        run, _ = start(acme, toy.kind)

        def asked_meanwhile(run: Run, lease: Lease) -> Continue:
            with lease.batch() as batch:
                batch.save(cursor={"page": 1})
            assert ask(run, None)
            lease.look(every=0)
            with pytest.raises(StopRequested):
                lease.check()
            assert lease.should_stop()
            return Continue()

        toy.script = [asked_meanwhile]
        assert work(run.pk) == WorkResult(outcome, 1)  # type: ignore[arg-type]
        assert row(run, "state", "cursor", "stop_flag", "lease_until") == {
            "state": state,
            "cursor": {"page": 1},
            "stop_flag": "",
            "lease_until": None,
        }

    @pytest.mark.parametrize(("ask", "state"), [(pause, "paused"), (stop, "stopped")])
    def test_a_flag_raised_while_letting_go_is_obeyed(
        self, acme: Account, toy: Scripted, ask: Any, state: str
    ) -> None:
        run, _ = start(acme, toy.kind)

        def asked_at_the_end(run: Run, lease: Lease) -> Continue:
            assert ask(run, None)
            raise TryAgain("syncro.down", seconds=3600)

        toy.script = [asked_at_the_end]
        work(run.pk)
        assert row(run, "state", "stop_flag", "next_at") == {"state": state, "stop_flag": "", "next_at": None}

    def test_resume_before_the_pause_is_obeyed_takes_it_back(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        assert claim(run.pk, "worker") is not None
        assert [pause(run, None), resume(run, None), fresh(run).stop_flag] == [True, True, ""]

    def test_resume_ends_a_wait(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        toy.script = [raising(TryAgain("x", seconds=3600)), finish]
        work(run.pk)
        assert resume(run, None)
        assert work(run.pk).outcome == "ended"

    def test_leaving_lets_go_at_once(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)

        def terminated(run: Run, lease: Lease) -> Continue:
            leaving.ask()
            return Continue()

        toy.script = [saving(state=State.READING), terminated]
        assert work(run.pk) == WorkResult("left", 2)
        assert row(run, "state", "lease_owner", "lease_until") == {
            "state": "reading",
            "lease_owner": "",
            "lease_until": None,
        }

    def test_ctrl_c_inside_a_step_lets_go_and_goes_on(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        toy.script = [raising(KeyboardInterrupt())]  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt):
            work(run.pk)
        assert row(run, "state", "lease_until", "losses") == {
            "state": "queued",
            "lease_until": None,
            "losses": 0,
        }


class TestGate:
    @pytest.fixture
    def planned(self, acme: Account, toy: Scripted) -> Run:
        run, _ = start(acme, toy.kind)
        toy.script = [saving(cursor={"planned": True}, phase="plan"), lambda r, lease: Gate("preview")]
        assert work(run.pk) == WorkResult("gate", 2)
        return fresh(run)

    def test_at_the_gate_the_slot_is_free(self, acme: Account, planned: Run) -> None:
        assert (planned.state, planned.slot, planned.gate_reason) == ("planned", None, "preview")
        assert planned.planned_at is not None
        assert holder(acme) is None
        assert [now.state for now in follow(planned)] == ["planned"]

    def test_confirmed_it_applies_with_its_cursor(self, acme: Account, toy: Scripted, planned: Run) -> None:
        assert confirm(planned, None) and confirm(planned, None)
        assert row(planned, "state", "slot", "cursor") == {
            "state": "applying",
            "slot": "data",
            "cursor": {"planned": True},
        }
        toy.script = [finish]
        assert work(planned.pk).outcome == "ended"

    def test_not_while_another_holds_the_slot(self, acme: Account, toy: Scripted, planned: Run) -> None:
        start(acme, toy.kind)
        assert confirm(planned, None) is False
        assert fresh(planned).state == "planned"

    def test_a_stale_preview_is_refused_with_its_reason(self, toy: Scripted, planned: Run) -> None:
        toy.refusal = "import.preview_stale"
        with pytest.raises(Refused, match=r"import\.preview_stale"):
            confirm(planned, None)
        assert fresh(planned).state == "planned"

    def test_discarded_it_cannot_be_confirmed(self, planned: Run) -> None:
        assert discard(planned, None) and fresh(planned).state == "stopped"
        assert confirm(planned, None) is False
        assert discard(planned, None), "twice is once"

    def test_confirmed_it_cannot_be_discarded(self, planned: Run) -> None:
        before = fresh(planned)  # as another window has it
        assert confirm(planned, None)
        assert (discard(before, None), fresh(planned).state, fresh(planned).stop_flag) == (
            False, "applying", "",
        )  # fmt: skip
        assert stop(planned, None)


class TestFence:
    def test_a_zombie_writes_nothing(self, acme: Account, counting: Counting) -> None:
        run, _ = start(acme, counting.kind, options={"batches": 2})
        zombie = claim(run.pk, "zombie")
        assert zombie is not None
        Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        with pytest.raises(LeaseLost), zombie.batch():
            raise AssertionError("the body must not run")
        assert work(run.pk).outcome == "ended"
        with pytest.raises(LeaseLost):
            counting.step(zombie.run, zombie)
        with pytest.raises(LeaseLost):
            zombie.let_go(state=State.FAILED)
        assert RunPage.objects.filter(run=run).count() == 10
        assert row(run, "state", "cursor", "fence") == {
            "state": "complete",
            "cursor": {"batch": 2},
            "fence": 2,
        }

    def test_a_lease_that_ran_out_inside_the_batch_rolls_it_back(
        self, acme: Account, toy: Scripted, settings: Any
    ) -> None:
        run, _ = start(acme, toy.kind)
        lease = claim(run.pk, "slow")
        assert lease is not None
        settings.PROPOLIS_LEASE_SECONDS = -1.0
        with pytest.raises(LeaseLost), lease.batch() as batch:  # noqa: PT012
            RunPage.objects.create(run=run, phase="rows", seq=0, read_at=timezone.now())
            batch.save(cursor={"page": 1})
        assert (RunPage.objects.count(), fresh(run).cursor) == (0, {})

    def test_a_batch_costs_two_statements(
        self, acme: Account, toy: Scripted, django_assert_num_queries: Any
    ) -> None:
        run, _ = start(acme, toy.kind)
        lease = claim(run.pk, "me")
        assert lease is not None
        with django_assert_num_queries(4) as captured, lease.batch() as batch:
            batch.save(cursor={"page": 1})
        statements = [q["sql"].split()[0] for q in captured.captured_queries]
        assert statements == ["SAVEPOINT", "UPDATE", "UPDATE", "RELEASE"]
