"""What an undo means for Links: each goes back to what it was before the import, or goes.

A record the import made, or merged, loses the Link that came with it: the next import meets it anew. Of an
update the Link goes back whole while it is still as that import left it; else only the agreed values of the
fields that went back, and without its fingerprint, so that the next import looks at the record again.

What an import only *agreed* on ("Already the same": nothing was written here) stays agreed. Both sides hold
what the Link says, before the undo and after it, and forgetting it could only ask a settled question again.
For the same reason what was proven stays: "Not in Syncro any more" is a fact about Syncro.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection as database
from django.db.models import Q

from propolis.accounts import bulk
from propolis.accounts.models import Membership
from propolis.bridge import mapping
from propolis.bridge.links import REMEMBERED, gone_back, put_back
from propolis.bridge.models import Link
from propolis.bridge.placing import WAITS
from propolis.bridge.scene import local_of
from propolis.crm import mailing
from propolis.crm.models import Contact, ListMember
from propolis.history.models import Change
from propolis.history.undo import UndoItem, register_barrier, register_undo_hook

Action = Change.Action
# Changes that wrote nothing but a Link.
HELD_ONLY: Final = frozenset({Action.REVIEW, Action.LEAVE_OUT, Action.FAIL})
_LEFT: Final = {
    Action.REVIEW: Link.State.REVIEW,
    Action.LEAVE_OUT: Link.State.LEFT_OUT,
    Action.FAIL: Link.State.FAILED,
}
_FROM_SYNCRO: Final = frozenset({Action.CREATE, Action.MERGE, Action.UPDATE})
_WRITTEN: Final = (*REMEMBERED, "rev")
_SINCE: Final = {
    "import": "Changed by a newer import: undo that one first",
    "csv_import": "Changed by a CSV import since",
    "restore": "A backup was restored since",
    "review": "You decided about it since",
}
SENT: Final = "Sent to Syncro since"
DECIDED: Final = "You decided about it since"
# Ours → Syncro's keys, where several make one or the name differs by kind.
_NAMES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    Link.Kind.CUSTOMER: {
        **{ours: (theirs,) for ours, theirs in mapping.COMPANY_TEXTS.items()},
        "name": ("business_name", "firstname", "lastname"),
        "residential": ("business_name", "firstname", "lastname"),
        "disabled_in_syncro": ("disabled",),
        "facts": ("custom",),
    },
    Link.Kind.CONTACT: {
        **{ours: (theirs,) for ours, theirs in mapping.CONTACT_TEXTS.items()},
        "first": ("name",),
        "last": ("name",),
        "company": ("customer_id",),
    },
    Link.Kind.PERSON: {
        **{ours: (theirs,) for ours, theirs in mapping.PERSON_TEXTS.items()},
        "first": ("firstname", "lastname"),
        "last": ("firstname", "lastname"),
    },
    Link.Kind.LEAD: {
        "name": ("ticket_subject", "business_then_name", "first_name", "last_name", "email"),
        "status": ("status", "ticket_id"),
        "facts": ("ticket_id",),
    },
}


def register() -> None:
    """Called once, when the app is ready."""
    register_undo_hook(links_back)
    register_barrier(worked_on_since)


# ---- what stands in the way


def worked_on_since(changes: Sequence[Change]) -> dict[int, str]:
    """Change id → why: the record was sent, or another run has written it since."""
    ours = {c.local_id: c for c in changes if c.run_id and c.link_id and c.action in _FROM_SYNCRO}
    if not ours:
        return {}
    runs = Q(run__isnull=False, state=Change.State.APPLIED)
    sent = Q(action=Action.SEND, state__in=["applied", "sending", "unknown"])
    later = Change.objects.filter(
        runs | sent,
        kind=changes[0].kind,
        local_id__in=list(ours),
        undoes=None,
        id__gt=min(change.pk for change in changes),
    )
    found: dict[int, str] = {}
    rows = later.exclude(args__has_key="follows").order_by("-id")
    for pk, local, run, kind, action in rows.values_list("pk", "local_id", "run_id", "run__kind", "action"):
        change = ours[local]
        if pk > change.pk and run != change.run_id:
            found.setdefault(change.pk, SENT if action == Action.SEND else _SINCE.get(kind, "Changed since"))
    return found


# ---- Links of records


def links_back(items: Sequence[UndoItem], actor: Membership | None) -> None:
    """History's hook: runs in the transaction that took these back."""
    ours = [item for item in items if item.change.link_id is not None]
    if ours:
        _records_back(ours)
    contacts = [item for item in items if item.change.kind == "contact"]
    _off_lists([item.change for item in contacts if item.change.action == Action.CREATE])
    _mail_states([item.change.local_id or 0 for item in contacts if "email" in item.back])


def _records_back(items: Sequence[UndoItem]) -> None:
    links = locked([item.change.link_id or 0 for item in items])
    gone, changed = [], {}
    for item in items:
        link = links.get(item.change.link_id or 0)
        if link is None or _local_id(link) != item.change.local_id:
            continue
        if item.change.action == Action.UPDATE:
            _update_back(link, item)
            changed[link.pk] = link
        elif item.change.action in _FROM_SYNCRO and (before := item.change.link_before):
            put_back(link, before)
            changed[link.pk] = link
        elif item.change.action in _FROM_SYNCRO:
            gone.append(link.pk)
    write([link for link in changed.values() if link.pk not in gone], gone)
    _persons_back([item.change for item in items if "replaces_person" in item.change.args])
    gone_back([item.change for item in items])


