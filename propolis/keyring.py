"""Secrets kept as files in the data folder, made on first use and readable by their owner alone."""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def secret_key(folder: Path) -> str:
    """Django's signing key."""
    return keep(folder / "secret_key", lambda: secrets.token_urlsafe(50))


def keep(path: Path, make: Callable[[], str]) -> str:
    """The text of the file, written first if it is not there; two processes starting at once agree on one."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
