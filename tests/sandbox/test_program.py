"""`python -m syncro_sandbox`, started as anybody would start it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import httpx2
import pytest

SMALL = ("--companies", "22", "--contacts", "30", "--leads", "5")


def start(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "syncro_sandbox", "--port", "0", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_address_and_token_serves_and_stops(stop: signal.Signals) -> None:
    with start(*SMALL) as program:
        assert program.stdout
        base_url, token = (program.stdout.readline().strip() for _ in range(2))
        with httpx2.Client(base_url=base_url, headers={"Authorization": token}) as client:
            totals = [
                client.get(path, params={"include_disabled": "true"}).json()["meta"]["total_entries"]
                for path in ("/customers", "/contacts", "/leads")
            ]
            program.send_signal(stop)
            assert program.wait(timeout=10) == 0
    assert base_url.startswith("http://127.0.0.1:")
    assert totals == [22, 30, 5]


def test_json_token_rate_limit_and_switches() -> None:
    options = ("--json", "--token", "mine", "--rate-limit", "2", "--switch", "users_shape=objects")
    with start(*SMALL, *options) as program:
        assert program.stdout
        facts = json.loads(program.stdout.readline())
        with httpx2.Client(base_url=facts["base_url"], headers={"Authorization": "mine"}) as client:
            users = client.get("/users").json()["users"]
            statuses = [client.get("/me").status_code for _ in range(2)]
        with httpx2.Client() as client:
            switches = client.get(facts["control_url"] + "/switches").json()
        program.terminate()
    assert set(facts) == {"base_url", "token", "control_url", "pid"}
    assert (facts["token"], facts["pid"]) == ("mine", program.pid)
    assert users[0] == {"id": 1041, "full_name": "Alicia Moreno"}
    assert statuses == [200, 429]
    assert switches["rate_limit"] == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--switch", "colour=red"), "there is no switch 'colour'"),
        (("--switch", "colour"), "--switch needs NAME=VALUE, not 'colour'"),
        (("--port", "99999"), "the port must be 0 to 65535, not 99999"),
        (("--companies", "-3"), "companies, contacts and leads cannot be negative"),
    ],
)
def test_wrong_options_are_told(options: tuple[str, ...], said: str) -> None:
    with start(*options) as program:
        _, errors = program.communicate(timeout=20)
    assert program.returncode == 2
    assert said in errors
