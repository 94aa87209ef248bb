"""Where a person arrives: the start address, the choice of an account, the account's settings."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from propolis.accounts import audit_log as audit_page
from propolis.accounts.addressing import typed_id, url
from propolis.accounts.audit_log import Narrowing
from propolis.accounts.forms import AccountForm
from propolis.accounts.founding import region_changed
from propolis.accounts.models import Account, Membership, audit
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
        if "phone_region" in form.changed_data:
            region_changed.send(sender=Account, account=request.account, by=request.membership)
        messages.success(request, "Account saved.")
        return redirect(url(request, "accounts:account"))
    return render(request, "accounts/account.html", {"form": form})


@needs(Verb.AUDIT)
def audit_log(request: AccountRequest, account: str) -> HttpResponseBase:
    """The newest lines the filters leave, older ones by `?before=<id>`; with `?as=csv` all of them as a file."""
    wanted = Narrowing.of(request.GET.dict())
    if request.GET.get("as") == "csv":
        return _audit_csv(request, wanted)
    lines = wanted.lines()
    before = typed_id(request.GET.get("before"))
    if before is not None:
        lines = lines.filter(id__lt=before)
    page = list(lines[: audit_page.PAGE + 1])
    kept = request.GET.copy()
    kept.pop("before", None)
    context = {
        "lines": audit_page.told(page[: audit_page.PAGE]),
        "older": page[audit_page.PAGE - 1].pk if len(page) > audit_page.PAGE else None,
        "before": before,
        "wanted": wanted,
        "deeds": audit_page.deeds(),
        "people": audit_page.people(),
        "narrowing": kept.urlencode(),
    }
    return render(request, "accounts/audit_log.html", context)


def _audit_csv(request: AccountRequest, wanted: Narrowing) -> StreamingHttpResponse:
    """Every line the filters leave; that somebody took it is a line too."""
    audit(request.account, request.membership, "audit.exported")
    parts = audit_page.as_csv(wanted.lines())
    name = f"audit-{request.account.slug}-{timezone.localdate().isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8", headers=headers)
