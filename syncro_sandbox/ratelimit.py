"""The sliding window: so many requests in so many seconds for each client address (and token, if asked)."""

from __future__ import annotations

from collections import deque


class SlidingWindow:
    """A refused request does not count, so a client that waits out the answer is served again."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = {}

    def wait(self, keys: list[str], now: float, limit: int, seconds: float) -> float:
        """0 and the request counts, or the seconds until the next one would be served."""
        if limit <= 0:
            return 0.0
        queues = [self._recent(key, now - seconds) for key in keys]
        waits = [queue[-limit] + seconds - now for queue in queues if len(queue) >= limit]
        if waits:
            return max(waits)
        for queue in queues:
            queue.append(now)
        return 0.0

    def _recent(self, key: str, since: float) -> deque[float]:
        queue = self._seen.setdefault(key, deque())
        while queue and queue[0] <= since:
            queue.popleft()
        return queue

    def forget(self) -> None:
        self._seen.clear()
