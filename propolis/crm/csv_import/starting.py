"""From an uploaded file to a run: the file taken in, the person's choices taken down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from propolis.accounts.addressing import typed_id
from propolis.accounts.models import Account, Membership
from propolis.crm import lists
from propolis.crm.csv_import import columns, keeping, named_lists
from propolis.crm.csv_import.job import KIND, kind_of
from propolis.crm.csv_import.reading import read_sheet
from propolis.crm.csv_import.sentences import CsvRefused
from propolis.crm.csv_import.values import AGES, day_comes_first
from propolis.crm.fields import Kind
from propolis.crm.keys import clean, list_key
from propolis.crm.models import List
from propolis.runs import engine
from propolis.runs.models import Run


def take_in(account: Account, raw: bytes, *, name: str, kind: Kind, by: Membership) -> Run:
    """The file kept on a run that waits for its columns; CsvRefused for what cannot be read, nothing kept."""
    if len(raw) > settings.PROPOLIS_CSV_MOST_MB * 1024 * 1024:
        raise CsvRefused("csv.too_large", limit=settings.PROPOLIS_CSV_MOST_MB)
    sheet = read_sheet(raw)
    with transaction.atomic():
        options = {
            "of": kind.value,
            "file": name[:200],
            "headings": sheet.headings,
            "encoding": sheet.encoding,
        }
        run = engine.lay_out(account, KIND, options=options, by=by)
        run.options |= {"rows": keeping.keep_rows(run, sheet.rows)}
        samples = [row.cells for row in keeping.some_rows(run)]
        run.options |= {"guess": columns.guess(kind, sheet.headings, samples)}
        run.save(update_fields=["options"])
    return run


def choose(
    run: Run, chosen: Sequence[str], *, age: str, list_id: str, new_list: str, make_lists: bool = False
) -> bool:
    """Begins the import as the person chose: `chosen`, what each column stands for; `make_lists`: those the file
    names and we have not. False while something else is at work; CsvRefused where the choices cannot be imported."""
    kind = kind_of(run)
    found = columns.checked(kind, chosen)
    if age not in AGES and columns.CHANGED not in found:
        raise CsvRefused("csv.no_age")
    at = run.created_at - AGES.get(age, AGES["old"])[1]
    options: dict[str, Any] = {**run.options, "columns": found, "at": at.isoformat(), "age": age}
    options["day_first"] = _day_first(run, found)
    if columns.LISTS in found:
        at_column = found[columns.LISTS]
        heading = options["headings"][at_column]
        options |= {"named_lists": named_lists.looked_up(run, heading, at_column), "make_lists": make_lists}
    with transaction.atomic():
        options["list"] = _list_of(run.account, list_id, new_list) if kind is Kind.CONTACT else None
        begun = engine.begin(run, options)
        transaction.set_rollback(not begun)  # or a new list would stay
        return begun


def _day_first(run: Run, found: dict[str, int]) -> bool:
    if columns.CHANGED not in found:
        return False
    at = found[columns.CHANGED]
    cells = [row.cells[at] for page in range(4) for row in keeping.rows_of(run, page) if at < len(row.cells)]
    return day_comes_first(cells, run.account.phone_region)


def _list_of(account: Account, list_id: str, new_list: str) -> int | None:
    if clean(new_list).strip():
        try:
            return lists.create_list(account, new_list).pk
        except lists.NameTaken as taken:
            return List.objects.get(name_key=list_key(str(taken))).pk
    if not list_id:
        return None
    pk = typed_id(list_id)
    row = List.objects.filter(pk=pk).first() if pk is not None else None
    if row is None:
        raise CsvRefused("csv.no_such_list")
    return row.pk


def made_at(run: Run) -> datetime:
    """When the file was made, as the person said."""
    return datetime.fromisoformat(run.options["at"]).astimezone(timezone.get_current_timezone())
