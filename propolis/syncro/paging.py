"""Pages in order, several requests in flight, smaller pages where Syncro chokes on large ones.

A page is a window of rows: page 3 of 100 begins after 200. When the size changes on the way, reading goes
on at the page that holds the first row not yet handed over, so rows may come twice (ids repeat) and none is
left out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from propolis.syncro.errors import Garbled, Interrupted, SyncroError, is_too_much
from propolis.syncro.resources import Resource

_LOOK_UP: Final = 0.2
_MOST_REPLANS: Final = 5


@dataclass(frozen=True)
class Page:
    """One page as received. To go on after it: `pages(…, start=page.number + 1, per_page=page.per_page)`.

    `per_page` is the size Syncro used, whatever was asked. `count` includes records without a readable id.
    `total_pages` and `total_entries` are what Syncro said in this answer, None if nothing; they move while
    reading. The final page handed over, and no other, has `last`; it is empty if Syncro ended early.
    """

    resource: Resource
    number: int
    per_page: int
    total_pages: int | None
    total_entries: int | None
    ids: tuple[int, ...]
    count: int
    raw: bytes
    server_time: datetime | None
    last: bool

    @property
    def offset(self) -> int:
        """How many rows of the list come before this page."""
        return (self.number - 1) * self.per_page

    def __repr__(self) -> str:
        # Not the body: it is long, and people's data.
        return f"<Page {self.resource.value} {self.number} of {self.total_pages}: {self.count} records>"


# (page number, size to ask for or None, "is nobody waiting for this any more?") → page
Fetch = Callable[[int, int | None, Callable[[], bool]], Page]


class PageReader:
    """Reads the pages of one list, once."""

    def __init__(
        self,
        fetch: Fetch,
        resource: Resource,
        *,
        start: int,
        per_page: int | None,
        in_flight: int,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        if start < 1 or in_flight < 1 or (per_page is not None and per_page < 1):
            raise ValueError("start, per_page and in_flight count from 1")
        self._fetch, self._resource, self._in_flight, self._should_stop = (
            fetch,
            resource,
            in_flight,
            should_stop,
        )
        self._asked_size = per_page
        # Rows handed over; unknown until the first answer tells the size that `start` counts in.
        self._rows: int | None = (start - 1) * per_page if per_page else None
        self._entries: int | None = None
        self._window = self._opened(start, total=start)
        # Since a page last brought rows that were not there before.
        self._replans = 0

    def pages(self) -> Generator[Page, None, None]:
        try:
            while True:
                page = self._next()
                if page is None:
                    continue
                yield page
                if page.last:
                    return
        finally:
            self._window.close()

    def _next(self) -> Page | None:
        """The next page in order, None if reading had to be planned anew."""
        try:
            page = self._window.take()
        except SyncroError as error:
            if not self._shrinks_for(error):
                raise
            self._replan(self._smaller())
            return None
        if self._rows is not None and page.offset > self._rows:
            # Syncro uses another size than the one its page number was worked out for.
            self._replans += 1
            if self._replans > _MOST_REPLANS:
                raise Garbled(detail=f"page sizes of {self._resource.value} keep changing")
            self._replan(page.per_page)
            return None
        self._accept(page)
        return page

    def _accept(self, page: Page) -> None:
        end = page.offset + page.per_page
        if end > (self._rows or 0):
            self._rows, self._replans = end, 0
        self._entries = page.total_entries
        if not page.last:
            # Without totals the end is where a page is empty; asking ahead costs two requests at the most.
            self._window.expect(page.total_pages or page.number + self._in_flight)

    def _shrinks_for(self, error: SyncroError) -> bool:
        return is_too_much(error) and self._resource.can_shrink and self._present_size() > 1

    def _present_size(self) -> int:
        return self._asked_size or self._resource.default_size

    def _smaller(self) -> int:
        if self._rows is None:
            self._rows = (self._window.number - 1) * self._present_size()
        self._asked_size = self._present_size() // 2
        return self._asked_size

    def _replan(self, size: int) -> None:
        number = (self._rows or 0) // size + 1
        total = -(-self._entries // size) if self._entries is not None else number
        self._window.close()
        self._window = self._opened(number, total=max(number, total))

    def _opened(self, number: int, total: int) -> _Window:
        size = self._asked_size
        return _Window(
            lambda wanted, stop: self._fetch(wanted, size, stop),
            number=number,
            total=total,
            in_flight=self._in_flight,
            should_stop=self._should_stop,
        )


class _Window:
    """Keeps up to `in_flight` pages of one size on their way; hands them over by number."""

    def __init__(
        self,
        fetch: Callable[[int, Callable[[], bool]], Page],
        *,
        number: int,
        total: int,
        in_flight: int,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.number = number
        self._fetch, self._total, self._in_flight, self._should_stop = fetch, total, in_flight, should_stop
        self._coming: dict[int, Future[Page]] = {}
        self._closed = threading.Event()

    def expect(self, total: int) -> None:
        """Pages up to `total` exist, as far as is known."""
        self._total = total
        self._fill()

    def take(self) -> Page:
        """Waits for the next page. Raises what its request raised, or `Interrupted`."""
        self._fill()
        coming = self._coming[self.number]
        while not wait([coming], timeout=_LOOK_UP).done:
            if self._should_stop is not None and self._should_stop():
                raise Interrupted
        page = coming.result()
        del self._coming[self.number]
        self.number += 1
        return page

    def close(self) -> None:
        """Requests under way end by themselves; nobody waits for them."""
        self._closed.set()

    def _fill(self) -> None:
        last = min(max(self._total, self.number), self.number + self._in_flight - 1)
        for number in range(self.number, last + 1):
            if number not in self._coming:
                self._coming[number] = self._started(number)

    def _started(self, number: int) -> Future[Page]:
        future: Future[Page] = Future()
        # Daemons: a process that is told to end must not wait a minute for an answer nobody wants.
        threading.Thread(target=self._run, args=(number, future), name="syncro-page", daemon=True).start()
        return future

    def _run(self, number: int, future: Future[Page]) -> None:
        try:
            future.set_result(self._fetch(number, self._closed.is_set))
        except BaseException as error:  # whatever it is, it belongs to the one who waits
            future.set_exception(error)
