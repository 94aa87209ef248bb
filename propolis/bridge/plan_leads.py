"""Planning opportunities: Syncro's leads. After the first import only name and status follow Syncro."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
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


class LeadKind:
    """`seen`: how often each (status, became a ticket) occurred."""

    link_kind = Link.Kind.LEAD.value
    # A name typed here is never replaced.
    rules: Mapping[str, ConflictRule]

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.rules = {**scene.rules, "name": ConflictRule.PROPOLIS}
        self.zone = ZoneInfo(scene.account.time_zone)
        self.seen: Counter[tuple[str, bool]] = Counter()

    def begin(self, batch: Sequence[Incoming]) -> None:
        for each in batch:
            self.seen[status_of(each.raw), each.raw.get("ticket_id") is not None] += 1

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
        closed = isinstance(found, Mapped) and found.status.outcome != OppStatus.Outcome.OPEN
        if (
            months
            and closed
            and incoming.updated_at
            and incoming.updated_at < incoming.read_at - months * MONTH
        ):
            return "closed_long_ago"
        return ""

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
