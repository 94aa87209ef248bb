"""Switching the daily import on and off; its card on the integration's overview."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.policy import Verb, may, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge import scheduling
from propolis.runs.models import Run

BY_HAND: Final = "By hand"


class ScheduleForm(forms.Form):
    """`hour` of the account's own day; `max_changes` may stay blank."""

    hour = forms.TypedChoiceField(
        label="Every day at", coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)]
    )
    max_changes = forms.IntegerField(
        label="Stop if more than this many records would change",
        help_text="Then nothing is written, and the import waits for you with its preview. Leave it empty for no "
        "limit beyond the usual checks.",
        required=False,
        min_value=0,
        max_value=10_000_000,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, zone: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hour"].help_text = f"By the account's clock ({zone})."


@needs(Verb.IMPORT)
def page(request: AccountRequest, account: str) -> HttpResponse:
    now = scheduling.standing(request.account)
    known = {"hour": now.hour, "max_changes": now.max_changes}
    form = ScheduleForm(request.account.time_zone, request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            scheduling.switch_on(request.account, by=request.membership, **form.cleaned_data)
        except ValueError as waits:
            messages.error(request, str(waits))
        else:
            messages.success(request, "The daily import is on.")
        return redirect(url(request, "bridge:syncro"))
    return render(request, "bridge/schedule.html", {"form": form, "schedule": now})


@needs(Verb.IMPORT)
@require_POST
def off(request: AccountRequest, account: str) -> HttpResponse:
    if scheduling.switch_off(request.account, BY_HAND, by=request.membership):
        messages.success(request, "The daily import is off.")
    return redirect(url(request, "bridge:syncro"))


def card(request: HttpRequest, about: Any) -> str:
    """For the place "bridge.overview"."""
    return _drawn(request, "bridge/schedule_card.html")


def offer(request: HttpRequest, about: Any) -> str:
    """For the place "bridge.import_result": after two imports without a flaw."""
    if not isinstance(about, Run) or about.state != Run.State.COMPLETE or about.kind != scheduling.KIND:
        return ""
    return _drawn(request, "bridge/schedule_offer.html", only_if_offered=True)


def _drawn(request: HttpRequest, template: str, *, only_if_offered: bool = False) -> str:
    account, membership = getattr(request, "account", None), getattr(request, "membership", None)
    if account is None or not may(membership, Verb.IMPORT):
        return ""
    now = scheduling.standing(account)
    if only_if_offered and not now.offered:
        return ""
    return render_to_string(template, {"schedule": now}, request)
