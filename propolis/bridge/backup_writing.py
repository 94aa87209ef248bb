"""Putting backed-up rows into an account: each call one batch, inside the caller's transaction.

Written again after a crash a batch changes nothing more, since every row is looked up by its key first. The
one exception is the timeline, whose place the caller keeps in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, models

from propolis.accounts.csv_cells import inert
from propolis.accounts.models import Account, Membership
from propolis.bridge.backup_cells import names_to_ids, read_cell
from propolis.bridge.backup_matching import KeyMap, Pair
from propolis.bridge.backup_tables import (
    BY_NAME,
    COMPANIES,
    CONTACTS,
    LISTS,
    OPPORTUNITIES,
    STATUS_MAP,
    TIMELINE,
    Column,
    Table,
)
from propolis.bridge.models import Connection, Link, RemoteUser, StatusMap
from propolis.crm import rows as crm_rows
from propolis.crm.fields import FIELDS, Kind
from propolis.crm.keys import list_key
from propolis.crm.models import Contact, List, NotDuplicate, Note
from propolis.history.door import keep
from propolis.history.kinds import adapter_of
from propolis.history.models import Change
from propolis.runs.models import Run

BATCH = 500
RECORDS: Mapping[str, Kind] = {
    COMPANIES.name: Kind.COMPANY,
    CONTACTS.name: Kind.CONTACT,
    OPPORTUNITIES.name: Kind.OPPORTUNITY,
}
_ACTION = Change.Action


class Writer:
    """Writes into one account, which must be in scope. `note_changes`: keep a Change for each record, as a
    restore over people's work does; an empty account gets its old timeline instead."""

    def __init__(
        self,
        account: Account,
        *,
        actor: Membership | None = None,
        run: Run | None = None,
        note_changes: bool = True,
    ) -> None:
        self.account = account
        self.actor = actor
        self.run = run
        self.note_changes = note_changes
        self._known: dict[str, KeyMap] = {}
        self._connection: Connection | None = None

    def known(self, table: Table) -> KeyMap:
        """The table's keys, read once; `forget` them after rows were deleted."""
        if table.name not in self._known:
            self._known[table.name] = KeyMap(self.account, table)
        return self._known[table.name]

    def forget(self, table: Table) -> None:
        self._known.pop(table.name, None)

    # Writing

    def write(self, table: Table, paired: Sequence[Pair]) -> int:
        """Writes the rows that differ; how many there were."""
        differing = [pair for pair in paired if pair.differs]
        if not differing:
            return 0
        if table.name in RECORDS:
            self._write_records(table, RECORDS[table.name], differing)
        else:
            self._write_rows(table, differing)
        return len(differing)

    def _write_records(self, table: Table, kind: Kind, paired: list[Pair]) -> None:
        now = self._locked(table, paired)
        old: list[Any] = []
        new: list[tuple[Pair, Any]] = []
        done: list[tuple[Any, dict[str, Any] | None]] = []
        for pair in paired:
            values = self.values(table, pair.cells)
            found = now.get(pair.pk) if pair.pk is not None else None
            before = _state(found) if found is not None else None
            row = found if found is not None else table.model(account=self.account, uid=values["uid"])
            self._put_record(row, kind, values)
            if lacks_reference(row):
                continue
            done.append((row, before))
            if before is None:
                new.append((pair, row))
            else:
                old.append(row)
        if old:
            adapter_of(kind).save(old)
        self._insert(table, new)
        if self.note_changes:
            keep(self._changes(kind, done))

    def _put_record(self, row: Any, kind: Kind, values: dict[str, Any]) -> None:
        fields = FIELDS[kind]
        crm_rows.fill(row, {name: values[name] for name in fields}, self.account.phone_region)
        row.created_at, row.edited_at = values["created_at"], values["edited_at"]
        row.deleted_at, row.deleted_by_id = values["deleted_at"], values["deleted_by"]
        if "merged_into" in values:
            row.merged_into_id = values["merged_into"]
        if isinstance(row, Contact):
            row.mail_state = values["mail_state"]

    def _changes(self, kind: Kind, done: Iterable[tuple[Any, dict[str, Any] | None]]) -> Iterable[Change]:
        for row, before in done:
            change = self._change(kind, row, before)
            if change is not None:
                yield change

    def _change(self, kind: Kind, row: Any, before: dict[str, Any] | None) -> Change | None:
        after = _state(row)
        was = before or {}
        fields = {
            name: [was.get(name), after[name], "restore"]
            for name in FIELDS[kind]
            if was.get(name) != after[name] and (before or after[name])
        }
        action = _action(before, after)
        if action == _ACTION.UPDATE and not fields:
            return None
        args = {"edited_at": [was["edited_at"], after["edited_at"]]} if before else {}
        return self._note(kind, row.pk, action, fields, args)

    def _note(self, kind: str, pk: int, action: str, fields: dict[str, Any], args: dict[str, Any]) -> Change:
        return Change(
            account=self.account,
            run=self.run,
            kind=kind,
            local_id=pk,
            action=action,
            fields=fields,
            args=args,
            reason="restore",
            actor=self.actor,
        )

    def _write_rows(self, table: Table, paired: list[Pair]) -> None:
        now = self._locked(table, paired)
        self._make_room(table, now)
        old: list[Any] = []
        new: list[tuple[Pair, Any]] = []
        for pair in paired:
            found = now.get(pair.pk) if pair.pk is not None else None
            row = found if found is not None else table.model(account=self.account)
            self._put(table, row, pair.cells)
            if lacks_reference(row):
                continue
            if found is None:
                new.append((pair, row))
            else:
                old.append(row)
        if old:
            _manager(table).bulk_create(
                old, update_conflicts=True, unique_fields=["id"], update_fields=_written(table)
            )
        self._insert(table, new)

    def _put(self, table: Table, row: Any, cells: Sequence[str]) -> None:
        values = self.values(table, cells)
        for column in table.columns:
            setattr(row, column.attribute, _fitting(row, column, values[column.name]))
        if isinstance(row, List):
            row.name_key = list_key(row.name)
        if isinstance(row, NotDuplicate) and None not in (row.a, row.b):
            row.a, row.b = sorted((row.a, row.b))
        if isinstance(row, (Link, RemoteUser, StatusMap)):
            row.connection_id = self.connection().pk
        if isinstance(row, Link) and row.pk:
            row.rev += 1

    def _make_room(self, table: Table, now: dict[int, Any]) -> None:
        """What is unique must not clash on the way from how it is to how it was."""
        if table is LISTS:
            for pk, row in now.items():
                List.objects.filter(pk=pk).update(name_key=str(row.uid), system_key=None)
        elif table is STATUS_MAP:
            StatusMap.objects.filter(account=self.account).update(send_back=False)
            for row in now.values():
                row.send_back = False

    def _insert(self, table: Table, new: list[tuple[Pair, Any]]) -> None:
        _manager(table).bulk_create([row for _pair, row in new], batch_size=BATCH)
        for pair, row in new:
            self.known(table).add(pair.cells, row.pk)

    def _locked(self, table: Table, paired: list[Pair]) -> dict[int, Any]:
        query = _manager(table).filter(pk__in=[pair.pk for pair in paired if pair.pk is not None])
        if connection.features.has_select_for_update:
            query = query.select_for_update().order_by("pk")
        return {row.pk: row for row in query}

    def write_timeline(self, rows: Iterable[Sequence[str]]) -> None:
        """Appends people's changes to an account that was empty."""
        made = []
        for cells in rows:
            row = Change(account=self.account)
            for column, value in self._columns(TIMELINE, cells):
                setattr(row, column.attribute, _fitting(row, column, value))
            made.append(row)
        keep(made)

    # Reading cells

    def values(self, table: Table, cells: Sequence[str]) -> dict[str, Any]:
        """Heading → value, references as ids of this account; None where what they name is not here."""
        return {column.name: value for column, value in self._columns(table, cells)}

    def _columns(self, table: Table, cells: Sequence[str]) -> list[tuple[Column, Any]]:
        plain = [
            self._id(column.to, cell) if column.shape == "ref" else read_cell(column, cell)
            for column, cell in zip(table.columns, cells, strict=True)
        ]
        if "kind" in table.headings and table.name in ("links", "not_duplicates", "timeline"):
            plain = names_to_ids(table, plain, lambda to, name: self._id(to, inert(str(name))))
        return list(zip(table.columns, plain, strict=True))

    def _id(self, to: str, cell: str) -> int | None:
        return self.known(BY_NAME[to]).named(cell) if cell else None

    def connection(self) -> Connection:
        """The account's connection row, made without a token where there is none."""
        if self._connection is None:
            self._connection, _ = Connection.objects.get_or_create(account=self.account)
        return self._connection

    # Removing

    def remove(self, table: Table, pks: list[int], *, at: Any = None) -> int:
        """Rows made since the backup: deleted; records and notes only put out of sight, to be brought back.

        `at`: when, for those. How many went.
        """
        rows = _manager(table).filter(pk__in=pks)
        if at is None:
            return int(rows.delete()[0])
        rows = rows.filter(deleted_at=None)
        if table.name not in RECORDS:
            return int(rows.update(deleted_at=at))
        kind = RECORDS[table.name]
        alive = list(rows.values_list("pk", flat=True))
        rows.filter(pk__in=alive).update(deleted_at=at, deleted_by=self.actor, rev=models.F("rev") + 1)
        if self.note_changes:
            keep(self._note(kind, pk, _ACTION.DELETE, {}, {}) for pk in alive)
        return len(alive)


