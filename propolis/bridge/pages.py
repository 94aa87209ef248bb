"""Pages as they were read: kept compressed on the run; and which copy of a record counts where it came twice.

Paging over data that moves shows some records twice, perhaps in two versions. Of each record the copy with
the latest `updated_at` counts, of equal ones the one read last; the others are *losers*, skipped in planning.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any

from django.db import connection as database

from propolis.bridge.models import Connection, Link
from propolis.runs.models import Run, RunPage
from propolis.syncro.parsing import BadRecord, parse_page
from propolis.syncro.records import UNSET, Contact, Customer, Lead
from propolis.syncro.resources import Resource

Place = tuple[str, int, int]  # phase, page seq, index in the page
SWEEPS = {"companies": "customers", "contacts": "contacts", "opportunities": "leads"}
KINDS = {"companies": Link.Kind.CUSTOMER, "contacts": Link.Kind.CONTACT, "opportunities": Link.Kind.LEAD}
CLOSING = {"customers": ("customers-closing",), "leads": ("leads-closed",)}
EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """One page as kept. `read_at`: when its request left."""

    phase: str
    seq: int
    read_at: datetime
    raw: bytes
    meta: dict[str, Any]


def keep(run: Run, page: Kept, ids: dict[str, list[int]]) -> None:
    """Stores a page; the same one again (after a crash) replaces it."""
    RunPage.objects.bulk_create(
        [
            RunPage(
                run=run,
                phase=page.phase,
                seq=page.seq,
                read_at=page.read_at,
                ids=ids,
                meta=page.meta,
                body=zlib.compress(page.raw, 1),
            )
        ],
        update_conflicts=True,
        unique_fields=["run", "phase", "seq"],
        update_fields=["read_at", "ids", "meta", "body"],
    )


def load(run: Run, phases: Sequence[str], after: tuple[str, int] | None = None) -> Iterator[Kept]:
    """The pages of these phases in order, those up to `after` left out; one body in memory at a time."""
    started = after is None
    for phase in phases:
        seqs = list(
            RunPage.objects.filter(run=run, phase=phase).order_by("seq").values_list("seq", flat=True)
        )
        for seq in seqs:
            if not started:
                started = (phase, seq) == after
                continue
            page = RunPage.objects.get(run=run, phase=phase, seq=seq)
            raw = zlib.decompress(bytes(page.body or b""))
            yield Kept(phase, seq, page.read_at, raw, page.meta)


def load_having(run: Run, phases: Sequence[str], key: str, wanted: set[int]) -> Iterator[Kept]:
    """The pages on which any of these ids stands."""
    for phase in phases:
        kept = RunPage.objects.filter(run=run, phase=phase).order_by("seq")
        seqs = [seq for seq, ids in kept.values_list("seq", "ids") if not wanted.isdisjoint(ids.get(key, ()))]
        for seq in seqs:
            page = kept.get(seq=seq)
            yield Kept(phase, seq, page.read_at, zlib.decompress(bytes(page.body or b"")), page.meta)


def phases_of(run: Run, sweep: str) -> list[str]:
    """All rounds and the closing pass of one sweep, in the order they were read."""
    ours = RunPage.objects.filter(run=run, phase__startswith=sweep)
    names = set(ours.order_by().values_list("phase", flat=True).distinct())
    wanted = {sweep, *CLOSING.get(sweep, ())}
    return sorted(
        (n for n in names if n.rpartition(".")[0] in wanted), key=lambda n: (n.rpartition(".")[2], len(n))
    )


@dataclass(slots=True)
class Index:
    """What a sweep's pages hold: how many different records, and which copies do not count."""

    unique: int = 0
    nameless: int = 0  # records without a readable id: each counts as one, none can be linked
    # Nobody can tell them from their copies, so of several readings of the same list one counts.
    nameless_in: frozenset[str] = frozenset()
    ids: array[int] = field(default_factory=lambda: array("q"))
    losers: set[Place] = field(default_factory=set)

    def is_copy(self, page: Kept, at: int, item: Customer | Contact | Lead | BadRecord) -> bool:
        """Whether another one counts instead of the item at this place of the page."""
        if isinstance(item, BadRecord) and item.id is None:
            return page.phase not in self.nameless_in
        return (page.phase, page.seq, at) in self.losers


