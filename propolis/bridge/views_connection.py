"""Step 1, "Save credentials": subdomain and token, checked by reading before anything is saved."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge import connecting
from propolis.bridge.connecting import CheckReport, Refusal
from propolis.bridge.models import Connection, Link, connection_of
from propolis.bridge.steps import Step
from propolis.bridge.views_wizard import step_is_open, step_page
from propolis.syncro import PermissionResult, PermissionState, SyncroError

LATER = "Importing works without it. Add it before you use Send to Syncro."
_BROKEN = Connection.State.BROKEN
_WORD = {"ok": ("ok", "Yes"), "missing": ("bad", "Missing"), "unknown": ("warn", "Not tested")}
_FOR = {
    "Customers - List/Search": "Reads the list of your customers",
    "Customers - View Detail": "Reads each customer's contacts",
    "Leads - List/Search": "Reads your leads, which become opportunities",
    "Customers - Edit": "Updates customers and contacts you send",
    "Customers - Create": "Creates customers you send",
}


def permission_groups(results: list[PermissionResult] | None = None) -> list[dict[str, Any]]:
    """The two groups in the page's order, with what a check found where there was one."""
    found = {result.name: result for result in results or ()}
    groups = []
    for key, title in (("import", "To import"), ("send", "To use Send to Syncro")):
        names = [name for name, needed in connecting.NEEDED_FOR.items() if needed == key]
        lines = [_line(name, found.get(name)) for name in names]
        groups.append({"key": key, "title": title, "lines": lines})
    return groups


def _line(name: str, result: PermissionResult | None) -> dict[str, str]:
    tone, word = _WORD[result.state.value] if result else ("", "")
    detail = result.detail if result else ""
    if result and result.needed_for == "send" and result.state is PermissionState.MISSING:
        # We advise to begin without it: nothing is wrong.
        tone, detail = "warn", LATER
    return {"name": name, "says": _FOR[name], "tone": tone, "word": word, "detail": detail}


class TokenForm(forms.Form):
    token = forms.CharField(
        label="API token",
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": connecting.EMPTY},
    )

    def refuse(self, refusal: Refusal) -> None:
        """Puts the sentence beside the field it is about."""
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, refusal.sentence)


