"""What happened to a record, in words: who, when, what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from propolis.accounts.models import Membership
from propolis.crm.fields import FIELDS, REFERENCES, Field, Shape, label_of
from propolis.crm.models import Company, Contact, ListMember, Note, Opportunity, OppStatus
from propolis.history.door import timeline
from propolis.history.models import Change

_SHORT = 120  # characters of a value in the timeline
_ICONS = {
    Change.Action.CREATE: "plus",
    Change.Action.UPDATE: "pencil",
    Change.Action.MERGE: "git-merge",
    Change.Action.COMBINE: "git-merge",
    Change.Action.DELETE: "trash-2",
    Change.Action.RESTORE: "undo-2",
    Change.Action.SEND: "send",
    Change.Action.NOTE: "message-square",
}
_MODELS: dict[Shape, Any] = {
    Shape.COMPANY: Company,
    Shape.CONTACT: Contact,
    Shape.PERSON: Membership,
    Shape.STATUS: OppStatus,
}


@dataclass(frozen=True)
class Effect:
    """One field of an entry: what it was and what it became, as words; "" for blank."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `note`: what was written. `about`: the record's name, if not the page's."""

    icon: str
    what: str
    who: str
    at: datetime
    effects: tuple[Effect, ...] = ()
    note: Note | None = None
    about: str = ""
    change: Change | None = None
    undone: bool = False


def of(row: Company | Contact | Opportunity, *, limit: int = 30, before_id: int | None = None) -> list[Entry]:
    """A record's history, newest first, with that of its opportunities; a constant number of queries."""
    kind = row._meta.model_name or ""
    targets = [(kind, row.pk)]
    names: dict[tuple[str, int], str] = {}
    if isinstance(row, (Company, Contact)):
        for pk, name in row.opportunities.filter(deleted_at=None).values_list("pk", "name")[:50]:
            targets.append(("opportunity", pk))
            names["opportunity", pk] = name
    changes = timeline(*targets, limit=limit, before_id=before_id)
    words = _Words(changes)
    entries = [words.entry(change, names.get((change.kind, change.local_id or 0), "")) for change in changes]
    if isinstance(row, Contact) and before_id is None:
        entries = sorted(entries + _list_entries(row), key=lambda entry: entry.at, reverse=True)
    return entries


def _list_entries(contact: Contact) -> list[Entry]:
    """Memberships are their own memory."""
    found = ListMember.objects.filter(contact=contact).select_related("list", "by", "run")
    return [
        Entry(
            "list",
            f"Put on the list {m.list.name}" if m.state == "in" else f"Taken off the list {m.list.name}",
            _who(m.by, m.run),
            m.at,
        )
        for m in found
    ]


def _who(actor: Membership | None, run: Any) -> str:
    if actor:
        return str(actor)
    return f"Import {run.number}" if run else ""


class _Words:
    """Names of everything the changes refer to, read once."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._notes = Note.objects.select_related("by").in_bulk(
            [change.args["note"] for change in changes if "note" in change.args]
        )
        self._names = {shape: _names(shape, changes) for shape in _MODELS}
        losers = [change.args["loser"] for change in changes if "loser" in change.args]
        self._losers = dict(Company.objects.filter(pk__in=losers).values_list("pk", "name")) if losers else {}

    def entry(self, change: Change, about: str) -> Entry:
        note = self._notes.get(change.args.get("note", 0))
        return Entry(
            icon="phone" if change.reason == "call" else _ICONS.get(Change.Action(change.action), "dot"),
            what=self._what(change),
            who=_who(change.actor, change.run),
            at=change.at,
            effects=tuple(self._effect(change.kind, name, effect) for name, effect in change.fields.items())
            if change.action != Change.Action.CREATE
            else (),
            note=note if note and note.deleted_at is None else None,
            about=about,
            change=change,
            undone=change.state == Change.State.UNDONE,
        )

    def _what(self, change: Change) -> str:
        if change.reason == "undo":
            return "Taken back"
        if change.reason == "call":
            return "Call"
        if change.action == Change.Action.NOTE:
            return "Note"
        if "mail" in change.args:
            return {"subscribed": "Re-subscribed", "bounced": "Bounced"}.get(
                change.args["mail"][1], "Unsubscribed"
            )
        if change.action == Change.Action.COMBINE:
            name = self._losers.get(change.args.get("loser", 0))
            return (
                f"Merged with {name}" if name and change.kind == "company" else "Merged with another record"
            )
        if change.action == Change.Action.UPDATE and change.fields:
            labels = [label_of(change.kind, name) for name in change.fields if name != "closed_at"]
            return f"{', '.join(labels[:3])}{' and more' if len(labels) > 3 else ''} changed"
        if change.action == Change.Action.CREATE:
            return "Created"
        return Change.Action(change.action).label

    def _effect(self, kind: str, name: str, effect: Sequence[Any]) -> Effect:
        field = FIELDS.get(kind, {}).get(name)
        return Effect(label_of(kind, name), self._shown(field, effect[0]), self._shown(field, effect[1]))

    def _shown(self, field: Field | None, value: Any) -> str:
        if value is None or value == "":
            return ""
        if field and field.shape in REFERENCES:
            return self._names[field.shape].get(value, f"#{value}")
        if isinstance(value, bool):
            return "Yes" if value else "No"
        text = str(value)
        if field and field.shape is Shape.INSTANT:
            text = text[:10]
        return text if len(text) <= _SHORT else text[:_SHORT] + "…"


def _names(shape: Shape, changes: Iterable[Change]) -> dict[int, str]:
    ids = {
        value
        for change in changes
        for name, effect in change.fields.items()
        if (field := FIELDS.get(change.kind, {}).get(name)) and field.shape is shape
        for value in effect[:2]
        if isinstance(value, int)
    }
    return {row.pk: row.name for row in _MODELS[shape].objects.filter(pk__in=ids)} if ids else {}
