"""After Syncro has answered: both sides agree on what was sent, so that the next import changes nothing.

Only the fields that were sent, or are the same anyway, are agreed on. One that Syncro changed and that did not
travel stays as it was agreed before: the next import still sees that change and decides on it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection as database
from django.utils import timezone

from propolis.bridge.applying import apply_now
from propolis.bridge.export_fields import Record, keys_of, ours_of, raw_of, same_values, values_of
from propolis.bridge.links import remembered
from propolis.bridge.mapping import Incoming, Raw, fingerprint
from propolis.bridge.models import Connection, Link
from propolis.bridge.plan_companies import CompanyKind
from propolis.bridge.plan_contacts import PersonKind
from propolis.bridge.planning import plan_batch
from propolis.bridge.scene import Scene, load_scene, local_of
from propolis.crm.kinds import MODELS
from propolis.history.models import Change
from propolis.merge.plan import Counts
from propolis.runs.models import Run

SENT: Final = "sent"
_NOUNS: Final = ("companies", "contacts", "opportunities")


class Taken(Exception):
    """Another record here has got this Syncro record meanwhile. `name`: which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def agree(run: Run, connection: Connection, change: Change, record: Record) -> Link:
    """Writes the Link, and what follows for the other record on the same Syncro customer. Call in the
    transaction that marks the Change applied. Raises `Taken`."""
    scene = load_scene(run, connection)
    kind = Link.Kind(change.remote_kind)
    raw = raw_of(kind, record, scene.custom)
    link = _agreed(scene, change, kind, record.id, raw)
    link.remote_updated_at = record.updated_at if isinstance(record.updated_at, datetime) else None
    link.agreed_at = timezone.now()
    link.rev += 1
    link.save()
    change.link_id, change.remote_id = link.pk, record.id
    if kind is not Link.Kind.CONTACT:
        _sibling(run, scene, change, kind, raw, link)
    return link


def _agreed(scene: Scene, change: Change, kind: Link.Kind, remote_id: int, raw: Raw) -> Link:
    local = local_of(kind)
    row: Any = MODELS[local].objects.get(pk=change.local_id or 0)
    link = _locked(scene.connection, kind, remote_id)
    owner = getattr(link, f"{local}_id")
    if owner not in (None, row.pk) and link.state in (Link.State.LINKED, Link.State.SECONDARY):
        raise Taken(str(getattr(link, local)))
    change.link_before = remembered(link) if link.pk else None
    was_ours = owner == row.pk and link.state == Link.State.LINKED
    before: dict[str, Any] = link.agreed if was_ours else {}
    ours, theirs = ours_of(kind, row), values_of(kind, raw, remote_id)
    sent = set(change.args["seen"])
    agreed, differ = dict(before), []
    for name, names in keys_of(kind).items():
        same = same_values(kind, name, ours, theirs, scene.normalise)
        if same or name in sent:
            agreed |= {key: raw[key] for key in names if key in raw}
        if not same:
            differ.append(name)
    if not was_ours:
        mapped = {key for names in keys_of(kind).values() for key in names}
        agreed |= {key: value for key, value in raw.items() if key not in mapped}
        link.rule = SENT if change.args["mode"] == "create" else "by hand"
    setattr(link, f"{local}_id", row.pk)
    # As the next import reads it: without what was not chosen to come along.
    coming = scene.coming(kind, raw)
    settled = all(agreed.get(key, ...) == value for key, value in coming.items())
    link.agreed, link.remote_hash = agreed, fingerprint(coming, scene.salt) if settled else ""
    link.state, link.reason, link.candidates, link.parent_id = Link.State.LINKED, "", [], None
    _newer(scene, link, change, differ)
    return link


def _locked(connection: Connection, kind: Link.Kind, remote_id: int) -> Link:
    query = Link.objects.filter(connection=connection, kind=kind, remote_id=remote_id)
    if database.features.has_select_for_update:
        query = query.select_for_update()
    new = Link(account_id=connection.account_id, connection=connection, kind=kind, remote_id=remote_id, rev=0)
    return query.first() or new


def _newer(scene: Scene, link: Link, change: Change, differ: list[str]) -> None:
    """What is still newer here: left unticked, or edited while it was on its way."""
    chosen = scene.company_fields if link.kind == Link.Kind.CUSTOMER else scene.contact_fields
    own = set(link.newer_fields) | set(change.args["seen"])
    if change.args["mode"] == "create":
        own |= set(keys_of(Link.Kind(link.kind)))
    newer = sorted(name for name in differ if name in own and (name == "name" or name in chosen))
    link.newer_fields, link.newer_here = newer, bool(newer)


def _sibling(run: Run, scene: Scene, change: Change, kind: Link.Kind, raw: Raw, link: Link) -> None:
    """A company and the person on its customer record share e-mail and phones in Syncro: what was sent of one
    is decided for the other as an import would, now, so that the next import has nothing left to do."""
    other = Link.Kind.PERSON if kind is Link.Kind.CUSTOMER else Link.Kind.CUSTOMER
    twin = Link.objects.filter(
        connection=scene.connection, kind=other, remote_id=link.remote_id, state=Link.State.LINKED
    ).first()
    if twin is None or not twin.agreed:
        return
    to: dict[str, Any] = change.args["to"]
    seen = twin.agreed | {key: raw[key] for key in to if key in raw and key in twin.agreed}
    if seen == twin.agreed:
        return
    incoming = Incoming(
        kind=other.value,
        remote_id=link.remote_id,
        raw=seen,
        hash=fingerprint(seen, scene.salt),
        updated_at=link.remote_updated_at,
        read_at=timezone.now(),
        parent=link.remote_id if other is Link.Kind.PERSON else None,
    )
    planner = PersonKind(scene) if other is Link.Kind.PERSON else CompanyKind(scene, {})
    planned = plan_batch(scene, planner, [incoming])
    for effect in planned.changes:
        effect.actor_id, effect.args["follows"] = run.by_id, change.pk
    nothing = {"counts": Counts().to_dict(), "read": 0, "persons": 0}
    run.counts = {noun: dict(nothing) for noun in _NOUNS}
    run.cursor = {**run.cursor, "seq": 1000}
    apply_now(run, scene.connection, planned.changes)
