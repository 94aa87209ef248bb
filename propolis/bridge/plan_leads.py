"""Planning opportunities: Syncro's leads. After the first import only name and status follow Syncro."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from propolis.bridge import mapping
from propolis.bridge.mapping import Incoming, Values
from propolis.bridge.models import Link
from propolis.bridge.planning import Effects
from propolis.bridge.scene import Scene
from propolis.bridge.statuses import Mapped, Skip, Unmapped
from propolis.crm.models import Opportunity, OppStatus
from propolis.merge.decide import ConflictRule
from propolis.merge.evidence import Outcome

MONTH = timedelta(days=30.44)
# "Closed more than so many months ago" is counted for this long where nobody has chosen.
LONG_AGO = 24
SAMPLES = 5


@dataclass
class Tally:
    """What the leads read so far are; kept with the run's counts, so that whoever plans on counts on.

    `seen`: how often each (status, became a ticket) occurred. `mail`: e-mails to a mailbox, `samples` the newest
    of them (when, subject, from). `old`: closed longer ago than is asked about, `old_mail` of them e-mails.
    """

    read: int = 0
    mail: int = 0
    old: int = 0
    old_mail: int = 0
    samples: list[list[str]] = field(default_factory=list)
    seen: Counter[tuple[str, bool]] = field(default_factory=Counter)

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> Tally:
        """From `as_dict`; an empty one where nothing was kept."""
        if not kept:
            return cls()
        seen = Counter({(status, ticket): n for status, ticket, n in kept["seen"]})
        numbers = {name: int(kept[name]) for name in ("read", "mail", "old", "old_mail")}
        return cls(**numbers, samples=[*kept["samples"]], seen=seen)

    def as_dict(self) -> dict[str, Any]:
        seen = [[status, ticket, n] for (status, ticket), n in self.seen.items()]
        numbers = {"read": self.read, "mail": self.mail, "old": self.old, "old_mail": self.old_mail}
        return {**numbers, "samples": self.samples, "seen": seen}

    def sample(self, when: str, subject: str, sender: str) -> None:
        self.samples = sorted([*self.samples, [when, subject[:200], sender]], reverse=True)[:SAMPLES]


class LeadKind:
    """`tally`: over all that was planned, this batch included."""

    link_kind = Link.Kind.LEAD.value
    composed: ClassVar[frozenset[str]] = frozenset()
    # A name typed here is never replaced.
    rules: Mapping[str, ConflictRule]

    def __init__(self, scene: Scene, tally: Tally | None = None) -> None:
        self.scene = scene
        self.rules = {**scene.rules, "name": ConflictRule.PROPOLIS}
        self.zone = ZoneInfo(scene.account.time_zone)
        self.tally = tally or Tally()

    def begin(self, batch: Sequence[Incoming]) -> None:
        tally = self.tally
        for each in batch:
            tally.read += 1
            tally.seen[status_of(each.raw), each.raw.get("ticket_id") is not None] += 1
            if is_mail(each.raw):
                tally.mail += 1
                when = each.created_at or each.updated_at
                subject = mapping.lead_name(each.raw, "")
                tally.sample(when.isoformat() if when else "", subject, str(each.raw.get("email") or ""))
            if self._closed_before(each, LONG_AGO):
                tally.old += 1
                tally.old_mail += is_mail(each.raw)

    def values(self, incoming: Incoming, raw: Mapping[str, Any]) -> Values:
        created = incoming.created_at or incoming.updated_at
        on = f"{created.astimezone(self.zone):%-d %b %Y}" if created else ""
        values: Values = {"name": mapping.lead_name(raw, on)}
        found = self._status(raw)
        if isinstance(found, Mapped):
            values["status"] = found.status.pk
        return values

    def _status(self, raw: Mapping[str, Any]) -> Mapped | Skip | Unmapped:
        return self.scene.statuses.find(status_of(raw), raw.get("ticket_id"))

    def left_out(self, incoming: Incoming) -> str:
        found = self._status(incoming.raw)
        if isinstance(found, Skip):
            return "status_not_imported"
        if is_mail(incoming.raw) and self.scene.connection.mail_leads != "import":
            return "mail_lead"
        months = self.scene.connection.old_leads_months
        return "closed_long_ago" if months and self._closed_before(incoming, months) else ""

    def _closed_before(self, incoming: Incoming, months: int) -> bool:
        """Won or lost by the map, and not touched in Syncro for so long."""
        found = self._status(incoming.raw)
        if not isinstance(found, Mapped) or found.status.outcome == OppStatus.Outcome.OPEN:
            return False
        at = incoming.updated_at
        return at is not None and at < incoming.read_at - months * MONTH

    def held(self, incoming: Incoming) -> str:
        return "status_unmapped" if isinstance(self._status(incoming.raw), Unmapped) else ""

    def rows(self, ids: Sequence[int]) -> Mapping[int, Opportunity]:
        return Opportunity.objects.in_bulk(ids) if ids else {}

    def row_values(self, row: Opportunity) -> Values:
        return {"name": row.name, "status": row.status_id}

    def stored(self, field: str, before: Any, after: Any, why: str) -> Effects:
        return {field: [before, after, why]}

    def extras(
        self, incoming: Incoming, agreed: Mapping[str, Any] | None, row: Any | None
    ) -> tuple[Effects, Any]:
        effects: Effects = {}
        ticket = incoming.raw.get("ticket_id")
        facts = row.facts if row else {}
        if ticket is not None and facts.get("ticket_id") != ticket:
            effects["facts"] = [facts, {**facts, "ticket_id": ticket}, "syncro says"]
        if row is None:
            for ours, theirs in (("amount", "opportunity_amount_dollars"), ("likelihood", "likelihood")):
                if incoming.raw.get(theirs) is not None:
                    effects[ours] = [None, incoming.raw[theirs], "new"]
        return effects, {"fill": True} if row is not None else {}

    def match(self, batch: Sequence[Incoming]) -> Mapping[int, Outcome]:
        """A lead has no counterpart to be matched with: it is new, or linked."""
        return {}


def status_of(raw: Mapping[str, Any]) -> str:
    return str(raw.get("status") or "").strip()


def is_mail(raw: Mapping[str, Any]) -> bool:
    """Born from an e-mail to a mailbox, as every inbound e-mail is."""
    return raw.get("mailbox_id") is not None
