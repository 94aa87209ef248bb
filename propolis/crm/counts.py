"""How many there are, for the side navigation: one cheap query each, exact up to ten thousand."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest

from propolis.crm.models import Company, Contact, List, Opportunity
from propolis.crm.paging import COUNTED, counted


def _companies(request: HttpRequest) -> int:
    return min(counted(Company.objects.filter(deleted_at=None, disabled_in_syncro=False)), COUNTED)


def _contacts(request: HttpRequest) -> int:
    return min(counted(Contact.objects.filter(deleted_at=None)), COUNTED)


def _lists(request: HttpRequest) -> int:
    return List.objects.count()


def _opportunities(request: HttpRequest) -> int:
    return min(counted(Opportunity.objects.filter(deleted_at=None, closed_at=None)), COUNTED)


OF: dict[str, Callable[[HttpRequest], int | None]] = {
    "companies": _companies,
    "contacts": _contacts,
    "lists": _lists,
    "opportunities": _opportunities,
}
