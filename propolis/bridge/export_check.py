"""When a company or a contact may be sent to Syncro, and if not, why: a code, its sentence, whom to ask.

Nothing is asked of Syncro here. Codes and sentences: `sentences.SENDING`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet

from propolis.accounts.models import Membership
from propolis.accounts.policy import Verb, may, people_who_can, refusal
from propolis.bridge.models import Connection, Link
from propolis.bridge.sentences import SENDING
from propolis.bridge.statuses import mapping_complete
from propolis.bridge.steps import Step, is_complete
from propolis.crm.models import Company, Contact, Opportunity, OppStatus
from propolis.runs.engine import holder
from propolis.runs.models import Run
from propolis.syncro.permissions import CREATE_CUSTOMER, EDIT_CUSTOMER, PermissionState

KIND: Final = "send"
Row = Company | Contact
_FOLLOWED: Final = (Link.State.LINKED, Link.State.GONE, Link.State.HIDDEN, Link.State.FAILED)


@dataclass(frozen=True)
class WhyNot:
    """Why something cannot be sent. `way_out`: "opportunity" or "company" where adding one would help."""

    code: str
    sentence: str
    way_out: str = ""


@dataclass(frozen=True)
class Standing:
    """How a record stands towards Syncro. `link`: its primary Link; `creating`: Syncro would get a new record.

    `warning`: said beside the dialog, hinders nothing. `run`: a send of this record that has not ended.
    """

    link: Link | None
    creating: bool
    why_not: WhyNot | None = None
    warning: str = ""
    run: Run | None = None


def slot_of(row: Row) -> str:
    """The lock of a send: one per company, its contacts included."""
    if isinstance(row, Contact):
        return f"send:{row.company_id}" if row.company_id else f"send:contact-{row.pk}"
    return f"send:{row.pk}"


def link_of(row: Row) -> Link | None:
    """The Link of the Syncro record this row is: the primary one; a contact's own before its customer's person."""
    name = "company" if isinstance(row, Company) else "contact"
    links = list(Link.objects.filter(**{name: row}, state__in=_FOLLOWED).select_related("connection"))
    order = [Link.State.LINKED, Link.State.FAILED, Link.State.HIDDEN, Link.State.GONE]
    links.sort(key=lambda link: (order.index(Link.State(link.state)), link.kind == Link.Kind.PERSON, link.pk))
    return links[0] if links else None


def standing(row: Row, connection: Connection | None, by: Membership | None) -> Standing:
    """Looks at everything that can be known without asking Syncro; the first obstacle is told."""
    link = link_of(row)
    creating = link is None
    run = holder(row.account, slot_of(row))
    why_not = (
        _setup(connection, by)
        or _record(row, link)
        or _token(connection, creating and isinstance(row, Company))
        or _opportunity(row, connection, creating)
    )
    warning = ""
    if why_not is None and not creating and not has_opportunity(row):
        warning = SENDING["send.no_opportunity_warning"].format(name=row.name)
    return Standing(link, creating, why_not, warning, run)


def has_opportunity(row: Row) -> bool:
    """An opportunity that isn't Lost, of the record itself or of a contact's company."""
    alive = Opportunity.objects.filter(deleted_at=None).exclude(status__outcome=OppStatus.Outcome.LOST)
    if isinstance(row, Company):
        return bool(alive.filter(company=row).exists())
    through = {"company": row.company_id} if row.company_id else {"contact": row}
    return bool(alive.filter(contact=row).exists() or alive.filter(**through).exists())


def not_in_syncro(company: Company) -> QuerySet[Contact]:
    """The company's contacts that no Syncro record stands for."""
    known = Link.objects.filter(contact=OuterRef("pk"), state__in=(*_FOLLOWED, Link.State.SECONDARY))
    return Contact.objects.filter(~Exists(known), company=company, deleted_at=None)


def said(code: str, way_out: str = "", **facts: str) -> WhyNot:
    return WhyNot(code, SENDING[code].format(**facts), way_out)


def whom() -> str:
    """ " Ask Dana Whitfield." where somebody can be asked."""
    names = people_who_can(Verb.IMPORT)[:3]
    return f" Ask {' or '.join(names)}." if names else ""


def _setup(connection: Connection | None, by: Membership | None) -> WhyNot | None:
    if not may(by, Verb.SEND):
        return WhyNot("send.role", refusal(Verb.SEND))
    if connection is None or connection.state != Connection.State.CONNECTED:
        broken = connection is not None and connection.state == Connection.State.BROKEN
        if broken and connection is not None and connection.lacks:
            return said("send.permission", permission=connection.lacks[0], whom=whom())
        return said("send.token_refused" if broken else "send.not_connected", whom=whom())
    missing = next((step for step in Step if not is_complete(connection, step)), None)
    if missing is not None:
        return said("send.mapping", step=missing.label, heading=missing.heading, whom=whom())
    if not mapping_complete(connection):
        return said("send.statuses", whom=whom())
    return None


def _record(row: Row, link: Link | None) -> WhyNot | None:
    if row.deleted_at is not None:
        return said("send.deleted")
    if link is not None and link.state == Link.State.GONE:
        return said("send.gone", id=str(link.remote_id))
    company = row if isinstance(row, Company) else row.company
    if company is not None and company.disabled_in_syncro:
        return said("send.disabled", name=company.name)
    if isinstance(row, Contact) and link is None:
        if company is None or company.deleted_at is not None:
            return said("send.no_company", "company", name=row.name)
        above = link_of(company)
        if above is not None and above.state == Link.State.GONE:
            return said("send.gone", id=str(above.remote_id))
    return None


def _token(connection: Connection | None, creating: bool) -> WhyNot | None:
    found: dict[str, Any] = connection.permissions if connection else {}
    for name in (EDIT_CUSTOMER, CREATE_CUSTOMER) if creating else (EDIT_CUSTOMER,):
        if found.get(name, {}).get("state") == PermissionState.MISSING.value:
            return said("send.permission", permission=name, whom=whom())
    return None


def _opportunity(row: Row, connection: Connection | None, creating: bool) -> WhyNot | None:
    if has_opportunity(row):
        return None
    if creating:
        return said("send.needs_opportunity", "opportunity", name=row.name)
    if connection is not None and connection.send_without_opportunity == "refuse":
        return said("send.update_needs_opportunity", "opportunity", name=row.name)
    return None
