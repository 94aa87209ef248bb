"""The frame of the Syncro PSA Integration: overview, steps aside, the pages of the three imports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from propolis.accounts.addressing import url
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge.choices import summary
from propolis.bridge.import_pages import step_panel
from propolis.bridge.import_words import lately
from propolis.bridge.models import Backup, Connection, connection_of
from propolis.bridge.steps import (
    IMPORTED,
    Step,
    StepLocked,
    StepState,
    require_step,
    steps_of,
    waits_for,
)
from propolis.bridge.views_statuses import status_choices

P = ParamSpec("P")
_NEXT = {
    Step.COMPANIES: "Every Syncro customer comes: Syncro has no company types to choose by.",
    Step.CONTACTS: "Every Syncro contact comes, onto the list “Syncro General”, linked to its company.",
    Step.OPPORTUNITIES: "Syncro calls them leads. Each of their statuses becomes one of yours, or stays out.",
}


@needs(Verb.IMPORT)
def integrations(request: AccountRequest, account: str) -> HttpResponse:
    connection = connection_of(request.account)
    return render(request, "bridge/integrations.html", {"connection": connection})


@needs(Verb.IMPORT)
def overview(request: AccountRequest, account: str) -> HttpResponse:
    connection = connection_of(request.account)
    return step_page(request, "bridge/overview.html", None, connection)


@needs(Verb.IMPORT)
def companies(request: AccountRequest, account: str) -> HttpResponse:
    return import_page(request, Step.COMPANIES)


@needs(Verb.IMPORT)
def contacts(request: AccountRequest, account: str) -> HttpResponse:
    return import_page(request, Step.CONTACTS)


@needs(Verb.IMPORT)
def opportunities(request: AccountRequest, account: str) -> HttpResponse:
    return import_page(request, Step.OPPORTUNITIES)


def import_page(request: AccountRequest, step: Step) -> HttpResponse:
    """The page of an import step, in the state it is in now."""
    connection = connection_of(request.account)
    if connection is None or waits_for(connection, step):
        return step_page(request, "bridge/locked.html", step, connection)
    panel = step_panel(request.account, connection, step, request.GET.dict())
    coming = summary(connection)[step.value]
    words: dict[str, Any] = {"says": _NEXT[step], "panel": panel, "on": step.value, "coming": coming}
    if step is Step.OPPORTUNITIES and (panel.choose is not None or panel.preview is not None):
        words |= status_choices(connection)
    return step_page(request, "bridge/import_page.html", step, connection, words)


def step_page(
    request: AccountRequest,
    template: str,
    step: Step | None,
    connection: Connection | None,
    words: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """A page with the five steps aside. `step` is the one shown, None on the overview."""
    steps = steps_of(connection)
    here = next((view for view in steps if view.step is step), None)
    following = next((view for view in steps if here is not None and view.number == here.number + 1), None)
    first = connection is None or all(
        getattr(connection, f"{each.value}_read_at") is None for each in IMPORTED
    )
    shown = {
        "connection": connection,
        "steps": steps,
        "here": here,
        "following": following,
        "next": next(
            (view for view in steps if view.state in (StepState.CURRENT, StepState.ATTENTION)), None
        ),
        "recommend_backup": first,
        **(backup_words(request) if first else {}),
        **(words or {}),
    }
    return render(request, template, shown)


def backup_words(request: AccountRequest) -> dict[str, Any]:
    """For "Whoa! You recommend a backup": the latest one, and where contacts can be uploaded first."""
    backup = Backup.objects.order_by("-id").first()
    return {
        "backup": backup,
        "backup_at": lately(backup.at) if backup else "",
        "upload_url": url(request, "crm:csv_import"),
        "backups_url": url(request, "bridge:backups"),
    }


def step_is_open(
    step: Step, *, talks: bool = True
) -> Callable[
    [Callable[Concatenate[AccountRequest, P], HttpResponseBase]],
    Callable[Concatenate[AccountRequest, P], HttpResponseBase],
]:
    """A view that only works in its turn; before that, back to the step's page with the sentence why."""

    def decorate(
        view: Callable[Concatenate[AccountRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[AccountRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: AccountRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                require_step(connection_of(request.account), step, talks=talks)
            except StepLocked as locked:
                return sent_back(request, step, locked.sentence)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def sent_back(request: AccountRequest, step: Step, sentence: str) -> HttpResponse:
    """To the page of the step, with a sentence; htmx requests load it whole."""
    messages.error(request, sentence)
    address = url(request, f"bridge:{step.value}")
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