def locked(ids: Iterable[int]) -> dict[int, Link]:
    query = Link.objects.filter(pk__in=list(ids))
    if database.features.has_select_for_update:
        query = query.select_for_update().order_by("pk")
    return {link.pk: link for link in query}


def write(changed: Sequence[Link], gone: Sequence[int]) -> None:
    if gone:
        Link.objects.filter(pk__in=gone).delete()
    rows = [(*(getattr(link, name) for name in _WRITTEN), link.pk) for link in changed]
    bulk.update(Link, _WRITTEN, rows)


def _local_id(link: Link) -> int | None:
    found: int | None = getattr(link, f"{local_of(link.kind)}_id")
    return found


def _update_back(link: Link, item: UndoItem) -> None:
    change, before = item.change, item.change.link_before
    if not change.remote_kind:
        # It had waited for its company and was attached; now it waits again.
        link.reason = (before or {}).get("reason") or WAITS
        link.parent_id = (before or {}).get("parent_id") or link.parent_id
        link.rev += 1
    elif before is not None and not item.kept and _as_left(link, change):
        marked = link.state if link.state != Link.State.LINKED else None
        put_back(link, before)
        link.state = marked or link.state
    else:
        _fields_back(link, item.back, (before or {}).get("agreed") or {})


def _as_left(link: Link, change: Change) -> bool:
    """Nothing has agreed anew since."""
    read = datetime.fromisoformat(change.args["read"])
    return link.agreed_at == read and link.remote_hash == change.args["hash"]


def _fields_back(link: Link, back: Iterable[str], agreed: Mapping[str, Any]) -> None:
    names = _NAMES[link.kind]
    for name in back:
        for theirs in names.get(name, ()):
            if theirs in agreed:
                link.agreed[theirs] = agreed[theirs]
            else:
                link.agreed.pop(theirs, None)
    newer = [name for name in link.newer_fields if name not in back]
    link.newer_here, link.newer_fields = bool(newer), newer
    link.remote_hash = ""
    link.rev += 1


def _persons_back(changes: Sequence[Change]) -> None:
    """The person on the customer record had given way to a real contact; now stands for itself again."""
    for change in changes:
        Link.objects.filter(
            connection__account=change.account_id,
            kind=Link.Kind.PERSON,
            remote_id=change.args["replaces_person"],
            contact=change.local_id,
            state=Link.State.SECONDARY,
        ).update(state=Link.State.LINKED)


# ---- what hangs on contacts


def _off_lists(created: Sequence[Change]) -> None:
    """Who was made by an import leaves the list that import put them on."""
    by_run: dict[int | None, list[int]] = {}
    for change in created:
        by_run.setdefault(change.run_id, []).append(change.local_id or 0)
    for run, contacts in by_run.items():
        if run is not None:
            ListMember.objects.filter(run=run, contact__in=contacts, by=None).delete()


def _mail_states(contacts: Sequence[int]) -> None:
    """Whether somebody may be mailed is a fact about the address; with the address it comes back."""
    if not contacts:
        return
    rows = list(Contact.objects.filter(pk__in=contacts).only("id", "account", "email_key", "mail_state"))
    known = mailing.states({row.email_key for row in rows} - {""})
    for state in Contact.MailState.values:
        ids = [r.pk for r in rows if known.get(r.email_key, "subscribed") == state != r.mail_state]
        Contact.objects.filter(pk__in=ids).update(mail_state=state)


# ---- Changes that wrote nothing but a Link


def plan_held(changes: Sequence[Change]) -> list[UndoItem]:
    """Records that waited for a decision, stayed out or failed: whether their Link can go back."""
    links = Link.objects.in_bulk([change.link_id for change in changes if change.link_id])
    return [_plan_held(change, links.get(change.link_id or 0)) for change in changes]


def _plan_held(change: Change, link: Link | None) -> UndoItem:
    if change.link_id is None:
        return UndoItem(change, True)
    if link is None:
        return UndoItem(change, False, "Its link is gone")
    untouched = link.state == _LEFT[Action(change.action)] and link.remote_hash == change.args.get("hash")
    return UndoItem(change, True) if untouched and not link.choice else UndoItem(change, False, DECIDED)


def take_back_held(changes: Sequence[Change]) -> list[UndoItem]:
    """Puts their Links back; what happened to each. Call in a transaction."""
    links = locked([change.link_id for change in changes if change.link_id])
    items = [_plan_held(change, links.get(change.link_id or 0)) for change in changes]
    gone, changed = [], []
    for item in items:
        link = links.get(item.change.link_id or 0)
        if not item.can or link is None:
            continue
        if item.change.link_before is None:
            gone.append(link.pk)
        else:
            put_back(link, item.change.link_before)
            changed.append(link)
    write(changed, gone)
    done = [item.change.pk for item in items if item.can]
    Change.objects.filter(pk__in=done).update(state=Change.State.UNDONE)
    return items
