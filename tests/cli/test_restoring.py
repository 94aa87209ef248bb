"""Restoring from the command line."""

from __future__ import annotations

import pytest

from tests.cli.shell import Shell

pytestmark = pytest.mark.slow


def test_a_restore_that_nobody_confirmed_leaves_no_preview_behind(shell: Shell) -> None:
    file = shell.propolis("backup", "--account", "acme").out[0]
    said = shell.propolis("restore", file, "--account", "acme")
    assert (said.code, said.err) == (
        2,
        ["Add --yes to restore without being asked, or --preview to look only."],
    )
    status = shell.propolis("status", "--account", "acme").out
    assert [line for line in status if "Restore" in line] == [
        "Restore of <when> (number 1): Preview discarded"
    ]
