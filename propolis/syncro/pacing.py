"""Evenly spaced requests: Syncro allows 180 a minute per IP address, for everything behind that address.

The arithmetic is pure (`reserve`, `slowed`, `recovered`), so that a state kept in a database and shared by
all processes obeys the same rules as `LocalPacer`. Evenly paced, 150 to 174 a minute are never refused; a
bucket that lets 180 through at once is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from propolis.syncro.errors import Interrupted

ALLOWED_PER_MINUTE: Final = 180
_SLICE: Final = 0.25
_HARDLY_ANY: Final = 1e-6


class Clock(Protocol):
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


SYSTEM_CLOCK: Final[Clock] = SystemClock()


def sleep_unless_stopped(clock: Clock, seconds: float, should_stop: Callable[[], bool] | None) -> None:
    """Sleeps in slices; raises `Interrupted` within a quarter of a second of `should_stop()` becoming
    true."""
    until = clock.monotonic() + seconds
    while True:
        if should_stop is not None and should_stop():
            raise Interrupted
        left = until - clock.monotonic()
        if left <= _HARDLY_ANY:
            return
        clock.sleep(left if should_stop is None else min(left, _SLICE))


class Pacer(Protocol):
    """Called from several threads at once; raises `Interrupted` where it knows it should stop."""

    def acquire(self, *, priority: bool = False) -> float:
        """Blocks until a request may start; returns the seconds waited."""

    def refused(self, retry_after: float | None) -> None:
        """Syncro answered 429; `retry_after` in seconds, if it named any."""

    def succeeded(self) -> None:
        """Syncro answered."""


@dataclass(frozen=True)
class PaceRules:
    """Seconds. `interval` between two starts when all is well; `cool` after a 429 that names no time."""

    interval: float = 60 / 150
    slowest: float = 12.0
    cool: float = 30.0
    longest_cool: float = 300.0
    slowdown: float = 1.5
    recovery: float = 0.98
    most_ahead: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.interval <= self.slowest:
            raise ValueError("interval must be more than 0 and at most the slowest")

    @classmethod
    def per_minute(cls, requests: float) -> PaceRules:
        """Up to 174 a minute stay under Syncro's limit, with room for clocks that disagree a little."""
        return cls(interval=60 / requests)


@dataclass(frozen=True)
class PaceState:
    """Seconds on one clock. The next unreserved slot, the present interval, and no start before
    `cool_until`."""

    next_at: float = 0.0
    interval: float = PaceRules.interval
    cool_until: float = 0.0


def reserve(
    state: PaceState, now: float, rules: PaceRules, *, priority: bool = False
) -> tuple[PaceState, float]:
    """The state after one request took its slot, and the seconds until that request may start.

    A priority request takes the same share of the rate, but starts up to `priority_lead` seconds before its
    slot: ahead of those already waiting. So any 60 s hold at most 60 s / interval + lead / interval + 1
    starts.
    """
    slot = max(state.next_at, state.cool_until, now)
    lead = priority_lead(state, rules) if priority else 0.0
    start = max(now, state.cool_until, slot - lead)
    return replace(state, next_at=slot + state.interval), start - now


def priority_lead(state: PaceState, rules: PaceRules) -> float:
    """Seconds a priority request may start early: the slots Syncro's limit leaves over at our own normal
    pace."""
    spare = int(ALLOWED_PER_MINUTE - 2 - 60 / rules.interval)
    return max(0, min(spare, rules.most_ahead)) * state.interval


def slowed(state: PaceState, now: float, rules: PaceRules, retry_after: float | None = None) -> PaceState:
    """The state after a 429. Requests that were in flight together are refused together: they count once."""
    wait = rules.cool * state.interval / rules.interval if retry_after is None else retry_after
    until = now + min(max(wait, 0.0), rules.longest_cool)
    if now < state.cool_until:
        return replace(state, cool_until=max(state.cool_until, until)) if retry_after else state
    # At least one new interval: "Retry-After: 0" must not make us hammer, nor must slots already given away.
    interval = min(rules.slowest, state.interval * rules.slowdown)
    return PaceState(next_at=state.next_at, interval=interval, cool_until=max(until, now + interval))


def recovered(state: PaceState, rules: PaceRules) -> PaceState:
    """The state after an answer: a little faster again, never faster than the rules. The same object if
    unchanged."""
    if state.interval <= rules.interval:
        return state
    return replace(state, interval=max(rules.interval, state.interval * rules.recovery))


class LocalPacer:
    """Paces one process. `should_stop` is looked at while waiting."""

    def __init__(
        self,
        rules: PaceRules | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        self._rules = rules or PaceRules()
        self._clock = clock
        self._should_stop = should_stop
        self._lock = threading.Lock()
        self._state = PaceState(next_at=clock.monotonic(), interval=self._rules.interval)

    @property
    def state(self) -> PaceState:
        return self._state

    def acquire(self, *, priority: bool = False) -> float:
        began = self._clock.monotonic()
        while True:
            with self._lock:
                now = self._clock.monotonic()
                self._state, wait = reserve(self._state, now, self._rules, priority=priority)
            sleep_unless_stopped(self._clock, wait, self._should_stop)
            now = self._clock.monotonic()
            # A 429 may have come while waiting: then the slot is void, or all who waited would start at once.
            if self._state.cool_until <= now + _HARDLY_ANY:
                return now - began

    def refused(self, retry_after: float | None) -> None:
        with self._lock:
            self._state = slowed(self._state, self._clock.monotonic(), self._rules, retry_after)

    def succeeded(self) -> None:
        with self._lock:
            self._state = recovered(self._state, self._rules)
