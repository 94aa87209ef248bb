"""What a worker looks after: the forgotten are rung for, schedules start on time, old rows go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from propolis.accounts.models import Account
from propolis.runs import leaving
from propolis.runs.engine import claim, start, stop
from propolis.runs.models import Beat, Run, RunPage, Schedule
from propolis.runs.reaper import beat, ring_forgotten, tidy
from propolis.runs.schedules import next_time, start_due
from propolis.runs.tasks import ring, wake
from propolis.runs.worker import answer_next
from tests.runs.toys import Counting, Scripted, fresh


def bells() -> list[int]:
    return [b.args_kwargs["args"][0] for b in DBTaskResult.objects.filter(status=TaskResultStatus.READY)]


def past(run: Run, **fields: Any) -> None:
    Run.objects.filter(pk=run.pk).update(**fields)


class TestForgotten:
    def test_a_run_that_lost_its_bell_is_rung_for_once(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        assert [ring_forgotten(), ring_forgotten(), bells()] == [1, 0, [run.pk]]

    def test_so_is_one_whose_worker_died_and_one_whose_wait_is_over(
        self, acme: Account, toy: Scripted
    ) -> None:
        died, _ = start(acme, toy.kind)
        assert claim(died.pk, "dies") is not None
        waits, _ = start(acme, toy.kind, slot="b")
        past(waits, state="waiting", next_at=timezone.now() + timedelta(seconds=60))
        assert ring_forgotten() == 0
        past(died, lease_until=timezone.now() - timedelta(seconds=1))
        past(waits, next_at=timezone.now() - timedelta(seconds=1))
        assert [ring_forgotten(), bells()] == [2, [died.pk, waits.pk]]

    @pytest.mark.parametrize("state", ["paused", "planned", "needs_attention", "complete", "stopped"])
    def test_not_for_runs_that_rest(self, acme: Account, toy: Scripted, state: str) -> None:
        run, _ = start(acme, toy.kind)
        past(run, state=state)
        assert [ring_forgotten(), bells()] == [0, []]

    def test_a_bell_that_never_reached_anybody_is_rung_again_but_not_queued_twice(
        self, acme: Account, toy: Scripted
    ) -> None:
        run, _ = start(acme, toy.kind)
        assert ring(run.pk)
        past(run, rung_at=timezone.now() - timedelta(seconds=61))
        assert [ring_forgotten(), bells()] == [1, [run.pk]]
        DBTaskResult.objects.all().delete()
        past(run, rung_at=timezone.now() - timedelta(seconds=61))
        assert [ring_forgotten(), bells()] == [1, [run.pk]]

    def test_a_bell_answered_for_nothing_does_not_muffle_the_next(self, acme: Account, toy: Scripted) -> None:
        run, _ = start(acme, toy.kind)
        ring(run.pk)
        past(run, state="paused")
        wake.call(run.pk)
        assert fresh(run).rung_at is None


class TestWorkerLoop:
    def test_answers_bells_in_turn_until_there_are_none(
        self, acme: Account, counting: Counting, settings: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        settings.PROPOLIS_SLICE_SECONDS = 0
        other = Account.objects.create(slug="other", name="Other")
        with django_capture_on_commit_callbacks(execute=True):
            runs = [start(a, counting.kind, options={"batches": 1})[0] for a in (acme, other)]
        order = []
        for _ in range(4):
            order.append(bells()[0])
            with django_capture_on_commit_callbacks(execute=True):
                assert answer_next("me")
        assert order == [runs[0].pk, runs[1].pk] * 2
        assert [fresh(r).state for r in runs] == ["complete", "complete"]
        assert answer_next("me") is False

    def test_a_bell_of_a_run_that_is_gone_is_answered_too(self, db: None) -> None:
        wake.enqueue(4711)
        assert answer_next("me") is True
        assert [b.status for b in DBTaskResult.objects.all()] == [TaskResultStatus.SUCCESSFUL]

    def test_leaving_ends_a_sleep(self) -> None:
        leaving.ask()
        assert leaving.sleep(60) is True


class TestTidying:
    def test_old_bells_go_and_young_ones_stay(self, db: None) -> None:
        long_ago = timezone.now() - timedelta(days=2)
        for status, at in (
            (TaskResultStatus.SUCCESSFUL, long_ago),
            (TaskResultStatus.FAILED, long_ago),
            (TaskResultStatus.RUNNING, long_ago),
            (TaskResultStatus.RUNNING, timezone.now()),
            (TaskResultStatus.SUCCESSFUL, timezone.now()),
            (TaskResultStatus.READY, None),
        ):
            bell = DBTaskResult.objects.get(pk=wake.enqueue(1).id)
            DBTaskResult.objects.filter(pk=bell.pk).update(status=status, started_at=at, finished_at=at)
        tidy()
        left = DBTaskResult.objects.order_by("status").values_list("status", flat=True)
        assert list(left) == ["READY", "RUNNING", "SUCCESSFUL"]

    def test_pages_lose_their_body_when_the_run_ends_or_nobody_confirmed(
        self, acme: Account, toy: Scripted
    ) -> None:
        kept = {}
        for slot, state, days in (
            ("a", "reading", 9),
            ("b", "planned", 1),
            ("c", "planned", 8),
            ("d", "", 0),
        ):
            run, _ = start(acme, toy.kind, slot=slot)
            RunPage.objects.create(run=run, phase="p", seq=0, read_at=timezone.now(), body=b"x")
            if state:
                past(run, state=state, planned_at=timezone.now() - timedelta(days=days))
            else:
                stop(run, None)
            kept[run.pk] = slot
        tidy()
        assert {kept[p.run_id]: p.body for p in RunPage.objects.all()} == {
            "a": b"x",
            "b": b"x",
            "c": None,
            "d": None,
        }

    def test_one_sign_of_life_per_worker(self, db: None) -> None:
        Beat.objects.create(owner="gone", seen_at=timezone.now() - timedelta(hours=2))
        beat("me")
        beat("me")
        assert [b.owner for b in Beat.objects.all()] == ["me"]


class TestSchedules:
    @pytest.mark.parametrize(
        ("every_hours", "at_minute", "zone", "after", "due"),
        [
            (24, 120, "UTC", "2026-03-01T01:00", "2026-03-01T02:00"),
            (24, 120, "UTC", "2026-03-01T02:00", "2026-03-02T02:00"),
            (24, 120, "America/New_York", "2026-01-10T12:00", "2026-01-11T07:00"),
            (24, 120, "America/New_York", "2026-07-10T12:00", "2026-07-11T06:00"),
            (6, 90, "UTC", "2026-03-01T08:00", "2026-03-01T13:30"),
            (6, 90, "UTC", "2026-03-01T20:00", "2026-03-02T01:30"),
            (1, 15, "UTC", "2026-03-01T23:20", "2026-03-02T00:15"),
        ],
    )
    def test_next_time(
        self, acme: Account, every_hours: int, at_minute: int, zone: str, after: str, due: str
    ) -> None:
        acme.time_zone = zone
        schedule = Schedule(account=acme, every_hours=every_hours, at_minute=at_minute)
        found = next_time(schedule, datetime.fromisoformat(after).replace(tzinfo=UTC))
        assert found.astimezone(UTC) == datetime.fromisoformat(due).replace(tzinfo=UTC)

    def test_each_week_is_seven_days_apart(self, acme: Account) -> None:
        schedule = Schedule(account=acme, every_hours=168, at_minute=60)
        first = next_time(schedule, datetime(2026, 3, 1, tzinfo=UTC))
        assert next_time(schedule, first) - first == timedelta(days=7)

    def test_a_due_one_starts_a_run_once_and_moves_on(self, acme: Account, toy: Scripted) -> None:
        schedule = Schedule.objects.create(
            account=acme, kind=toy.kind, enabled=True, options={"what": "all"}, next_at=timezone.now()
        )
        off = Schedule.objects.create(account=acme, kind="toy.other", next_at=timezone.now())
        assert [start_due(), start_due()] == [1, 0]
        assert [(r.kind, r.options) for r in Run.objects.all()] == [
            (toy.kind, {"what": "all", "scheduled": True})
        ]
        schedule.refresh_from_db()
        off.refresh_from_db()
        assert schedule.next_at is not None and schedule.next_at > timezone.now()
        assert off.next_at is not None and off.next_at < timezone.now()

    def test_one_just_switched_on_gets_its_time_first(self, acme: Account, toy: Scripted) -> None:
        schedule = Schedule.objects.create(account=acme, kind=toy.kind, enabled=True)
        assert [start_due(), Run.objects.count()] == [0, 0]
        schedule.refresh_from_db()
        assert schedule.next_at is not None
