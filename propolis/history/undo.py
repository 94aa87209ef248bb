"""Taking back what was done: a whole run, or one change of one person.

Newest first. A field goes back only if its value is still what the change wrote. A record that was created
is deleted unless somebody used it since; one that was deleted comes back. Each undone Change becomes *undone*
and a new Change with `undoes` says what happened, so an undo can be looked at like anything else.

An app that keeps something of its own about a record (a link to elsewhere) registers a hook; it runs in the
same transaction with the items that were taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from propolis.accounts.models import Account, Membership
from propolis.history.door import BATCH, keep
from propolis.history.kinds import Adapter, adapter_of
from propolis.history.models import Change
from propolis.runs.models import Run

Action = Change.Action
_CREATES = frozenset({Action.CREATE})
_WRITES = frozenset({Action.UPDATE, Action.MERGE, Action.COMBINE})
_MAKES = _CREATES | {Action.RESTORE}
_UNDOABLE = _CREATES | _WRITES | {Action.DELETE, Action.RESTORE, Action.NOTE}


@dataclass(frozen=True, slots=True)
class UndoItem:
    """What undoing one change will do, or has done.

    `back`: fields that go back to the value before. `kept`: field → why it stays.
    `why_not`: a sentence, where nothing of the change can be taken back.
    """

    change: Change
    can: bool
    why_not: str = ""
    back: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)


Hook = Callable[[Sequence[UndoItem], Membership | None], None]
Barrier = Callable[[Sequence[Change]], dict[int, str]]
_hooks: list[Hook] = []
_barriers: list[Barrier] = []


def register_undo_hook(hook: Hook) -> None:
    """`hook(items, actor)` runs after each batch, inside its transaction, with what was taken back."""
    _hooks.append(hook)


def register_barrier(barrier: Barrier) -> None:
    """`barrier(changes)` → change id → why its record must stay as it is, e.g. it was sent elsewhere."""
    _barriers.append(barrier)


def changes_to_undo(run: Run) -> QuerySet[Change]:
    """The run's applied changes in the order to take them back."""
    applied = Change.objects.filter(run=run, state=Change.State.APPLIED, action__in=_UNDOABLE)
    return applied.defer("raw").order_by("-seq", "-id")


def plan_undo(changes: Iterable[Change] | Run) -> Iterator[UndoItem]:
    """What undoing would do, in the order to do it, without doing it.

    Of a run, or of changes given newest first. A record made and used by one run can still go whole: what
    goes earlier in the same undo does not count as using it.
    """
    listed = changes_to_undo(changes).iterator(BATCH) if isinstance(changes, Run) else changes
    going: set[tuple[str, int]] = set()
    for batch in _by_kind(listed):
        for item, _row in _plan_batch(batch, going):
            yield item


def undo_batch(
    changes: Iterable[Change], *, actor: Membership | None, run: Run | None = None
) -> list[UndoItem]:
    """Takes the changes back in the order given, in one transaction; what happened to each.

    `run`: the undoing run that the new Changes belong to, None for a person's single undo.
    """
    done: list[UndoItem] = []
    with transaction.atomic():
        for batch in _by_kind(changes):
            planned = _plan_batch(batch, set(), lock=True)
            _take_back([(item, row) for item, row in planned if item.can], actor, run)
            done += [item for item, _row in planned]
        for hook in _hooks:
            hook([item for item in done if item.can], actor)
    return done


def undo(change: Change, *, actor: Membership | None) -> UndoItem:
    """Takes back a person's single effect."""
    return undo_batch([change], actor=actor)[0]


