"""Link rows: what they were before a batch, and what the batch makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from propolis.bridge.models import Link
from propolis.bridge.scene import Scene, local_of
from propolis.history.models import Change
from propolis.merge.decide import agree

# What undo puts back.
REMEMBERED = (
    *("state", "company_id", "contact_id", "opportunity_id", "agreed", "agreed_at", "remote_updated_at"),
    *("remote_hash", "rule", "candidates", "reason", "newer_here", "newer_fields", "parent_id"),
)
_WRITTEN = [
    *("company", "contact", "opportunity", "state", "parent_id", "agreed", "agreed_at", "remote_updated_at"),
    *("remote_hash", "rule", "candidates", "reason", "newer_here", "newer_fields", "rev"),
]
_STATES = {
    Change.Action.REVIEW: Link.State.REVIEW,
    Change.Action.LEAVE_OUT: Link.State.LEFT_OUT,
    Change.Action.FAIL: Link.State.FAILED,
}


class Waiting(Protocol):
    def waits(self, change: Change) -> str:
        """Why the record is not attached to what it hangs on, "" if it is."""


def snapshot(changes: Sequence[Change]) -> dict[int, Link]:
    """The Links that exist already, by remote id; each Change keeps what its Link was."""
    ids = [each.link_id for each in changes if each.link_id is not None]
    found = {link.remote_id: link for link in Link.objects.filter(pk__in=ids)} if ids else {}
    for change in changes:
        link = found.get(change.remote_id or 0)
        change.link_before = remembered(link) if link is not None else None
    return found


def remembered(link: Link) -> dict[str, Any]:
    """The Link as JSON, for `put_back`."""
    kept = {name: getattr(link, name) for name in REMEMBERED}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in kept.items()}


def put_back(link: Link, kept: Mapping[str, Any]) -> None:
    """Sets the Link to what it was; does not save."""
    for name, value in kept.items():
        times = name in ("agreed_at", "remote_updated_at")
        setattr(link, name, datetime.fromisoformat(value) if times and value else value)
    link.rev += 1


def write_links(
    scene: Scene,
    changes: Sequence[Change],
    before: Mapping[int, Link],
    kept: Mapping[int, list[str]],
    placer: Waiting,
) -> dict[int, int]:
    """Writes one Link per Change that has a remote id; answers remote id → Link id."""
    rows = [
        _link(scene, change, before.get(change.remote_id), kept.get(change.pk, []), placer)
        for change in changes
        if change.remote_id is not None
    ]
    if not rows:
        return {}
    Link.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["connection", "kind", "remote_id"],
        update_fields=_WRITTEN,
    )
    return {row.remote_id: row.pk for row in rows}


def _link(scene: Scene, change: Change, old: Link | None, kept: list[str], placer: Waiting) -> Link:
    link = Link(
        account_id=scene.account.pk,
        connection_id=scene.connection.pk,
        kind=change.remote_kind,
        remote_id=change.remote_id or 0,
        parent_id=change.args.get("parent"),
        remote_hash=change.args["hash"],
        rev=old.rev + 1 if old else 1,
        created_at=old.created_at if old else change.at or datetime.fromisoformat(change.args["read"]),
    )
    state = _STATES.get(Change.Action(change.action))
    if state is not None:
        link.state, link.reason = state, change.reason
        link.candidates = change.args.get("candidates", [])
        return link
    return _agreed(link, change, old, kept, placer)


def _agreed(link: Link, change: Change, old: Link | None, kept: list[str], placer: Waiting) -> Link:
    """Both sides agree on what was read, whatever was decided field by field."""
    link.state = Link.State.LINKED
    setattr(link, f"{local_of(change.remote_kind)}_id", change.local_id)
    link.agreed = agree(old.agreed if old else None, change.args["raw"])
    link.agreed_at = datetime.fromisoformat(change.args["read"])
    updated = change.args.get("updated")
    link.remote_updated_at = datetime.fromisoformat(updated) if updated else None
    link.rule = change.args.get("rule") or (old.rule if old else "")
    newer = sorted({*change.args.get("newer", []), *kept})
    link.newer_here, link.newer_fields = bool(newer), newer
    link.reason = placer.waits(change)
    return link
