"""The first phase of an import: every page of what was asked for, kept on the run. Nothing is decided here.

Sweeps, in this order, as far as the objects need them:

| sweep            | what                                        | why |
|------------------|---------------------------------------------|----------------------------------------|
| contacts-before  | first page of /contacts                     | its total before |
| customers        | /customers, newest change first             | companies, persons, nested contacts |
| customers-closing| newest first again, down to the run's start | what changed while we read |
| contacts-after   | first page of /contacts                     | its total after, and a sample |
| contacts         | all of /contacts                            | unless the nested ones are proven all |
| leads            | /leads                                      | opportunities |
| leads-closed     | /leads, Won and Lost                        | the plain list may hide them |

A list is complete when as many different ids were seen as Syncro said at any moment that it has; otherwise it is read
again, twice at most, and after that the run is *incomplete* and says so. What Syncro says last is not enough: a row
deleted behind us moves an unread one to a page we have read, and both counts fall short by one. (A row added and one
deleted between the same two pages cancel out; nobody can tell, and the next import finds what that hid.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from propolis.bridge import pages
from propolis.bridge.models import Connection
from propolis.runs.engine import Lease
from propolis.runs.models import Run, RunPage
from propolis.syncro.client import SyncroClient
from propolis.syncro.paging import Page
from propolis.syncro.parsing import BadRecord, parse_page
from propolis.syncro.records import UNSET, Contact
from propolis.syncro.resources import Resource

IN_FLIGHT = 3
OVERLAP = timedelta(minutes=5)
MOST_ROUNDS = 3
SINGLE = frozenset({"contacts-before", "contacts-after"})
# Mostly over after their first page: the next ones are asked for ahead only once that has come.
SHORT = frozenset({"customers-closing", "leads-closed"})
CLOSED = ("Won", "Lost")
# At the end of which sweep is what read again, should something be missing?
CHECKED = {
    "customers-closing": "customers",
    "contacts": "contacts",
    "leads": "leads",
    "leads-closed": "leads-closed",
}

Cursor = dict[str, Any]


class Reader:
    """Reads on from a cursor: `sweep`, `round`, `seq` (pages kept of this round), `page` and `per_page` (the
    last one), `since` (Syncro's time at the start), `nested` (the contacts inside customers are all there are)
    and `unread` (why the run is incomplete)."""

    def __init__(self, run: Run, connection: Connection, client: SyncroClient) -> None:
        self.run, self.connection, self.client = run, connection, client
        self.cursor: Cursor = dict(run.cursor)
        self._coming: Iterator[Page] | None = None
        self._asked: deque[datetime] = deque(maxlen=IN_FLIGHT + 1)

    @property
    def finished(self) -> bool:
        return self._sweep is None

    def step(self, lease: Lease) -> None:
        """Fetches one page, keeps it, moves the cursor."""
        if not self._wanted():
            self._next_sweep()
            with lease.batch() as batch:
                batch.save(cursor=self.cursor)
            return
        page, read_at = self._fetch()
        kept, ids = self._describe(page, read_at)
        self.cursor |= {"seq": kept.seq, "page": page.number, "per_page": page.per_page}
        done = page.last or self._enough(page, kept)
        with lease.batch() as batch:
            pages.keep(self.run, kept, ids)
            if done:
                self._finish_sweep(page)
            batch.save(cursor=self.cursor, progress=self._progress(page), phase="reading")

    # ---- what comes next

    @property
    def _sweep(self) -> str | None:
        sweeps = sweeps_for(self.run.options["objects"])
        name = self.cursor.setdefault("sweep", sweeps[0])
        return name if name in sweeps else None

    def _wanted(self) -> bool:
        return not (self._sweep == "contacts" and self.cursor.get("nested"))

    def _next_sweep(self) -> None:
        sweeps = [*sweeps_for(self.run.options["objects"]), "end"]
        following = sweeps[sweeps.index(str(self.cursor["sweep"])) + 1]
        # The closing pass belongs to the round it closes.
        self._begin(following, int(self.cursor.get("round", 1)) if following == "customers-closing" else 1)

    def _begin(self, sweep: str, round_: int) -> None:
        self._coming = None
        self._asked.clear()
        self.cursor |= {"sweep": sweep, "round": round_, "seq": 0, "page": 0, "per_page": None}

    def _finish_sweep(self, page: Page) -> None:
        sweep = self._sweep
        if sweep == "contacts-after":
            self.cursor["nested"] = self._nested_are_all(page)
        checked = CHECKED.get(sweep or "")
        if sweep == "leads-closed" and not self._hides_closed(page):
            checked = None
        if not checked or self._incremental or self._complete(checked):
            return self._next_sweep()
        rounds = int(self.cursor.get("round", 1))
        if rounds < MOST_ROUNDS:
            return self._begin(checked, rounds + 1)
        unread, resource = self.cursor.setdefault("unread", []), checked.partition("-")[0]
        if resource not in unread:
            unread.append(resource)
        return self._next_sweep()

    # ---- fetching

    def _fetch(self) -> tuple[Page, datetime]:
        """The next page and a moment before its request left: up to `IN_FLIGHT` were asked for ahead."""
        self._asked.append(pages.now())
        sweep, begun = str(self._sweep), bool(self.cursor.get("page"))
        ahead = sweep not in SINGLE and (begun or sweep not in SHORT)
        if self._coming is None:
            resource, params = asked_for(str(self._sweep))
            self._coming = self.client.pages(
                resource,
                params,
                start=int(self.cursor.get("page") or 0) + 1,
                per_page=self.cursor.get("per_page") or (100 if resource is Resource.CUSTOMERS else None),
                in_flight=IN_FLIGHT if ahead else 1,
            )
        page, read_at = next(self._coming), self._asked[0]
        if not ahead:
            self._coming = None
            self._asked.clear()
        return page, read_at

    def _describe(self, page: Page, read_at: datetime) -> tuple[pages.Kept, dict[str, list[int]]]:
        ids = {page.resource.value: list(page.ids)}
        meta: dict[str, Any] = {"count": page.count, "total": page.total_entries}
        items = parse_page(page.resource, page.raw)
        if page.resource is Resource.CUSTOMERS:
            ids["nested"] = [c.id for item in items for c in pages.nested_contacts(item)]
            times = [t for item in items if not isinstance(item, BadRecord) and (t := pages.changed_at(item))]
            meta["oldest"] = min(times).isoformat() if times else None
            if "since" not in self.cursor and page.server_time:
                self.cursor["since"] = page.server_time.isoformat()
        if page.resource is Resource.LEADS:
            meta["closed"] = sum(getattr(item, "status", None) in CLOSED for item in items)
        phase = f"{self._sweep}.{self.cursor.get('round', 1)}"
        return pages.Kept(phase, int(self.cursor.get("seq", 0)) + 1, read_at, page.raw, meta), ids

    # ---- when it is enough

    @property
    def _incremental(self) -> bool:
        return bool(self.run.options.get("incremental"))

    def _enough(self, page: Page, kept: pages.Kept) -> bool:
        sweep = self._sweep
        if sweep in SINGLE:
            return True
        if sweep == "leads-closed":
            return kept.seq == 1 and not self._hides_closed(page)
        until = self._until(sweep)
        oldest = kept.meta.get("oldest")
        return bool(until and oldest and datetime.fromisoformat(oldest) < until - OVERLAP)

    def _until(self, sweep: str | None) -> datetime | None:
        """Down to which change a newest-first sweep has to go."""
        if sweep == "customers" and self._incremental:
            return self.connection.watermark
        since = self.cursor.get("since")
        return datetime.fromisoformat(since) if sweep == "customers-closing" and since else None

    def _hides_closed(self, page: Page) -> bool:
        kept = RunPage.objects.filter(run=self.run, phase__startswith="leads.")
        seen: int = sum(meta.get("closed", 0) for meta in kept.values_list("meta", flat=True))
        return (page.total_entries or 0) > seen

    def _complete(self, sweep: str) -> bool:
        """All were seen in the latest round alone, or in all rounds together."""
        every = pages.phases_of(self.run, sweep)
        latest = [phase for phase in every if phase.endswith(f".{self.cursor.get('round', 1)}")]
        return self._all_seen(sweep, latest) or (latest != every and self._all_seen(sweep, every))

    def _all_seen(self, sweep: str, phases: list[str]) -> bool:
        """As many different ids as Syncro said on any page of these phases."""
        said = RunPage.objects.filter(run=self.run, phase__in=phases).values_list("meta", flat=True)
        most = max((meta.get("total") or 0 for meta in said.iterator()), default=0)
        found = pages.index(self.run, phases, sweep.partition("-")[0])
        return found.unique + found.nameless >= most

    def _nested_are_all(self, after: Page) -> bool:
        """The contacts inside customers are provably all: as many as /contacts says before *and* after, and a
        sample of them equal field by field."""
        before = RunPage.objects.filter(run=self.run, phase="contacts-before.1").first()
        if before is None or before.meta.get("total") != after.total_entries:
            return False
        phases = pages.phases_of(self.run, "customers")
        if pages.index(self.run, phases, "nested").unique != after.total_entries:
            return False
        sample = {c.id: c for c in parse_page(Resource.CONTACTS, after.raw) if not isinstance(c, BadRecord)}
        return len(sample) == after.count and self._sample_equal(phases, sample)

    def _sample_equal(self, phases: list[str], sample: dict[int, Contact]) -> bool:
        left = dict(sample)
        for kept in pages.load_having(self.run, phases, "nested", set(sample)):
            for customer in parse_page(Resource.CUSTOMERS, kept.raw):
                for contact in pages.nested_contacts(customer):
                    if contact.id in left and same_contact(contact, left[contact.id]):
                        del left[contact.id]
        return not left

    def _progress(self, page: Page) -> dict[str, Any]:
        total = page.total_entries or 0
        done = min(total, (page.number - 1) * page.per_page + page.count)
        noun = {"customers": "companies", "contacts": "contacts", "leads": "opportunities"}[
            page.resource.value
        ]
        return {"phase": "reading", "noun": noun, "done": done, "total": total}


def sweeps_for(objects: list[str]) -> list[str]:
    """The sweeps these objects need, in order; the table is the module's."""
    found: list[str] = []
    if "contacts" in objects:
        found.append("contacts-before")
    if "companies" in objects or "contacts" in objects:
        found += ["customers", "customers-closing"]
    if "contacts" in objects:
        found += ["contacts-after", "contacts"]
    if "opportunities" in objects:
        found += ["leads", "leads-closed"]
    return found


def asked_for(sweep: str) -> tuple[Resource, dict[str, str]]:
    if sweep.startswith("customers"):
        return Resource.CUSTOMERS, {"sort": "updated_at DESC", "include_disabled": "true"}
    if sweep.startswith("contacts"):
        return Resource.CONTACTS, {}
    return Resource.LEADS, {"status_list": ",".join(CLOSED)} if sweep == "leads-closed" else {}


def same_contact(nested: Contact, listed: Contact) -> bool:
    """Equal in every key both answers have."""
    pairs = [(getattr(nested, f), getattr(listed, f)) for f in nested.__struct_fields__]
    return not any(a != b for a, b in pairs if a is not UNSET and b is not UNSET)
