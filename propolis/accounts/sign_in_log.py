"""Signing in and out, and what a sign-in consists of, as lines of the audit log.

A sign-in is a person's, an audit log an account's: a line is written where and when the person first enters an
account in that session, so that no account learns of visits to another. What could let a stranger in (a wrong
password, a changed one, a second factor taken off) stands in the log of every account the person may enter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import password_changed, password_reset, password_set, user_logged_in
from allauth.mfa.signals import authentication_failed as factor_failed
from allauth.mfa.signals import (
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.http import HttpRequest

from propolis.accounts.models import Membership, User, audit
from propolis.accounts.scoping import in_account, unscoped

_KNOWN: Final = "signed_in"  # in the session: ids of the accounts that know of it
_FACTORS: Final = {"totp": "authenticator app", "webauthn": "passkey", "recovery_codes": "recovery code"}


def entered(request: HttpRequest, membership: Membership) -> None:
    """Called on each page of an account; writes at most once a session."""
    known = request.session.get(_KNOWN)
    if known is None or membership.account_id in known:
        return
    records = get_authentication_records(request, request.user)
    used = dict.fromkeys(
        _FACTORS.get(each.get("type", ""), each["method"].replace("_", " ")) for each in records
    )
    _write([membership], "user.signed_in", **({"with": ", ".join(used)} if used else {}))
    request.session[_KNOWN] = [*known, membership.account_id]


def connect() -> None:
    """Once, when the app is ready."""
    user_logged_in.connect(_signed_in, dispatch_uid="sign_in_log")
    user_logged_out.connect(_signed_out, dispatch_uid="sign_in_log")
    user_login_failed.connect(_failed, dispatch_uid="sign_in_log")
    for signal, verb in (
        (factor_failed, "user.sign_in_failed"),
        (password_changed, "user.password_changed"),
        (password_set, "user.password_changed"),
        (password_reset, "user.password_reset"),
        (authenticator_added, "user.second_factor_added"),
        (authenticator_reset, "user.second_factor_changed"),
        (authenticator_removed, "user.second_factor_removed"),
    ):
        signal.connect(_everywhere(verb), weak=False, dispatch_uid="sign_in_log")


def _signed_in(request: HttpRequest, **_more: Any) -> None:
    request.session[_KNOWN] = []


def _signed_out(request: HttpRequest | None, user: User | None, **_more: Any) -> None:
    known = request.session.get(_KNOWN, []) if request is not None else []
    if known and user is not None:
        _write([m for m in _active(user) if m.account_id in known], "user.signed_out")


def _failed(credentials: dict[str, Any], **_more: Any) -> None:
    """Of an address nobody here has, nothing is kept."""
    email = str(credentials.get("email") or credentials.get("username") or "").strip().lower()
    user = User.objects.filter(email=email).first() if email else None
    if user is not None:
        _write(_active(user), "user.sign_in_failed")


def _everywhere(verb: str) -> Any:
    def receive(user: User, authenticator: Any = None, **_more: Any) -> None:
        kind = _FACTORS.get(getattr(authenticator, "type", ""), "")
        _write(_active(user), verb, **({"with": kind} if kind else {}))

    return receive


def _active(user: User) -> list[Membership]:
    with unscoped():
        found = list(Membership.objects.filter(user=user).select_related("account"))
    return [membership for membership in found if membership.may_sign_in]


def _write(memberships: Iterable[Membership], verb: str, **about: str) -> None:
    for membership in memberships:
        with in_account(membership.account):
            audit(membership.account, membership, verb, **about)
