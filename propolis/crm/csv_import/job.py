"""The import of a CSV file as a Run: columns chosen → plan → gate → apply.

The run is laid out with the file on it and waits for the person's choices. Planning writes nothing but Changes;
applying writes exactly those. The cursor's `phase` is companies, rows, gate or apply; `page` is the next page
of the file to plan, `seq` how many Changes are numbered, `applied` the last one done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.accounts.policy import Verb
from propolis.crm import keys
from propolis.crm.csv_import import columns, keeping
from propolis.crm.csv_import.applying import Applier
from propolis.crm.csv_import.at_home import Homes, note_homes, settled
from propolis.crm.csv_import.companies import Companies, Place, found_here, key_of
from propolis.crm.csv_import.planning import ACTIONS, Planned, RowPlanner
from propolis.crm.csv_import.reading import SheetRow
from propolis.crm.csv_import.values import Incoming, Rules, incoming
from propolis.crm.fields import Kind
from propolis.history import door
from propolis.history.models import Change
from propolis.merge.plan import Counts, Word
from propolis.runs.engine import Continue, Finish, Gate, Job, Lease, Step, overtaken, register
from propolis.runs.models import Run

KIND: Final = "csv_import"
STALE_AFTER: Final = timedelta(hours=24)
NOUNS: Final = {Kind.COMPANY: "companies", Kind.CONTACT: "contacts"}
COMPANIES_A_STEP: Final = 500


def verb_to_undo(run: Run, person: Membership | None) -> Verb:
    """What the person must be allowed to undo this import, whatever its kind: one's own file takes no Admin."""
    if run.kind != KIND:
        return Verb.UNDO_RUN
    return Verb.CSV_IMPORT if person is not None and run.by_id == person.pk else Verb.UNDO_OTHERS


def kind_of(run: Run) -> Kind:
    """What the rows of the file are."""
    return Kind(run.options["of"])


def rules_of(run: Run) -> Rules:
    """How the rows are to be understood, as the person chose."""
    options, account = run.options, run.account
    chosen: dict[str, int] = options["columns"]
    heading = options["headings"][chosen[columns.CHANGED]] if columns.CHANGED in chosen else ""
    return Rules(
        kind=kind_of(run),
        columns=chosen,
        region=account.phone_region,
        at=datetime.fromisoformat(options["at"]),
        zone=UTC if "utc" in heading.casefold() else _zone(account),
        day_first=options["day_first"],
        people=_people(account) if "salesperson" in chosen else {},
    )


def _zone(account: Account) -> ZoneInfo:
    try:
        return ZoneInfo(account.time_zone)
    except (KeyError, ValueError):
        return ZoneInfo("UTC")


def _people(account: Account) -> dict[str, int]:
    """Salespeople by name and by e-mail; two of one name are nobody."""
    found: dict[str, int] = {}
    twice: set[str] = set()
    sellers = Membership.objects.filter(account=account, is_salesperson=True)
    for pk, name, email in sellers.values_list("pk", "name", "email_key"):
        for key in {keys.fold(name), keys.fold(email or "")} - {""}:
            twice |= {key} & found.keys()
            found[key] = pk
    return {key: pk for key, pk in found.items() if key not in twice}


_NAMED = 6  # one more than a page lists


class CsvImportJob(Job):
    kind: ClassVar[str] = KIND

    def __init__(self) -> None:
        self._here = threading.local()

    def step(self, run: Run, lease: Lease) -> Step:
        phase = run.cursor.get("phase", "companies")
        try:
            if phase in ("companies", "rows"):
                return self._plan(run, lease)
            if phase == "gate":
                return self._gate(run, lease)
            return self._apply(run, lease)
        except BaseException:
            self._here.known = None  # nothing half-done stays in memory
            raise

    def may_confirm(self, run: Run) -> str | None:
        if run.planned_at is None or run.cursor.get("phase") != "gate":
            return "csv.stale_preview"
        old = timezone.now() - run.planned_at > STALE_AFTER
        return "csv.stale_preview" if old or overtaken(run) else None

    def ended(self, run: Run) -> None:
        keeping.forget(run)

    def _plan(self, run: Run, lease: Lease) -> Step:
        planner: Planner = self._cached(run, Planner)
        planner.step(lease)
        if planner.finished:
            self._here.known = None
            with lease.batch() as batch:
                batch.save(cursor=planner.cursor | {"phase": "gate"}, phase="planned")
        return Continue()

    def _gate(self, run: Run, lease: Lease) -> Step:
        if run.confirmed_at is None:
            return Gate("preview")
        with lease.batch() as batch:
            batch.save(cursor=run.cursor | {"phase": "apply"}, state=Run.State.APPLYING, phase="applying")
        return Continue()

    def _apply(self, run: Run, lease: Lease) -> Step:
        applier: Applier = self._cached(run, Applier)
        if not applier.finished:
            applier.step(lease)
            return Continue()
        self._here.known = None
        for noun, numbers in run.counts.items():
            if not Counts.from_dict(numbers["counts"]).adds_up(numbers["read"]):
                return Finish(Run.State.INCOMPLETE, "csv.sum_wrong", noun)
        return Finish(Run.State.COMPLETE)

    def _cached(self, run: Run, make: Any) -> Any:
        known = getattr(self._here, "known", None)
        if known is None or known[0] != (make, run.pk) or known[1].cursor != run.cursor:
            known = self._here.known = ((make, run.pk), make(run))
        return known[1]


