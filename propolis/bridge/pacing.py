"""The pace of requests to Syncro, shared by every account, process and machine behind one egress address.

One row holds the state; the arithmetic is `propolis.syncro.pacing`. Times are the database's on PostgreSQL
(machines' clocks differ) and this machine's on SQLite.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Expression, FloatField, Func, Value

from propolis.accounts.frozen import letting_go_after
from propolis.bridge.models import Pacer as PacerRow
from propolis.syncro import (
    SYSTEM_CLOCK,
    Clock,
    PaceRules,
    PaceState,
    recovered,
    reserve,
    sleep_unless_stopped,
    slowed,
)

_HARDLY_ANY: Final = 1e-6
# Everybody waits for this row: a process that holds it and stands still loses it.
_FROZEN_SECONDS: Final = 5.0
_Move = Callable[[PaceState, float], tuple[PaceState, float]]


class DatabasePacer:
    """A `propolis.syncro.Pacer`. Inside a transaction it raises RuntimeError: it would block everybody else.

    Other threads than the one that made it may call it; their database connections are closed each time.
    """

    def __init__(
        self,
        egress: str = "default",
        *,
        rules: PaceRules | None = None,
        should_stop: Callable[[], bool] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._egress = egress
        self._rules = rules or PaceRules.per_minute(settings.PROPOLIS_PACE)
        self._should_stop = should_stop
        self._clock = clock
        self._home = threading.get_ident()
        self._slow = False

    def acquire(self, *, priority: bool = False) -> float:
        """Blocks until a request may start; the seconds waited. Raises `Interrupted` if asked to stop."""
        began = self._clock.monotonic()
        while True:
            wait = self._move(lambda state, now: reserve(state, now, self._rules, priority=priority))
            sleep_unless_stopped(self._clock, wait, self._should_stop)
            # A 429 may have come while waiting: then the slot is void, or all who waited would start at once.
            if wait <= _HARDLY_ANY or self._move(lambda state, now: (state, state.cool_until - now)) <= 0:
                return self._clock.monotonic() - began

    def refused(self, retry_after: float | None) -> None:
        self._move(lambda state, now: (slowed(state, now, self._rules, retry_after), 0.0))

    def succeeded(self) -> None:
        if self._slow:
            self._move(lambda state, now: (recovered(state, self._rules), 0.0))

    def _move(self, move: _Move) -> float:
        try:
            with transaction.atomic(durable=True):
                return self._move_locked(move)
        finally:
            if threading.get_ident() != self._home:
                connection.close()

    def _move_locked(self, move: _Move) -> float:
        state, now = self._read()
        after, answer = move(state, now)
        if after != state:
            PacerRow.objects.filter(egress=self._egress).update(
                next_at=after.next_at, interval=after.interval, cool_until=after.cool_until
            )
        self._slow = after.interval > self._rules.interval
        return answer

    def _read(self) -> tuple[PaceState, float]:
        row = self._row()
        if row is None:
            PacerRow.objects.bulk_create(
                [PacerRow(egress=self._egress, interval=self._rules.interval)], ignore_conflicts=True
            )
            row = self._row()
        assert row is not None
        next_at, interval, cool_until, now, _ = row
        # An operator may have asked for a slower pace since.
        return PaceState(next_at, max(interval, self._rules.interval), cool_until), now

    def _row(self) -> tuple[float, float, float, float, str] | None:
        rows = PacerRow.objects.select_for_update().filter(egress=self._egress)
        rows = rows.annotate(now=_now(), limit=letting_go_after(_FROZEN_SECONDS))
        return rows.values_list("next_at", "interval", "cool_until", "now", "limit").first()


def _now() -> Expression:
    if connection.vendor == "postgresql":
        template = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS double precision)"
        return Func(template=template, output_field=FloatField())
    return Value(time.time(), output_field=FloatField())
