"""What a request looks like to views."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from propolis.accounts.models import Account, Membership, User


class PersonRequest(HttpRequest):
    """Of somebody who is signed in. `htmx` is django-htmx's HtmxDetails: true when htmx asks."""

    user: User
    session: SessionBase
    htmx: Any


class AccountRequest(PersonRequest):
    """To a page of an account (`AccountInAddress` sets both)."""

    account: Account
    membership: Membership
