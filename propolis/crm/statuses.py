"""The statuses of opportunities, as an account's Admin wants them: order, names, outcomes, archive.

An archived status is offered nowhere; what was in it goes to another one. Others who point at a status
(`propolis.crm.panels.add_status_use`) say so beforehand and follow it.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet
from django.utils import timezone

from propolis.accounts.models import Membership, audit
from propolis.crm import panels
from propolis.crm.models import Opportunity, OppStatus
from propolis.crm.rows import plain
from propolis.history.door import keep
from propolis.history.models import Change

BATCH = 500
Outcome = OppStatus.Outcome


class Refused(ValueError):
    """It cannot be done; `str()` is the sentence for a person."""


def offered() -> QuerySet[OppStatus]:
    """Those not archived, in order, each with `living`: how many opportunities are in it."""
    living = Count("opportunities", filter=Q(opportunities__deleted_at=None))
    return OppStatus.objects.filter(archived=False).annotate(living=living).order_by("position", "pk")


def archived() -> QuerySet[OppStatus]:
    return OppStatus.objects.filter(archived=True).order_by("name")


def add(name: str, outcome: str, *, actor: Membership) -> OppStatus:
    """A new one behind the others, or an archived one of this name again."""
    with transaction.atomic():
        known = _named(name)
        if known is not None and not known.archived:
            raise Refused(f"There is a status “{known.name}” already.")
        last = OppStatus.objects.aggregate(last=Max("position"))["last"]
        made = known or OppStatus(account_id=actor.account_id, name=name)
        made.outcome, made.archived, made.position = outcome, False, (last or 0) + 1
        made.save()
        audit(actor.account, actor, "status.added", status=made.pk)
    return made


def change(status: OppStatus, name: str, outcome: str, *, actor: Membership) -> None:
    """A new name or outcome. Opportunities in it count as won or lost from now on, or as open again."""
    other = _named(name)
    if other is not None and other.pk != status.pk:
        where = " among the archived ones" if other.archived else " already"
        raise Refused(f"There is a status “{other.name}”{where}.")
    with transaction.atomic():
        if outcome != status.outcome:
            _refuse_last(status)
            _close(status, outcome)
        status.name, status.outcome = name, outcome
        status.save(update_fields=["name", "outcome"])
        audit(actor.account, actor, "status.changed", status=status.pk)


def _named(name: str) -> OppStatus | None:
    return OppStatus.objects.filter(name__iexact=name).first()


def _refuse_last(status: OppStatus) -> None:
    others = OppStatus.objects.filter(archived=False, outcome=status.outcome).exclude(pk=status.pk)
    if not others.exists():
        word = Outcome(status.outcome).label
        raise Refused(f"“{status.name}” is the only status that counts as {word}. Add another one first.")


def _close(status: OppStatus, outcome: str) -> None:
    inside = Opportunity.objects.filter(status=status)
    if outcome == Outcome.OPEN:
        inside.filter(closed_at__isnull=False).update(closed_at=None, rev=F("rev") + 1)
    else:
        inside.filter(closed_at=None).update(closed_at=timezone.now(), rev=F("rev") + 1)


def shift(status: OppStatus, by: int, *, actor: Membership) -> bool:
    """One place up (-1) or down (1); False at the end. Positions are made 0, 1, 2… on the way."""
    with transaction.atomic():
        order = list(OppStatus.objects.filter(archived=False).order_by("position", "pk"))
        at = next(n for n, each in enumerate(order) if each.pk == status.pk)
        if not 0 <= at + by < len(order):
            return False
        order[at], order[at + by] = order[at + by], order[at]
        for position, each in enumerate(order):
            if each.position != position:
                OppStatus.objects.filter(pk=each.pk).update(position=position)
        audit(actor.account, actor, "status.moved", status=status.pk)
    return True


def uses(status: OppStatus) -> list[str]:
    """Who else points at it, a sentence each."""
    return [said for use in panels.status_uses() if (said := use.says(status))]


def archive(status: OppStatus, to: OppStatus | None, *, actor: Membership) -> int:
    """Takes it out of use; how many opportunities went to `to`.

    Refused for the last of its outcome, and without `to` where anything is in it or points at it.
    """
    with transaction.atomic():
        _refuse_last(status)
        living = Opportunity.objects.filter(status=status, deleted_at=None)
        if to is None and (living.exists() or uses(status)):
            raise Refused("Choose the status that its opportunities go to.")
        moved = 0
        if to is not None:
            while batch := list(living.order_by("pk")[:BATCH]):
                moved += _move(batch, status, to, actor)
            for use in panels.status_uses():
                use.moved(status, to)
        OppStatus.objects.filter(pk=status.pk).update(archived=True)
        audit(actor.account, actor, "status.archived", status=status.pk, opportunities=moved)
    return moved


def _move(rows: list[Opportunity], status: OppStatus, to: OppStatus, actor: Membership) -> int:
    """Each one's move is a Change of its own, so that any of them can be undone."""
    now, changes = timezone.now(), []
    for row in rows:
        closed = None if to.outcome == Outcome.OPEN else row.closed_at or now
        changes.append(
            Change(
                account_id=row.account_id,
                kind="opportunity",
                local_id=row.pk,
                action=Change.Action.UPDATE,
                fields={
                    "status": [status.pk, to.pk, ""],
                    "closed_at": [plain(row.closed_at), plain(closed), ""],
                },
                actor=actor,
                args={"edited_at": [plain(row.edited_at), plain(now)]},
            )
        )
    these = Opportunity.objects.filter(pk__in=[row.pk for row in rows])
    if to.outcome == Outcome.OPEN:
        these.update(closed_at=None)
    else:
        these.filter(closed_at=None).update(closed_at=now)
    these.update(status=to, edited_at=now, rev=F("rev") + 1)
    return keep(changes)


def bring_back(status: OppStatus, *, actor: Membership) -> None:
    """An archived status behind the others."""
    add(status.name, status.outcome, actor=actor)
