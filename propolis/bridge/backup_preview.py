"""What a restore will do, before it does it: counts, samples, and whose edits it takes away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Q

from propolis.accounts.csv_cells import original
from propolis.accounts.models import Account
from propolis.bridge.backup_matching import Pair
from propolis.bridge.backup_tables import Table
from propolis.bridge.backup_writing import RECORDS
from propolis.crm.fields import label_of
from propolis.crm.kinds import MODELS
from propolis.history.models import Change

_SAMPLES: Final = 25
_UID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KINDS: Final = ("added", "changed", "removed", "same")


class Counts:
    """Run.counts while comparing: {"tables": {name: {added, changed, removed, same}}, "samples": […]}."""

    def __init__(self, counts: dict[str, Any], table: Table) -> None:
        tables, samples = dict(counts["tables"]), list(counts["samples"])
        self.mine: dict[str, int] = {**dict.fromkeys(_KINDS, 0), **tables.get(table.name, {})}
        self.samples: list[dict[str, Any]] = samples
        self.tables: dict[str, dict[str, int]] = {**tables, table.name: self.mine}

    @property
    def all(self) -> dict[str, Any]:
        return {"tables": self.tables, "samples": self.samples}

    @property
    def compared(self) -> int:
        """Rows of the backup looked at."""
        return sum(sum(each.values()) - each["removed"] for each in self.tables.values())

    def add(self, what: str, count: int) -> None:
        self.mine[what] += count

    def see(self, table: Table, found: Sequence[Pair]) -> None:
        for pair in found:
            what = "added" if pair.now is None else "changed" if pair.differs else "same"
            self.mine[what] += 1
            if what == "changed" and table.name in RECORDS and len(self.samples) < _SAMPLES:
                self.samples.append(_sample(table, pair))


def _sample(table: Table, pair: Pair) -> dict[str, Any]:
    """One record that will change: which, and per field how it is now and will be, as cells."""
    fields = [name for name in pair.fields(table) if name != "edited_at"][:6]
    places = table.places(tuple(fields))
    now = pair.now or []
    return {
        "kind": RECORDS[table.name],
        "id": pair.pk,
        "fields": {
            name: [now[place][:200], pair.cells[place][:200]]
            for name, place in zip(fields, places, strict=True)
        },
    }


@dataclass(frozen=True, slots=True)
class LostEdits:
    """Edits people made after a backup: how many, whose (name, how many; most first), the newest ones."""

    total: int
    people: tuple[tuple[str, int], ...]
    newest: tuple[Change, ...]

    @property
    def sentence(self) -> str:
        """ "Loses 37 edits by 4 people." """
        if not self.total:
            return "Nobody has edited anything since."
        edits = "1 edit" if self.total == 1 else f"{self.total:,} edits"
        people = "1 person" if len(self.people) == 1 else f"{len(self.people)} people"
        return f"Loses {edits} by {people}."


def lost_edits(account: Account, since: datetime, *, limit: int = 100) -> LostEdits:
    """What people did to records after `since`, imports and other runs not counted; in scope."""
    edits = Change.objects.filter(
        account=account,
        run=None,
        actor__isnull=False,
        state=Change.State.APPLIED,
        at__gt=since,
    )
    by = edits.values_list("actor__name", "actor__email_key").annotate(n=Count("id")).order_by("-n")
    people = tuple((name or email, n) for name, email, n in by)
    newest = tuple(edits.select_related("actor").order_by("-id")[:limit])
    return LostEdits(sum(n for _name, n in people), people, newest)


def names_of(account: Account, changes: Sequence[Change]) -> dict[tuple[str, int], str]:
    """(kind, id) of the records that were edited → what each is called now; in scope."""
    found: dict[tuple[str, int], str] = {}
    for kind, model in MODELS.items():
        ids = {each.local_id for each in changes if each.kind == kind and each.local_id}
        query: Any = model._default_manager.filter(account=account, pk__in=ids) if ids else ()
        found |= {(kind, row.pk): str(row) for row in query}
    return found


@dataclass(frozen=True, slots=True)
class Sample:
    """A record that will change: `fields` are (label, how it is now, how it will be)."""

    kind: str
    pk: int
    name: str
    fields: tuple[tuple[str, str, str], ...]


def samples_shown(account: Account, samples: Sequence[dict[str, Any]]) -> list[Sample]:
    """The samples of a comparison for reading: records and references by their names; in scope."""
    names = _names(account, samples)
    shown = []
    for sample in samples:
        kind, pk = sample["kind"], sample["id"]
        fields = tuple(
            (label_of(kind, name), _shown(now, names), _shown(then, names))
            for name, (now, then) in sample["fields"].items()
        )
        shown.append(Sample(kind, pk, names.get((kind, str(pk)), "A record that is gone"), fields))
    return shown


def _shown(cell: str, names: dict[tuple[str, str], str]) -> str:
    return names.get(("uid", cell)) or original(cell)


def _names(account: Account, samples: Sequence[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """(kind, id) and ("uid", uid) → what the record is called."""
    found: dict[tuple[str, str], str] = {}
    cells = {cell for sample in samples for pair in sample["fields"].values() for cell in pair}
    uids = [cell for cell in cells if _UID.fullmatch(cell)]
    for kind, model in MODELS.items():
        ids = [sample["id"] for sample in samples if sample["kind"] == kind]
        query: Any = model._default_manager.filter(account=account)
        for row in query.filter(Q(pk__in=ids) | Q(uid__in=uids)):
            found[kind, str(row.pk)] = found["uid", str(row.uid)] = str(row)
    return found
