"""What happened to a record, in words: who, when, what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.crm import cells
from propolis.crm.effects import Effect, short
from propolis.crm.fields import FIELDS, REFERENCES, Shape, label_of
from propolis.crm.models import Company, Contact, ListMember, Note, Opportunity, OppStatus
from propolis.history.door import timeline
from propolis.history.models import Change

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
_GIVING = frozenset({"give", "hand_over", "my_companies"})  # of each record it can be undone alone too
_INTERNAL = "waits_for_remote_user"  # the number of somebody elsewhere tells nobody anything
_TAKEN_BACK = frozenset({Change.Action.UPDATE, Change.Action.COMBINE, Change.Action.NOTE})
_MODELS: dict[Shape, Any] = {
    Shape.COMPANY: Company,
    Shape.CONTACT: Contact,
    Shape.PERSON: Membership,
    Shape.STATUS: OppStatus,
}


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
    can_undo: bool = False


@dataclass(frozen=True)
class Story:
    """One page of a history, newest first. `older`: continue before this change, None at the beginning."""

    entries: list[Entry]
    older: int | None


def of(row: Company | Contact | Opportunity) -> list[Entry]:
    """The newest page of a record's history."""
    return story(row).entries


def story(
    row: Company | Contact | Opportunity,
    *,
    before: int | None = None,
    limit: int = 30,
    may_undo: Callable[[Change], bool] = lambda change: False,
) -> Story:
    """A page of a record's history with that of its opportunities; a constant number of queries."""
    kind = row._meta.model_name or ""
    targets = [(kind, row.pk)]
    names: dict[tuple[str, int], str] = {}
    if isinstance(row, (Company, Contact)):
        deals = row.opportunities.filter(deleted_at=None).order_by("-pk")
        for pk, name in deals.values_list("pk", "name")[:50]:
            targets.append(("opportunity", pk))
            names["opportunity", pk] = name
    changes = timeline(*targets, limit=limit + 1, before_id=before)
    older = changes[limit - 1] if len(changes) > limit else None
    words = _Words(row.account, changes[:limit], may_undo)
    entries = [words.entry(c, names.get((c.kind, c.local_id or 0), "")) for c in changes[:limit]]
    if isinstance(row, Contact):
        newer = Change.objects.filter(pk=before).first() if before else None
        known = _list_entries(row, newer.at if newer else None, older.at if older else None)
        entries = sorted(entries + known, key=lambda entry: entry.at, reverse=True)
    return Story(entries, older.pk if older else None)


def _list_entries(contact: Contact, before: datetime | None, since: datetime | None) -> list[Entry]:
    """Memberships are their own memory: those of one page of the history."""
    found = ListMember.objects.filter(contact=contact).select_related("list", "by", "run")
    if before:
        found = found.filter(at__lt=before)
    if since:
        found = found.filter(at__gte=since)
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
    """The person, else the work that did it by its kind and date: "Import of 22 Nov 2026, 14:22"."""
    if actor:
        return str(actor)
    if run is None:
        return ""
    at = timezone.localtime(run.started_at or run.created_at)
    return f"{_WORK.get(run.kind, 'Import')} of {cells.day(at)}, {at:%H:%M}"


_WORK = {"undo": "Undo", "restore": "Restore", "review": "Review"}


class _Words:
    """Names of everything the changes refer to, read once."""

    def __init__(
        self, account: Account, changes: Sequence[Change], may_undo: Callable[[Change], bool]
    ) -> None:
        self._account = account
        self._may_undo = may_undo
        self._notes = Note.objects.select_related("by").in_bulk(
            [change.args["note"] for change in changes if "note" in change.args]
        )
        self._names = {shape: _names(shape, changes) for shape in _MODELS}
        self._losers = _losers(changes)

    def entry(self, change: Change, about: str) -> Entry:
        note = self._notes.get(change.args.get("note", 0))
        return Entry(
            icon="phone" if change.reason == "call" else _ICONS.get(Change.Action(change.action), "dot"),
            what=self._what(change),
            who=_who(change.actor, change.run),
            at=change.at,
            effects=tuple(self._effects(change)) if change.action != Change.Action.CREATE else (),
            note=note if note and note.deleted_at is None else None,
            about=about,
            change=change,
            undone=change.state == Change.State.UNDONE,
            can_undo=_one_persons(change) and self._may_undo(change),
        )

    def _what(self, change: Change) -> str:
        if change.reason == "undo" and change.action == Change.Action.SEND:
            # Only the other side changed; what stands beside it are its values, not the record's.
            deleted = change.args.get("mode") == "delete"
            return "Deleted in Syncro again" if deleted else "Old values put back in Syncro"
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
            return f"Merged with {self._losers.get((change.kind, change.args.get('loser', 0)), 'another record')}"
        if change.action == Change.Action.UPDATE and change.fields:
            names = [name for name in change.fields if name not in ("closed_at", _INTERNAL)]
            labels = [label_of(change.kind, name) for name in names]
            return f"{', '.join(labels[:3])}{' and more' if len(labels) > 3 else ''} changed"
        if change.action == Change.Action.CREATE:
            return "Created"
        return Change.Action(change.action).label

    def _effects(self, change: Change) -> Iterator[Effect]:
        for name, effect in change.fields.items():
            # A move between open statuses is kept with the closing date it leaves as it is, which is nothing to tell.
            if name == _INTERNAL or effect[0] == effect[1]:
                continue
            if isinstance(effect[0] or effect[1], dict):
                yield from _facts(effect[0] or {}, effect[1] or {})
            else:
                yield self._effect(change.kind, name, effect)

    def _effect(self, kind: str, name: str, effect: Sequence[Any]) -> Effect:
        field = FIELDS.get(kind, {}).get(name)
        shape = field.shape if field else Shape.TEXT
        if shape in REFERENCES:
            before, after = (self._name(shape, value) for value in effect[:2])
        else:
            words = (cells.told(shape, effect[0], self._account), cells.told(shape, effect[1], self._account))
            before, after = cells.apart(words, *effect[:2])
        return Effect(label_of(kind, name), short(before), short(after))

    def _name(self, shape: Shape, value: Any) -> str:
        return self._names[shape].get(value, f"#{value}") if value else ""


def _losers(changes: Sequence[Change]) -> dict[tuple[str, int], str]:
    """(kind, id) → name of the records that were merged into others; a query for each kind that has any."""
    ids: dict[str, list[int]] = {}
    for change in changes:
        if "loser" in change.args:
            ids.setdefault(change.kind, []).append(change.args["loser"])
    return {
        (kind, row.pk): row.name
        for kind, pks in ids.items()
        for row in _MODELS[Shape(kind)].objects.filter(pk__in=pks)
    }


def _one_persons(change: Change) -> bool:
    """What a person did to this one record, and what taking back does not belong elsewhere: an import is taken back as
    a whole, a deleted record is brought back, an address re-subscribed with a reason."""
    alone = change.actor_id is not None and (change.run is None or change.run.kind in _GIVING)
    by_hand = alone and change.undoes_id is None and change.reason != "undo"
    standing = change.state == Change.State.APPLIED and "mail" not in change.args
    return by_hand and standing and change.action in _TAKEN_BACK


def _facts(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Effect]:
    """Facts that came from elsewhere, each by its own name."""
    for name in dict.fromkeys([*before, *after]):
        was, now = (short(str(side.get(name) or "")) for side in (before, after))
        if was != now:
            yield Effect(name.replace("_", " ").capitalize() if name.islower() else name, was, now)


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
