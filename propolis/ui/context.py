"""What every page's frame needs: who, where, what may be done, what stands in the navigation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.functional import SimpleLazyObject

from propolis.accounts.addressing import url
from propolis.accounts.invitations import TO_FILES
from propolis.accounts.models import Account, Membership, User
from propolis.accounts.policy import Verb, may
from propolis.accounts.scoping import in_account, unscoped
from propolis.ui.fonts import is_built
from propolis.ui.navigation import SECTIONS, Item, menus


@dataclass(frozen=True)
class Entry:
    """One navigation entry as the page shows it. current: "page", "true" (a page below it) or ""."""

    label: str
    href: str
    icon: str
    count: int | str | None
    current: str
    says: str


def shell(request: HttpRequest) -> dict[str, Any]:
    """account, membership, theme, may (verb name → bool), nav, settings_nav, accounts to switch to, fonts, and
    whether letters go out by mail (or are only put into files)."""
    user = getattr(request, "user", AnonymousUser())
    membership = _membership(request, user)
    account = membership.account if membership else None
    granted = {verb.name: may(membership, verb) for verb in Verb}
    return {
        "account": account,
        "membership": membership,
        "theme": getattr(user, "theme", ""),
        "may": granted,
        "nav": SimpleLazyObject(lambda: _sections(request, account, granted)),
        "settings_nav": SimpleLazyObject(lambda: _settings(request, account, granted)),
        "accounts": SimpleLazyObject(lambda: _accounts(user)),
        "fonts": is_built(),
        "mail_goes_out": settings.EMAIL_BACKEND != TO_FILES,
    }


def _membership(request: HttpRequest, user: User | AnonymousUser) -> Membership | None:
    """The account of the address, else (profile, password…) the one last visited, so the frame stays put."""
    found: Membership | None = getattr(request, "membership", None)
    if found is not None or (not isinstance(user, User) and not getattr(user, "is_authenticated", False)):
        return found
    with unscoped():
        mine = [m for m in Membership.objects.filter(user=user.pk).select_related("account") if m.may_sign_in]
    session = getattr(request, "session", {})
    last = [m for m in mine if m.account.slug == session.get("account")]
    return next(iter(last or mine), None)


def _accounts(user: Any) -> list[Account]:
    if not user.is_authenticated:
        return []
    with unscoped():
        mine = Membership.objects.filter(user=user.pk).select_related("account").order_by("account__name")
        return [m.account for m in mine if m.may_sign_in]


def _sections(
    request: HttpRequest, account: Account | None, granted: dict[str, bool]
) -> list[dict[str, Any]]:
    if account is None:
        return []
    found = []
    with in_account(account):
        for key, heading in SECTIONS.items():
            entries = _entries(request, menus.nav[key], account, granted)
            if entries:
                found.append({"key": key, "heading": heading, "entries": entries})
    return found


def _settings(
    request: HttpRequest, account: Account | None, granted: dict[str, bool]
) -> list[dict[str, Any]]:
    found = []
    for heading, items in menus.settings.items():
        entries = _entries(request, items, account, granted)
        if entries:
            found.append({"heading": heading, "entries": entries})
    return found


def _entries(
    request: HttpRequest, items: list[Item], account: Account | None, granted: dict[str, bool]
) -> list[Entry]:
    here = _url_name(request)
    found = []
    for item in items:
        if (item.verb and not granted[item.verb]) or (account is None and not item.of_person):
            continue
        href = reverse(item.url_name) if item.of_person else url(account, item.url_name)  # type: ignore[arg-type]
        current = "page" if href == request.path else "true" if here in item.belongs else ""
        count = item.count(request) if item.count else None
        found.append(Entry(item.label, href, item.icon, count, current, item.says))
    return found


def _url_name(request: HttpRequest) -> str:
    try:
        return (request.resolver_match or resolve(request.path_info)).view_name
    except Resolver404:
        return ""
