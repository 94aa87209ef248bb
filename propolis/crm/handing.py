"""Whose record it is, for many at a time: companies to whom sells to them, and all of a leaver's to somebody.

Each says beforehand what would change hands; each is one Run whose Changes are taken back together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from propolis.accounts.models import Membership
from propolis.crm.fields import Kind
from propolis.crm.models import Company, Contact, Opportunity, OppStatus
from propolis.crm.paging import counted

_ACTIVE = Membership.State.ACTIVE


def suggested(*, others_too: bool = False) -> QuerySet[Opportunity]:
    """The latest opportunity of each company that would go to its salesperson: the companies without one, or with
    `others_too` also those that have another one."""
    deals = Opportunity.objects.filter(deleted_at=None, salesperson__isnull=False)
    later = deals.filter(company=OuterRef("company"), pk__gt=OuterRef("pk"))
    able = Membership.objects.filter(state=_ACTIVE, is_salesperson=True).order_by()
    latest = deals.filter(~Exists(later), salesperson__in=able.values("pk"))
    missing = Q(company__salesperson=None)
    wanted = missing | ~Q(company__salesperson=F("salesperson")) if others_too else missing
    return latest.filter(wanted, company__isnull=False, company__deleted_at=None)


def suggested_counts(*, others_too: bool = False) -> list[tuple[Membership, int]]:
    """How many each person would get, the most first; two queries."""
    counts = suggested(others_too=others_too).order_by().values_list("salesperson").annotate(n=Count("*"))
    found = dict(counts)
    people = Membership.objects.in_bulk(list(found))
    return sorted(((people[pk], n) for pk, n in found.items()), key=lambda each: (-each[1], str(each[0])))


@dataclass(frozen=True)
class Share:
    """One part of what a person leaves behind. `one`: a single record of it. `rows`: their living records of it."""

    key: str
    label: str
    one: str
    kind: Kind
    field: str
    closed: bool | None = None
    ticked: bool = True

    def rows(self, person: Membership) -> QuerySet[Any]:
        models: dict[Kind, Any] = {
            Kind.COMPANY: Company,
            Kind.CONTACT: Contact,
            Kind.OPPORTUNITY: Opportunity,
        }
        found: QuerySet[Any] = models[self.kind].objects.filter(deleted_at=None, **{self.field: person})
        if self.closed is None:
            return found
        is_open = Q(status__outcome=OppStatus.Outcome.OPEN)
        return found.filter(~is_open if self.closed else is_open)


SHARES: Final = (
    Share("companies", "Companies", "company", Kind.COMPANY, "salesperson"),
    Share("contacts", "Contacts", "contact", Kind.CONTACT, "salesperson"),
    Share(
        "opportunities",
        "Open opportunities",
        "open opportunity",
        Kind.OPPORTUNITY,
        "salesperson",
        closed=False,
    ),
    Share(
        "closed",
        "Won and lost opportunities",
        "won or lost opportunity",
        Kind.OPPORTUNITY,
        "salesperson",
        closed=True,
        ticked=False,
    ),
    Share("company_steps", "Next steps on companies", "next step on a company", Kind.COMPANY, "next_step_by"),
    Share(
        "opportunity_steps",
        "Next steps on opportunities",
        "next step on an opportunity",
        Kind.OPPORTUNITY,
        "next_step_by",
    ),
)


def left_behind(person: Membership) -> list[tuple[Share, int]]:
    """What there is to hand over, by part, each as `paging.counted`, without empty parts."""
    counts = [(share, counted(share.rows(person))) for share in SHARES]
    return [(share, count) for share, count in counts if count]


def page_after_disabling(person: Membership) -> str:
    """The page that hands over what a person who was just disabled leaves behind, "" where that is nothing."""
    return "crm:hand_over" if any(share.rows(person).exists() for share in SHARES) else ""


def heirs(person: Membership) -> QuerySet[Membership]:
    """Who may be given records."""
    return Membership.objects.filter(state=_ACTIVE).exclude(pk=person.pk).order_by("name")
