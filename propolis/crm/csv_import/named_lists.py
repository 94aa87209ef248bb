"""Lists that a column of the file names, as our own export does: "News; VIP".

They are looked up when the columns are chosen, so that the preview can say how many rows each has. Those not here
are made by the import if the person ticked it, and then go with its undo unless they are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from propolis.accounts.models import Account
from propolis.crm import lists
from propolis.crm.csv_columns import unlisted
from propolis.crm.csv_import import keeping
from propolis.crm.csv_import.sentences import CsvRefused
from propolis.crm.keys import clean, list_key
from propolis.crm.models import List
from propolis.runs.models import Run

MOST = 100  # a column with more of them holds something else


def names_in(cell: str) -> dict[str, str]:
    """Key → name of each list the cell names."""
    names = (" ".join(clean(part).split())[:200] for part in unlisted(cell))
    return {key: name for name in names if (key := list_key(name))}


def looked_up(run: Run, heading: str, at: int) -> list[dict[str, Any]]:
    """Every list the column names: `key`, `name`, `pk` (None: not here), `rows`; CsvRefused for too many."""
    found: dict[str, list[Any]] = {}
    for cell in _cells(run, at):
        for key, name in names_in(cell).items():
            found.setdefault(key, [name, 0])[1] += 1
            if len(found) > MOST:
                raise CsvRefused("csv.too_many_lists", heading=heading[:60], limit=MOST)
    here = {key: (pk, name) for key, pk, name in List.objects.values_list("name_key", "pk", "name")}
    return [
        {
            "key": key,
            "name": here.get(key, (None, name))[1],
            "pk": here.get(key, (None, name))[0],
            "rows": rows,
        }
        for key, (name, rows) in sorted(found.items())
    ]


def _cells(run: Run, at: int) -> Iterator[str]:
    for page in count():
        rows = keeping.rows_of(run, page)
        if not rows:
            return
        yield from (row.cells[at] for row in rows if at < len(row.cells))


def planned(run: Run, keys: Iterable[str]) -> dict[str, Any]:
    """For a Change: the ids of the lists its row goes on, names of those to be made, names of those left out."""
    known = {each["key"]: each for each in run.options.get("named_lists", ())}
    named = [known[key] for key in keys if key in known]
    missing = [each["name"] for each in named if each["pk"] is None]
    makes = bool(run.options.get("make_lists"))
    args = {
        "put_on": [each["pk"] for each in named if each["pk"] is not None],
        "new_lists": missing if makes else [],
        "no_lists": [] if makes else missing,
    }
    return {name: value for name, value in args.items() if value}


def make(account: Account, name: str) -> tuple[int, bool]:
    """The id of the list of this name, and whether it was made for it."""
    try:
        return lists.create_list(account, name).pk, True
    except lists.NameTaken:
        return List.objects.get(name_key=list_key(name)).pk, False


def words(run: Run) -> str:
    """ "Lists in the file: News (12 rows), VIP (3 rows, new)."; "" where it names none."""
    named = run.options.get("named_lists", ())
    other = "new" if run.options.get("make_lists") else "not here, left out"
    told = []
    for each in named:
        rows = f"{each['rows']:,} {'row' if each['rows'] == 1 else 'rows'}"
        told.append(f"{each['name']} ({rows}{'' if each['pk'] else f', {other}'})")
    return f"Lists in the file: {', '.join(told)}." if told else ""
