"""Opportunities that go along as Syncro leads: each ticked by hand, after the company and the contact.

A lead cannot be deleted in Syncro, and Syncro does not give an amount back: both are said before sending. Leads can
only be found through the search index, so after an unclear answer one that is not found is a person's to tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone

from propolis.bridge import mapping
from propolis.bridge.export_check import Row, link_of
from propolis.bridge.export_fields import Line
from propolis.bridge.export_finding import Arrival, Sought
from propolis.bridge.mapping import fingerprint
from propolis.bridge.models import Connection, Link, RemoteUser, StatusMap
from propolis.bridge.scene import load_scene
from propolis.crm.models import Company, Contact, Entity, Opportunity, OppStatus
from propolis.history.models import Change
from propolis.runs.models import Run
from propolis.syncro import Lead, Resource, SyncroClient, parse_page

FIELD: Final = "lead"
MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Offered:
    """One opportunity that may go along. `status`: what Syncro would call its status."""

    row: Opportunity
    status: str


def offered(connection: Connection, row: Row) -> list[Offered]:
    """The record's opportunities that Syncro does not have yet and whose status it knows, newest first."""
    about = {"company": row} if isinstance(row, Company) else {"contact": row}
    alive = Opportunity.objects.filter(deleted_at=None, links=None, **about)
    alive = alive.exclude(status__outcome=OppStatus.Outcome.LOST).select_related(
        "status", "company", "contact"
    )
    names = _statuses(connection)
    found = [Offered(each, names.get(each.status_id, "")) for each in alive.order_by("-pk")[:MOST]]
    return [each for each in found if each.status]


def chosen(connection: Connection, row: Row, wanted: Iterable[str]) -> dict[Opportunity, str]:
    """Those of them a person ticked, with the mark of what was seen."""
    ids = set(wanted)
    return {
        each.row: line_of(connection, each.row).seen
        for each in offered(connection, row)
        if str(each.row.pk) in ids
    }


def _statuses(connection: Connection) -> dict[int | None, str]:
    """Our status → the one of Syncro's it is sent as."""
    back = StatusMap.objects.filter(connection=connection, send_back=True, became_ticket=False)
    return dict(back.values_list("status_id", "remote_status"))


def line_of(connection: Connection, row: Opportunity) -> Line:
    """What would travel, without the ids that are only known when it does."""
    to = _body(connection, row)
    return Line(
        FIELD, "Lead", "", row.name, to, fingerprint({"to": to}), same=False, ticked=False, required=False
    )


def _body(connection: Connection, row: Opportunity) -> dict[str, Any]:
    company, contact = _living(row.company), _living(row.contact)
    reach = contact or company
    body: dict[str, Any] = {
        "business_name": company.name if company else "",
        "first_name": contact.first if contact else "",
        "last_name": contact.last if contact else "",
        "email": reach.email if reach else row.prospect_email,
        "phone": reach.phone if reach else row.prospect_phone,
        "ticket_subject": row.name,
        "status": _statuses(connection).get(row.status_id, ""),
    }
    if row.amount is not None:
        body["opportunity_amount_dollars"] = float(row.amount)
    if row.likelihood is not None:
        body["likelihood"] = row.likelihood
    seller = RemoteUser.objects.filter(connection=connection, left_at=None, membership=row.salesperson_id)
    user = seller.values_list("remote_id", flat=True).first() if row.salesperson_id else None
    return {key: value for key, value in (body | {"user_id": user}).items() if value not in ("", None)}


def with_ids(row: Opportunity, to: dict[str, Any]) -> dict[str, Any]:
    """The body with the customer and the contact it hangs on, as far as Syncro has them."""
    found = dict(to)
    company, person = _living(row.company), _living(row.contact)
    customer = link_of(company) if company else None
    contact = _contact_link(person) if person else None
    if customer is not None:
        found["customer_id"] = customer.remote_id
    if contact is not None:
        found["contact_id"] = contact.remote_id
    return found


def _living(row: Entity | None) -> Any:
    """Whoever was deleted here since is no part of it any more."""
    return row if row is not None and row.deleted_at is None else None


def _contact_link(row: Contact) -> Link | None:
    link = link_of(row)
    return link if link is not None and link.kind == Link.Kind.CONTACT else None


def agree(run: Run, connection: Connection, change: Change, lead: Lead) -> Link:
    """Writes the Link of a lead that was made. Call in the transaction that marks the Change applied."""
    scene = load_scene(run, connection)
    raw = mapping.lead_raw(lead)
    link, _ = Link.objects.update_or_create(
        connection=connection,
        kind=Link.Kind.LEAD,
        remote_id=lead.id,
        defaults={
            "account_id": connection.account_id,
            "opportunity_id": change.local_id,
            "state": Link.State.LINKED,
            "agreed": raw,
            "agreed_at": timezone.now(),
            "remote_updated_at": lead.updated_at or None,
            "remote_hash": fingerprint(raw, scene.salt),
            "rule": "sent",
        },
    )
    change.link_id, change.remote_id = link.pk, lead.id
    return link


def look_for(client: SyncroClient, sought: Sought) -> Arrival:
    """Leads with this subject and customer; that there is none is never proven."""
    subject = str(sought.to.get("ticket_subject") or "")
    page = client.page(Resource.LEADS, 1, {"query": subject})
    leads = [one for one in parse_page(Resource.LEADS, page.raw) if isinstance(one, Lead)]
    taken = set(
        Link.objects.filter(kind=Link.Kind.LEAD, remote_id__in=[one.id for one in leads]).values_list(
            "remote_id", flat=True
        )
    )
    exact = [
        one
        for one in leads
        if one.ticket_subject == subject
        and one.customer_id == sought.to.get("customer_id")
        and one.id not in taken | sought.known
    ]
    return Arrival(exact=list(exact), proven=False)
