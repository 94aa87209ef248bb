"""The one door to Change: whatever is planned, done or refused to a record passes here.

Conventions in `args`, which undo reads: `edited_at`, [before, after] of the merge clock · `lists`, ids of
lists the record was put on · `note`, the id of a note · `moved`, references a merge took over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from propolis.accounts import bulk
from propolis.accounts.models import Membership
from propolis.accounts.scoping import TenantModel
from propolis.history.kinds import is_registered, kind_of
from propolis.history.models import Change
from propolis.runs.models import Run

Fields = Mapping[str, Sequence[Any]]
BATCH = 500

# What may differ between a planned Change and what became of it.
_SETTLED = (
    *("local_id", "link_id", "action", "state", "fields", "link_before", "args", "reason", "raw", "at"),
)


class NotPlanned(ValueError):
    """A Change that should be new and planned is not."""


def applied(
    row: TenantModel,
    action: str,
    fields: Fields,
    *,
    actor: Membership | None,
    run: Run | None = None,
    reason: str = "",
    args: Mapping[str, Any] | None = None,
    link_id: int | None = None,
    at: datetime | None = None,
) -> Change:
    """Keeps what has just been done to one saved row; call in the transaction that did it.

    `fields`: name → [before, after, why], plain values. `actor`: who, None where nobody did.
    `at`: when, the database's now by default.
    """
    change = Change(
        account_id=row.account_id,
        kind=kind_of(row),
        local_id=row.pk,
        action=action,
        state=Change.State.APPLIED,
        fields={name: list(effect) for name, effect in fields.items()},
        actor=actor,
        run=run,
        reason=reason,
        args=dict(args or {}),
        link_id=link_id,
    )
    if at:
        change.at = at
    change.save()
    return change


def plan(changes: Iterable[Change]) -> int:
    """Keeps planned changes, many at a time; how many there were.

    NotPlanned for one that is not planned or of a kind nobody registered: nothing of its batch is written.
    """
    stream, count = iter(changes), 0
    while batch := list(islice(stream, BATCH)):
        for change in batch:
            if change.state == Change.State.APPLIED or not is_registered(change.kind):
                raise NotPlanned(f"{change.kind} {change.action} is {change.state}")
        bulk.insert(batch)
        count += len(batch)
    return count


def keep(changes: Iterable[Change]) -> int:
    """Keeps what has been done to many rows; call in the transaction that did it. How many there were."""
    stream, count = iter(changes), 0
    while batch := list(islice(stream, BATCH)):
        Change.objects.bulk_create(batch)
        count += len(batch)
    return count


def settle(changes: Sequence[Change]) -> None:
    """Writes what became of planned changes; call in the transaction that applied them."""
    for start in range(0, len(changes), BATCH):
        Change.objects.bulk_create(
            changes[start : start + BATCH],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=_SETTLED,
        )


def applied_as_planned(changes: Sequence[Change]) -> None:
    """Marks planned changes as applied exactly as they stand, with the ids they got; by the thousand."""
    if not changes:
        return
    at = timezone.now()
    bulk.update(
        Change,
        ("state", "local_id", "link_id", "at"),
        [(Change.State.APPLIED.value, each.local_id, each.link_id, at, each.pk) for each in changes],
    )


def timeline(*targets: tuple[str, int], limit: int = 50, before_id: int | None = None) -> list[Change]:
    """What was done to these records, newest first, with who (`actor`) and in which run; one query.

    `targets`: (kind, id). `before_id`: continue after the last one seen.
    """
    if not targets:
        return []
    query = _about(targets).filter(state__in=(Change.State.APPLIED, Change.State.UNDONE))
    if before_id is not None:
        query = query.filter(id__lt=before_id)
    return list(query.select_related("actor", "run").order_by("-id")[:limit])


def _about(targets: Sequence[tuple[str, int]]) -> QuerySet[Change]:
    ids: dict[str, list[int]] = {}
    for kind, pk in targets:
        ids.setdefault(kind, []).append(pk)
    condition = Q()
    for kind, pks in ids.items():
        condition |= Q(kind=kind, local_id__in=pks)
    return Change.objects.filter(condition)