def _by_kind(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Batches of one kind in which no record comes twice, so that each sees what the one before it did."""
    batch: list[Change] = []
    seen: set[int | None] = set()
    for change in changes:
        if batch and (batch[0].kind != change.kind or change.local_id in seen or len(batch) >= BATCH):
            yield batch
            batch, seen = [], set()
        batch.append(change)
        seen.add(change.local_id)
    if batch:
        yield batch


def _plan_batch(
    changes: list[Change], going: set[tuple[str, int]], *, lock: bool = False
) -> list[tuple[UndoItem, Any]]:
    adapter = adapter_of(changes[0].kind)
    query = adapter.model.objects.filter(pk__in=[c.local_id for c in changes])
    if lock and connection.features.has_select_for_update:
        query = query.select_for_update().order_by("pk")
    rows = {row.pk: row for row in query}
    held = _held(adapter, changes, rows, going)
    items = [_plan_one(adapter, change, rows.get(change.local_id), held) for change in changes]
    going.update(each for item in items if item.can for each in _leaving(item))
    return [(item, rows.get(item.change.local_id)) for item in items]


def _leaving(item: UndoItem) -> Iterator[tuple[str, int]]:
    """What the undo takes off other records: the record itself, or a reference of it ("contact.company")."""
    change, pk = item.change, item.change.local_id or 0
    if _creates(change):
        yield change.kind, pk
    for name in item.back:
        if isinstance(change.fields[name][1], int):
            yield f"{change.kind}.{name}", pk


def _held(
    adapter: Adapter, changes: list[Change], rows: dict[int | None, Any], going: set[tuple[str, int]]
) -> dict[int, str]:
    """Change id → why nothing of it can be taken back."""
    held = dict(adapter.bound(changes))
    for barrier in _barriers:
        held |= barrier(changes)
    made = [c for c in changes if _creates(c) and c.local_id in rows]
    if made:
        used = {**_edited_since(made), **adapter.in_use([rows[c.local_id] for c in made], going)}
        held = {c.id: used[c.local_id] for c in made if c.local_id in used} | held
    return held


def _creates(change: Change) -> bool:
    return change.action in _CREATES


def _edited_since(changes: list[Change]) -> dict[int, str]:
    """Records that something other than their own run changed after it had made them.

    What nobody did (neither a person nor a run), or what only followed from a change of another record
    (`args["follows"]`), is no use.
    """
    first = {c.local_id: c.id for c in changes if _creates(c) and c.local_id is not None}
    later = (
        Change.objects.filter(kind=changes[0].kind, local_id__in=list(first))
        .filter(state=Change.State.APPLIED, undoes=None, id__gt=min(first.values()))
        .exclude(run_id=changes[0].run_id if changes[0].run_id else -1)
        .exclude(run=None, actor=None)
        .exclude(args__has_key="follows")
        .values_list("local_id", "id")
    )
    return {pk: "Changed since" for pk, change_id in later if pk is not None and change_id > first[pk]}


def _plan_one(adapter: Adapter, change: Change, row: Any, held: dict[int, str]) -> UndoItem:
    if change.state != Change.State.APPLIED or change.action not in _UNDOABLE:
        return UndoItem(change, False, "Already taken back")
    if row is None:
        return UndoItem(change, False, "The record is gone for good")
    if change.id in held:
        return UndoItem(change, False, held[change.id])
    deleted = getattr(row, "deleted_at", None) is not None
    if change.action in _MAKES and deleted:
        return UndoItem(change, False, "Deleted since")
    if change.action == Action.COMBINE and getattr(row, "merged_into_id", None) is not None:
        # What this merge moved has moved on: the two would come apart without it.
        return UndoItem(change, False, "Merged into another record since. Undo that first")
    if change.action == Action.DELETE and not deleted:
        return UndoItem(change, False, "Already back")
    if change.action in _WRITES:
        return _plan_fields(adapter, change, row)
    return UndoItem(change, True)


def _plan_fields(adapter: Adapter, change: Change, row: Any) -> UndoItem:
    now = adapter.values(row)
    kept = {name: "Changed since" for name, effect in change.fields.items() if now.get(name) != effect[1]}
    for name, leader in adapter.follows.items():
        if name in change.fields and leader in change.fields:
            kept.pop(name, None)
            if leader in kept:
                kept[name] = kept[leader]
    back = tuple(name for name in change.fields if name not in kept)
    beside = change.action in (Action.MERGE, Action.COMBINE) or change.args.get("lists")
    if kept and not back and not beside:
        return UndoItem(change, False, "Changed since", (), kept)
    return UndoItem(change, True, "", back, kept)


def _take_back(pairs: list[tuple[UndoItem, Any]], actor: Membership | None, run: Run | None) -> None:
    if not pairs:
        return
    changes = [item.change for item, _row in pairs]
    adapter = adapter_of(changes[0].kind)
    account = Account.objects.get(pk=changes[0].account_id)
    records = []
    for item, row in pairs:
        record = _reverse(adapter, item, row, account, actor)
        record.run, record.actor, record.undoes = run, actor, item.change
        records.append(record)
    adapter.save([row for _item, row in pairs])
    adapter.unbind([(item.change, row) for item, row in pairs], actor)
    keep(records)
    Change.objects.filter(pk__in=[change.pk for change in changes]).update(state=Change.State.UNDONE)
    for change in changes:
        change.state = Change.State.UNDONE


def _reverse(
    adapter: Adapter, item: UndoItem, row: Any, account: Account, actor: Membership | None
) -> Change:
    """Sets the row back, unsaved; the Change that says so."""
    change = item.change
    now = adapter.values(row)
    effects = {name: [now.get(name), change.fields[name][0], "undone"] for name in item.back}
    action = Action.UPDATE
    if change.action in _MAKES:
        row.deleted_at, row.deleted_by = timezone.now(), actor
        action = Action.DELETE
    elif change.action == Action.DELETE:
        row.deleted_at = row.deleted_by = None
        action = Action.RESTORE
    else:
        adapter.put(row, {name: effect[1] for name, effect in effects.items()}, account)
        _clock_back(change, row)
    return Change(
        account_id=change.account_id,
        kind=change.kind,
        local_id=change.local_id,
        action=action,
        state=Change.State.APPLIED,
        fields=effects,
        reason="undo",
        seq=change.seq,
        args={"undone": change.action},
    )


def _clock_back(change: Change, row: Any) -> None:
    """The merge clock too, unless somebody moved it since."""
    before, after = change.args.get("edited_at", (None, None))
    if before and after and row.edited_at == parse_datetime(after):
        row.edited_at = parse_datetime(before)
