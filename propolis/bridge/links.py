"""Link rows: what they were before a batch, and what the batch makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from django.db import connection as database
from django.db.models import F

from propolis.accounts import bulk
from propolis.bridge.models import Link
from propolis.bridge.scene import Scene, local_of
from propolis.history.models import Change
from propolis.merge.decide import agree

# Why a Link is secondary whose Syncro record is gone: another one stands for ours.
GONE_WITH = "merged_gone"
# What undo puts back.
REMEMBERED = (
    *("state", "company_id", "contact_id", "opportunity_id", "agreed", "agreed_at", "remote_updated_at"),
    *("remote_hash", "rule", "candidates", "reason", "newer_here", "newer_fields", "parent_id"),
)
_WRITTEN = [
    *(
        "company_id",
        "contact_id",
        "opportunity_id",
        "state",
        "parent_id",
        "agreed",
        "agreed_at",
        "remote_updated_at",
    ),
    *("remote_hash", "rule", "candidates", "reason", "newer_here", "newer_fields", "rev"),
]
_OURS = (
    *("company_id", "contact_id", "opportunity_id", "agreed", "agreed_at", "remote_updated_at", "rule"),
    *("newer_here", "newer_fields", "parent_id"),
)
_STATES = {
    Change.Action.REVIEW.value: Link.State.REVIEW.value,
    Change.Action.LEAVE_OUT.value: Link.State.LEFT_OUT.value,
    Change.Action.FAIL.value: Link.State.FAILED.value,
}


_new_link = bulk.maker(Link)


class Waiting(Protocol):
    def waits(self, change: Change) -> str:
        """Why the record is not attached to what it hangs on, "" if it is."""


def snapshot(scene: Scene, changes: Sequence[Change]) -> dict[int, Link]:
    """The Links there are now, by remote id, held until the batch is committed; each Change keeps what its
    Link was. A send may have made or moved one since the plan."""
    ids = [each.remote_id for each in changes if each.remote_id is not None]
    kinds = {each.remote_kind for each in changes}
    query = Link.objects.filter(connection=scene.connection, kind__in=kinds, remote_id__among=ids)
    if database.features.has_select_for_update:
        query = query.select_for_update().order_by("pk")
    found = {link.remote_id: link for link in query}
    for change in changes:
        link = found.get(change.remote_id or 0)
        change.link_id = link.pk if link is not None else None
        change.link_before = remembered(link) if link is not None else None
    return found


def overtaken(change: Change, link: Link | None) -> bool:
    """Both sides agreed anew after this copy was read (a send, most likely): it waits for the next reading."""
    if link is None or link.agreed_at is None:
        return False
    return datetime.fromisoformat(change.args["read"]) <= link.agreed_at


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
    new = [row for row in rows if row.remote_id not in before]
    bulk.insert(new)
    for row in rows:
        if row.remote_id in before:
            row.pk = before[row.remote_id].pk
    bulk.update(
        Link,
        _WRITTEN,
        [(*(getattr(row, name) for name in _WRITTEN), row.pk) for row in rows if row.remote_id in before],
    )
    return {row.remote_id: row.pk for row in rows}


def follow_gone(changes: Sequence[Change]) -> None:
    """Where one of ours was matched whose own Syncro record is gone, the new one stands for it from now on.

    Each Change keeps which Links gave way, for `gone_back`.
    """
    merged = {c.local_id: c for c in changes if c.action == Change.Action.MERGE and c.local_id is not None}
    if not merged:
        return
    local = f"{local_of(next(iter(merged.values())).remote_kind)}_id"
    gone = Link.objects.filter(**{f"{local}__in": list(merged)}, state=Link.State.GONE)
    found = list(gone.values_list("pk", local))
    for pk, ours in found:
        merged[ours].args.setdefault("followed", []).append(pk)
    if found:
        some = Link.objects.filter(pk__in=[pk for pk, _ in found])
        some.update(state=Link.State.SECONDARY, reason=GONE_WITH, rev=F("rev") + 1)


def gone_back(changes: Sequence[Change]) -> None:
    """Undo of `follow_gone`: ours is again the one whose Syncro record is gone."""
    followed = [pk for change in changes for pk in change.args.get("followed", ())]
    if followed:
        some = Link.objects.filter(pk__in=followed, state=Link.State.SECONDARY, reason=GONE_WITH)
        some.update(state=Link.State.GONE, reason="", rev=F("rev") + 1)


def _link(scene: Scene, change: Change, old: Link | None, kept: list[str], placer: Waiting) -> Link:
    state = _STATES.get(change.action)
    if state is None:
        became = _agreed(change, old, kept, placer)
    else:
        became = {"state": state, "reason": change.reason, "candidates": change.args.get("candidates", [])}
        # A record that was linked and is unreadable today, or was deleted here meanwhile, remains the same one.
        became |= {name: getattr(old, name) for name in _OURS} if old is not None else {}
    return _new_link(
        account_id=scene.account.pk,
        connection_id=scene.connection.pk,
        kind=change.remote_kind,
        remote_id=change.remote_id or 0,
        remote_hash=change.args["hash"],
        rev=old.rev + 1 if old else 1,
        created_at=old.created_at if old else change.at or _instant(change.args["read"]),
        **became,
    )


def _agreed(change: Change, old: Link | None, kept: list[str], placer: Waiting) -> dict[str, Any]:
    """Both sides agree on what was read, whatever was decided field by field."""
    args = change.args
    newer = sorted({*args.get("newer", ()), *kept})
    waits = placer.waits(change)
    return {
        "state": Link.State.LINKED.value,
        f"{local_of(change.remote_kind)}_id": change.local_id,
        "agreed": agree(old.agreed if old else None, args["raw"]),
        "agreed_at": _instant(args["read"]),
        "remote_updated_at": _instant(args.get("updated")),
        "rule": args.get("rule") or (old.rule if old else ""),
        "newer_here": bool(newer),
        "newer_fields": newer,
        "reason": waits,
        # Only those that wait are ever looked up by what they wait for.
        "parent_id": args.get("parent") if waits else None,
    }


@lru_cache(maxsize=4096)
def _instant(text: str | None) -> datetime | None:
    """All records of a page were read at one moment."""
    return datetime.fromisoformat(text) if text else None
