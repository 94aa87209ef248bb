"""Helping somebody in who lost a password or a phone: for whoever runs the installation, never for an Admin.

An Admin who could do this would, through a person who works in several accounts, reach into accounts of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from propolis.accounts.models import Membership, User, audit
from propolis.accounts.scoping import in_account, unscoped


class Nobody(Exception):
    """No person who may sign in has this e-mail; the sentence says which of the two it is."""


@dataclass(frozen=True)
class WayIn:
    """An address at which the person chooses a new password, once; and what is no longer asked for."""

    user: User
    url: str
    until: datetime
    second_step_was_on: bool


def way_in(email: str, *, without_second_step: bool = False) -> WayIn:
    """Makes the address; every account the person may enter gets a line in its audit log."""
    user, memberships = _person(email.strip().lower())
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    second = Authenticator.objects.filter(user=user)
    with transaction.atomic():
        was_on = second.exists()
        if without_second_step:
            second.delete()
        for membership in memberships:
            with in_account(membership.account):
                audit(membership.account, None, "user.password_link_made", membership=membership.pk)
                if without_second_step and was_on:
                    audit(membership.account, None, "user.second_factor_removed", membership=membership.pk)
    until = timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    return WayIn(user, get_adapter().get_reset_password_from_key_url(key), until, was_on)


def _person(email: str) -> tuple[User, list[Membership]]:
    user = User.objects.filter(email=email).first()
    if user is None:
        raise Nobody(
            f"Nobody signs in with {email}. Look at the spelling; who was only invited has no password yet."
        )
    with unscoped():
        theirs = list(Membership.objects.filter(user=user).select_related("account"))
    allowed = [membership for membership in theirs if membership.may_sign_in]
    if not allowed or not user.is_active:
        raise Nobody(
            f"{email} may not sign in to any account. An Admin lets them in again on the Users page."
        )
    return user, allowed
