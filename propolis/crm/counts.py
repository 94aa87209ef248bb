"""How many there are, for the side navigation: one cheap query each, exact up to ten thousand."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest

from propolis.accounts.models import Account
from propolis.accounts.scoping import current_account_id
from propolis.crm.models import Company, Contact, Duplicate, List, Opportunity
from propolis.crm.paging import HowMany, count_words, counted


def _companies(request: HttpRequest) -> str:
    return count_words(counted(Company.objects.filter(deleted_at=None, disabled_in_syncro=False)))


def _contacts(request: HttpRequest) -> str:
    return count_words(counted(Contact.objects.filter(deleted_at=None)))


def _lists(request: HttpRequest) -> str:
    return count_words(_few(request)[0])


def _duplicates(request: HttpRequest) -> str | None:
    """Nothing to look at needs no number."""
    count = _few(request)[1]
    return count_words(count) if count else None


def _few(request: HttpRequest) -> tuple[int, int]:
    """Lists and suggested duplicates, asked together and once for each page."""
    known: tuple[int, int] | None = getattr(request, "_few_counted", None)
    if known is None:
        numbers = HowMany(List.objects.order_by()), HowMany(Duplicate.objects.order_by())
        known = Account.objects.filter(pk=current_account_id() or 0).values_list(*numbers)[0]
        request._few_counted = known  # type: ignore[attr-defined]
    return known


def _opportunities(request: HttpRequest) -> str:
    return count_words(counted(Opportunity.objects.filter(deleted_at=None, closed_at=None)))


OF: dict[str, Callable[[HttpRequest], int | str | None]] = {
    "companies": _companies,
    "contacts": _contacts,
    "lists": _lists,
    "duplicates": _duplicates,
    "opportunities": _opportunities,
}
