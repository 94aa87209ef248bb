"""Keeps child processes running: restarts one that dies, stops all of them together."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

# A child that died is started again after so many seconds; after longer each time if it gives up young.
RESTART_AFTER = 0.3
LONGEST_PAUSE = 30.0
GROWN_UP = 10.0
# So long children may take to leave before they are killed.
GRACE = 10.0
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One supervised process."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name, self.command = name, command
        self.process: subprocess.Popen[bytes] | None = None
        self.began = 0.0
        self.pause = RESTART_AFTER
        self.start_at = 0.0

    def look_after(self, now: float) -> None:
        """Starts it, or starts it again once its pause is over."""
        if self.process is not None and self.process.poll() is not None:
            self._died(now, self.process.returncode)
        if self.process is None and now >= self.start_at:
            # A session of its own: Ctrl-C reaches the supervisor alone, which stops everybody in order.
            self.process = subprocess.Popen(self.command, start_new_session=True, preexec_fn=die_with_parent)
            self.began = now

    def _died(self, now: float, code: int) -> None:
        young = code >= 0 and now - self.began < GROWN_UP
        self.pause = min(self.pause * 2, LONGEST_PAUSE) if young else RESTART_AFTER
        print(f"propolis: {self.name} ended ({_how(code)}); starting it again", file=sys.stderr, flush=True)
        self.process, self.start_at = None, now + self.pause

    def terminate(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, until: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def supervise(children: list[Child], greeting: str, host: str, port: int) -> int:
    """Runs the children until SIGTERM or Ctrl-C, then stops them; answers the exit code."""
    asked: list[int] = []

    def handler(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)
    greeted = False
    while not asked:
        for child in children:
            child.look_after(time.monotonic())
        greeted = greeted or _greet(greeting, host, port)
        time.sleep(0.1)
    for child in children:
        child.terminate()
    until = time.monotonic() + GRACE
    for child in children:
        child.wait(until)
    return 0


def _greet(greeting: str, host: str, port: int) -> bool:
    """Says where the site is, as soon as it answers."""
    try:
        socket.create_connection((host, port), timeout=0.2).close()
    except OSError:
        return False
    print(greeting, flush=True)
    return True


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def die_with_parent() -> None:
    """On Linux: children are told to leave when the supervisor is killed. Elsewhere they stay."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
