"""What people decide here outside of imports, remembered on Links in the same transaction.

A linked record deleted by hand is left out by imports until it is brought back. Of two linked records merged
here the loser's Links become secondary and stay on the survivor, so that neither is created again. A person's
edit of a field that both sides have is newer here than in Syncro until it is sent or Syncro changes too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F
from django.db.models.signals import post_save

from propolis.accounts.models import Account, Membership
from propolis.bridge import mapping
from propolis.bridge.links import GONE_WITH
from propolis.bridge.models import Link
from propolis.bridge.placing import GENERAL_KEY
from propolis.bridge.plan_leads import status_of
from propolis.bridge.scene import local_of
from propolis.bridge.statuses import Mapped, StatusMapper
from propolis.crm import comparing, edit, lists
from propolis.crm.fields import SYNCED
from propolis.crm.kinds import MODELS
from propolis.crm.models import List, ListMember
from propolis.history.models import Change
from propolis.history.undo import UndoItem, register_undo_hook

Action = Change.Action
_STANDING: Final = (Link.State.LINKED, Link.State.GONE, Link.State.HIDDEN)
_KEPT_APART: Final = frozenset({"first", "last"})
SHOWN: Final = 200


def register() -> None:
    """Called once, when the app is ready."""
    post_save.connect(_happened, sender=Change, dispatch_uid="bridge.remembered")
    register_undo_hook(_taken_back)


def _happened(sender: type[Change], instance: Change, created: bool, raw: bool = False, **how: Any) -> None:
    """A person's change, as it is written; imports write many at once and settle their Links themselves."""
    change = instance
    if raw or not created or change.run_id is not None or change.state != Change.State.APPLIED:
        return
    if change.local_id is None or change.kind not in MODELS:
        return
    if change.action == Action.DELETE:
        deleted(change.kind, [change.local_id])
    elif change.action == Action.RESTORE:
        brought_back(change.kind, [change.local_id])
    elif change.action == Action.COMBINE:
        _combined(change)
    elif change.action == Action.UPDATE and SYNCED[change.kind] & change.fields.keys():
        edited(change.kind, change.local_id, change.fields)


def _taken_back(items: Sequence[UndoItem], actor: Membership | None) -> None:
    """History's hook, for what people did; what imports did is `undo_links`'."""
    for item in items:
        change = item.change
        if change.run_id is not None or change.local_id is None or change.kind not in MODELS:
            continue
        if change.action == Action.DELETE:
            brought_back(change.kind, [change.local_id])
        elif change.action in (Action.RESTORE, Action.CREATE):
            deleted(change.kind, [change.local_id])
        elif change.action == Action.COMBINE:
            _parted(change)
        if item.back and SYNCED[change.kind] & set(item.back):
            edited(change.kind, change.local_id, dict.fromkeys(item.back))


# ---- deleted, brought back


def deleted(kind: str, ids: Iterable[int]) -> None:
    """Imports leave these out from now on."""
    links = Link.objects.filter(**{f"{kind}__in": list(ids)}, state__in=_STANDING)
    links.update(state=Link.State.DELETED_HERE, reason="deleted_here", rev=F("rev") + 1)


def brought_back(kind: str, ids: Iterable[int]) -> None:
    """Linked as before; whether it is still in Syncro the next complete import sees."""
    links = Link.objects.filter(**{f"{kind}__in": list(ids)}, state=Link.State.DELETED_HERE)
    links.update(state=Link.State.LINKED, reason="", rev=F("rev") + 1)


def bring_back(link: Link, by: Membership | None) -> bool:
    """ "Bring back": the record is here again and imports follow it; False where there is nothing to do."""
    row = getattr(link, local_of(link.kind))
    if row is None or row.deleted_at is None or row.merged_into_id is not None:
        return False
    edit.bring_back(row, actor=by)
    return True


# ---- two linked records merged


def _combined(change: Change) -> None:
    """The loser's Links move to the survivor; one of a kind stays the primary one."""
    kind, survivor, loser = change.kind, change.local_id, change.args["loser"]
    moving = list(Link.objects.filter(**{kind: loser}, state__in=(*_STANDING, Link.State.SECONDARY)))
    if not moving:
        return
    primary = set(
        Link.objects.filter(**{kind: survivor}, state=Link.State.LINKED).values_list("kind", flat=True)
    )
    change.args["links"] = [[link.pk, link.state, link.reason] for link in moving]
    for link in moving:
        setattr(link, f"{kind}_id", survivor)
        if link.state in (Link.State.GONE, Link.State.HIDDEN):
            link.state, link.reason = Link.State.SECONDARY, GONE_WITH
        elif link.kind in primary:
            link.state = Link.State.SECONDARY
        elif link.state == Link.State.LINKED:
            primary.add(link.kind)
        link.rev += 1
        link.save()
    Change.objects.filter(pk=change.pk).update(args=change.args)


def _parted(change: Change) -> None:
    """Two records again: each has its Links again."""
    kind = change.kind
    told = {pk: (state, reason) for pk, state, reason in change.args.get("links", ())}
    for link in Link.objects.filter(pk__in=list(told), **{kind: change.local_id}):
        setattr(link, f"{kind}_id", change.args["loser"])
        link.state, link.reason = told[link.pk]
        link.rev += 1
        link.save()


