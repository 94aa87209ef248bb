"""Trying again what failed: single records are read from Syncro once more, imported by the same rules.

A retry is an import with `options["only"]`, a list of [link kind, Syncro id]: its read phase fetches and
plans one record at a time; applying, history and undo are those of every import. It proves nothing about
records it did not ask for, so it marks none as gone and leaves the connection's reading times as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from propolis.accounts.models import Account, Membership
from propolis.bridge import incoming, pages
from propolis.bridge.mapping import Incoming
from propolis.bridge.models import Connection, Link
from propolis.bridge.plan_companies import CompanyKind
from propolis.bridge.plan_contacts import ContactKind, PersonKind
from propolis.bridge.plan_leads import LeadKind
from propolis.bridge.planned import Planned, change_for
from propolis.bridge.planning import Kind, plan_batch, plan_unreadable
from propolis.bridge.scene import Scene, load_scene
from propolis.history import door
from propolis.history.models import Change
from propolis.merge.plan import Counts, Word
from propolis.runs.engine import Lease, start
from propolis.runs.models import Run
from propolis.syncro import BadRecord, Contact, Customer, Garbled, Lead, NotFound, SyncroClient

GONE: Final = "not_in_syncro"
# In the order in which they hang on each other.
NOUNS: Final = {
    Link.Kind.CUSTOMER: "companies",
    Link.Kind.CONTACT: "contacts",
    Link.Kind.PERSON: "contacts",
    Link.Kind.LEAD: "opportunities",
}
Only = list[list[Any]]


def failed_records(run: Run, *, reason: str = "", wanted: Sequence[str] | None = None) -> Only:
    """[link kind, Syncro id] of what failed in this import, for this reason if given, and has not come since.

    `wanted`: only these, as "contact:123". Records without a readable id cannot be asked for.
    """
    changes = Change.objects.filter(run=run, action=Change.Action.FAIL, remote_id__isnull=False)
    changes = changes.exclude(state=Change.State.PLANNED)
    if reason:
        changes = changes.filter(reason=reason)
    failed = set(changes.values_list("remote_kind", "remote_id"))
    if wanted is not None:
        failed = {(kind, remote_id) for kind, remote_id in failed if f"{kind}:{remote_id}" in wanted}
    order = list(NOUNS)
    still = (
        set(Link.objects.filter(state=Link.State.FAILED).values_list("kind", "remote_id"))
        if failed
        else set()
    )
    found = sorted(failed & still, key=lambda one: (order.index(Link.Kind(one[0])), one[1]))
    return [[kind, remote_id] for kind, remote_id in found]


def start_retry(account: Account, only: Only, *, by: Membership | None) -> tuple[Run, bool]:
    """Starts reading these records again, or answers the run that holds the account's data and False."""
    nouns = list(dict.fromkeys(NOUNS[Link.Kind(kind)] for kind, _ in only))
    options = {"objects": nouns, "gate": False, "first": False, "incremental": False, "only": only}
    return start(account, "import", options=options, by=by)


class Retrier:
    """Reads and plans on from a cursor: `at`, how many records are done, and `seq`, how many Changes."""

    def __init__(self, run: Run, connection: Connection, client: SyncroClient) -> None:
        self.run, self.client = run, client
        self.cursor: dict[str, Any] = dict(run.cursor)
        self.counts: dict[str, Any] = dict(run.counts)
        self.scene: Scene = load_scene(run, connection)
        self._only: Only = run.options["only"]

    @property
    def finished(self) -> bool:
        return int(self.cursor.get("at", 0)) >= len(self._only)

    def step(self, lease: Lease) -> None:
        """One record: asked for, planned, kept."""
        if self.finished:
            return
        at = int(self.cursor.get("at", 0))
        kind, remote_id = self._only[at]
        planned = self._planned(Link.Kind(kind), int(remote_id))
        first = int(self.cursor.get("seq", 0))
        for number, change in enumerate(planned.changes, first + 1):
            change.seq = number
        self.cursor |= {"at": at + 1, "seq": first + len(planned.changes)}
        noun = self._count(Link.Kind(kind), planned)
        progress = {"phase": "reading", "noun": noun, "done": at + 1, "total": len(self._only)}
        with lease.batch() as batch:
            door.plan(planned.changes)
            batch.save(cursor=self.cursor, counts=self.counts, progress=progress, phase="reading")

    def _count(self, kind: Link.Kind, planned: Planned) -> str:
        noun = NOUNS[kind]
        told = self.counts.setdefault(noun, {"counts": Counts().to_dict(), "read": 0, "persons": 0})
        told["counts"] = (Counts.from_dict(told["counts"]) + planned.counts).to_dict()
        told["persons" if kind is Link.Kind.PERSON else "read"] += planned.read
        return noun

    def _planned(self, kind: Link.Kind, remote_id: int) -> Planned:
        read_at = pages.now()
        try:
            record = self._fetch(kind, remote_id)
        except NotFound:
            return self._gone(kind, remote_id)
        except Garbled as error:
            if type(error) is not Garbled:
                raise
            return self._unreadable(kind, remote_id, error.detail)
        return plan_batch(self.scene, self._kind(kind), [incoming.single(self.scene, kind, record, read_at)])

    def _fetch(self, kind: Link.Kind, remote_id: int) -> Customer | Contact | Lead:
        if kind is Link.Kind.CONTACT:
            return self.client.get_contact(remote_id)
        if kind is Link.Kind.LEAD:
            return self.client.get_lead(remote_id)
        return self.client.get_customer(remote_id)

    def _kind(self, kind: Link.Kind) -> Kind:
        # How often a name occurs in Syncro is not known from one record; how often it occurs here is.
        if kind is Link.Kind.CUSTOMER:
            return CompanyKind(self.scene, {})
        if kind is Link.Kind.LEAD:
            return LeadKind(self.scene)
        return PersonKind(self.scene) if kind is Link.Kind.PERSON else ContactKind(self.scene)

    def _gone(self, kind: Link.Kind, remote_id: int) -> Planned:
        planned = Planned()
        link = self.scene.links(kind, [remote_id]).get(remote_id)
        nothing = Incoming(kind.value, remote_id, {}, "", None, pages.now())
        planned.add(Word.LEFT_OUT, change_for(self.scene, nothing, Word.LEFT_OUT, link=link, reason=GONE))
        return planned

    def _unreadable(self, kind: Link.Kind, remote_id: int, why: str) -> Planned:
        """Still no record; the answer shown is the one it failed with before."""
        before = Change.objects.filter(
            remote_kind=kind, remote_id=remote_id, action=Change.Action.FAIL, raw__isnull=False
        )
        raw = before.order_by("-id").values_list("raw", flat=True).first() or ""
        bad = BadRecord(0, remote_id, why, raw.encode())
        return plan_unreadable(self.scene, kind, [bad], "unreadable")
