"""When a scheduled run is next due: at the same minutes of the account's own day, summer time or not."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models.signals import post_save
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account, unscoped
from propolis.runs.jobs import UnknownJob, job_for
from propolis.runs.models import Schedule

logger = logging.getLogger(__name__)


def next_time(schedule: Schedule, after: datetime) -> datetime:
    """The first due time later than `after`.

    `at_minute` minutes after midnight in the account's time zone and every `every_hours` from there; from 24
    hours on, whole days.
    """
    zone = ZoneInfo(schedule.account.time_zone)
    hours = max(1, schedule.every_hours)
    days = max(1, hours // 24)
    first = after.astimezone(zone).date()
    per_day = [schedule.at_minute % 1440] if hours >= 24 else sorted(_minutes(schedule.at_minute, hours))
    for ahead in range(days + 2):
        day = first + timedelta(days=ahead)
        if day.toordinal() % days:
            continue
        for minute in per_day:
            due = _at(day, minute, zone)
            if due > after:
                return due
    raise AssertionError("every stretch of days + 2 holds a due day with a later time")


def register() -> None:
    """Called once, when the app is ready."""
    post_save.connect(_follow_the_clock, sender=Account, dispatch_uid="runs.schedules")


def _follow_the_clock(sender: type[Account], instance: Account, created: bool, **how: Any) -> None:
    """An account that moved to another time zone has its own hours from now on; what is due already stays due."""
    if created:
        return
    now = timezone.now()
    with unscoped():
        for schedule in Schedule.objects.filter(account=instance.pk, enabled=True, next_at__gt=now):
            schedule.account = instance
            due = next_time(schedule, now)
            if due != schedule.next_at:
                Schedule.objects.filter(pk=schedule.pk, next_at=schedule.next_at).update(next_at=due)


def start_due() -> int:
    """Starts what is due and sets the next time; answers how many. Safe in any number of workers at once."""
    now = timezone.now()
    with unscoped():
        enabled = Schedule.objects.select_related("account", "by").filter(enabled=True)
        fresh, due = list(enabled.filter(next_at=None)), list(enabled.filter(next_at__lte=now))
        for schedule in fresh:
            _move(schedule, now)
    return sum(_start(schedule, now) for schedule in due)


def _start(schedule: Schedule, now: datetime) -> bool:
    if not _move(schedule, now):
        return False
    try:
        with in_account(schedule.account):
            job_for(schedule.kind).due(schedule)
    except UnknownJob as error:
        logger.warning("Schedule %s: %s", schedule.pk, error)
        return False
    return True


def _move(schedule: Schedule, now: datetime) -> bool:
    """Only one worker moves a schedule on; that one starts the run."""
    with unscoped():
        same = Schedule.objects.filter(pk=schedule.pk, enabled=True, next_at=schedule.next_at)
        return bool(same.update(next_at=next_time(schedule, now)))


def _minutes(at_minute: int, hours: int) -> set[int]:
    return {(at_minute + step * 60) % 1440 for step in range(0, 24, hours)}


def _at(day: date, minute: int, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
