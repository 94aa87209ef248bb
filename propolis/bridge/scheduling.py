"""Imports that start by themselves: off until an Admin switches them on, off again when something was undone.

A Schedule row holds the hour; the reaper of any worker calls `ImportJob.due` when its time has come. A
scheduled import that would change more records than the connection's `max_changes` stops between plan and
apply and waits for a person, like every other implausible plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from propolis.accounts.models import Account, Membership, audit
from propolis.bridge.import_words import counted
from propolis.bridge.models import Connection, connection_of
from propolis.bridge.planner import linked_before
from propolis.merge.plan import Counts, Refusal, RefusalCode
from propolis.runs.engine import start, stop
from propolis.runs.models import Run, Schedule
from propolis.runs.schedules import next_time

KIND: Final = "import"
OBJECTS: Final = ("companies", "contacts", "opportunities")
# Offered after so many imports without a flaw.
CLEAN_ENOUGH: Final = 2


@dataclass(frozen=True)
class Standing:
    """How an account's schedule stands. `waits`: why it cannot be switched on, "" if it can. `offered`: the
    last imports went through without a flaw. `next_at`: in UTC, None while off."""

    enabled: bool
    waits: str
    offered: bool
    hour: int
    max_changes: int | None
    next_at: datetime | None
    off_because: str
    by: Membership | None


def standing(account: Account) -> Standing:
    """With the account in scope; at most four queries."""
    connection = connection_of(account)
    schedule = _schedule(account)
    waits = why_not(connection)
    return Standing(
        enabled=bool(schedule and schedule.enabled),
        waits=waits,
        offered=not waits and not (schedule and schedule.enabled) and clean_imports() >= CLEAN_ENOUGH,
        hour=schedule.at_minute // 60 if schedule else 2,
        max_changes=connection.max_changes if connection else None,
        next_at=schedule.next_at if schedule and schedule.enabled else None,
        off_because=schedule.off_because if schedule and not schedule.enabled else "",
        by=schedule.by if schedule else None,
    )


def why_not(connection: Connection | None) -> str:
    """What a schedule waits for; "" when it may be switched on."""
    read = connection and all(getattr(connection, f"{noun}_read_at") for noun in OBJECTS)
    if not read or not _applied().filter(state=Run.State.COMPLETE).exists():
        return "Waits for one complete import of companies, contacts and opportunities."
    return ""


def clean_imports() -> int:
    """How many of the newest imports, one after the other, were complete without a failed record."""
    count = 0
    for state, counts in _applied().order_by("-id").values_list("state", "counts")[: CLEAN_ENOUGH + 1]:
        failed = sum(Counts.from_dict(n["counts"]).failed for k, n in counts.items() if k in OBJECTS)
        if state != Run.State.COMPLETE or failed:
            break
        count += 1
    return count


def _applied() -> Any:
    """Imports that wrote something or found nothing to write, as far as they have not been undone."""
    ended = Run.objects.filter(kind=KIND, state__in=Run.ENDED, cursor__phase__in=["apply", "close"])
    undone = Run.objects.filter(kind="undo", state=Run.State.COMPLETE, undoes__isnull=False)
    return ended.exclude(options__has_key="only").exclude(pk__in=undone.values("undoes"))


def switch_on(account: Account, *, hour: int, max_changes: int | None, by: Membership | None) -> Schedule:
    """Every day at this hour of the account's own day. ValueError with a sentence if it may not be yet."""
    connection = connection_of(account)
    waits = why_not(connection)
    if waits or connection is None:
        raise ValueError(waits)
    Connection.objects.filter(pk=connection.pk).update(max_changes=max_changes)
    schedule = _schedule(account) or Schedule(account=account, kind=KIND)
    schedule.enabled, schedule.every_hours, schedule.at_minute = True, 24, hour * 60
    schedule.by, schedule.off_because = by, ""
    schedule.next_at = next_time(schedule, timezone.now())
    schedule.save()
    audit(account, by, "schedule.on", schedule=schedule.pk)
    return schedule


def switch_off(account: Account, because: str, *, by: Membership | None = None) -> bool:
    """False where it was off. `because`: shown beside the switch."""
    on = Schedule.objects.filter(account=account, kind=KIND, enabled=True)
    switched = bool(on.update(enabled=False, next_at=None, off_because=because[:200]))
    if switched and by is not None:
        audit(account, by, "schedule.off")
    return switched


def _schedule(account: Account) -> Schedule | None:
    return Schedule.objects.select_related("by", "account").filter(account=account, kind=KIND).first()


def start_scheduled(schedule: Schedule) -> Run | None:
    """The import whose time has come; None if Syncro cannot be asked or something else is at work.

    The plan of an earlier night that nobody confirmed makes room: the new one says the same and more.
    """
    connection = connection_of(schedule.account)
    if connection is None or connection.state != Connection.State.CONNECTED or why_not(connection):
        return None
    options = {"objects": list(OBJECTS), "gate": False, "first": False, "incremental": False}
    run, started = start(schedule.account, KIND, options={**options, "scheduled": True}, by=schedule.by)
    if not started:
        return None
    for old in Run.objects.filter(kind=KIND, state=Run.State.PLANNED, options__scheduled=True):
        stop(old, None)
    return run


def over_cap(run: Run, connection: Connection) -> Refusal | None:
    """A scheduled import that would change more records than it may; None for all others."""
    most = connection.max_changes
    if most is None or not run.options.get("scheduled"):
        return None
    changing = sum(changes_of(run, noun) for noun in OBJECTS)
    if changing <= most:
        return None
    sentence = (
        f"The scheduled import would change {counted(changing, 'records')}, more than the {most:,} you allow it. "
        "Nothing was changed. Look at the changes; if they are right, confirm the numbers."
    )
    linked = sum(linked_before(connection, noun) for noun in OBJECTS)
    return Refusal(RefusalCode.TOO_MANY_FOR_SCHEDULE, changing, max(1, linked), 0, sentence)


def changes_of(run: Run, noun: str) -> int:
    """Records of ours that a planned import would make or write."""
    counts = Counts.from_dict(run.counts.get(noun, {}).get("counts", {}))
    return counts.new + counts.merged + counts.updated
