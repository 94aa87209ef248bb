"""Connecting and importing from the command line, as an operator does."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.bridge.import_words import moment
from propolis.cli.connect import account_named
from syncro_sandbox import Running
from tests.cli.shell import Shell, lines
from tests.runs.harness import open_house

pytestmark = pytest.mark.slow

PERMISSIONS = [
    "To import:",
    "  yes      Customers - List/Search",
    "  yes      Customers - View Detail",
    "  yes      Leads - List/Search",
    "To send to Syncro, later:",
    "  yes      Customers - Edit",
    "  ?        Customers - Create  Cannot be tested without writing: it is checked when you first send.",
]
SUMS = [
    "  Companies. Syncro has 20 companies. Read 20: 20 New, 0 Failed.",
    "  Contacts. Syncro has 60 contacts. Read 60. + 6 persons on customer records = 66: 66 New, 0 Failed.",
    "  Opportunities. Syncro has 30 opportunities. Read 30: 10 New, 20 Left out, 0 Failed.",
]


def test_connect_says_what_the_token_may_do_and_reads_the_users(connected: Shell) -> None:
    assert connected.connect().out == [
        *PERMISSIONS,
        "Connected to <syncro>. Nothing was written there.",
        "14 users in Syncro, 0 linked by e-mail.",
    ]
    assert {request["method"] for request in connected.syncro.sandbox.requests} == {"GET"}


def test_rotatekeys_seals_the_saved_token_anew_and_it_goes_on_working(connected: Shell) -> None:
    said = connected.propolis("rotatekeys")
    assert (said.code, said.out) == (0, ["1 saved Syncro token is sealed anew."])
    assert connected.import_("companies").code == 0
    connected.house.env["PROPOLIS_TOKEN_KEYS"] = "k:" + "A" * 43 + "="
    lost = connected.propolis("rotatekeys")
    assert (lost.code, lost.out) == (1, ["0 saved Syncro tokens are sealed anew."])
    assert lost.err == [
        "1 could not be read with the keys that are here, and is left as before. Save a new token under Connection."
    ]
    connected.house.env["PROPOLIS_TOKEN_KEYS"] = "k:abc"
    assert connected.propolis("rotatekeys").err == [
        "A key in PROPOLIS_TOKEN_KEYS is not 32 bytes in base64. Correct it."
    ]


def test_a_wrong_token_and_a_missing_permission_are_told_apart(connected: Shell) -> None:
    wrong = connected.connect("T-nobody")
    poor = connected.syncro.sandbox.add_token(["Customers - List/Search", "Customers - View Detail"])
    lacking = connected.connect(poor)
    assert (wrong.code, wrong.out) == (1, [])
    assert wrong.err == [
        "Syncro did not accept the API token. It may have expired or been removed: make a new one in Syncro "
        "(Admin > API Tokens) and save it under Connection."
    ]
    assert lacking.code == 1
    assert [line.split("  ")[2] for line in lacking.out if "MISSING" in line] == [
        "Leads - List/Search",
        "Customers - Edit",
    ]
    assert lacking.err[0].startswith("Not connected: the token lacks a permission needed to import.")


def test_what_cannot_start_says_what_it_waits_for(shell: Shell) -> None:
    nobody = shell.propolis("import", "--account", "nobody")
    unconnected = shell.import_()
    shell.connect()
    too_early = shell.import_("contacts")
    assert [nobody.code, unconnected.code, too_early.code] == [1, 1, 1]
    assert nobody.err[-1] == (
        "There is no account nobody. Make it with: propolis createadmin --account nobody --email …"
    )
    assert unconnected.err == [
        "Waits for Connection: save credentials that work. (propolis connect --account acme)"
    ]
    assert too_early.err == [
        "Waits for Companies: import them once, completely. (propolis import companies --account acme)"
    ]


def test_everything_in_one_command_and_the_second_time_nothing(connected: Shell) -> None:
    first, second = connected.import_(), connected.import_()
    status = json.loads(connected.propolis("status", "--account", "acme", "--json").out[0])
    assert (first.code, second.code) == (0, 0)
    assert first.out[:4] == ["Import of <when>: complete", *SUMS]
    assert second.out[1:3] == [
        "  Companies. Syncro has 20 companies. Read 20: 20 Already the same, 0 Failed.",
        "  Contacts. Syncro has 60 contacts. Read 60. + 6 persons on customer records = 66: "
        "66 Already the same, 0 Failed.",
    ]
    assert status["counts"] == {"companies": 20, "contacts": 66, "opportunities": 10, "lists": 1}
    assert status["connection"]["state"] == "connected"
    assert [run["state"] for run in status["runs"]] == ["complete", "complete"]
    assert [step["state"] for step in status["steps"]] == ["done"] * 5
    assert status["run"] is None
    assert status["links"]["lead"] == {"linked": 10, "left_out": 20}
    assert connected.propolis("status", "--account", "acme").out[-3:] == [
        "Here: 20 companies, 66 contacts, 10 opportunities, 1 list",
        "Import of <when> (number 2): Complete",
        "Import of <when> (number 1): Complete",
    ]


@pytest.mark.django_db
def test_a_command_tells_times_as_the_pages_of_the_account_do() -> None:
    Account.objects.create(slug="acme", name="Acme", time_zone="Pacific/Kiritimati")
    with timezone.override(None):
        account_named("acme")
        at = datetime(2026, 11, 26, 18, 3, tzinfo=UTC)
        assert moment(at) == "27 Nov, 08:03"


def test_a_preview_writes_nothing_until_it_is_confirmed(connected: Shell) -> None:
    preview = connected.import_("--preview")
    before = connected.house.query("select count(*) from crm_company")
    requests = len(connected.syncro.sandbox.requests)
    confirmed = connected.import_("--confirm")
    assert preview.code == 0
    assert preview.out[0] == "Import of <when>: preview, nothing is imported yet"
    assert preview.out[-1] == "To import this: propolis import --account acme --confirm"
    assert before == [(0,)]
    assert (confirmed.code, confirmed.out[:4]) == (0, ["Import of <when>: complete", *SUMS])
    assert connected.house.query("select count(*) from crm_company") == [(20,)]
    listed = [r["path"] for r in connected.syncro.sandbox.requests[requests:]]
    assert [path for path in listed if path.endswith(("customers", "leads", "contacts"))] == []


def test_mail_leads_come_when_asked_for(connected: Shell) -> None:
    said = connected.import_("--mail-leads", "import")
    assert said.out[3] == "  Opportunities. Syncro has 30 opportunities. Read 30: 30 New, 0 Failed."


def test_a_suddenly_empty_syncro_waits_for_a_person(connected: Shell) -> None:
    connected.import_()
    sandbox = connected.syncro.sandbox
    for customer in sandbox.dump()["customers"]:
        sandbox.delete("customers", customer["id"])
    refused = connected.import_("companies")
    assert refused.code == 5
    assert refused.out[0] == (
        "Import of <when>: waits for you. Syncro says it has no companies now, but 20 of yours are linked to it. "
        "Nothing was changed. Look into Syncro first; if it really is empty, confirm the numbers."
    )
    assert refused.out[-1] == "To confirm: propolis import --account acme --confirm"


def test_a_dead_token_needs_attention_and_a_new_one_goes_on(connected: Shell) -> None:
    sandbox = connected.syncro.sandbox
    sandbox.revoke_token(connected.syncro.token)
    stuck = connected.import_()
    fresh = connected.connect(sandbox.add_token())
    went_on = connected.import_()
    assert (stuck.code, fresh.code, went_on.code) == (4, 0, 0)
    assert stuck.out[0] == (
        "Import of <when>: needs attention: Syncro did not accept the API token. It may have expired or been "
        "removed: make a new one in Syncro (Admin > API Tokens) and save it under Connection."
    )
    assert went_on.err[0] == (
        "An import of companies, contacts, opportunities is under way: going on with it."
    )
    assert went_on.out[:4] == ["Import of <when>: complete", *SUMS]


def test_pages_that_never_come_make_it_incomplete(connected: Shell) -> None:
    one = {"leads": [], "meta": {"total_pages": 1, "total_entries": 30, "per_page": 25, "page": 1}}
    connected.syncro.sandbox.fault("reply", path="/leads", times=None, body=json.dumps(one))
    said = connected.import_()
    assert said.code == 3
    assert said.out[:3] == [
        "Import of <when>: incomplete: Not everything could be read: Syncro's lists kept changing while we read "
        "them. What was read is here; press Import again to get the rest.",
        *SUMS[:2],
    ]


def test_ctrl_c_pauses_and_the_same_command_goes_on(connected: Shell) -> None:
    connected.syncro.sandbox.set("latency_ms", 400)
    going = connected.start("import", "--account", "acme")
    connected.house.wait_for("select 1 from runs_runpage where phase like 'customers%'")
    going.popen.send_signal(signal.SIGINT)
    assert going.popen.wait(30) == 130
    assert connected.house.query("select state from runs_run") == [("paused",)]
    connected.syncro.sandbox.set("latency_ms", 0)
    again = connected.import_()
    assert (again.code, again.out[:4]) == (0, ["Import of <when>: complete", *SUMS])
    assert connected.house.query("select count(*) from runs_run") == [(1,)]
    assert going.said.splitlines()[-1] == "To go on: propolis import --account acme"


def test_a_run_that_a_worker_holds_is_followed(connected: Shell) -> None:
    connected.syncro.sandbox.set("latency_ms", 2000)
    first = connected.start("import", "--account", "acme")
    connected.house.wait_for("select 1 from runs_run where state = 'reading'")
    second = connected.start("import", "--account", "acme")
    connected.house.wait_until(lambda: "following it." in second.said)
    connected.syncro.sandbox.set("latency_ms", 0)
    assert (first.popen.wait(60), second.popen.wait(60)) == (0, 0)
    told = lines(second.said)
    assert told[0] == "An import of companies, contacts, opportunities is under way: following it."
    at = told.index("Import of <when>: complete")
    assert told[at + 1 : at + 4] == SUMS
    assert connected.house.query("select count(*) from runs_run") == [(1,)]


@pytest.mark.postgres
def test_the_same_on_postgresql(tmp_path: Path, syncro: Running) -> None:
    for house in open_house("postgres", tmp_path, PROPOLIS_PACE="6000"):
        shell = Shell(house, syncro)
        assert [shell.found_acme().code, shell.connect().code] == [0, 0]
        said = shell.import_()
        assert (said.code, said.out[:4]) == (0, ["Import of <when>: complete", *SUMS])
