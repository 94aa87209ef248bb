""" "Apply to 146 existing opportunities?": a changed status map, applied to what was imported before.

An import changes a status only when Syncro's own value changed. So after the map was changed, opportunities
imported earlier keep their status unless an Admin says otherwise. One that a person has moved is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from propolis.accounts.models import Membership
from propolis.bridge.models import Link, StatusMap
from propolis.crm.models import Opportunity, OppStatus
from propolis.crm.rows import plain
from propolis.history import door
from propolis.history.models import Change

BATCH: Final = 500
REMAPPED: Final = "status_map_changed"
# Null in the agreed values, or not among them.
_TICKETLESS: Final = Q(agreed__ticket_id=None) | Q(agreed__ticket_id__isnull=True)


@dataclass(frozen=True)
class Move:
    """So many opportunities of one Syncro status would go from status `before` to `row.status`."""

    row: StatusMap
    before: int
    count: int
    samples: tuple[str, ...]


def moves_after(changed: Sequence[tuple[StatusMap, int | None]]) -> list[Move]:
    """What applying the map would do to opportunities imported before. `changed`: rows and what they were.

    Nothing for "Do not import": what is here stays here.
    """
    found = []
    for row, before in changed:
        if before is None or row.status_id is None:
            continue
        concerned = _concerned(row, before)
        count = concerned.count()
        if count:
            names = concerned.order_by("-pk").values_list("name", flat=True)[:5]
            found.append(Move(row, before, count, tuple(names)))
    return found


def apply_moves(changed: Sequence[tuple[StatusMap, int]], *, by: Membership | None) -> int:
    """Gives each opportunity of these Syncro statuses the status mapped now; how many changed."""
    return sum(_apply(row, before, by) for row, before in changed if row.status is not None)


def _concerned(row: StatusMap, before: int) -> QuerySet[Opportunity]:
    """Linked, of this Syncro status when we last agreed, and still where the map had put them."""
    links = Link.objects.filter(
        connection=row.connection_id,
        kind=Link.Kind.LEAD,
        state=Link.State.LINKED,
        agreed__status__iexact=row.remote_status,
        opportunity__isnull=False,
    )
    if row.became_ticket:
        links = links.exclude(_TICKETLESS)
    elif StatusMap.objects.filter(
        connection=row.connection_id, remote_status=row.remote_status, became_ticket=True
    ).exists():
        links = links.filter(_TICKETLESS)
    return Opportunity.objects.filter(pk__in=links.values("opportunity"), deleted_at=None, status=before)


def _apply(row: StatusMap, before: int, by: Membership | None) -> int:
    count = 0
    ids = list(_concerned(row, before).order_by("pk").values_list("pk", flat=True))
    for at in range(0, len(ids), BATCH):
        with transaction.atomic():
            chosen = _concerned(row, before).filter(pk__in=ids[at : at + BATCH])
            opportunities = list(chosen.select_for_update(of=("self",)))
            touched = _touched_in_syncro(row, opportunities)
            count += door.keep([_moved(one, row, by, touched.get(one.pk)) for one in opportunities])
    return count


def _touched_in_syncro(
    row: StatusMap, opportunities: Sequence[Opportunity]
) -> dict[int | None, datetime | None]:
    """By opportunity: when its lead was last changed there."""
    links = Link.objects.filter(
        connection=row.connection_id,
        kind=Link.Kind.LEAD,
        state=Link.State.LINKED,
        opportunity__in=[one.pk for one in opportunities],
    )
    return dict(links.values_list("opportunity", "remote_updated_at"))


def _moved(
    opportunity: Opportunity, row: StatusMap, by: Membership | None, touched: datetime | None
) -> Change:
    """Writes the row; what history keeps of it. Closed it was when an import would say so, not today."""
    assert row.status is not None
    closed_before = opportunity.closed_at
    is_closed = row.status.outcome != OppStatus.Outcome.OPEN
    closed_after = (closed_before or touched or timezone.now()) if is_closed else None
    fields = {"status": [opportunity.status_id, row.status_id, REMAPPED]}
    if closed_after != closed_before:
        fields["closed_at"] = [plain(closed_before), plain(closed_after), REMAPPED]
    Opportunity.objects.filter(pk=opportunity.pk).update(
        status=row.status, closed_at=closed_after, rev=F("rev") + 1
    )
    return Change(
        account_id=opportunity.account_id,
        kind="opportunity",
        local_id=opportunity.pk,
        action=Change.Action.UPDATE,
        fields=fields,
        reason=REMAPPED,
        actor=by,
    )
