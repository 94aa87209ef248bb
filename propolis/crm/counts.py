"""How many there are, for the side navigation: one cheap query each, exact up to ten thousand."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest

from propolis.crm.models import Company, Contact, List, Opportunity
from propolis.crm.paging import count_words, counted


def _companies(request: HttpRequest) -> str:
    return count_words(counted(Company.objects.filter(deleted_at=None, disabled_in_syncro=False)))


def _contacts(request: HttpRequest) -> str:
    return count_words(counted(Contact.objects.filter(deleted_at=None)))


def _lists(request: HttpRequest) -> int:
    return List.objects.count()


def _opportunities(request: HttpRequest) -> str:
    return count_words(counted(Opportunity.objects.filter(deleted_at=None, closed_at=None)))


OF: dict[str, Callable[[HttpRequest], int | str | None]] = {
    "companies": _companies,
    "contacts": _contacts,
    "lists": _lists,
    "opportunities": _opportunities,
}
