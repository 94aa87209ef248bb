"""Where a person arrives: the start address, the choice of an account, the account's settings."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from propolis.accounts.addressing import url
from propolis.accounts.forms import AccountForm
from propolis.accounts.models import Account, Audit, Membership, audit
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.accounts.scoping import unscoped


def accounts_of(user_id: int | None) -> list[Account]:
    """Accounts the user may enter, by name."""
    with unscoped():
        mine = Membership.objects.filter(user=user_id).select_related("account").order_by("account__name")
        return [m.account for m in mine if m.may_sign_in]


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """On to the account last visited, the only one, or the choice."""
    accounts = accounts_of(request.user.pk)
    last = [a for a in accounts if a.slug == request.session.get("account")]
    if last or len(accounts) == 1:
        return redirect(f"/{(last or accounts)[0].slug}/")
    return redirect("choose")


@login_required
def choose(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/choose.html", {"choices": accounts_of(request.user.pk)})


def healthz(request: HttpRequest) -> HttpResponse:
    """200 {"ok": true} while the database answers, for whoever watches the server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True})


def not_here(request: HttpRequest) -> HttpResponse:
    raise Http404


@needs(Verb.SEE)
def settings(request: AccountRequest, account: str) -> HttpResponse:
    return render(request, "accounts/settings.html")


@needs(Verb.SETTINGS)
def account_settings(request: AccountRequest, account: str) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=request.account)
    if form.is_valid():
        form.save()
        audit(request.account, request.membership, "account.changed", fields=",".join(form.changed_data))
        messages.success(request, "Account saved.")
        return redirect(url(request, "accounts:account"))
    return render(request, "accounts/account.html", {"form": form})


@needs(Verb.AUDIT)
def audit_log(request: AccountRequest, account: str) -> HttpResponse:
    """Newest 200 lines, older ones by `?before=<id>`."""
    lines = Audit.objects.select_related("actor").order_by("-id")
    before = request.GET.get("before", "")
    if before.isdigit():
        lines = lines.filter(id__lt=int(before))
    page = list(lines[:201])
    older = page[199].pk if len(page) > 200 else None
    return render(request, "accounts/audit_log.html", {"lines": page[:200], "older": older, "before": before})
