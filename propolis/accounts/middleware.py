"""Puts the account named in the address into scope, and notes who was here."""

from __future__ import annotations

import re
import time
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone

from propolis.accounts import sign_in_log
from propolis.accounts.models import RESERVED_SLUGS, Account, Membership
from propolis.accounts.scoping import in_account, unscoped

_SLUG = re.compile(r"\A/([a-z0-9][a-z0-9-]*)(?:/|\Z)")


class AccountInAddress:
    """For `/<slug>/…`: request.account and request.membership, everything inside `in_account(account)`, the
    person's time zone. Whoever is not an active member with a role type meets 404, exactly as for an account
    that does not exist; whoever is not signed in meets the sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_named(getattr(request.user, "time_zone", "") or "UTC")):
            slug = slug_of(request.path_info)
            if slug is None:
                return self.get_response(request)
            if not request.user.is_authenticated:
                return _sign_in(request)
            return self._inside(request, slug)

    def _inside(self, request: HttpRequest, slug: str) -> HttpResponse:
        membership = membership_of(request.user.pk, slug)
        if membership is None:
            raise Http404
        account = membership.account
        here: Any = request
        here.account, here.membership = account, membership
        if request.session.get("account") != slug:
            request.session["account"] = slug
        sign_in_log.entered(request, membership)
        zone = zone_named(getattr(request.user, "time_zone", "") or account.time_zone)
        with in_account(account), timezone.override(zone):
            response = self.get_response(request)
        # What an account knows is not left in the cache of a browser others may use.
        response.headers.setdefault("Cache-Control", "no-store, private")
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            response.streaming_content = _streamed(account, zone, response.streaming_content)
        return response


def slug_of(path: str) -> str | None:
    """The account an address names; None for addresses that are nobody's (/auth/, /me/, /static/…)."""
    found = _SLUG.match(path)
    return found[1] if found and found[1] not in RESERVED_SLUGS else None


def membership_of(user_id: int | None, slug: str) -> Membership | None:
    """The membership by which the user may enter, if any."""
    with unscoped():
        found = Membership.objects.filter(user=user_id, account__slug=slug).select_related("account").first()
    return found if found and found.may_sign_in else None


def _sign_in(request: HttpRequest) -> HttpResponse:
    if not getattr(request, "htmx", False):
        return redirect_to_login(_after_sign_in(request), reverse("account_login"))
    # A sign-in page swapped into a part of the old one would help nobody.
    page = urlsplit(request.headers.get("HX-Current-URL", "")).path or "/"
    address = f"{reverse('account_login')}?{urlencode({'next': page})}"
    return HttpResponse(status=204, headers={"HX-Redirect": address})


def _after_sign_in(request: HttpRequest) -> str:
    """The page asked for. Of something sent: the page it was sent from, since it is not sent again by itself."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    words = "You had been signed out. What you sent last was not saved: send it again."
    messages.warning(request, words, fail_silently=True)
    came = urlsplit(request.headers.get("Referer", ""))
    page = f"{came.path}?{came.query}" if came.query else came.path
    return page if came.netloc == request.get_host() and page else f"/{slug_of(request.path_info)}/"


def _streamed(account: Account, zone: zoneinfo.ZoneInfo, parts: Iterator[bytes]) -> Iterator[bytes]:
    """A streamed body is made after the view has returned; each part still sees this account only."""
    waiting = iter(parts)
    while True:
        with in_account(account), timezone.override(zone):
            part = next(waiting, None)
        if part is None:
            return
        yield part


def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """UTC for one this machine does not know."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


class ReadableAddress:
    """400 for an address with a NUL in it, which PostgreSQL takes in no text; forms clean what is typed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("the address holds a NUL")
        return self.get_response(request)


class SeenNowAndThen:
    """Keeps the sessions list's "Last seen" at most SEEN_EVERY seconds behind: a write on every request would
    queue pages that only read behind an import's writes."""

    SEEN_EVERY = 300

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = request.session
        due = bool(session.session_key) and time.time() - session.get("seen", 0) > self.SEEN_EVERY
        if due and request.user.is_authenticated:
            UserSession.objects.create_from_request(request)
            session["seen"] = time.time()
        return self.get_response(request)
