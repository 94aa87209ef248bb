"""A house for one demo: temporary data, a Syncro of its own, the processes in it. Nothing of it stays."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from propolis.cli import Sorry
from propolis.cli.serve import port_must_be_free, web_command
from propolis.cli.supervisor import GRACE, Child, die_with_parent

# The run of a worker that was killed is taken up again after so many seconds; 60 unless the demo is watched.
LEASE_SECONDS = 8
READY_WITHIN = 60.0


class Syncro:
    """The sandbox as a process of its own, asked over HTTP as the real one would be."""

    def __init__(self, companies: int, contacts: int, leads: int, *more: str) -> None:
        command = [sys.executable, "-m", "syncro_sandbox", "--port", "0", "--json"]
        command += ["--companies", str(companies), "--contacts", str(contacts), "--leads", str(leads)]
        # Without these the contacts inside customers are all there are, which an import proves and uses.
        command += ["--contacts-without-customer", "0", *more]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, start_new_session=True, preexec_fn=die_with_parent
        )
        assert self.process.stdout is not None
        told = self.process.stdout.readline()
        if not told:
            raise Sorry("The sandbox did not start.")
        facts = json.loads(told)
        self.base_url: str = facts["base_url"]
        self.token: str = facts["token"]
        self.control_url: str = facts["control_url"]

    def ask(self, path: str) -> dict[str, Any]:
        with urlopen(self.control_url + path, timeout=60) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
        return found

    def dump(self) -> dict[str, Any]:
        """All records, as Syncro holds them."""
        return self.ask("/dump")

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """The log of requests it received, from number `since` on."""
        found: list[dict[str, Any]] = self.ask(f"/requests?since={since}")["requests"]
        return found

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class DemoHouse:
    """Use as a context; sets the environment of this process, so Django must not be loaded yet."""

    def __init__(self, companies: int, contacts: int, leads: int, pace: float, port: int | None) -> None:
        self.size = (companies, contacts, leads)
        if port:
            port_must_be_free("127.0.0.1", port)
        self.folder = Path(tempfile.mkdtemp(prefix="propolis-demo-"))
        self.port = port or _free_port(8000)
        self.url = f"http://127.0.0.1:{self.port}"
        self.children: list[Child] = []
        for name in ("DATABASE_URL", "PROPOLIS_TASKS_BACKEND", "PROPOLIS_SMTP_HOST", "PROPOLIS_TOKEN_KEYS"):
            os.environ.pop(name, None)
        os.environ |= {
            "PROPOLIS_DATA_DIR": str(self.folder),
            "PROPOLIS_URL": self.url,
            "PROPOLIS_PACE": str(pace),
        }

    def __enter__(self) -> DemoHouse:
        try:
            self.syncro = Syncro(*self.size)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        os.environ["PROPOLIS_SYNCRO_BASE_URL"] = self.syncro.base_url
        return self

    def __exit__(self, *_error: object) -> None:
        for child in self.children:
            child.terminate()
        until = time.monotonic() + GRACE
        for child in self.children:
            child.wait(until)
        self.syncro.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def hurry(self) -> None:
        """A killed worker's run is taken up again soon. Call before Django is loaded."""
        os.environ["PROPOLIS_LEASE_SECONDS"] = str(LEASE_SECONDS)

    def start(self, name: str, command: list[str]) -> Child:
        """A child that is started again should it die; `look_after` has to be called now and then."""
        child = Child(name, command)
        self.children.append(child)
        child.look_after(time.monotonic())
        return child

    def look_after(self) -> None:
        for child in self.children:
            child.look_after(time.monotonic())

    def serve(self) -> None:
        """The site, answering when this returns."""
        self.start("web", web_command("127.0.0.1", self.port))
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until:
            self.look_after()
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise Sorry(f"The site did not start within {READY_WITHIN:.0f} s.")


def _free_port(wanted: int) -> int:
    """The wanted one, or any other if it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Sorry("No port is free on 127.0.0.1.")
