"""Lists of contacts and who is on them.

Of a membership the row itself is the memory, with who and when. A contact taken off by hand stays off,
whatever an import says; a person may put it on again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.crm.keys import clean, list_key
from propolis.crm.loose_ends import LooseEnds
from propolis.crm.models import Contact, List, ListMember
from propolis.crm.paging import HowMany
from propolis.runs.models import Run

BATCH = 500

UNLISTED: Final = LooseEnds(
    "crm_unlisted", of="crm_contact", on="crm_listmember", column="contact_id", counts="{row}.state = 'in'"
)


class NameTaken(ValueError):
    """Another list of the account has this name."""


class BuiltIn(ValueError):
    """A built-in list keeps its name and cannot be deleted."""


def create_list(account: Account, name: str, *, leads: bool = False, system_key: str | None = None) -> List:
    """A new, empty list. NameTaken if there is one of that name; capitals and accents don't tell apart."""
    shown = " ".join(clean(name).split())[:200]
    try:
        with transaction.atomic():
            return List.objects.create(
                account=account, name=shown, name_key=list_key(shown), leads=leads, system_key=system_key
            )
    except IntegrityError as error:
        raise NameTaken(shown) from error


def system_list(account: Account, system_key: str, name: str) -> List:
    """The built-in list of that key, made where it is missing; a list of the same name becomes it."""
    found = List.objects.filter(system_key=system_key).first()
    if found:
        return found
    same_name = List.objects.filter(name_key=list_key(name), system_key=None).first()
    if same_name:
        same_name.system_key = system_key
        same_name.save(update_fields=["system_key"])
        return same_name
    return create_list(account, name, system_key=system_key)


def change_list(row: List, *, name: str, leads: bool) -> None:
    """NameTaken, or BuiltIn where the list's name is fixed."""
    shown = " ".join(clean(name).split())[:200]
    if row.system_key and shown != row.name:
        raise BuiltIn(row.name)
    row.name, row.name_key, row.leads = shown, list_key(shown), leads
    try:
        with transaction.atomic():
            row.save(update_fields=["name", "name_key", "leads"])
    except IntegrityError as error:
        raise NameTaken(shown) from error


def delete_list(row: List) -> None:
    """The list and its memory of who was on it; the contacts stay. BuiltIn for a built-in one."""
    if row.system_key:
        raise BuiltIn(row.name)
    row.delete()


def add(row: List, contacts: Iterable[int], *, actor: Membership | None) -> int:
    """Puts contacts on the list, a person also those once taken off by hand; how many were not on it."""
    return sum(len(change(row, ids, on=True, actor=actor).were) for ids in _batches(contacts))


def remove(row: List, contacts: Iterable[int], *, actor: Membership | None) -> int:
    """Takes contacts off the list, which is remembered; how many were on it."""
    return sum(len(change(row, ids, on=False, actor=actor).were) for ids in _batches(contacts))


@dataclass(frozen=True)
class Changed:
    """What putting contacts on a list, or taking them off, has changed, as JSON can keep it.

    `were`: [contact, state, by, run, at] of each membership before, with nothing but the contact where there was
    none; `at`: the moment that those changed carry now, which any later change moves."""

    were: list[list[Any]]
    at: str


def change(row: List, contacts: Collection[int], *, on: bool, actor: Membership | None) -> Changed:
    """`add` or `remove` at most `BATCH` contacts; what of them it changed."""
    now = timezone.now()
    with transaction.atomic():
        known = {m.contact_id: m for m in ListMember.objects.filter(list=row, contact__in=contacts)}
        other = ListMember.State.REMOVED if on else ListMember.State.IN
        turned = [m for m in known.values() if m.state == other and not (on and actor is None)]
        new = [pk for pk in contacts if pk not in known] if on else []
        alive = Contact.objects.filter(pk__in=new, deleted_at=None).values_list("pk", flat=True)
        made = [
            ListMember(account_id=row.account_id, list=row, contact_id=pk, by=actor, at=now) for pk in alive
        ]
        ListMember.objects.bulk_create(made, ignore_conflicts=True)
        state = ListMember.State.IN if on else ListMember.State.REMOVED
        some = ListMember.objects.filter(pk__in=[m.pk for m in turned])
        some.update(state=state, by=actor, at=now, run=None)
    were = [[m.contact_id, m.state, m.by_id, m.run_id, m.at.isoformat()] for m in turned]
    return Changed([[m.contact_id] for m in made] + were, now.isoformat())


def change_back(row: List, changed: Changed) -> int:
    """The memberships as they were, but for those changed since; how many."""
    ids = [contact for contact, *_ in changed.were]
    with transaction.atomic():
        mine = ListMember.objects.filter(list=row, contact__in=ids, at=datetime.fromisoformat(changed.at))
        unchanged = set(mine.values_list("contact", flat=True))
        back: dict[tuple[Any, ...], list[int]] = {}
        for contact, *was in changed.were:
            if contact in unchanged:
                back.setdefault(tuple(was), []).append(contact)
        mine.filter(contact__in=back.pop((), [])).delete()
        people = set(
            Membership.objects.filter(pk__in={by for _, by, _, _ in back}).values_list("pk", flat=True)
        )
        runs = set(Run.objects.filter(pk__in={run for _, _, run, _ in back}).values_list("pk", flat=True))
        for (state, by, run, at), contacts in back.items():
            mine.filter(contact__in=contacts).update(
                state=state,
                by=by if by in people else None,
                run=run if run in runs else None,
                at=datetime.fromisoformat(at),
            )
    return len(unchanged)


def _batches(ids: Iterable[int]) -> Iterator[list[int]]:
    stream = iter(ids)
    while batch := list(islice(stream, BATCH)):
        yield batch


def with_counts() -> list[tuple[List, int]]:
    """Every list by name, each with how many living contacts are on it, as `paging.counted`; one query."""
    on_it = ListMember.objects.filter(list=OuterRef("pk"), state=ListMember.State.IN)
    # Asked for those who are deleted, which are few, rather than for each one whether it lives.
    deleted = Contact.objects.filter(pk=OuterRef("contact"), deleted_at__isnull=False)
    alive = on_it.filter(~Exists(deleted)).order_by("contact")
    return [(row, row.size) for row in List.objects.annotate(size=HowMany(alive)).order_by("name_key")]


def without_lists(contacts: QuerySet[Any]) -> QuerySet[Any]:
    """ "Contacts w/o Lists"."""
    on_one = ListMember.objects.filter(contact=OuterRef("pk"), state=ListMember.State.IN)
    return UNLISTED.among(contacts, on_one)


def of_contact(contact: Contact) -> QuerySet[ListMember]:
    """The lists a contact is on."""
    here = ListMember.objects.filter(contact=contact, state=ListMember.State.IN)
    return here.select_related("list").order_by("list__name_key")
