"""Addresses of pages inside an account: its slug comes first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from propolis.accounts.models import Account


def url(where: HttpRequest | Account | str, name: str, *args: Any, **kwargs: Any) -> str:
    """`url(request, "crm:company", 7)` → "/acme/companies/7/".

    where: a request inside an account, the account, or its slug. NoReverseMatch for an unknown name.
    """
    account: Any = getattr(where, "account", where)
    slug = account if isinstance(account, str) else account.slug
    if kwargs:
        return reverse(name, kwargs={"account": slug, **kwargs})
    return reverse(name, args=[slug, *args])
