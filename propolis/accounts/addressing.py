"""Addresses of pages inside an account: its slug comes first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from propolis.accounts.models import Account

MOST_DIGITS = 18  # every such number fits a 64-bit column


def typed_id(text: str | None) -> int | None:
    """The id that stands in an address or a form, None for what cannot be one.

    `str.isdigit` alone would let "²" through, which `int` refuses, and numbers no database column holds.
    """
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def url(where: HttpRequest | Account | str, name: str, *args: Any, **kwargs: Any) -> str:
    """`url(request, "crm:company", 7)` → "/acme/companies/7/".

    where: a request inside an account, the account, or its slug. NoReverseMatch for an unknown name.
    """
    account: Any = getattr(where, "account", where)
    slug = account if isinstance(account, str) else account.slug
    if kwargs:
        return reverse(name, kwargs={"account": slug, **kwargs})
    return reverse(name, args=[slug, *args])
