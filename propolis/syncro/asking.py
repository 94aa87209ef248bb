"""Asking, and the only asking again there is.

Reading is asked again, a few times, with growing pauses. Writing is attempted once: Syncro has no
idempotency key. Only a 429, which is never executed, lets a write wait and go again.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from propolis.syncro.errors import (
    Garbled,
    Interrupted,
    OutcomeUnknown,
    RateLimited,
    SyncroError,
    TryLater,
    is_too_much,
)
from propolis.syncro.exchange import Answer, Asked, Bearer, Exchange
from propolis.syncro.pacing import Clock, Pacer, sleep_unless_stopped
from propolis.syncro.verdict import describe, judge

T = TypeVar("T")
Stopping = Callable[[], bool]

MOST_RETRIES: Final = 3
# A 429 that names a longer time is handed to the caller at once: nobody sleeps through an hour.
LONGEST_PATIENCE: Final = 300.0
_JITTER: Final = random.SystemRandom()


@dataclass(frozen=True)
class RequestLog:
    """One request that was made. `status` is None where no answer came; `seconds` on the wire, `waited`
    before it; `retry` counts from 0."""

    method: str
    path: str
    status: int | None
    seconds: float
    waited: float
    retry: int


class Asker:
    """Paces, asks, judges, asks again. Safe to use from several threads."""

    def __init__(
        self,
        exchange: Exchange,
        bearer: Bearer,
        *,
        pacer: Pacer,
        clock: Clock,
        on_request: Callable[[RequestLog], None] | None,
        should_stop: Stopping | None,
        priority: bool,
        first_pause: float,
    ) -> None:
        self._exchange, self._bearer, self._pacer, self._clock = exchange, bearer, pacer, clock
        self._first_pause = first_pause
        self._on_request, self._should_stop, self._priority = on_request, should_stop, priority
        self._logging = threading.Lock()

    def ask(self, asked: Asked, read: Callable[[Answer], T], stop: Stopping | None = None) -> T:
        """What `read` makes of the answer. `read` may raise `Garbled`: then a reading request is made again.

        `stop` is looked at besides `should_stop`; either raises `Interrupted`, never while a write is on
        its way.
        """
        stopping = self._stopping(stop)
        retry = 0
        while True:
            waited = self._wait_for_slot(asked, stopping)
            try:
                return self._attempt(asked, read, waited, retry)
            except TryLater as error:
                if not _is_worth_another(asked, error, retry):
                    raise
                if not isinstance(error, RateLimited):  # there the pacer knows how long
                    sleep_unless_stopped(self._clock, self._pause(retry), stopping)
            retry += 1

    def _pause(self, retry: int) -> float:
        longest: float = self._first_pause * 2**retry
        return _JITTER.uniform(longest / 2, longest)

    def _wait_for_slot(self, asked: Asked, stopping: Stopping) -> float:
        if stopping():
            raise Interrupted
        waited = self._pacer.acquire(priority=self._priority or asked.is_write)
        if stopping():
            raise Interrupted
        return waited

    def _attempt(self, asked: Asked, read: Callable[[Answer], T], waited: float, retry: int) -> T:
        began, status = self._clock.monotonic(), None
        try:
            answer = self._exchange.once(asked)
            status = answer.status
        finally:
            self._log(RequestLog(asked.method, asked.path, status, self._since(began), waited, retry))
        error = judge(asked, answer, host=self._exchange.host, hide=self._bearer.hide)
        if isinstance(error, RateLimited):
            self._pacer.refused(error.retry_after)
        else:
            self._pacer.succeeded()
        if error is not None:
            raise error
        return self._made_of(asked, answer, read)

    def _made_of(self, asked: Asked, answer: Answer, read: Callable[[Answer], T]) -> T:
        try:
            return read(answer)
        except SyncroError as error:
            error.detail = f"{error.detail} | {describe(asked, answer, self._bearer.hide)}"
            if asked.is_write and isinstance(error, Garbled):
                raise OutcomeUnknown(detail=error.detail, status=answer.status) from None
            raise

    def _stopping(self, stop: Stopping | None) -> Stopping:
        asked_to = [one for one in (self._should_stop, stop) if one is not None]
        return lambda: any(one() for one in asked_to)

    def _since(self, began: float) -> float:
        return self._clock.monotonic() - began

    def _log(self, log: RequestLog) -> None:
        if self._on_request is not None:
            with self._logging:
                self._on_request(log)


def _is_worth_another(asked: Asked, error: TryLater, retry: int) -> bool:
    if isinstance(error, Interrupted) or retry >= MOST_RETRIES:
        return False
    if isinstance(error, RateLimited):
        return (error.retry_after or 0.0) <= LONGEST_PATIENCE
    return not asked.is_write and not (asked.can_shrink and is_too_much(error))
