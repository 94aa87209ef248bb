"""Undoing an import in a test, to its end, in this process; and an account as a list of lines."""

from __future__ import annotations

import json
from typing import Any

from propolis.accounts.models import Account, Membership
from propolis.bridge.dumping import canonical_dump
from propolis.bridge.undo_counting import Tally
from propolis.bridge.undoing import start_undo
from propolis.runs.models import Run
from tests.bridge.import_story import finish, go_on


def planned_undo(run: Run, by: Membership | None = None) -> Run:
    """The undo at its gate."""
    undo, started = start_undo(run, by=by)
    assert started
    undo = finish(undo)
    assert (undo.state, undo.slot) == (Run.State.PLANNED, None), (undo.state, undo.error_detail)
    return undo


def undo_all(run: Run, by: Membership | None = None) -> Run:
    undo = go_on(planned_undo(run, by))
    assert undo.state == Run.State.COMPLETE, (undo.state, undo.error_detail)
    return undo


def planned(undo: Run) -> dict[str, Any]:
    """The numbers of the preview, empty parts left out."""
    return _told(undo, "plan")


def done(undo: Run) -> dict[str, Any]:
    """The numbers of the undo, empty parts left out."""
    return _told(undo, "done")


def _told(undo: Run, what: str) -> dict[str, Any]:
    told = Tally.from_dict(undo.counts[what]).to_dict()
    return {name: some for name, some in told.items() if some and name != "examples"}


def account_lines(account: Account) -> list[Any]:
    """The canonical dump without what an undo leaves on purpose: records out of sight, unsubscribed addresses
    with the mail state that follows from them, and the list imports put people on."""
    lines = [json.loads(line) for line in canonical_dump(account)]
    kept = [line for line in lines if line[0] not in ("suppression",) and not _deleted(line)]
    for line in kept:
        if line[0] == "contact":
            line[-1].pop("mail_state")
    return sorted(json.dumps(line) for line in kept if line[:2] != ["list", "Syncro General"])


def _deleted(line: list[Any]) -> bool:
    return isinstance(line[-1], dict) and bool(line[-1].get("deleted"))
