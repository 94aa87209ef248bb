"""`propolis status`: how an account stands, for a person or (`--json`) for a program."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from propolis.cli import ready
from propolis.cli.connect import account_named

if TYPE_CHECKING:
    from propolis.accounts.models import Account
    from propolis.bridge.models import Connection
    from propolis.runs.models import Run

LATEST = 5
TOLD = ("import", "csv_import", "undo", "restore")


def add_to(app: typer.Typer) -> None:
    app.command("status")(status)


def status(
    account: Annotated[str, typer.Option(help="The account's name in addresses, e.g. acme.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Connection, steps, latest imports and how many records there are."""
    ready()
    from propolis.accounts.scoping import in_account

    owner = account_named(account)
    with in_account(owner):
        found = standing(owner)
        print(json.dumps(found) if as_json else "\n".join(_lines(found)))


def standing(account: Account) -> dict[str, Any]:
    """Everything `propolis status` tells; times are ISO 8601 in UTC, None for never."""
    from propolis.bridge.models import connection_of
    from propolis.bridge.steps import steps_of
    from propolis.runs.engine import holder
    from propolis.runs.models import Run

    connection = connection_of(account)
    under_way = holder(account)
    latest = Run.objects.filter(kind__in=TOLD).select_related("by")
    return {
        "account": account.slug,
        "name": account.name,
        "connection": _connection(connection),
        "steps": [
            {"step": view.step.value, "state": view.state.value, "says": view.line}
            for view in steps_of(connection)
        ],
        "run": _run(under_way) if under_way else None,
        "runs": [_run(run) for run in latest.order_by("-id")[:LATEST]],
        "counts": _counts(),
        "links": _links(),
    }


def _connection(connection: Connection | None) -> dict[str, Any]:
    if connection is None:
        return {
            "state": "new",
            "address": "",
            "last4": "",
            "connected_at": None,
            "checked_at": None,
            "permissions": {},
        }
    from propolis.bridge.connecting import permission_lines, shown_address

    return {
        "state": connection.state,
        "address": shown_address(connection),
        "last4": connection.last4,
        "connected_at": _iso(connection.connected_at),
        "checked_at": _iso(connection.checked_at),
        "permissions": {result.name: result.state.value for result in permission_lines(connection)},
    }


def _run(run: Run) -> dict[str, Any]:
    from propolis.bridge.import_words import state_badge, title_of
    from propolis.bridge.sentences import run_sentence

    return {
        "number": run.number,
        "kind": run.kind,
        "title": title_of(run),
        "state": run.state,
        "says": state_badge(run).text,
        "why": run_sentence(run),
        "phase": run.phase,
        "progress": run.progress,
        "objects": run.options.get("objects", []),
        "counts": run.counts,
        "requests": run.requests,
        "started_at": _iso(run.started_at),
        "finished_at": _iso(run.finished_at),
    }


def _counts() -> dict[str, int]:
    from propolis.crm.models import Company, Contact, List, Opportunity

    here = {"companies": Company, "contacts": Contact, "opportunities": Opportunity}
    counts = {noun: model.objects.filter(deleted_at=None).count() for noun, model in here.items()}
    return {**counts, "lists": List.objects.count()}


def _links() -> dict[str, dict[str, int]]:
    """Kind of Syncro record → state → how many."""
    from django.db.models import Count

    from propolis.bridge.models import Link

    found: dict[str, dict[str, int]] = {}
    for kind, state, many in Link.objects.values_list("kind", "state").annotate(n=Count("pk")).order_by():
        found.setdefault(kind, {})[state] = many
    return found


def _lines(found: dict[str, Any]) -> list[str]:
    from propolis.bridge.import_words import counted

    lines = [f"{found['name']} ({found['account']})", *(_step_line(step) for step in found["steps"])]
    counts = found["counts"]
    lines.append(f"Here: {', '.join(counted(n, noun) for noun, n in counts.items())}")
    for run in found["runs"]:
        why = f": {run['why']}" if run["why"] else ""
        lines.append(f"{run['title']} (number {run['number']}): {run['says']}{why}")
    return lines


def _step_line(step: dict[str, str]) -> str:
    return f"  {step['step'].capitalize():<14} {step['says']}"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
