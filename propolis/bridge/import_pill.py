"""The small sign in the side bar while something works on the account's data."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string

from propolis.accounts.addressing import url
from propolis.accounts.models import Account
from propolis.accounts.policy import Verb, may
from propolis.bridge.import_pages import busy_words
from propolis.bridge.import_progress import doing, phase_words, state_of
from propolis.bridge.import_sums import run_address
from propolis.bridge.import_words import state_badge
from propolis.runs.models import Run


def _page(account: Account, run: Run) -> str:
    """Where to look at it; "" where it has no page."""
    if run.kind == "undo" and run.undoes is not None:
        return url(account, "bridge:undo", run.undoes.number)
    return run_address(account, run) if run.kind in ("import", "csv_import") else ""


def pill_html(request: HttpRequest, about: Any = None) -> str:
    """For the place "frame.pill". One query; "" where nothing is under way or the person may not import."""
    account, membership = getattr(request, "account", None), getattr(request, "membership", None)
    if account is None or not (may(membership, Verb.IMPORT) or may(membership, Verb.CSV_IMPORT)):
        return ""
    run = Run.objects.filter(account=account, slot="data").first()
    if run is None or not may(membership, Verb.CSV_IMPORT if run.kind == "csv_import" else Verb.IMPORT):
        return ""
    here = run.progress if run.progress.get("phase") == run.phase else {}
    words = {
        "run": run,
        "what": doing(run) if run.kind == "import" else busy_words(run),
        "href": _page(account, run),
        "state": state_of(run),
        "badge": state_badge(run),
        "phase": phase_words(run, str(here.get("noun", ""))) if run.kind == "import" else "",
        "done": here.get("done", 0),
        "total": here.get("total", 0),
    }
    return render_to_string("bridge/import_pill.html", words, request)
