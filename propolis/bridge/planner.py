"""Walks the kept pages stage by stage and stores what planning says; resumable page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from propolis.bridge import incoming as make
from propolis.bridge import mapping, pages
from propolis.bridge.mapping import Incoming
from propolis.bridge.models import Connection, Link
from propolis.bridge.plan_companies import CompanyKind, any_unlinked_companies, count_names
from propolis.bridge.plan_contacts import ContactKind, PersonKind
from propolis.bridge.plan_leads import LeadKind, Tally
from propolis.bridge.planned import WORDS, Planned
from propolis.bridge.planning import Kind, plan_batch, plan_unreadable
from propolis.bridge.scene import Scene, load_scene
from propolis.bridge.statuses import remember_counts
from propolis.crm import keys
from propolis.history import door
from propolis.history.models import Change
from propolis.merge.claims import Claims
from propolis.merge.evidence import Evidence, Reason, Rule, Strength, Sure
from propolis.merge.plan import Counts, Word
from propolis.runs.engine import Lease
from propolis.runs.models import Run
from propolis.syncro.parsing import BadRecord, parse_page
from propolis.syncro.resources import Resource

# A page that was the last thing three workers did is taken record by record.
CAREFUL_AFTER = 3
# A record that so many workers had begun, one after the other, is set aside. Three would do for one that kills whoever
# touches it. But where something else kills workers again and again, about one in five dies within a record, and three
# of those in a row must not cost the import that record.
BLAMED_AFTER = 8
NOUNS = {
    "companies": "companies",
    "contacts": "contacts",
    "persons": "contacts",
    "opportunities": "opportunities",
}


@dataclass
class Stage:
    """One kind of record over one sweep's pages. `items`: a parsed page's records of this kind."""

    name: str
    sweep: str
    key: str
    kind: Kind
    items: Callable[[pages.Kept], list[Incoming | BadRecord]]
    index: pages.Index
    total: int = 0
    losers: set[pages.Place] = field(default_factory=set)


class Planner:
    """Plans on from a cursor: `stage`, `at` (last page done: phase, seq), `seq` (Changes numbered so far); in
    careful mode `one` (records done of the next page) and `begun` (how many lost workers had begun the next)."""

    def __init__(self, run: Run, connection: Connection) -> None:
        self.run = run
        self.cursor: dict[str, Any] = dict(run.cursor)
        self.counts: dict[str, Any] = dict(run.counts)
        self.scene: Scene = load_scene(run, connection)
        self._stage: Stage | None = None
        self._pages: Iterator[pages.Kept] | None = None

    @property
    def stages(self) -> list[str]:
        objects = self.run.options["objects"]
        wanted = ["companies"] if "companies" in objects else []
        wanted += ["contacts", "persons"] if "contacts" in objects else []
        return wanted + (["opportunities"] if "opportunities" in objects else [])

    @property
    def finished(self) -> bool:
        return self.cursor.get("stage") == "end"

    def step(self, lease: Lease) -> None:
        """Plans one page, or ends a stage."""
        name = self.cursor.setdefault("stage", self.stages[0])
        if self._stage is None:
            self._stage = self._open(name)
            after = self.cursor.get("at")
            phases = pages.phases_of(self.run, self._stage.sweep)
            self._pages = pages.load(self.run, phases, tuple(after) if after else None)
        page = next(self._pages, None) if self._pages else None
        if page is None:
            self._close(lease, self._stage)
        elif self.cursor.get("one") is not None or lease.attempts_here >= CAREFUL_AFTER:
            self._carefully(lease, self._stage, page)
        else:
            self._whole(lease, self._stage, page)

    # ---- one page

    def _whole(self, lease: Lease, stage: Stage, page: pages.Kept) -> None:
        planned = self._plan(stage, stage.items(page))
        self.cursor["at"] = [page.phase, page.seq]
        self._keep(lease, stage, planned)

    def _carefully(self, lease: Lease, stage: Stage, page: pages.Kept) -> None:
        """Record by record; the one at which workers keep dying is listed as failed, and on we go.

        Blamed is only the record that `BLAMED_AFTER` workers had begun, each having said so before: a worker that
        is killed while it starts has nothing to do with what it would have come to.
        """
        items = stage.items(page)
        if self.cursor.get("one") is None:
            self.cursor["one"] = 0
            self._keep(lease, stage, Planned())
        for at in range(int(self.cursor["one"]), len(items)):
            if int(self.cursor.get("begun", 0)) >= BLAMED_AFTER:
                planned = plan_unreadable(self.scene, stage.kind.link_kind, [items[at]], "killed_the_worker")
            else:
                self._begin_one(lease, stage)
                planned = self._plan(stage, [items[at]])
            self.cursor |= {"one": at + 1, "begun": 0}
            self._keep(lease, stage, planned)
        self.cursor |= {"at": [page.phase, page.seq], "one": None}
        self._keep(lease, stage, Planned())

    def _begin_one(self, lease: Lease, stage: Stage) -> None:
        """Says that the next record is begun, once a worker was lost since the last progress."""
        if lease.attempts_here:
            self.cursor["begun"] = int(self.cursor.get("begun", 0)) + 1
            self._keep(lease, stage, Planned())

    def _plan(self, stage: Stage, items: Sequence[Incoming | BadRecord]) -> Planned:
        bad = [item for item in items if isinstance(item, BadRecord)]
        planned = plan_unreadable(self.scene, stage.kind.link_kind, bad, "unreadable")
        good = plan_batch(self.scene, stage.kind, [item for item in items if isinstance(item, Incoming)])
        planned.changes += good.changes
        planned.counts += good.counts
        planned.read += good.read
        return planned

    def _keep(self, lease: Lease, stage: Stage, planned: Planned) -> None:
        first = int(self.cursor.get("seq", 0))
        for number, change in enumerate(planned.changes, first + 1):
            change.seq = number
        self.cursor["seq"] = first + len(planned.changes)
        noun = NOUNS[stage.name]
        kept = self.counts.setdefault(noun, {"counts": Counts().to_dict(), "read": 0, "persons": 0})
        kept["counts"] = (Counts.from_dict(kept["counts"]) + planned.counts).to_dict()
        kept["persons" if stage.name == "persons" else "read"] += planned.read
        if isinstance(stage.kind, LeadKind):
            kept["leads"] = stage.kind.tally.as_dict()
        done = kept["persons"] if stage.name == "persons" else kept["read"]
        progress = {"phase": "planning", "noun": noun, "done": done, "total": max(done, stage.total)}
        with lease.batch(repeatable=True) as batch:
            door.plan(planned.changes)
            batch.save(cursor=self.cursor, counts=self.counts, progress=progress, phase="planning")

    # ---- stages

    def _open(self, name: str) -> Stage:
        # Persons stand on the customers' own pages.
        of = "companies" if name == "persons" else name
        sweep, key = pages.source(of, nested=bool(self.cursor.get("nested")))
        found = pages.index(self.run, pages.phases_of(self.run, sweep), key)
        total = 0 if name == "persons" else found.unique + found.nameless
        kind, items = getattr(self, f"_open_{name}")(found)
        return Stage(name, sweep, key, kind, items, found, total)

    def _open_companies(self, index: pages.Index) -> tuple[Kind, Any]:
        names = count_names(self._names()) if any_unlinked_companies() else {}
        return CompanyKind(self.scene, names), lambda page: make.companies(self.scene, page, index)

    def _open_contacts(self, index: pages.Index) -> tuple[Kind, Any]:
        if self.cursor.get("nested"):
            return ContactKind(self.scene), lambda page: make.nested_contacts(self.scene, page, index)
        return ContactKind(self.scene), lambda page: make.contacts(self.scene, page, index)

    def _open_persons(self, index: pages.Index) -> tuple[Kind, Any]:
        nested = bool(self.cursor.get("nested"))
        covered = None if nested else make.covered_persons(self.run, index)
        missing = pages.unseen(self.run, self.scene.connection, "contacts", nested=nested)
        return PersonKind(self.scene, missing), lambda page: make.persons(self.scene, page, index, covered)

    def _open_opportunities(self, index: pages.Index) -> tuple[Kind, Any]:
        tally = Tally.of(self.counts.get("opportunities", {}).get("leads"))
        return LeadKind(self.scene, tally), lambda page: make.leads(self.scene, page, index)

    def _names(self) -> Iterator[str]:
        """The normalised name of every Syncro customer, those that came twice once."""
        phases = pages.phases_of(self.run, "customers")
        index = pages.index(self.run, phases, "customers")
        for page in pages.load(self.run, phases):
            for at, item in enumerate(parse_page(Resource.CUSTOMERS, page.raw)):
                if not isinstance(item, BadRecord) and not index.is_copy(page, at, item):
                    values = mapping.company_values(mapping.customer_raw(item), item.id, frozenset())
                    name, residential = str(values.get("name") or ""), values.get("residential")
                    yield keys.person_key(name) if residential else keys.name_key(name)

    def _close(self, lease: Lease, stage: Stage) -> None:
        order = [*self.stages, "end"]
        # Where the Changes of each stage end: a list of one kind needs not look through all the others.
        ends = {**self.cursor.get("ends", {}), stage.name: int(self.cursor.get("seq", 0))}
        self.cursor |= {"stage": order[order.index(stage.name) + 1], "at": None, "ends": ends}
        if isinstance(stage.kind, LeadKind):
            seen = stage.kind.tally.seen
            self.scene.statuses.remember_new({status for status, _ in seen})
            remember_counts(self.scene.connection, seen)
        with lease.batch(repeatable=True) as batch:
            if stage.name != "opportunities":
                self._settle_claims(stage)
            batch.save(cursor=self.cursor, counts=self.counts)
        self._stage, self._pages = None, None

    def _settle_claims(self, stage: Stage) -> None:
        """Two of theirs that match one of ours: both are a person's to decide."""
        merges = Change.objects.filter(
            run=self.run, remote_kind=stage.kind.link_kind, action=Change.Action.MERGE
        )
        claims = Claims()
        for remote_id, local_id in merges.values_list("remote_id", "local_id").iterator():
            if remote_id is None or local_id is None:
                continue
            evidence = Evidence(local_id, Rule.STORED, "", Strength.STRONG, 0)
            claims.add(remote_id, Sure(local_id, Rule.STORED, evidence))
        contested = claims.contested()
        rivals = {remote: theirs for theirs in contested.values() for remote in theirs}
        held = list(merges.filter(remote_id__in=list(rivals)))
        for change in held:
            change.action, change.fields, change.reason = Change.Action.REVIEW, {}, Reason.CLAIMED.value
            change.args |= {
                "candidates": [change.args.pop("evidence")],
                "rivals": list(rivals[change.remote_id or 0]),
                "acceptable": None,
            }
            change.local_id = None
        door.settle(held)
        counts = self.counts.get(NOUNS[stage.name])
        if counts and held:
            counts["counts"]["merged"] -= len(held)
            counts["counts"]["review"] += len(held)


def linked_before(connection: Connection, noun: str, at: datetime | None = None) -> int:
    """How many records of ours are linked now; of those linked before `at`, if given: a send since then made
    records that the pages cannot hold."""
    kinds = {
        "companies": [Link.Kind.CUSTOMER],
        "contacts": [Link.Kind.CONTACT, Link.Kind.PERSON],
        "opportunities": [Link.Kind.LEAD],
    }[noun]
    links = Link.objects.filter(connection=connection, kind__in=kinds, state=Link.State.LINKED)
    return (links.filter(created_at__lt=at) if at is not None else links).count()


def word_of(change: Change) -> Word:
    return WORDS[Change.Action(change.action)]
