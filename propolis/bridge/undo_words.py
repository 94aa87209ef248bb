"""An undo in words: what goes back and what cannot, before and after, and the sentence of its receipt."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from propolis.accounts.csv_cells import inert
from propolis.accounts.models import Account
from propolis.bridge.import_rows import ChangeRow, rows_of
from propolis.bridge.import_words import ONE, joined
from propolis.bridge.models import Connection
from propolis.bridge.undo_counting import Tally
from propolis.crm.fields import label_of
from propolis.history.models import Change
from propolis.runs.models import Run

KEPT_SHOWN: Final = 10
_NOUN: Final = {one: many for many, one in ONE.items()}
_VALUES: Final = {
    "phone": ("phone number", "phone numbers"),
    "extension": ("extension", "extensions"),
    "website": ("website", "websites"),
    "country": ("country", "countries"),
    "notes": ("notes of one record", "notes"),
    "salesperson": ("salesperson", "salespeople"),
    "amount": ("amount", "amounts"),
    "likelihood": ("likelihood", "likelihoods"),
    "mobile": ("mobile number", "mobile numbers"),
    "email": ("e-mail address", "e-mail addresses"),
    "name": ("name", "names"),
    "first": ("first name", "first names"),
    "last": ("last name", "last names"),
    "title": ("title", "titles"),
    "company": ("company of a person or opportunity", "companies of people and opportunities"),
    "address_1": ("address", "addresses"),
    "address_2": ("second address line", "second address lines"),
    "city": ("city", "cities"),
    "state": ("state", "states"),
    "zip": ("ZIP code", "ZIP codes"),
    "status": ("status", "statuses"),
    "facts": ("set of facts from Syncro", "sets of facts from Syncro"),
    "residential": ("Business / Residential mark", "Business / Residential marks"),
    "disabled_in_syncro": ("“Disabled in Syncro” mark", "“Disabled in Syncro” marks"),
    "closed_at": ("closing date", "closing dates"),
}
_HELD: Final = {
    "review": ("question", "questions", "withdrawn, asked again by the next import"),
    "leave_out": ("record left out", "records left out", "forgotten, looked at again by the next import"),
    "fail": ("failed record", "failed records", "forgotten, tried again by the next import"),
}
_WHY: Final = {
    "Changed since": "Changed here since",
    "Deleted since": "Deleted here since",
}


@dataclass(frozen=True)
class Point:
    """One thing that goes back, as a count and words; `rows`: a few of them."""

    count: int
    text: str
    rows: list[ChangeRow]


@dataclass(frozen=True)
class Kept:
    """Records that stay, or of which something stays, for one reason; the first few of them."""

    why: str
    count: int
    rows: list[ChangeRow]

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


@dataclass(frozen=True)
class Told:
    """An undo before or after. `sentence`: the whole of it on one line; `going`, `staying`: how many records."""

    points: list[Point]
    kept: list[Kept]
    going: int
    staying: int
    sentence: str


def told(account: Account, connection: Connection | None, undo: Run, *, after: bool) -> Told:
    """What the undo will do or, `after` it, has done; a handful of queries whatever its size."""
    tally = Tally.from_dict(undo.counts.get("done" if after else "plan", {}))
    return Told(
        points=_points(account, connection, tally, after=after),
        kept=_kept(account, connection, tally, undo),
        going=tally.going,
        staying=sum(tally.kept.values()),
        sentence=receipt(tally) if after else "",
    )


def receipt(tally: Tally) -> str:
    """ "Undone: 371 phone numbers back, 4,881 new contacts removed, 3 kept because: Has a note." """
    parts = [f"{_values(name, n)} back" for name, n in _by_name(tally).items()]
    parts += [f"{_records('new', kind, n)} removed" for kind, n in _in_order(tally.removed)]
    parts += [f"{_records('merged', kind, n)} separate again" for kind, n in _in_order(tally.separated)]
    parts += [
        f"{n:,} {_HELD[what][n != 1]} {_HELD[what][2].partition(',')[0]}" for what, n in _in_order(tally.held)
    ]
    parts += [f"{n:,} kept because: {why_words(why).lower()}" for why, n in _most_first(tally.kept)]
    return f"Undone: {', '.join(parts)}." if parts else "Undone: there was nothing left to take back."


def why_words(why: str) -> str:
    return _WHY.get(why, why)


def _records(how: str, kind: str, n: int) -> str:
    return f"{n:,} {_what(how, kind, n)}"


def _what(how: str, kind: str, n: int) -> str:
    return f"{how} {kind if n == 1 else _NOUN.get(kind, kind)}"


def _values(name: str, n: int) -> str:
    label = label_of("", name).lower()
    return f"{n:,} {_VALUES.get(name, (label, label))[n != 1]}"


def _by_name(tally: Tally) -> dict[str, int]:
    """Values back by field, of companies, contacts and opportunities together; most first."""
    found: dict[str, int] = {}
    for key, n in tally.fields.items():
        name = key.partition(".")[2]
        found[name] = found.get(name, 0) + n
    return dict(_most_first(found))


def _in_order(counts: dict[str, int]) -> list[tuple[str, int]]:
    """By name: a database need not keep the order in which they were counted."""
    return sorted(counts.items())


def _most_first(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _points(account: Account, connection: Connection | None, tally: Tally, *, after: bool) -> list[Point]:
    samples = _samples(account, connection, tally)
    parted = "two records again" if after else "two records again, your values back"
    points = [
        Point(n, f"{_what('new', kind, n)} {_goes(n, after=after)}", samples.get((kind, "create"), []))
        for kind, n in _in_order(tally.removed)
    ]
    points += [
        Point(n, f"{_what('merged', kind, n)}: {parted}", samples.get((kind, "merge"), []))
        for kind, n in _in_order(tally.separated)
    ]
    points += [
        Point(n, f"{_what('updated', kind, n)}: {_back(n, after=after)}", samples.get((kind, "update"), []))
        for kind, n in _in_order(tally.restored)
    ]
    values = [_values(name, n) for name, n in _by_name(tally).items()]
    if values:
        points.append(Point(sum(tally.fields.values()), f"values back: {joined(values)}", []))
    held = [Point(n, f"{_HELD[what][n != 1]}: {_HELD[what][2]}", []) for what, n in _in_order(tally.held)]
    return points + held


def _goes(n: int, *, after: bool) -> str:
    if after:
        return "removed"
    return "goes. The next import creates it again" if n == 1 else "go. The next import creates them again"


def _back(n: int, *, after: bool) -> str:
    if after:
        return "as before"
    return "gets the values back that it had" if n == 1 else "get the values back that they had"


def _samples(
    account: Account, connection: Connection | None, tally: Tally
) -> dict[tuple[str, str], list[ChangeRow]]:
    """By kind and action, a few of what goes back."""
    chosen = sorted(pk for some in tally.examples.values() for pk in some)
    found: dict[tuple[str, str], list[ChangeRow]] = {}
    for row in rows_of(
        account, connection, list(Change.objects.filter(pk__in=chosen).defer("raw").order_by("id"))
    ):
        found.setdefault((row.change.kind, row.change.action), []).append(row)
    return found


def _kept(account: Account, connection: Connection | None, tally: Tally, undo: Run) -> list[Kept]:
    held = Change.objects.filter(run=undo, state=Change.State.HELD).order_by("id")
    groups = []
    for why, n in _most_first(tally.kept):
        rows = rows_of(account, connection, list(held.filter(reason=why[:60])[:KEPT_SHOWN]))
        groups.append(Kept(why_words(why), n, rows))
    return groups


# ---- CSV

HEADINGS: Final = ("Kind", "Name", "Syncro id", "Why it stays", "Field", "Before the import", "Imported")


def kept_csv(account: Account, connection: Connection | None, undo: Run) -> Iterator[str]:
    """Line by line: everything that stays, with why. No cell is a formula."""
    yield _line(HEADINGS)
    last = 0
    while True:
        held = Change.objects.filter(run=undo, state=Change.State.HELD, id__gt=last)
        batch = list(held.order_by("id")[:500])
        if not batch:
            return
        last = batch[-1].pk
        for row in rows_of(account, connection, batch):
            about = (row.kind, row.name, row.remote.removeprefix("#"), why_words(row.change.reason))
            for each in row.effects:
                yield _line((*about, each.label, each.before, each.after))
            if not row.effects:
                yield _line((*about, "", "", ""))


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([inert(cell) for cell in cells])
    return out.getvalue()