def index(run: Run, phases: Sequence[str], key: str) -> Index:
    """Goes through the ids alone; opens only pages on which a repeated record stands.

    `key`: "customers", "contacts", "leads", or "nested" for the contacts inside customers.
    """
    found = Index()
    every, nameless = array("q"), Counter[str]()
    kept = RunPage.objects.filter(run=run, phase__in=phases).values_list("phase", "ids", "meta")
    for phase, ids, meta in kept.iterator():
        every.extend(ids.get(key, ()))
        if key != "nested":
            nameless[phase] += max(0, meta.get("count", 0) - len(ids.get(key, ())))
    found.nameless, found.nameless_in = _counted_once(nameless)
    every = array("q", sorted(every))
    found.ids = array("q", (each for each, _ in groupby(every)))
    found.unique = len(found.ids)
    if len(every) > found.unique:
        _mark_losers(run, phases, key, _repeated(every), found.losers)
    return found


def _counted_once(nameless: Mapping[str, int]) -> tuple[int, frozenset[str]]:
    """How many, and where: of the rounds of a list, and the closing pass that reads it again, whichever had most."""
    best: dict[str, tuple[int, str]] = {}
    for phase, count in sorted(nameless.items()):
        read = phase.rpartition(".")[0].removesuffix("-closing")
        best[read] = max(best.get(read, (0, "")), (count, phase))
    return sum(count for count, _phase in best.values()), frozenset(phase for _count, phase in best.values())


def _repeated(ordered: array[int]) -> set[int]:
    return {a for a, b in pairwise(ordered) if a == b}


def _mark_losers(run: Run, phases: Sequence[str], key: str, repeated: set[int], losers: set[Place]) -> None:
    best: dict[int, tuple[datetime, datetime, Place]] = {}
    resource = Resource.CUSTOMERS if key == "nested" else Resource(key)
    for page in load_having(run, phases, key, repeated):
        items = parse_page(resource, page.raw)
        for at, item in enumerate(_nested(items) if key == "nested" else items):
            if item.id not in repeated:
                continue
            changed = None if isinstance(item, BadRecord) else changed_at(item)
            copy = (changed or EARLIEST, page.read_at, (page.phase, page.seq, at))
            other = best.setdefault(item.id, copy)
            if other is copy:
                continue
            newer, older = (copy, other) if copy[:2] >= other[:2] else (other, copy)
            best[item.id] = newer
            losers.add(older[2])


def _nested(customers: Sequence[Any]) -> list[Any]:
    return [c for customer in customers for c in nested_contacts(customer)]


def nested_contacts(customer: Customer | Contact | Lead | BadRecord) -> list[Contact]:
    """The contacts that came inside a customer; an absent or null key is an empty list *here* only."""
    if not isinstance(customer, Customer) or not isinstance(customer.contacts, list):
        return []
    return customer.contacts


def changed_at(record: Customer | Contact | Lead) -> datetime | None:
    """Syncro's `updated_at`, or when it was made."""
    for value in (record.updated_at, record.created_at):
        if value is not UNSET and value is not None:
            return value
    return None


def source(noun: str, *, nested: bool) -> tuple[str, str]:
    """The sweep that reads these records, and their key in `index`. `nested`: contacts come inside customers."""
    if noun == "contacts" and nested:
        return "customers", "nested"
    return SWEEPS[noun], SWEEPS[noun]


def unseen(run: Run, connection: Connection, noun: str, *, nested: bool) -> list[int]:
    """Remote ids of linked records that this reading did not show, in order."""
    sweep, key = source(noun, nested=nested)
    seen = index(run, phases_of(run, sweep), key).ids
    linked = Link.objects.filter(connection=connection, kind=KINDS[noun], state=Link.State.LINKED)
    ids = linked.order_by("remote_id").values_list("remote_id", flat=True).iterator()
    return [each for each in ids if not _within(seen, each)]


def _within(ordered: array[int], value: int) -> bool:
    at = bisect_left(ordered, value)
    return at < len(ordered) and ordered[at] == value


def drop_bodies(run: Run) -> None:
    """The pages have served: only ids and numbers stay."""
    RunPage.objects.filter(run=run, body__isnull=False).update(body=None)


def now() -> datetime:
    """The database's clock, the one leases and agreements are told by."""
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            cursor.execute("SELECT clock_timestamp()")
            found = cursor.fetchone()[0]
            return found.astimezone(UTC)  # type: ignore[no-any-return]
        cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
        return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)


def stated(run: Run, sweep: str) -> int | None:
    """How many records Syncro said it has, when asked last."""
    phases = phases_of(run, sweep) or ([f"{sweep}-after.1"] if sweep == "contacts" else [])
    plain = [phase for phase in phases if "closed" not in phase]
    last = RunPage.objects.filter(run=run, phase__in=plain).order_by("-read_at", "-seq").first()
    total = last.meta.get("total") if last else None
    return int(total) if total is not None else None
