"""How fast a run goes and how long it will take, in words; measured from one look to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# A rate measured over less than this is a guess.
MEASURED_AFTER: Final = 5.0


@dataclass(frozen=True)
class Mark:
    """Where an earlier look found the run. The address of the next look carries it, so measuring a rate needs
    no memory here. `at`: seconds since the epoch; `quarter`: the last one announced."""

    phase: str
    at: float
    done: int
    quarter: int = 0

    def __str__(self) -> str:
        return f"{self.phase}~{self.at:.1f}~{self.done}~{self.quarter}"

    @classmethod
    def parse(cls, text: str) -> Mark | None:
        """None for anything that is no mark."""
        parts = text.split("~")
        try:
            phase, at, done, quarter = parts
            return cls(phase[:60], float(at), int(done[:15]), int(quarter[:2]))
        except ValueError:
            return None


@dataclass(frozen=True)
class Pace:
    """`rate`, `left`, `announce`: "" for nothing to say. `mark`: for the next look."""

    rate: str
    left: str
    announce: str
    mark: Mark


def measured(
    mark: Mark | None, key: str, done: int, total: int, *, now: float, words: str, restart: bool = False
) -> Pace:
    """How it goes since the mark. `key`: of the phase, another one begins a new measure, as does `restart`.

    `words`: the phase, for what is announced.
    """
    if mark is None or mark.phase != key or done < mark.done or restart:
        said = -1 if mark is None or mark.phase != key else mark.quarter
        mark = Mark(key, now, done, said)
    rate = _rate(mark, done, now)
    quarter = min(3, 4 * done // total) if total else 0
    return Pace(
        rate=_rate_words(rate),
        left=f"{about((total - done) / rate)} left" if rate and total > done else "",
        announce=_milestone(words, mark.quarter, quarter),
        mark=Mark(mark.phase, mark.at, mark.done, max(mark.quarter, quarter)),
    )


def seconds_in_words(seconds: float) -> str:
    """ "43 s", "3 min 20 s", "1 h 5 min"."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def about(seconds: float) -> str:
    """An estimate, no finer than it can be: "About 40 s", "About 3 min"."""
    if seconds < 10:
        return "A few seconds"
    if seconds < 90:
        return f"About {round(seconds / 10) * 10} s"
    return f"About {seconds_in_words(round(seconds / 60) * 60)}"


def _rate(mark: Mark, done: int, now: float) -> float:
    """Per second, 0 as long as it cannot be told."""
    passed = now - mark.at
    return (done - mark.done) / passed if passed >= MEASURED_AFTER and done > mark.done else 0.0


def _rate_words(rate: float) -> str:
    if not rate:
        return ""
    return f"{rate:,.0f} a second" if rate >= 10 else f"{rate * 60:,.0f} a minute"


def _milestone(phase: str, said: int, quarter: int) -> str:
    """A new phase and every quarter of it, not each tick."""
    if said < 0 and not quarter:
        return phase
    return f"{phase}: {25 * quarter} %" if quarter > max(said, 0) else ""
