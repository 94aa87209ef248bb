"""The end of an import: what is gone in Syncro is proven and marked, and the connection remembers how far we are.

Absence from one reading is never a deletion. Only after a *complete* read, and only what Syncro then denies one by
one (customers in bulk by `id[]`), is marked "Not in Syncro any more"; nothing is ever deleted here. At most
`MOST_GETS` contacts and as many leads are asked about in one run; the rest is held for the next runs, and told.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from propolis.bridge import pages
from propolis.bridge.models import Connection, Link
from propolis.runs.engine import Lease
from propolis.runs.models import Run
from propolis.syncro import NotFound, SyncroClient

MOST_GETS = 50


class Closer:
    """`missing` in the cursor: per object the remote ids still to be asked about; not there = not looked yet.
    `held`: how many more there are, for the next runs.
    """

    def __init__(self, run: Run, connection: Connection, client: SyncroClient) -> None:
        self.run, self.connection, self.client = run, connection, client
        self.cursor: dict[str, Any] = dict(run.cursor)

    def step(self, lease: Lease) -> bool:
        """One question to Syncro, or the end; True if there is more."""
        if "missing" not in self.cursor:
            self._begin()
        noun = next((name for name, ids in self.cursor["missing"].items() if ids), None)
        if noun is None:
            self._finish(lease)
            return False
        asked, states = self._ask(noun, self.cursor["missing"][noun])
        self.cursor["missing"][noun] = self.cursor["missing"][noun][asked:]
        with lease.batch() as batch:
            for remote_id, state in states.items():
                self._mark(noun, remote_id, state)
            batch.save(cursor=self.cursor, phase="closing")
        return True

    def _begin(self) -> None:
        missing = {noun: self._missing(noun) for noun in self.run.options["objects"]}
        many = [noun for noun, ids in missing.items() if noun != "companies" and len(ids) > MOST_GETS]
        self.cursor["held"] = {noun: len(missing[noun]) - MOST_GETS for noun in many}
        for noun in many:
            # Others in every run: what turns out to be there is missing from the next list as well.
            missing[noun] = random.Random(self.run.pk).sample(missing[noun], MOST_GETS)  # noqa: S311
        self.cursor["missing"] = missing

    def _missing(self, noun: str) -> list[int]:
        """Linked records that a complete read did not show."""
        unread = self.cursor.get("unread") or []
        if self.run.options.get("incremental") or pages.SWEEPS[noun] in unread:
            return []
        return pages.unseen(self.run, self.connection, noun, nested=bool(self.cursor.get("nested")))

    def _ask(self, noun: str, ids: list[int]) -> tuple[int, dict[int, Link.State]]:
        """How many were asked about, and what became of those that are not plainly there."""
        if noun == "companies":
            some = ids[:100]
            there = {customer.id for customer in self.client.customers_by_ids(some)}
            return len(some), {each: Link.State.GONE for each in some if each not in there}
        get = self.client.get_contact if noun == "contacts" else self.client.get_lead
        try:
            get(ids[0])
        except NotFound:
            return 1, {ids[0]: Link.State.GONE}
        return 1, {ids[0]: Link.State.HIDDEN} if noun == "opportunities" else {}

    def _mark(self, noun: str, remote_id: int, state: Link.State) -> None:
        links = Link.objects.filter(connection=self.connection, remote_id=remote_id, state=Link.State.LINKED)
        kinds = [pages.KINDS[noun]] + ([Link.Kind.PERSON] if noun == "companies" else [])
        links.filter(kind__in=kinds).update(state=state)

    def _finish(self, lease: Lease) -> None:
        unread = self.cursor.get("unread") or []
        now = pages.now()
        fields: dict[str, Any] = {}
        for noun in self.run.options["objects"]:
            needs = {"companies": {"customers"}, "contacts": {"customers", "contacts"}}.get(noun, {"leads"})
            if needs.isdisjoint(unread):
                fields[f"{noun}_read_at"] = now
        since = self.cursor.get("since")
        if since and "customers" not in unread and "companies" in self.run.options["objects"]:
            fields["watermark"] = datetime.fromisoformat(since)
        with lease.batch() as batch:
            Connection.objects.filter(pk=self.connection.pk).update(**fields)
            batch.save(cursor=self.cursor, phase="closed")
