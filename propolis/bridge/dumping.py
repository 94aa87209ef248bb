"""A canonical dump of an account's records and links: equal texts mean equal accounts.

Two installations that did the same work give the same lines, whatever their row ids, uids and clocks: records
are named by their lowest Syncro id, else by their content; nothing in it is of this installation (created_at,
rev, uids, when somebody did something). The merge clock is there where it came from Syncro.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import in_account
from propolis.bridge.backup_cells import dumps
from propolis.bridge.models import Link
from propolis.crm import rows as crm_rows
from propolis.crm.fields import FIELDS, Kind, Shape
from propolis.crm.kinds import MODELS
from propolis.crm.models import Contact, List, ListMember, Note, OppStatus, Suppression

Keys = dict[tuple[str, int], str]
_KINDS = (Kind.COMPANY, Kind.CONTACT, Kind.OPPORTUNITY)
_REFERENCE = {
    Shape.COMPANY: "company",
    Shape.CONTACT: "contact",
    Shape.PERSON: "person",
    Shape.STATUS: "status",
}


def canonical_dump(account: Account) -> Iterator[str]:
    """JSON lines: companies, contacts, opportunities, lists with members, suppressions, notes, links.

    Takes the account into scope itself; all of them are in memory at some moment."""
    with in_account(account):
        keys: Keys = {("person", pk): email for pk, email in _people()}
        keys |= {("status", pk): name for pk, name in OppStatus.objects.values_list("pk", "name")}
        clocks = _clocks()
        for kind in _KINDS:
            yield from _records(kind, keys, clocks)
        yield from sorted(dumps(line) for line in _lists(keys))
        yield from sorted(dumps(line) for line in _suppressions())
        yield from sorted(dumps(line) for line in _notes(keys))
        yield from sorted(dumps(line) for line in _links(keys))


def _people() -> Iterator[tuple[int, str]]:
    yield from Membership.objects.values_list("pk", "email_key")


def _clocks() -> dict[tuple[str, int], set[datetime]]:
    """(kind, id) → the times Syncro gave for its records."""
    found: dict[tuple[str, int], set[datetime]] = {}
    linked = Link.objects.exclude(remote_updated_at=None)
    for kind in _KINDS:
        some = linked.exclude(**{kind.value: None})
        for pk, at in some.values_list(f"{kind.value}_id", "remote_updated_at").iterator():
            found.setdefault((kind.value, pk), set()).add(at)
    return found


def _names(kind: Kind) -> dict[int, str]:
    """id → "customer 123" by the lowest remote id, for records with a link."""
    names: dict[int, str] = {}
    links = Link.objects.exclude(**{kind.value: None}).order_by("-kind", "-remote_id")
    for pk, remote, remote_id in links.values_list(f"{kind.value}_id", "kind", "remote_id").iterator():
        names[pk] = f"{remote} {remote_id}"
    return names


def _records(kind: Kind, keys: Keys, clocks: dict[tuple[str, int], set[datetime]]) -> Iterator[str]:
    """The kind's lines, and their keys added to `keys`."""
    names, lines = _names(kind), []
    for row in MODELS[kind].objects.order_by("id").iterator(chunk_size=2000):
        line = _content(kind, row, keys, clocks)
        text = dumps(line)
        name = names.get(row.pk) or f"{kind.value} {hashlib.sha256(text.encode()).hexdigest()[:16]}"
        lines.append((name, text, row.pk, row.__dict__.get("merged_into_id")))
    lines.sort()
    seen: Counter[str] = Counter()
    for at, (name, text, pk, merged) in enumerate(lines):
        seen[name] += 1
        unique = name if seen[name] == 1 else f"{name} ({seen[name]})"
        keys[kind.value, pk] = unique
        lines[at] = (unique, text, pk, merged)
    for name, text, _pk, merged in lines:
        into = keys.get((kind.value, merged)) if merged else None
        yield dumps([kind.value, name, into])[:-1] + "," + text + "]"


def _content(
    kind: Kind, row: Any, keys: Keys, clocks: dict[tuple[str, int], set[datetime]]
) -> dict[str, Any]:
    line = {}
    for name, value in crm_rows.values_of(row).items():
        shape = FIELDS[kind][name].shape
        if shape in _REFERENCE and value is not None:
            value = keys.get((_REFERENCE[shape], value), "?")
        elif shape is Shape.INSTANT and value is not None:
            value = _utc(datetime.fromisoformat(value), clocks.get((kind.value, row.pk), set()))
        line[name] = value
    line["deleted"] = row.deleted_at is not None
    line["edited_at"] = _utc(row.edited_at, clocks.get((kind.value, row.pk), set()))
    if isinstance(row, Contact):
        line["mail_state"] = row.mail_state
    return line


def _utc(at: datetime, theirs: set[datetime]) -> str:
    """Syncro's instants as they are, our own as "here"."""
    return at.astimezone(UTC).isoformat() if at in theirs else "here"


def _lists(keys: Keys) -> Iterator[list[Any]]:
    for each in List.objects.all():
        yield ["list", each.name, each.system_key, each.leads]
    members = ListMember.objects.values_list("list__name", "contact_id", "state")
    for name, contact, state in members.iterator():
        yield ["list member", name, keys.get(("contact", contact)), state]


def _suppressions() -> Iterator[list[Any]]:
    for each in Suppression.objects.iterator():
        yield ["suppression", each.email_key, each.kind, each.source, each.lifted_at is not None]


def _notes(keys: Keys) -> Iterator[list[Any]]:
    for note in Note.objects.iterator():
        on = [keys.get((kind.value, getattr(note, f"{kind.value}_id") or 0)) for kind in _KINDS]
        by = keys.get(("person", note.by_id or 0))
        yield ["note", *on, note.kind, note.body, by, note.deleted_at is not None]


def _links(keys: Keys) -> Iterator[list[Any]]:
    for link in Link.objects.iterator(chunk_size=2000):
        local = [keys.get((kind.value, getattr(link, f"{kind.value}_id") or 0)) for kind in _KINDS]
        updated = link.remote_updated_at and link.remote_updated_at.astimezone(UTC).isoformat()
        candidates = [_candidate(link.kind, each, keys) for each in link.candidates or []]
        yield [
            *("link", link.kind, link.remote_id, *local, link.state, link.parent_id, link.rule),
            *(link.reason, link.choice, link.newer_here, link.newer_fields, updated, link.remote_hash),
            *(link.agreed, candidates),
        ]


def _candidate(link_kind: str, candidate: Any, keys: Keys) -> Any:
    if not isinstance(candidate, dict) or "local_id" not in candidate:
        return candidate
    kinds = {"customer": "company", "lead": "opportunity"}
    kind = kinds.get(link_kind, "contact")
    return {**candidate, "local_id": keys.get((kind, candidate["local_id"]))}
