"""Opportunities and the salesperson Syncro names for them: a user who is linked here *and* a Salesperson.

Until then an opportunity waits for that user. When the user becomes a salesperson here, it is given to them;
of a user who has left, an Admin gives the open ones to somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from propolis.accounts.models import Membership
from propolis.bridge.models import Connection, RemoteUser
from propolis.crm.models import Opportunity, OppStatus
from propolis.history import door
from propolis.history.models import Change

BATCH: Final = 500
LINKED_LATER: Final = "salesperson_linked"
HANDED_OVER: Final = "handed_over"


def salespeople(connection: Connection) -> dict[int, int]:
    """Syncro user id → membership id, for those who are salespeople here and have not been disabled."""
    linked = RemoteUser.objects.filter(connection=connection, membership__is_salesperson=True)
    able = linked.exclude(membership__state=Membership.State.DISABLED)
    return dict(able.values_list("remote_id", "membership_id"))


def attach_waiting(connection: Connection, *, actor: Membership | None = None) -> int:
    """Gives opportunities the salesperson they waited for; how many. One given away meanwhile stays."""
    people = salespeople(connection)
    count = 0
    for remote_id, person_id in people.items():
        waiting = Opportunity.objects.filter(waits_for_remote_user=remote_id, salesperson=None)
        # `rev` stays: nobody has worked on the record, so an undo of its import may still take it away.
        count += _give(waiting, person_id, LINKED_LATER, actor, moves_rev=False)
    return count


def there_again(people: Iterable[int]) -> set[int]:
    """Those persons for whom Syncro lists a user now: made anew, say, so that only an older one has left."""
    listed = RemoteUser.objects.filter(membership__in=list(people), left_at=None)
    return {pk for pk in listed.values_list("membership_id", flat=True) if pk is not None}


def open_opportunities_of(row: RemoteUser) -> QuerySet[Opportunity]:
    """Not won or lost, and this Syncro user's: waiting for them, or theirs through the linked person."""
    theirs = Q(waits_for_remote_user=row.remote_id)
    person = row.membership_id
    if person is not None and not (row.left_at and there_again([person])):
        theirs |= Q(salesperson=row.membership_id)
    living = Opportunity.objects.filter(theirs, deleted_at=None)
    return living.filter(status__outcome=OppStatus.Outcome.OPEN)


def hand_over(row: RemoteUser, to: Membership, *, by: Membership | None) -> int:
    """Gives all open opportunities of a user to another salesperson; how many. ValueError if `to` is none."""
    if not to.is_salesperson or to.state == Membership.State.DISABLED:
        raise ValueError(f"{to} is not a salesperson here")
    return _give(open_opportunities_of(row), to.pk, HANDED_OVER, by, moves_rev=True)


def _give(
    chosen: QuerySet[Opportunity], person_id: int, why: str, actor: Membership | None, *, moves_rev: bool
) -> int:
    count = 0
    ids = list(chosen.order_by("pk").values_list("pk", flat=True))
    for at in range(0, len(ids), BATCH):
        with transaction.atomic():
            # Asked again under the lock: a person may have given one away since.
            rows = list(chosen.filter(pk__in=ids[at : at + BATCH]).select_for_update(of=("self",)))
            _write(rows, person_id, moves_rev=moves_rev)
            count += door.keep(_change(row, person_id, why, actor) for row in rows)
    return count


def _write(rows: Iterable[Opportunity], person_id: int, *, moves_rev: bool) -> None:
    chosen = Opportunity.objects.filter(pk__in=[row.pk for row in rows])
    chosen.update(salesperson=person_id, waits_for_remote_user=None, rev=F("rev") + int(moves_rev))


def _change(row: Opportunity, person_id: int, why: str, actor: Membership | None) -> Change:
    fields = {"salesperson": [row.salesperson_id, person_id, why]}
    if row.waits_for_remote_user is not None:
        fields["waits_for_remote_user"] = [row.waits_for_remote_user, None, why]
    return Change(
        account_id=row.account_id,
        kind="opportunity",
        local_id=row.pk,
        action=Change.Action.UPDATE,
        fields=fields,
        reason=why,
        actor=actor,
    )