class Planner:
    """Plans on from the cursor, one page of the file or some companies a step."""

    def __init__(self, run: Run) -> None:
        self.run, self.rules = run, rules_of(run)
        self.cursor: dict[str, Any] = {"phase": "companies", "page": 0, "seq": 0, **run.cursor}
        self.counts: dict[str, Any] = dict(run.counts)
        self.companies = Companies()
        for kept in keeping.load_all(run, keeping.COMPANIES):
            self.companies.recall(kept)
        self.rows = RowPlanner(run, self.rules, self.companies, run.options.get("list"))
        for kept in keeping.load_all(run, keeping.CLAIMS):
            self.rows.seen.recall(kept)
        self._named: Iterator[tuple[int, tuple[str, str]]] | None = None
        self._homes: Homes = {}

    @property
    def finished(self) -> bool:
        return bool(self.cursor["phase"] == "gate")

    def step(self, lease: Lease) -> None:
        if self.cursor["phase"] == "companies":
            self._some_companies(lease)
        else:
            self._page(lease)

    # ---- the companies a file of contacts names

    def _some_companies(self, lease: Lease) -> None:
        if self._named is None:
            self._named = self._not_planned_yet()
        wanted = dict(islice(self._named, COMPANIES_A_STEP))
        places = found_here(wanted) if wanted else {}
        planned = Planned()
        for key, (name, domain) in wanted.items():
            place = settled(places.get(key), self._homes.get(key, set()))
            if place is None:
                planned.add(Word.NEW, self._new_company(name, domain))
                places[key] = Place(seq=self.cursor["seq"] + len(planned.changes))
            else:
                places[key] = place
                planned.counts.add(Word.LEFT_OUT if place.unclear else Word.SAME)
        page = self.cursor.get("companies", 0)
        self.cursor |= {"companies": page + 1} if wanted else {"phase": "rows"}
        kept = [[key, place.local, place.seq, place.unclear] for key, place in places.items()]
        self.companies.recall(kept)
        self._keep(lease, planned, "companies", len(wanted), keeping.COMPANIES, page, kept)

    def _not_planned_yet(self) -> Iterator[tuple[int, tuple[str, str]]]:
        """Each company once, by its first spelling; those planned before a takeover left out."""
        if not {"company", columns.DOMAIN} & self.rules.columns.keys():
            return
        known = {each[0] for kept in keeping.load_all(self.run, keeping.COMPANIES) for each in kept}
        for kept in keeping.load_all(self.run, keeping.FILE):
            note_homes(self._homes, [incoming(SheetRow(*each), self.rules) for each in kept])
        for page in count():
            rows = keeping.rows_of(self.run, page)
            if not rows:
                return
            for row in rows:
                company = incoming(row, self.rules).company
                key = key_of(company)
                if any(company) and key not in known:
                    known.add(key)
                    yield key, company

    def _new_company(self, name: str, domain: str) -> Change:
        fields = {"name": [None, name or domain, "new"]}
        if domain:
            fields["website"] = [None, domain, "new"]
        args = {"at": self.run.options["at"], "named": True}
        return Change(
            account_id=self.run.account_id,
            run_id=self.run.pk,
            kind=Kind.COMPANY.value,
            action=ACTIONS[Word.NEW].value,
            state=Change.State.PLANNED,
            fields=fields,
            args=args,
        )

    # ---- the rows

    def _page(self, lease: Lease) -> None:
        page: int = self.cursor["page"]
        rows: list[Incoming] = [incoming(row, self.rules) for row in keeping.rows_of(self.run, page)]
        planned = self.rows.plan(rows) if rows else Planned()
        self._note_nobodies([row.nobody for row in rows if row.nobody and not row.odd])
        self.cursor |= {"page": page + 1} if rows else {"phase": "gate"}
        noun = NOUNS[self.rules.kind]
        self._keep(lease, planned, noun, len(rows), keeping.CLAIMS, page, self.rows.seen.take_fresh())

    def _note_nobodies(self, found: list[str]) -> None:
        """Salespeople that rows name and who are none here: how many rows, and the first few names."""
        if found:
            named = list(dict.fromkeys([*self.cursor.get("nobodies", []), *(name[:60] for name in found)]))
            rows = self.cursor.get("nobody_rows", 0) + len(found)
            self.cursor |= {"nobody_rows": rows, "nobodies": named[:_NAMED]}

    def _keep(
        self, lease: Lease, planned: Planned, noun: str, read: int, phase: str, page: int, kept: Any
    ) -> None:
        first = self.cursor["seq"]
        for number, change in enumerate(planned.changes, first + 1):
            change.seq = number
        self.cursor["seq"] = first + len(planned.changes)
        if read or noun == NOUNS[self.rules.kind]:
            self._count(noun, planned.counts, read)
        done = self.counts.get(noun, {}).get("read", 0)
        total = self.run.options["rows"] if noun == NOUNS[self.rules.kind] else 0
        progress = {"phase": "planning", "noun": noun, "done": done, "total": total}
        with lease.batch() as batch:
            door.plan(planned.changes)
            keeping.keep(self.run, phase, page, kept)
            state = Run.State.READING
            batch.save(
                cursor=self.cursor, counts=self.counts, progress=progress, phase="planning", state=state
            )

    def _count(self, noun: str, counts: Counts, read: int) -> None:
        was = self.counts.get(noun, {"counts": Counts().to_dict(), "read": 0})
        self.counts[noun] = {
            "counts": (Counts.from_dict(was["counts"]) + counts).to_dict(),
            "read": was["read"] + read,
        }


register(CsvImportJob())
