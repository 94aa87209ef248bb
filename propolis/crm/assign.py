"""One person for many records at a time: their salesperson, or who does the next step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from django.db import transaction
from django.db.models import F

from propolis.accounts.models import Membership
from propolis.crm.fields import Kind
from propolis.crm.kinds import MODELS
from propolis.history.door import keep
from propolis.history.models import Change
from propolis.runs.models import Run

BATCH = 500


def assign(
    kind: Kind,
    ids: Iterable[int],
    salesperson: Membership | None,
    *,
    actor: Membership | None,
    run: Run | None = None,
    field: str = "salesperson",
) -> int:
    """Gives the records to a person, or to nobody; how many changed hands. `field`: in which role."""
    wanted = salesperson.pk if salesperson else None
    return sum(_assign(kind, batch, wanted, actor, run, field) for batch in _batches(ids))


def _assign(
    kind: Kind, ids: list[int], wanted: int | None, actor: Membership | None, run: Run | None, field: str
) -> int:
    with transaction.atomic():
        alive = MODELS[kind].objects.filter(pk__in=ids, deleted_at=None)
        had = [(pk, was) for pk, was in alive.values_list("pk", f"{field}_id") if was != wanted]
        if not had:
            return 0
        account = alive.values_list("account_id", flat=True)[0]
        moving = [pk for pk, _was in had]
        MODELS[kind].objects.filter(pk__in=moving).update(**{f"{field}_id": wanted}, rev=F("rev") + 1)
        return keep(
            Change(
                account_id=account,
                kind=kind.value,
                local_id=pk,
                action=Change.Action.UPDATE,
                fields={field: [was, wanted, ""]},
                actor=actor,
                run=run,
            )
            for pk, was in had
        )


def _batches(ids: Iterable[int]) -> Iterator[list[int]]:
    stream = iter(ids)
    while batch := list(islice(stream, BATCH)):
        yield batch
