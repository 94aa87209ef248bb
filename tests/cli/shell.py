"""A person at the keyboard: runs `propolis …` in a house and keeps what it said."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass

from syncro_sandbox import Running
from tests.runs.harness import House, Process

PROPOLIS = [sys.executable, "-m", "propolis.cli"]
_CHANGING = [
    (re.compile(r"\d{1,2} \w{3}(?: \d{4})?, \d\d:\d\d"), "<when>"),
    (re.compile(r"\d+ s\b|\d+ min(?: \d+ s)?"), "<time>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<syncro>"),
]


@dataclass(frozen=True)
class Said:
    """What a command said, with times and ports replaced by <when>, <time> and <syncro>."""

    code: int
    out: list[str]
    err: list[str]


@dataclass(frozen=True)
class Shell:
    house: House
    syncro: Running

    def propolis(self, *arguments: str, stdin: str = "", timeout: float = 120) -> Said:
        done = subprocess.run(
            [*PROPOLIS, *arguments],
            env=self.house.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Said(done.returncode, lines(done.stdout), lines(done.stderr))

    def start(self, *arguments: str) -> Process:
        """The command in the background."""
        return self.house.spawn([*PROPOLIS, *arguments])

    def found_acme(self) -> Said:
        alice = ["--account", "acme", "--email", "alice@acme.example", "--password-stdin"]
        return self.propolis("createadmin", *alice, stdin="violet tractor umbrella\n")

    def connect(self, token: str = "") -> Said:
        stdin = (token or self.syncro.token) + "\n"
        return self.propolis(
            "connect", "--account", "acme", "--base-url", self.syncro.base_url, "--token-stdin", stdin=stdin
        )

    def import_(self, *arguments: str) -> Said:
        return self.propolis("import", *arguments, "--account", "acme")


def lines(text: str) -> list[str]:
    for pattern, name in _CHANGING:
        text = pattern.sub(name, text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]
