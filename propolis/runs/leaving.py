"""Whether this process was asked to go away (SIGTERM, Ctrl-C).

A plain flag: signal handlers may set it at any moment, which the locks of threading.Event do not survive.
"""

from __future__ import annotations

import time

_asked = False


def ask() -> None:
    global _asked
    _asked = True


def stay() -> None:
    """Takes the request back; for a process that goes on after it, such as a test."""
    global _asked
    _asked = False


def asked() -> bool:
    return _asked


def sleep(seconds: float) -> bool:
    """Sleeps, but not beyond the moment the process is asked to leave; True if it was."""
    until = time.monotonic() + seconds
    while not _asked and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.1))
    return _asked