def _state(row: Any) -> dict[str, Any]:
    """Every field as history keeps it, with the merge clock and whether it is deleted."""
    return crm_rows.values_of(row) | {
        "edited_at": row.edited_at.isoformat(),
        "deleted": row.deleted_at is not None,
    }


def _action(before: dict[str, Any] | None, after: dict[str, Any]) -> str:
    if before is None:
        return _ACTION.CREATE
    if before["deleted"] and not after["deleted"]:
        return _ACTION.RESTORE
    return _ACTION.DELETE if after["deleted"] and not before["deleted"] else _ACTION.UPDATE


def lacks_reference(row: Any) -> bool:
    """Whether something the row cannot be without is not here."""
    if isinstance(row, NotDuplicate):
        return row.a is None or row.b is None
    if isinstance(row, Note):
        return row.company_id is None and row.contact_id is None and row.opportunity_id is None
    needed = (field.attname for field in row._meta.concrete_fields if field.is_relation and not field.null)
    return any(getattr(row, name) is None for name in needed)


def _manager(table: Table) -> Any:
    return table.model._default_manager


def _written(table: Table) -> list[str]:
    """The model's fields a restore sets."""
    names = [table.model._meta.get_field(column.attribute).name for column in table.columns]
    more = {"lists": ["name_key"], "links": ["rev"]}
    return names + more.get(table.name, [])


def _fitting(row: models.Model, column: Column, value: Any) -> Any:
    """NULL as the model keeps it: a JSON list or object that is not NULL there is empty, not missing."""
    if value is None and column.shape in ("json", "candidates", "changes", "effects"):
        field: Any = row._meta.get_field(column.attribute)
        return None if field.null else field.get_default()
    return value
