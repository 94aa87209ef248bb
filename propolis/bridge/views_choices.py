"""What comes along, chosen on one page; and the two questions about leads, answered in the preview."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import typed_id, url
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge import choices, connecting
from propolis.bridge.choices import ROWS, STATUS, Choices, Row
from propolis.bridge.importing import plan_again
from propolis.bridge.models import Connection, connection_of
from propolis.bridge.steps import Step
from propolis.bridge.vault import TokenUnreadable
from propolis.bridge.views_statuses import AGAIN
from propolis.bridge.views_wizard import step_is_open
from propolis.syncro import BadToken, SyncroError

MEANWHILE = (
    "Somebody changed these choices meanwhile. Nothing of yours was saved; this is how they stand now. "
    "Choose again."
)


@needs(Verb.IMPORT)
@step_is_open(Step.USERS, talks=False)
def page(request: AccountRequest, account: str) -> HttpResponse:
    """GET: what holds. POST: saves; with "look", asks Syncro which custom fields there are and saves nothing."""
    connection = _connection(request)
    if request.method != "POST":
        return _shown(request, connection, choices.choices_of(connection))
    chosen = _chosen(request.POST, connection)
    if "look" in request.POST:
        return _looked(request, connection, chosen)
    if request.POST.get("as_of", now := choices.as_of(connection)) != now:
        return _shown(request, connection, choices.choices_of(connection), problem=MEANWHILE)
    try:
        changed = choices.save(connection, chosen, request.membership)
    except ValueError as problem:
        return _shown(request, connection, chosen, problem=str(problem))
    _tell(request, changed=changed)
    return redirect(url(request, "bridge:choices"))


def _looked(request: AccountRequest, connection: Connection, chosen: Choices) -> HttpResponse:
    names: list[str] = []
    try:
        stop = connecting.patience()
        with connecting.client_for(connection, should_stop=stop, priority=True) as client:
            names = choices.custom_fields_in_syncro(client)
    except (SyncroError, TokenUnreadable) as error:
        if isinstance(error, BadToken):
            connecting.token_died(connection, error)
        told = connecting.as_told(error) if isinstance(error, SyncroError) else error
        return _shown(request, connection, chosen, problem=told.sentence)
    return _shown(request, connection, chosen, custom=names)


@needs(Verb.IMPORT)
@require_POST
@step_is_open(Step.OPPORTUNITIES, talks=False)
def answer(request: AccountRequest, account: str) -> HttpResponse:
    """ "Leave them out" or "Import them": remembered, and the preview follows."""
    mail, months = request.POST.get("mail", ""), _months(request.POST.get("months", ""))
    mail = mail if mail in (choices.LEAVE, choices.IMPORT) else ""
    changed = choices.answer(_connection(request), request.membership, mail=mail, months=months)
    _tell(request, changed=changed)
    return redirect(url(request, "bridge:opportunities"))


def _tell(request: AccountRequest, *, changed: bool) -> None:
    if changed and plan_again(request.account, request.membership):
        messages.success(request, f"Saved. {AGAIN}")
    else:
        messages.success(request, "Saved. Imports follow it from now on." if changed else "Nothing to save.")


# ---- the form


def _chosen(given: QueryDict, connection: Connection) -> Choices:
    """What the form says; what it cannot say stays as it is."""
    now = choices.choices_of(connection)
    ticked = {(kind, row.key) for row in ROWS for kind in row.kinds if f"{kind}-{row.key}" in given}
    always = {(kind, row.key) for row in ROWS if row.always for kind in row.kinds}
    rules = [(row.key, given.get(f"rule-{row.key}", "")) for row in (*ROWS, STATUS)]
    mail = given.get("mail", now.mail)
    return Choices(
        fields=frozenset(ticked | always),
        rule=rule if choices.is_rule(rule := given.get("rule", "")) else now.rule,
        rules=tuple((key, value) for key, value in rules if choices.is_rule(value)),
        custom=tuple(dict.fromkeys(given.getlist("custom"))),
        include_disabled="include_disabled" in given,
        mail=mail if mail in (choices.LEAVE, choices.IMPORT) else now.mail,
        months=_months(given.get("months", "")) if "months" in given else now.months,
    )


def _months(text: str) -> int | None:
    return wanted if (wanted := typed_id(text)) in choices.MONTHS else None


def _shown(
    request: AccountRequest,
    connection: Connection,
    now: Choices,
    *,
    custom: list[str] | None = None,
    problem: str = "",
) -> HttpResponse:
    words = {
        "now": now,
        "as_of": request.POST.get("as_of", "") if "look" in request.POST else choices.as_of(connection),
        "problem": problem,
        "rows": [_row(row, now) for row in (*ROWS, STATUS)],
        "rules": choices.rule_choices(),
        "custom": [(name, name in now.custom) for name in dict.fromkeys([*now.custom, *(custom or ())])],
        "looked": custom is not None,
        "most": choices.MOST_CUSTOM,
        "months": [(n, f"Closed more than {n} months ago" if n else "None") for n in choices.MONTHS],
        "connected": connection.state == Connection.State.CONNECTED,
    }
    return render(request, "bridge/choices.html", words)


def _row(row: Row, now: Choices) -> dict[str, Any]:
    cells = [
        {"kind": kind, "there": kind in row.kinds, "ticked": (kind, row.key) in now.fields}
        for kind in ("company", "contact")
    ]
    return {"row": row, "cells": cells, "rule": now.rule_of(row.key)}


def _connection(request: AccountRequest) -> Connection:
    connection = connection_of(request.account)
    assert connection is not None
    return connection
