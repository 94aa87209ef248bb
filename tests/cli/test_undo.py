"""Undoing an import from the command line."""

from __future__ import annotations

import pytest

from tests.cli.shell import Shell

pytestmark = pytest.mark.slow


def test_one_is_one(connected: Shell) -> None:
    """With one customer in Syncro everything is told in the singular."""
    sandbox = connected.syncro.sandbox
    for customer in [row.id for row in sandbox.customers][1:]:
        sandbox.delete("customers", customer)
    connected.import_("companies")
    shown = connected.propolis("undo", "--account", "acme", "--preview")
    assert shown.out[0] == "Import of <when> (number 1): 1 record goes back, 0 stay."
    kept = connected.propolis("backup", "--account", "acme").err[-1]
    assert kept.endswith("verified: 1 company, 0 contacts, 0 opportunities, 1 link")
    status = connected.propolis("status", "--account", "acme").out
    assert "Here: 1 company, 0 contacts, 0 opportunities, 0 lists" in status


def test_an_import_is_shown_undone_and_not_undone_twice(connected: Shell) -> None:
    assert connected.propolis("undo", "--account", "acme").err == ["acme has no import that can be undone."]
    connected.import_("companies")
    shown = connected.propolis("undo", "--account", "acme", "--preview")
    assert (shown.code, shown.out) == (
        0,
        [
            "Import of <when> (number 1): 20 records go back, 0 stay.",
            "  20 new companies go. The next import creates them again",
            "Nothing was undone.",
        ],
    )
    done = connected.propolis("undo", "--account", "acme", "--run", "1", "--yes")
    assert (done.code, done.out[-1]) == (0, "Undone: 20 new companies removed.")
    status = connected.propolis("status", "--account", "acme").out
    assert [line for line in status if "Undo" in line] == [
        "  Companies      Undone <when>",
        "Undo of <when> (number 3): Complete",
        "Undo of <when> (number 2): Preview discarded",
    ]
    again = connected.propolis("undo", "--account", "acme", "--run", "1", "--yes")
    assert (again.code, again.err) == (1, ["This import has been undone. To have it again, import again."])
    assert connected.propolis("undo", "--account", "acme", "--run", "9").err == [
        "acme has no import number 9."
    ]
    connected.import_("companies")
    assert "  Companies      Imported <when>" in connected.propolis("status", "--account", "acme").out
