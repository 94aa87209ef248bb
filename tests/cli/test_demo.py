"""`propolis demo`: everything of it really happens, and nothing of it stays."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from tests.cli.shell import PROPOLIS

pytestmark = pytest.mark.slow

SMALL = ["--companies", "40", "--contacts", "200", "--leads", "60"]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """As a newcomer's, with a temporary folder of its own to find leftovers in."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PROPOLIS_", "DATABASE_URL"))}
    return bare | {"TMPDIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "propolis.settings"}


def test_once_prints_one_line_that_adds_up(env: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROPOLIS, "demo", "--once", "--json", *SMALL, "--pace", "174"],
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    words = ("new", "merged", "updated", "same", "review", "left_out", "failed")
    read = sum(numbers["read"] + numbers["persons"] for numbers in found["objects"].values())
    assert sum(found[word] for word in words) == read
    assert found["syncro"] == {"customers": 40, "contacts": 200, "leads": 60}
    assert [found["objects"][noun]["read"] for noun in ("companies", "contacts", "opportunities")] == [
        40,
        200,
        60,
    ]
    assert (found["state"], found["refused"], found["failed"], found["disagreements"]) == (
        "complete",
        0,
        0,
        [],
    )
    assert found["merged"] >= found["before"]["contacts"]
    assert found["requests"] <= 1 + 3 + 14 + 15
    assert list(tmp_path.iterdir()) == []


def test_json_goes_with_once(env: dict[str, str]) -> None:
    done = subprocess.run([*PROPOLIS, "demo", "--json"], env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (2, "--json goes with --once.\n")


@pytest.mark.kill
def test_the_shown_demo_kills_its_worker_serves_the_site_and_leaves_nothing(
    env: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path.parent / f"{tmp_path.name}.log"
    with log.open("wb") as out:
        demo = subprocess.Popen(
            [*PROPOLIS, "demo", "--companies", "40", "--contacts", "200", "--leads", "250"],
            env=env,
            stdout=out,
            stderr=out,
            # Ctrl-C works as in a terminal, also where the tests themselves run in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        said = wait_for(log, demo, "Ctrl-C stops everything; nothing of the demo is kept.")
        site = re.search(r"Open +(\S+)", said)
        syncro = re.search(r"Syncro +(http\S+)", said)
        assert site and syncro
        with urllib.request.urlopen(site[1], timeout=20) as answer:
            assert answer.url.endswith("/auth/login/?next=/harborpoint/")
        assert re.search(r"killed \(kill -9\)\. \d+ s later: picked up at page \d+, nothing twice", said)
        assert "all 490 are accounted for, none twice." in said
        assert "None of them was refused." in said
    finally:
        demo.send_signal(signal.SIGINT)
        code = demo.wait(40)
    assert code == 0
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(syncro[1], timeout=5)


def wait_for(log: Path, process: subprocess.Popen[bytes], text: str, seconds: float = 240) -> str:
    until = time.monotonic() + seconds
    while text not in (said := log.read_text(errors="replace")):
        assert process.poll() is None, said
        assert time.monotonic() < until, said
        time.sleep(0.2)
    return said


def test_a_port_that_cannot_be_is_said_as_serve_says_it(env: dict[str, str], tmp_path: Path) -> None:
    command = [*PROPOLIS, "demo", "--port", "99999"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "Error: Invalid value for '--port': Input should be less than or equal to 65535"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_said_before_anything_begins(env: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [*PROPOLIS, "demo", "--port", str(port)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    sentence = f"Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with --port.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)
    assert list(tmp_path.iterdir()) == []