# ---- newer here


def edited(kind: str, local_id: int, fields: Mapping[str, Any]) -> None:
    """Which of these fields are newer here now: those in which the record is not what both sides agreed on."""
    links = Link.objects.filter(**{kind: local_id}, state=Link.State.LINKED).select_related(
        "connection", "account", kind
    )
    for link in links:
        row = getattr(link, kind)
        names = {"name" if kind == "contact" and name in _KEPT_APART else name for name in fields}
        agreed = _agreed_values(link)
        same = comparing.normaliser(link.account.phone_region)
        newer = set(link.newer_fields) - names
        for name in names & agreed.keys():
            ours = row.status_id if name == "status" else getattr(row, name)
            if (same(name, ours) or "") != (same(name, agreed[name]) or ""):
                newer.add(name)
        if newer != set(link.newer_fields):
            link.newer_fields, link.newer_here = sorted(newer), bool(newer)
            link.rev += 1
            link.save(update_fields=["newer_fields", "newer_here", "rev"])


def _agreed_values(link: Link) -> mapping.Values:
    """Our values of what both sides agreed on; only fields that are imported."""
    raw, chosen = link.agreed or {}, link.connection.fields_chosen or {}
    off = mapping.OFF_BY_DEFAULT
    if link.kind == Link.Kind.CUSTOMER:
        fields = frozenset(chosen.get("company") or set(mapping.COMPANY_FIELDS) - off)
        return mapping.company_values(raw, link.remote_id, fields)
    fields = frozenset(chosen.get("contact") or set(mapping.CONTACT_FIELDS) - off)
    if link.kind == Link.Kind.CONTACT:
        return mapping.contact_values(raw, fields)
    if link.kind == Link.Kind.PERSON:
        return mapping.person_values(raw, fields)
    found = StatusMapper(link.connection).find(status_of(raw), raw.get("ticket_id"))
    return {"status": found.status.pk} if isinstance(found, Mapped) else {}


# ---- the lists of "Remembered decisions"


@dataclass(frozen=True)
class Left:
    """A record deleted here that Syncro still has."""

    link: Link
    kind: str
    name: str
    by: str
    at: datetime | None


@dataclass(frozen=True)
class Twins:
    """One company of ours that Syncro has more than once; `remote_ids`: the primary one first."""

    company: Any
    remote_ids: list[int]

    @property
    def sentence(self) -> str:
        ids = ", ".join(f"#{each}" for each in self.remote_ids)
        many = {2: "two", 3: "three", 4: "four"}.get(len(self.remote_ids), str(len(self.remote_ids)))
        return f"Still {many} customers in Syncro: {ids}. Merge them there too."


def deleted_here() -> list[Left]:
    """Newest deletions first, `SHOWN` at most."""
    links = Link.objects.filter(state=Link.State.DELETED_HERE).select_related(
        "company__deleted_by", "contact__deleted_by", "opportunity__deleted_by"
    )
    found = []
    for link in links.order_by("kind", "-id")[:SHOWN]:
        row = getattr(link, local_of(link.kind))
        if row is not None and row.deleted_at is not None:
            who = str(row.deleted_by or "")
            found.append(Left(link, local_of(link.kind).capitalize(), str(row), who, row.deleted_at))
    return sorted(found, key=lambda each: each.at or each.link.created_at, reverse=True)


def off_the_list() -> list[ListMember]:
    """Who was taken off "Syncro General" by hand, newest first."""
    rows = ListMember.objects.filter(list__system_key=GENERAL_KEY, state=ListMember.State.REMOVED)
    return list(rows.filter(contact__deleted_at=None).select_related("contact", "by").order_by("-at")[:SHOWN])


def put_back_on_list(account: Account, contact_id: int, by: Membership | None) -> int:
    """Onto "Syncro General" again; how many memberships changed."""
    row = List.objects.filter(system_key=GENERAL_KEY).first()
    return lists.add(row, [contact_id], actor=by) if row is not None else 0


def twins(company_id: int | None = None) -> list[Twins]:
    """Companies that are still several customers in Syncro; of one company only, if given."""
    second = Link.objects.filter(kind=Link.Kind.CUSTOMER, state=Link.State.SECONDARY)
    second = second.exclude(reason=GONE_WITH).filter(company__deleted_at=None, company__isnull=False)
    if company_id is not None:
        second = second.filter(company=company_id)
    ids = list(second.order_by("company_id").values_list("company_id", flat=True).distinct()[:SHOWN])
    found: dict[int, Twins] = {}
    both = Link.objects.filter(
        kind=Link.Kind.CUSTOMER, company__in=ids, state__in=(Link.State.LINKED, Link.State.SECONDARY)
    ).exclude(reason=GONE_WITH)
    for link in both.select_related("company").order_by("company__sort_name", "state", "remote_id"):
        twin = found.setdefault(link.company_id or 0, Twins(link.company, []))
        twin.remote_ids.append(link.remote_id)
    return [twin for twin in found.values() if len(twin.remote_ids) > 1]
