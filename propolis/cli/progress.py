"""A run as it goes on, in the terminal: a bar where there is one, else a plain line at every milestone.

The numbers are read from the Run row, so it does not matter which process does the work.
"""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

if TYPE_CHECKING:
    from propolis.bridge.import_progress import Progress as Look
    from propolis.runs.models import Run
    from propolis.runs.pace import Mark

# How often the row is looked at, in seconds.
EVERY = 0.4
# Columns from which there is room for everything.
WIDE = 110


class Watch:
    """Shows the run's progress on standard error while the body runs; `with Watch(run): …`."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look_again_and_again, name="watch", daemon=True)
        console = Console(stderr=True)
        self._display: Display = Bar(console) if console.is_terminal else Lines()

    def __enter__(self) -> Self:
        self._display.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join(timeout=5)
        self._display.stop()

    def _look_again_and_again(self) -> None:
        from django.db import OperationalError, connection

        mark: Mark | None = None
        try:
            while not self._done.wait(EVERY):
                try:
                    mark = self._look(mark)
                except OperationalError:
                    connection.close()  # busy or away for a moment: the work itself knows what to do
        finally:
            connection.close()

    def _look(self, mark: Mark | None) -> Mark | None:
        from propolis.accounts.scoping import in_account
        from propolis.bridge.import_progress import look
        from propolis.runs.rows import all_runs

        run = all_runs().select_related("account", "by").get(pk=self.run.pk)
        if run.ended:
            return mark
        with in_account(run.account):
            seen = look(run, mark)
        self._display.show(seen)
        return seen.mark


class Display:
    """Where a look is shown."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def show(self, seen: Look) -> None:
        raise NotImplementedError


class Bar(Display):
    """One live line: phase, bar, done of total, rate, time left, requests, waits."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=16 if console.width < WIDE else 30),
            TextColumn("{task.fields[says]}"),
            console=console,
            transient=True,
        )
        self._narrow = console.width < WIDE
        self._task: TaskID | None = None

    def start(self) -> None:
        self._progress.start()

    def stop(self) -> None:
        self._progress.stop()

    def show(self, seen: Look) -> None:
        if self._task is None:
            self._task = self._progress.add_task(seen.phase, says="")
        total = float(seen.total) if seen.total else None
        self._progress.update(
            self._task,
            description=seen.phase,
            completed=seen.done,
            total=total,
            says=facts(seen, brief=self._narrow),
        )


class Lines(Display):
    """A line for every new phase and each quarter of it, and for every new thing it waits for."""

    def __init__(self) -> None:
        self._said = ""

    def show(self, seen: Look) -> None:
        due = seen.announce or seen.waits not in self._said
        line = f"{seen.phase}: {facts(seen)}"
        if due and line != self._said:
            self._said = line
            print(line, file=sys.stderr, flush=True)


def facts(seen: Look, *, brief: bool = False) -> str:
    """ "1,200 of 5,000 contacts · 250 a second · About 20 s left · 41 requests"; brief: for 80 columns."""
    requests = f"{seen.run.requests:,} request{'' if seen.run.requests == 1 else 's'}"
    if brief:
        done = f"{seen.done:,}/{seen.total:,}" if seen.total else ""
        return " · ".join(part for part in (seen.waits or done, seen.left, requests) if part)
    return " · ".join(part for part in (seen.says, seen.rate, seen.left, requests, seen.waits) if part)
