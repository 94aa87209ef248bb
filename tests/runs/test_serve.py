"""The commands, as a person starts them: serve, worker, createadmin."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from propolis.cli import Sorry
from propolis.cli.serve import port_must_be_free
from tests.runs.harness import BOTH, WORKER, House, open_empty_house, open_house

CLI = [sys.executable, "-m", "propolis.cli"]


@pytest.fixture
def sqlite_house(tmp_path: Path) -> Iterator[House]:
    yield from open_house("sqlite", tmp_path)


@pytest.fixture(params=BOTH)
def empty_house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house whose database the first command prepares."""
    yield from open_empty_house(request.param, tmp_path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def children(pid: int, having: str) -> list[int]:
    """Living child processes whose command line contains the text."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed if having in command_line(child)]


def command_line(pid: str) -> str:
    """Its words, each followed by NUL; "" once it has ended, which it may at any moment."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def run(house: House, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        [*CLI, *arguments], env=house.env, input=stdin, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes in /proc")
def test_serve_brings_everything_up_restarts_a_killed_worker_and_leaves_nothing_behind(
    sqlite_house: House,
) -> None:
    (sqlite_house.folder / "propolis.sqlite3").unlink()
    port = free_port()
    serve = sqlite_house.spawn([*CLI, "serve", "--port", str(port)])
    sqlite_house.wait_until(lambda: f"Propolis is at http://127.0.0.1:{port}" in serve.said, 60)
    browser = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    browser.request("GET", "/auth/login/")
    assert browser.getresponse().status == 200
    browser.close()
    sqlite_house.wait_for("select 1 from runs_beat", 30)

    (worker,) = children(serve.pid, "propolis.cli\0worker")
    os.kill(worker, signal.SIGKILL)
    sqlite_house.wait_until(lambda: children(serve.pid, "propolis.cli\0worker") not in ([], [worker]))
    sqlite_house.wait_for("select owner from runs_beat group by 1 having count(*) = 1", 30)

    everybody = [*children(serve.pid, "worker"), *children(serve.pid, "gunicorn")]
    assert serve.terminate() == 0
    assert [gone(pid) for pid in everybody] == [True] * len(everybody)
    assert serve.said.splitlines() == [
        "Preparing the database …",
        f"Propolis is at http://127.0.0.1:{port} (Ctrl-C stops it)",
        "propolis: worker ended (signal 9); starting it again",
    ]


@pytest.mark.slow
def test_serve_says_when_the_port_is_taken(sqlite_house: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, said = run(sqlite_house, "serve", "--port", str(port))
    sentence = f"Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with --port.\n"
    assert (code, said) == (1, sentence)


def test_serve_says_when_the_address_is_not_this_machines() -> None:
    with pytest.raises(
        Sorry, match=r"^Cannot listen on 192\.0\.2\.1:8000: .+\. Choose another with --host\.$"
    ):
        port_must_be_free("192.0.2.1", 8000)


@pytest.mark.slow
def test_two_processes_prepare_one_database(empty_house: House) -> None:
    workers = [empty_house.worker(WORKER), empty_house.worker(WORKER)]
    empty_house.wait_for("select n from (select count(*) as n from runs_beat) as beats where n = 2", 150)
    assert [w.terminate() for w in workers] == [0, 0]
    assert [w.said.count("Preparing") for w in workers] in ([1, 0], [0, 1], [1, 1])
    assert all("Traceback" not in w.said for w in workers)


@pytest.mark.slow
def test_a_database_that_is_away_is_said_in_a_sentence(sqlite_house: House) -> None:
    sqlite_house.env["DATABASE_URL"] = f"postgres://nobody@127.0.0.1:{free_port()}/none"
    code, _, said = run(sqlite_house, "worker")
    assert code == 1
    assert said.startswith("The database does not answer: ")
    assert said.endswith("Check that it runs and that DATABASE_URL is right.\n")


@pytest.mark.slow
def test_createadmin(sqlite_house: House) -> None:
    ask = ["createadmin", "--account", "acme", "--email", "Alice@acme.example"]
    assert run(sqlite_house, *ask) == (2, "", "Pass the password on standard input, with --password-stdin.\n")
    code, _, said = run(sqlite_house, *ask, "--password-stdin", stdin="short\n")
    assert (code, said.splitlines()[-1]) == (
        1,
        "This password is too short. It must contain at least 12 characters.",
    )
    assert sqlite_house.query("select count(*) from accounts_account") == [(0,)]

    made = run(sqlite_house, *ask, "--name", "Alice", "--password-stdin", stdin="a calm brown bear\n")
    admin = "alice@acme.example is an Admin of it: http://127.0.0.1:8000/acme/\n"
    assert made == (0, f"The account acme is made. {admin}", "")
    again = run(sqlite_house, *ask, "--password-stdin", stdin="another calm brown bear\n")
    assert again == (0, admin, "")
    members = "select email_key, name, is_admin, is_salesperson, state from accounts_membership"
    assert sqlite_house.query(members) == [("alice@acme.example", "Alice", 1, 0, "active")]
    assert sqlite_house.query("select name, outcome from crm_oppstatus order by position") == [
        ("New", "open"),
        ("Qualified", "open"),
        ("Proposal", "open"),
        ("Negotiation", "open"),
        ("On hold", "open"),
        ("Won", "won"),
        ("Lost", "lost"),
    ]
    assert run(
        sqlite_house, "createadmin", "--account", "static", *ask[3:], "--password-stdin", stdin="x\n"
    ) == (
        1,
        "",
        "--account: “static” is used by Propolis itself; choose another.\n",
    )


@pytest.mark.slow
def test_passwordlink(sqlite_house: House) -> None:
    ask = ["passwordlink", "--email", "alice@acme.example"]
    assert run(sqlite_house, *ask) == (
        2,
        "",
        "Nobody signs in with alice@acme.example. Look at the spelling; who was only invited has no password yet.\n",
    )
    made = ["createadmin", "--account", "acme", "--email", "alice@acme.example", "--name", "Alice"]
    assert run(sqlite_house, *made, "--password-stdin", stdin="a calm brown bear\n")[0] == 0
    code, said, _ = run(sqlite_house, *ask, "--without-second-step")
    sentence, link = said.splitlines()
    assert code == 0
    assert re.fullmatch(
        r"Alice chooses a new password here, once, until \d+ \w+ \d{4}, \d\d:\d\d UTC:", sentence
    )
    assert link.startswith("http://127.0.0.1:8000/auth/password/reset/key/")
