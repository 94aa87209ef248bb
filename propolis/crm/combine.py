"""Two records into one, by hand: the survivor takes chosen values and all that hangs on the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.crm import duplicates, mailing, rows
from propolis.crm.fields import FIELDS, Field, Kind
from propolis.crm.kinds import MODELS, MOVED
from propolis.crm.models import Company, Contact, ListMember, Note
from propolis.history.door import applied
from propolis.history.models import Change

Pair = Company | Contact
_ADDRESS = ("address_1", "address_2", "city", "state", "zip", "country")


class NotTwo(ValueError):
    """The records are one and the same, of two kinds, or one is gone."""


def differing(survivor: Pair, loser: Pair) -> list[tuple[Field, Any, Any]]:
    """The fields a person may choose: both values, plain, the survivor's first."""
    ours, theirs = rows.values_of(survivor), rows.values_of(loser)
    fields = FIELDS[rows.kind_of(survivor)].values()
    return [(f, ours[f.name], theirs[f.name]) for f in fields if f.by_hand and ours[f.name] != theirs[f.name]]


def suggested(survivor: Pair, loser: Pair) -> dict[str, bool]:
    """field → take the other's value: where the survivor's is blank. An address comes whole or not at all: the
    suite of one house is not put to the street of another."""
    placed = any(getattr(survivor, name) for name in _ADDRESS) and survivor.address_1 != loser.address_1
    return {
        f.name: ours in ("", None) and not (placed and f.name in _ADDRESS)
        for f, ours, _theirs in differing(survivor, loser)
    }


def combine(
    account: Account,
    survivor: Pair,
    loser: Pair,
    take: Mapping[str, bool],
    *,
    actor: Membership | None,
) -> Change:
    """One record of two. `take`: field → the loser's value. Undo the returned Change to have two again.

    The merge clock does not move: a merge is no edit. NotTwo unless they are two living records of a kind.
    """
    if type(survivor) is not type(loser) or survivor.pk == loser.pk:
        raise NotTwo("Choose two different records")
    if survivor.deleted_at or loser.deleted_at:
        raise NotTwo("One of the two was deleted")
    kind = rows.kind_of(survivor)
    ours, theirs = rows.values_of(survivor), rows.values_of(loser)
    fields = {
        name: [ours[name], theirs[name], "chosen"]
        for name, taken in take.items()
        if taken and name in FIELDS[kind] and ours[name] != theirs[name]
    }
    with transaction.atomic():
        args = {"loser": loser.pk, "moved": _move_children(kind, survivor, loser)}
        if isinstance(survivor, Contact) and isinstance(loser, Contact):
            args["lists"] = _copy_lists(survivor, loser)
        _retire(loser, survivor, actor)
        _take(account, survivor, {name: effect[1] for name, effect in fields.items()})
        duplicates.forget(loser)
        duplicates.look_at(survivor)
        return applied(survivor, Change.Action.COMBINE, fields, actor=actor, args=args)


def _move_children(kind: Kind, survivor: Pair, loser: Pair) -> dict[str, list[int]]:
    moved = {}
    for name, model, column in MOVED[kind]:
        objects: Any = model._default_manager
        children = objects.filter(**{f"{column}_id": loser.pk})
        moved[name] = list(children.values_list("pk", flat=True))
        to: dict[str, Any] = {f"{column}_id": survivor.pk}
        if model is not Note:
            to["rev"] = F("rev") + 1
        children.update(**to)
    return moved


def hanging(loser: Pair) -> dict[str, int]:
    """How many of each move to the survivor: "contacts", "opportunities", "notes"; one query each."""
    found = {}
    for name, model, column in MOVED[rows.kind_of(loser)]:
        objects: Any = model._default_manager
        alive = objects.filter(**{f"{column}_id": loser.pk, "deleted_at": None})
        found[name] = alive.count()
    return {name: count for name, count in found.items() if count}


def _copy_lists(survivor: Contact, loser: Contact) -> list[int]:
    """Lists only the loser was on; one the survivor was taken off by hand stays without it."""
    known = set(ListMember.objects.filter(contact=survivor).values_list("list_id", flat=True))
    missing = [m for m in ListMember.objects.filter(contact=loser, state="in") if m.list_id not in known]
    ListMember.objects.bulk_create(
        ListMember(account_id=survivor.account_id, list_id=m.list_id, contact=survivor, by=m.by, at=m.at)
        for m in missing
    )
    return [m.list_id for m in missing]


def _retire(loser: Pair, survivor: Pair, actor: Membership | None) -> None:
    model: Any = MODELS[rows.kind_of(loser)]
    model.objects.filter(pk=loser.pk).update(
        deleted_at=timezone.now(), deleted_by=actor, merged_into=survivor, rev=F("rev") + 1
    )


def _take(account: Account, survivor: Pair, values: Mapping[str, Any]) -> None:
    rows.fill(survivor, values, account.phone_region)
    if isinstance(survivor, Contact):
        survivor.mail_state = mailing.state_of(survivor.email_key)
    survivor.rev += 1
    survivor.save()
