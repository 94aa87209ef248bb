"""Database values into CSV cells and back; every pair is exact.

Shapes: text · nullable (text or NULL) · int · bool · moment · date · decimal · uid · json · ref (a row of
`Column.to`) · record (a local id whose table the row's kind tells) · candidates (a Link's) · changes (a
Change's fields, with ids in the reference fields) · effects (a Change's args).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from propolis.accounts.csv_cells import inert, original
from propolis.bridge.backup_tables import BY_NAME, RECORDS_OF, Column, Table
from propolis.crm.fields import FIELDS, REFERENCES

Row = Sequence[Any]
# (table name, what the row is called in the file) ⇄ local id
Names = Mapping[tuple[str, int], str]
Ids = Callable[[str, str], int | None]

BY_KIND = frozenset({"record", "candidates", "changes", "effects"})
_TABLE_OF_SHAPE = {
    "company": "companies",
    "contact": "contacts",
    "person": "people",
    "status": "statuses",
}


class BadCell(ValueError):
    """A cell does not hold what its column says."""


def dumps(value: Any) -> str:
    """Canonical JSON: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


_WRITE: dict[str, Callable[[Any], str]] = {
    "text": inert,
    "nullable": inert,
    "int": lambda value: inert(str(value)),
    "bool": lambda value: "yes" if value else "no",
    "moment": _moment,
    "date": date.isoformat,
    "decimal": lambda value: inert(f"{value:.2f}"),
    "uid": str,
    "json": lambda value: inert(dumps(value)),
    "ref": lambda value: inert(str(value)),
}


def _yes_no(cell: str) -> bool:
    if cell not in ("yes", "no"):
        raise BadCell(f"{cell[:40]!r} is neither yes nor no")
    return cell == "yes"


def _aware(cell: str) -> datetime:
    moment = datetime.fromisoformat(cell)
    if moment.tzinfo is None:
        raise BadCell(f"{cell!r} has no time zone")
    return moment


_READ: dict[str, Callable[[str], Any]] = {
    "text": str,
    "nullable": str,
    "int": int,
    "bool": _yes_no,
    "moment": _aware,
    "date": date.fromisoformat,
    "decimal": Decimal,
    "uid": UUID,
    "json": json.loads,
    "ref": str,
    "record": str,
    "candidates": json.loads,
    "changes": json.loads,
    "effects": json.loads,
}


def read_cell(column: Column, cell: str) -> Any:
    """The plain value: references still as names, None for an empty cell of anything but text.

    Raises `BadCell`.
    """
    if cell == "":
        return "" if column.shape == "text" else None
    try:
        return _READ[column.shape](original(cell))
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadCell(f"{column.name}: {str(error)[:200]}") from error


def writers(table: Table) -> list[Callable[[Any], str] | None]:
    """One per column; None where ids must be looked up first (`BY_KIND`)."""
    return [_WRITE.get(column.shape) for column in table.columns]


def write_row(row: Row, by_column: Sequence[Callable[[Any], str] | None]) -> list[Any]:
    """The cells of one row; values of `BY_KIND` columns are left as they are for `name_ids`."""
    return [
        ("" if value is None else write(value)) if write else value
        for value, write in zip(row, by_column, strict=True)
    ]


# --- ids inside a row whose table is told by its kind


def ids_in(table: Table, rows: Iterable[Row]) -> dict[str, set[int]]:
    """Local ids the rows mention in `BY_KIND` columns, by table name."""
    found: dict[str, set[int]] = {}

    def note(name: str, local_id: int) -> int:
        found.setdefault(name, set()).add(local_id)
        return local_id

    for row in rows:
        _translate(table, row, note)
    return found


def name_ids(table: Table, row: Row, names: Names) -> list[str] | None:
    """The row with every local id as the name of its row; None if it is about a row that is gone."""
    said = _translate(table, row, lambda name, local_id: names.get((name, local_id)))
    cells = []
    for column, value in zip(table.columns, said, strict=True):
        if column.shape == "record" and value is None:
            return None
        if column.shape in BY_KIND:
            value = inert(value if isinstance(value, str) else dumps(value))
        cells.append(value)
    return _in_order(table, cells)


def _in_order(table: Table, cells: list[str]) -> list[str]:
    """Pairs sorted by name, since the order of local ids means nothing elsewhere."""
    if table.name != "not_duplicates":
        return cells
    a, b = table.places(("a", "b"))
    cells[a], cells[b] = sorted((cells[a], cells[b]))
    return cells


def _translate(table: Table, row: Row, each: Callable[[str, Any], Any]) -> list[Any]:
    """The row with `each(table name, id or name)` in the place of every id or name in `BY_KIND` columns."""
    said = list(row)
    kind = row[table.places(("kind",))[0]]
    of = RECORDS_OF.get(kind)
    for place, column in enumerate(table.columns):
        value = said[place]
        if column.shape == "record":
            said[place] = each(of.name, value) if of and value is not None else None
        elif column.shape == "candidates":
            said[place] = _candidates(value or [], of.name if of else "", each)
        elif column.shape == "changes":
            said[place] = _changes(kind, value or {}, each)
        elif column.shape == "effects":
            said[place] = _effects(of.name if of else "", value or {}, each)
    return said


def _candidates(items: list[Any], of: str, each: Callable[[str, Any], Any]) -> list[Any]:
    """A link's candidates, each evidence with the record under "local_id"; those gone are left out."""
    said = []
    for item in items:
        if isinstance(item, dict) and of and item.get("local_id") is not None:
            item = {**item, "local_id": each(of, item["local_id"])}
            if item["local_id"] is None:
                continue
        said.append(item)
    return said


def _effects(of: str, args: dict[str, Any], each: Callable[[str, Any], Any]) -> dict[str, Any]:
    """A Change's args (propolis/history/door.py) with ids translated: note, lists, loser, moved."""
    said = dict(args)
    if args.get("note") is not None:
        said["note"] = each("notes", args["note"])
    if "lists" in args:
        said["lists"] = _there(each("lists", value) for value in args["lists"])
    if "loser" in args and of:
        said["loser"] = each(of, args["loser"])
    if isinstance(args.get("moved"), dict):
        said["moved"] = {
            name: _there(each(name, value) for value in values) if name in BY_NAME else values
            for name, values in args["moved"].items()
        }
    return said


def _there(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _changes(kind: str, fields: dict[str, Any], each: Callable[[str, Any], Any]) -> dict[str, Any]:
    """{field: [before, after, why]} with the ids in reference fields translated."""
    said = dict(fields)
    for name, change in fields.items():
        field = FIELDS.get(kind, {}).get(name)
        if field and field.shape in REFERENCES and isinstance(change, list):
            of = _TABLE_OF_SHAPE[field.shape]
            said[name] = [None if v is None else each(of, v) for v in change[:2]] + change[2:]
    return said


def names_to_ids(table: Table, row: Row, ids: Ids) -> list[Any]:
    """The values of a row read from a file, with names in `BY_KIND` columns as local ids here."""
    return _translate(table, row, ids)