class CredentialsForm(TokenForm):
    address = forms.CharField(
        label="Syncro subdomain",
        max_length=300,
        help_text="The first part of the address you sign in to: acme of acme.syncromsp.com. "
        "You may paste the whole address.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"required": "Enter your Syncro subdomain."},
    )
    drop_links = forms.BooleanField(required=False, label="Forget which records came from the other account")
    field_order = ("address", "token", "drop_links")

    def __init__(self, *args: Any, may_drop: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.PROPOLIS_SYNCRO_BASE_URL:
            del self.fields["address"]
        if not may_drop:
            del self.fields["drop_links"]

    def clean_address(self) -> str:
        given = str(self.cleaned_data["address"])
        try:
            connecting.target_of(given)
        except SyncroError as error:
            raise forms.ValidationError(error.sentence) from None
        return given


@sensitive_post_parameters("token")
@needs(Verb.CONNECT)
def page(request: AccountRequest, account: str) -> HttpResponse:
    """GET: how it stands, or the form. POST: checks, and saves what works."""
    connection = connection_of(request.account)
    if request.method != "POST":
        return _page(request, connection)
    form = CredentialsForm(request.POST, may_drop="drop_links" in request.POST)
    if not form.is_valid():
        return _page(request, connection, form=form)
    given = form.cleaned_data
    found = connecting.connect(
        request.account,
        address_or_base_url=given.get("address", ""),
        token=given["token"],
        by=request.membership,
        drop_links=given.get("drop_links", False),
    )
    if isinstance(found, Refusal):
        return _refused(request, connection, found)
    messages.success(request, f"Connected to {connecting.shown_address(found)}.")
    return redirect(url(request, "bridge:connection"))


def _refused(request: AccountRequest, connection: Connection | None, refusal: Refusal) -> HttpResponse:
    other = refusal.code == "bridge.other_account"
    form = CredentialsForm(request.POST, may_drop=other)
    form.full_clean()
    form.refuse(refusal)
    links = Link.objects.count() if other else 0
    return _page(request, connection, form=form, report=refusal.report, links=links)


def _page(
    request: AccountRequest,
    connection: Connection | None,
    *,
    form: TokenForm | None = None,
    replace: TokenForm | None = None,
    report: CheckReport | None = None,
    links: int = 0,
) -> HttpResponse:
    lines = list(report.results) if report else connecting.permission_lines(connection) if connection else []
    words = {
        "form": form or replace or CredentialsForm(initial=_initial(connection)),
        "asks": form is not None or connection is None or not connection.token_cipher,
        "replace": replace or TokenForm(auto_id="replace_%s"),
        "replacing": replace is not None or (connection is not None and connection.state == _BROKEN),
        "instructions": permission_groups(),
        "groups": permission_groups(lines) if lines else [],
        "report": report,
        "links": links,
        "address": connecting.shown_address(connection) if connection and connection.base_url else "",
        "fixed_address": settings.PROPOLIS_SYNCRO_BASE_URL,
    }
    return step_page(request, "bridge/connection.html", Step.CONNECTION, connection, words)


def _initial(connection: Connection | None) -> dict[str, str]:
    return {"address": connection.label} if connection and connection.label else {}


@sensitive_post_parameters("token")
@needs(Verb.CONNECT)
@require_POST
def check(request: AccountRequest, account: str) -> HttpResponse:
    """Tests what was typed and saves nothing."""
    form = CredentialsForm(request.POST)
    report = None
    if form.is_valid():
        target = connecting.target_of(form.cleaned_data.get("address", ""))
        report = connecting.check(target.base_url, form.cleaned_data["token"])
    if request.htmx:
        words = {"form": form, "report": report, "groups": _groups_of(report)}
        return render(request, "bridge/check_result.html", words)
    return _page(request, connection_of(request.account), form=form, report=report)


def _groups_of(report: CheckReport | None) -> list[dict[str, Any]]:
    return permission_groups(list(report.results)) if report and report.results else []


@needs(Verb.CONNECT)
@require_POST
@step_is_open(Step.CONNECTION)
def check_saved(request: AccountRequest, account: str) -> HttpResponse:
    """Tests the saved token again."""
    connection = connection_of(request.account)
    assert connection is not None
    report = connecting.check_saved(connection, by=request.membership)
    if report.code:
        messages.error(request, report.sentence)
    elif report.reading_ok:
        messages.success(request, "Checked: the saved token works.")
    else:
        messages.warning(request, "The saved token lacks a permission needed to import.")
    return redirect(url(request, "bridge:connection"))


@sensitive_post_parameters("token")
@needs(Verb.CONNECT)
@require_POST
@step_is_open(Step.CONNECTION)
def replace(request: AccountRequest, account: str) -> HttpResponse:
    """A new token for the same address."""
    connection = connection_of(request.account)
    assert connection is not None
    form = TokenForm(request.POST, auto_id="replace_%s")
    if not form.is_valid():
        return _page(request, connection, replace=form)
    found = connecting.replace_token(connection, token=form.cleaned_data["token"], by=request.membership)
    if isinstance(found, Refusal):
        form.add_error("token", found.sentence)
        return _page(request, connection, replace=form, report=found.report)
    messages.success(request, f"The token is replaced. Connected to {connecting.shown_address(found)}.")
    return redirect(url(request, "bridge:connection"))


@needs(Verb.CONNECT)
@step_is_open(Step.CONNECTION)
def disconnect(request: AccountRequest, account: str) -> HttpResponse:
    """GET asks, POST forgets the token."""
    connection = connection_of(request.account)
    assert connection is not None
    if request.method != "POST":
        words = {"address": connecting.shown_address(connection)}
        return render(request, "bridge/disconnect.html", words)
    connecting.disconnect(connection, by=request.membership)
    messages.success(request, "Disconnected. The token is forgotten; records and links stay.")
    return redirect(url(request, "bridge:connection"))
