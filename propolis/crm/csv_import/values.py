"""One row of a file as values of a record: what it says, and when that was last changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final
from uuid import UUID

from propolis.crm import keys
from propolis.crm.csv_import import columns as names
from propolis.crm.csv_import.named_lists import names_in
from propolis.crm.csv_import.reading import SheetRow
from propolis.crm.fields import Kind
from propolis.merge.record import Value

# How old a file is said to be. The last is also the answer of somebody who does not know: whatever is here
# is more current then.
AGES: Final[Mapping[str, tuple[str, timedelta]]] = {
    "today": ("From today", timedelta(0)),
    "week": ("About a week old", timedelta(days=7)),
    "month": ("About a month old", timedelta(days=30)),
    "half": ("About half a year old", timedelta(days=182)),
    "year": ("About a year old", timedelta(days=365)),
    "old": ("Older, or I don't know", timedelta(days=3650)),
}
_OUT = frozenset({"unsubscribed", "optedout", "optout", "donotmail", "nomail"})
_YES = _OUT | {"yes", "y", "true", "1", "x", "on", "ja", "si", "oui"}
_NO = _OUT | {"no", "n", "false", "0", "off", "nein", "non"}
_BOUNCED = frozenset(["bounced", "bounce", "hardbounce", "hardbounced"])
_LETTERS = re.compile(r"[\W_]+")
_DATE = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:[T ,]+(\d{1,2}):(\d\d)(?::(\d\d))?[.\d]*\s*([AP]M)?)?\s*"
                   r"(Z|UTC|[+-]\d\d:?\d\d)?", re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """What a row needs to be understood. `columns`: field → column. `at`: when the file was made.

    `zone`: of instants without one. `day_first`: 26/11 rather than 11/26.
    """

    kind: Kind
    columns: Mapping[str, int]
    region: str
    at: datetime
    zone: tzinfo
    day_first: bool
    people: Mapping[str, int]


@dataclass(frozen=True)
class Incoming:
    """`values`: fields of a record, of a contact also "name"; a blank cell is "". `company`: name and domain.

    `mailing`: "unsub", "bounce" or "". `lists`: keys of those the row names. `record_id`: of our own export.
    `nobody`: a salesperson it names who is none here. `odd`: why it cannot be imported, or "".
    """

    row: SheetRow
    values: dict[str, Value]
    changed_at: datetime
    company: tuple[str, str] = ("", "")
    mailing: str = ""
    lists: tuple[str, ...] = ()
    record_id: str = ""
    nobody: str = ""
    odd: str = ""


def incoming(row: SheetRow, rules: Rules) -> Incoming:
    if row.odd:
        return Incoming(row, {}, rules.at, odd=row.odd)
    cells = {name: row.cells[at] for name, at in rules.columns.items()}
    values: dict[str, Value] = {n: v for n, v in cells.items() if n not in _SPECIAL}
    changed = instant(cells.get(names.CHANGED, ""), rules) or rules.at
    nobody = ""
    if "salesperson" in cells:
        values["salesperson"] = rules.people.get(keys.fold(cells["salesperson"]))
        nobody = cells["salesperson"] if values["salesperson"] is None else ""
    if rules.kind is Kind.COMPANY:
        if cells.get("residential"):
            values["residential"] = _letters(cells["residential"]) in _YES
        odd = "" if values["name"] else "csv.nameless"
        record_id = cells.get(names.RECORD_ID, "")
        return Incoming(row, values, changed, record_id=record_id, nobody=nobody, odd=odd)
    _name_person(values, cells)
    reachable = values.get("name") or values.get("email") or values.get("phone") or values.get("mobile")
    return Incoming(
        row,
        values,
        changed,
        company=_company(cells),
        mailing=_mailing(cells),
        lists=tuple(names_in(cells[names.LISTS])) if cells.get(names.LISTS) else (),
        record_id=cells.get(names.RECORD_ID, ""),
        nobody=nobody,
        odd="" if reachable else "csv.nothing",
    )


_SPECIAL = frozenset(
    {names.RECORD_ID, names.FULL_NAME, names.DOMAIN, names.UNSUBSCRIBED, names.SUBSCRIBED, names.CHANGED}
    | {names.LISTS, "company", "salesperson", "residential"}
)


def _name_person(values: dict[str, Value], cells: Mapping[str, str]) -> None:
    """First and last name, from the whole one where the file has only that; and the whole to compare by."""
    if not {"first", "last", names.FULL_NAME} & cells.keys():
        return
    first, last = cells.get("first", ""), cells.get("last", "")
    if not (first or last):
        first, last = keys.split_name(cells.get(names.FULL_NAME, ""))
    values["first"], values["last"] = first, last
    values["name"] = keys.join_name(first, last)


def _company(cells: Mapping[str, str]) -> tuple[str, str]:
    return " ".join(cells.get("company", "").split()), keys.domain_of(cells.get(names.DOMAIN, ""))


def _mailing(cells: Mapping[str, str]) -> str:
    said = _letters(cells.get(names.UNSUBSCRIBED, ""))
    if said in _BOUNCED:
        return "bounce"
    stopped = said in _YES or _letters(cells.get(names.SUBSCRIBED, "")) in _NO
    return "unsub" if stopped else ""


def _letters(text: str) -> str:
    return _LETTERS.sub("", keys.fold(text))


def instant(text: str, rules: Rules) -> datetime | None:
    """The moment a cell names, never later than now; None if it names none."""
    found = _DATE.fullmatch(text.strip())
    if not found:
        return None
    a, b, c = int(found[1]), int(found[2]), int(found[3])
    year, month, day = (a, b, c) if len(found[1]) == 4 else (c, b, a) if rules.day_first else (c, a, b)
    hour = int(found[4] or 12) % 12 + 12 * (found[7].upper() == "PM") if found[7] else int(found[4] or 0)
    try:
        written = (
            year if year > 99 else 2000 + year,
            month,
            day,
            hour,
            int(found[5] or 0),
            int(found[6] or 0),
        )
        at = datetime(*written, tzinfo=_zone(found[8] or "", rules))
        return min(at.astimezone(UTC), datetime.now(UTC))
    except (ValueError, OverflowError):
        return None


def _zone(said: str, rules: Rules) -> tzinfo:
    if not said:
        return rules.zone
    if said.upper() in ("Z", "UTC"):
        return UTC
    minutes = 60 * int(said[1:3]) + int(said[-2:])
    return timezone(timedelta(minutes=-minutes if said[0] == "-" else minutes))


def day_comes_first(cells: list[str], region: str) -> bool:
    """Whether dates such as 03/04/2026 begin with the day: what one of them proves, else as the region writes."""
    for cell in cells:
        found = _DATE.fullmatch(cell.strip())
        if found and len(found[1]) < 4:
            if int(found[1]) > 12:
                return True
            if int(found[2]) > 12:
                return False
    return region not in ("US", "CA", "PH")


def plain(values: Mapping[str, Value]) -> dict[str, Any]:
    """As a Change keeps them."""
    return {name: value for name, value in values.items() if name != "name" or "first" not in values}


def email_of(row: Incoming) -> str:
    """The key of the address in the row, "" without one."""
    return keys.email_key(str(row.values.get("email") or ""))


def uid_of(record_id: str) -> UUID | None:
    """What our own export calls a record; None for what is no such id."""
    try:
        return UUID(record_id) if record_id else None
    except ValueError:
        return None
