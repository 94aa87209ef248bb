"""Installs a locked list into .venv: `python requirements/install.py requirements/base.txt`.

Two pips at once, each with half of the packages: a fresh installation spends its time in pip, and pip works on
one package at a time. The lists are complete and every file is named by its hash, so nothing is left to resolve
(--no-deps). --no-compile: a module is compiled when it is first used, and most never are.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

AT_ONCE = 2
PYTHON = Path(".venv/bin/python")
OPTIONS = ["--disable-pip-version-check", "--quiet"]
INSTALL = ["install", "--no-deps", "--no-compile"]


def main(arguments: list[str]) -> int:
    """`--here`: this project itself, editable; else the list named. The exit code is the worst of the pips'."""
    if arguments == ["--here"]:
        editable = ["--no-build-isolation", "--config-settings", "editable_mode=compat", "-e", "."]
        return subprocess.run([*pip(), *INSTALL, *editable], check=False).returncode
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for number, part in enumerate(parts(Path(arguments[0]).read_text())):
            wanted = Path(folder) / f"{number}.txt"
            wanted.write_text(part)
            running.append(subprocess.Popen([*pip(), *INSTALL, "--require-hashes", "-r", str(wanted)]))
        return max(abs(each.wait()) for each in running)


def pip() -> list[str]:
    """The environment's own pip if it has one, else this interpreter's, working on the environment."""
    if PYTHON.with_name("pip").exists():
        return [str(PYTHON), "-m", "pip", *OPTIONS]
    return [sys.executable, "-m", "pip", "--python", str(PYTHON), *OPTIONS]


def parts(text: str) -> list[str]:
    """The list in as many parts as there are pips: a package and its hashes stay together."""
    packages: list[list[str]] = []
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            packages.append([])
        if packages and not line.startswith("#"):
            packages[-1].append(line)
    found = ["\n".join(line for each in packages[at::AT_ONCE] for line in each) for at in range(AT_ONCE)]
    return [part + "\n" for part in found if part]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
