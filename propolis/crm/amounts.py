"""Filling in amount, likelihood and expected close, cell by cell: each saved as it is left.

A cell carries what it showed (`was`). One that was not touched is never written, and one that somebody else
changed meanwhile is shown again rather than overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from propolis.accounts.models import Account, Membership
from propolis.crm import edit
from propolis.crm.fields import FIELDS, Kind
from propolis.crm.forms import record_form
from propolis.crm.models import Opportunity

NAMES = ("amount", "likelihood", "expected_close")
_LABELS = {"amount": "Amount", "likelihood": "Likelihood in %", "expected_close": "Expected close"}


@dataclass(frozen=True)
class Cell:
    """`value`: what the field shows; `was`: what is stored. `error`: a sentence. `saved`: just now."""

    row: Opportunity
    name: str
    value: str
    was: str
    error: str = ""
    saved: bool = False

    @property
    def label(self) -> str:
        return _LABELS[self.name]

    @property
    def key(self) -> str:
        """Of the field in the form of all."""
        return f"{self.name}-{self.row.pk}"


def cells(row: Opportunity) -> list[Cell]:
    return [_stored(row, name) for name in NAMES]


def _stored(row: Opportunity, name: str, *, saved: bool = False) -> Cell:
    shown = _shown(getattr(row, name))
    return Cell(row, name, shown, shown, saved=saved)


def _shown(value: Any) -> str:
    """As a field takes it: "1200", "1200.50", "2026-12-31"."""
    return "" if value is None else str(value).removesuffix(".00")


def save(account: Account, row: Opportunity, name: str, text: str, was: str, *, actor: Membership) -> Cell:
    """The cell after saving, or with a sentence why not; nothing is written where nothing was typed."""
    text = text.strip()
    if text == was:
        return _stored(row, name)
    now = _shown(getattr(row, name))
    if now != was:
        return Cell(row, name, text, now, f"Somebody changed this meanwhile. Now: {now or 'empty'}.")
    form = record_form(Kind.OPPORTUNITY, row, {name: _plain(name, text), "rev": row.rev}, names=[name])
    if not form.is_valid():
        return Cell(row, name, text, was, " ".join(str(each) for each in form.errors[name]))
    try:
        edit.update(account, row, form.values(), actor=actor)
    except edit.ChangedMeanwhile:
        # Another cell of the row, perhaps by the same quick hands: this one is looked at anew.
        row.refresh_from_db()
        return save(account, row, name, text, was, actor=actor)
    except edit.NotThere:
        return Cell(row, name, text, was, "Somebody deleted this opportunity meanwhile.")
    row.refresh_from_db(fields=[FIELDS[Kind.OPPORTUNITY][name].attribute])
    return _stored(row, name, saved=True)


def _plain(name: str, text: str) -> str:
    """ "50 %" as people type it; what an amount may look like the form knows."""
    return text.removesuffix("%").strip() if name == "likelihood" else text


def save_all(
    account: Account, rows: Sequence[Opportunity], given: Mapping[str, str], *, actor: Membership
) -> dict[str, Cell]:
    """Every cell that was touched, by its key."""
    found = {}
    for row in rows:
        for name in NAMES:
            key = f"{name}-{row.pk}"
            if key in given and given[key].strip() != given.get(f"was-{key}", ""):
                found[key] = save(account, row, name, given[key], given.get(f"was-{key}", ""), actor=actor)
    return found
