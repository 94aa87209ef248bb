"""A row of the file beside the records of ours it may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from propolis.accounts.addressing import url
from propolis.accounts.models import Account
from propolis.crm import cells, comparing
from propolis.crm.csv_import.columns import label_of
from propolis.crm.csv_import.deciding import row_of
from propolis.crm.csv_import.job import kind_of
from propolis.crm.csv_import.sentences import row_sentence
from propolis.crm.fields import Kind, Shape
from propolis.crm.kinds import MODELS
from propolis.crm.models import Company
from propolis.history.models import Change
from propolis.merge.decide import Normalise
from propolis.runs.models import Run

_SHOWN = {
    Kind.CONTACT: ("name", "title", "email", "phone", "mobile", "address_1", "city", "state", "zip"),
    Kind.COMPANY: ("name", "website", "email", "phone", "mobile", "address_1", "city", "state", "zip"),
}


@dataclass(frozen=True)
class Candidate:
    """One of ours. `gone`: deleted or merged since."""

    pk: int
    name: str
    href: str
    evidence: str
    detail: str
    gone: bool


@dataclass(frozen=True)
class Line:
    """One field: the file's value, and of each candidate (text, differs)."""

    label: str
    theirs: str
    ours: list[tuple[str, bool]]


@dataclass(frozen=True)
class Review:
    change: Change
    name: str
    line: int
    why: str
    candidates: list[Candidate]
    lines: list[Line]


def side_by_side(account: Account, run: Run, change: Change) -> Review:
    """Everything a person needs to decide; two queries."""
    kind, row = kind_of(run), row_of(change, run)
    told = change.args.get("candidates", [])
    rows: Any = MODELS[kind].objects
    joined = rows.select_related("company") if kind is Kind.CONTACT else rows
    ours: dict[int, Any] = joined.in_bulk([each["local_id"] for each in told])
    same = comparing.normaliser(account.phone_region)
    found = [(each, ours[each["local_id"]]) for each in told if each["local_id"] in ours]
    lines = [
        Line(
            "Name" if name == "name" else label_of(kind, name),
            _words(name, row.values.get(name), account),
            [_compared(same, name, row.values.get(name), getattr(mine, name), account) for _, mine in found],
        )
        for name in _SHOWN[kind]
    ]
    if kind is Kind.CONTACT:
        theirs = row.company[0] or row.company[1]
        lines.insert(
            1,
            Line(
                "Company",
                theirs,
                [_compared(same, "company", theirs, _company(mine), account) for _, mine in found],
            ),
        )
    return Review(
        change=change,
        name=str(row.values.get("name") or row.values.get("email") or f"Line {row.row.line}"),
        line=row.row.line,
        why=row_sentence(change.reason, change.args),
        candidates=[_candidate(account, kind, each, mine) for each, mine in found],
        lines=[line for line in lines if line.theirs or any(text for text, _ in line.ours)],
    )


def _candidate(account: Account, kind: Kind, told: dict[str, Any], mine: Any) -> Candidate:
    gone = mine.deleted_at is not None
    href = url(account, f"crm:{kind.value}", mine.pk)
    return Candidate(mine.pk, str(mine), href, told["label"], cells.evidence_words(told), gone)


def _company(mine: Any) -> str:
    company: Company | None = mine.company
    return company.name if company else ""


def _compared(same: Normalise, name: str, theirs: Any, ours: str, account: Account) -> tuple[str, bool]:
    differs = bool(theirs and ours) and same(name, str(theirs)) != same(name, ours)
    return _words(name, ours, account), differs


def _words(name: str, value: Any, account: Account) -> str:
    return cells.told(Shape.PHONE if name in ("phone", "mobile") else Shape.TEXT, value, account)
