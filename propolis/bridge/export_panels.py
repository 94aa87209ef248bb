"""Send to Syncro on the CRM's own pages: the button, its card, the line that says why there is no bulk export."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html

from propolis.accounts.addressing import url
from propolis.accounts.policy import Verb, may
from propolis.bridge import export_outcome
from propolis.bridge.export_check import Standing, not_in_syncro, standing
from propolis.bridge.models import Connection, connection_of
from propolis.bridge.sentences import SENDING, sentence
from propolis.crm.models import Company, Opportunity, OppStatus
from propolis.runs.models import Run
from propolis.ui.panels import register_panel


def register() -> None:
    """Called once, when the app is ready."""
    for kind in ("company", "contact"):
        register_panel(f"{kind}.header_actions", button)
        register_panel(f"{kind}.side", card, order=6)
    for page in ("companies", "contacts"):
        register_panel(f"{page}.selection", no_bulk, order=9)
    register_panel("opportunity.side", after_won, order=4)
    register_panel("opportunity.moved", moved)
    register_panel("bridge.overview", rule_card, order=6)
    register_panel("frame.head", head)


def head(request: HttpRequest, about: Any) -> str:
    """The dialog's own style and script, on the pages it may open on."""
    match = request.resolver_match
    if match is None or match.view_name not in _PAGES:
        return ""
    return format_html(
        '<link rel="stylesheet" href="{}"><script src="{}" defer></script>',
        static("bridge/send.css"),
        static("bridge/send.js"),
    )


_PAGES = {"crm:opportunity"} | frozenset(
    f"{name}{end}" for kind in ("company", "contact")
    for name, end in ((f"crm:{kind}", ""), (f"bridge:send_{kind}", ""), (f"bridge:send_{kind}", "_settle"),
                      (f"bridge:send_{kind}", "_undo"))
)  # fmt: skip


def _known(request: HttpRequest, row: Any) -> tuple[Connection, Standing] | None:
    """None where Syncro was never connected. Looked at once for the button and the card."""
    kept = request.__dict__.setdefault("_send_standing", {})
    if row.pk not in kept:
        account = getattr(request, "account", None)
        connection = connection_of(account) if account is not None else None
        found = None
        if connection is not None and connection.connected_at is not None:
            found = (connection, standing(row, connection, getattr(request, "membership", None)))
        kept[row.pk] = found
    known: tuple[Connection, Standing] | None = kept[row.pk]
    return known


def button(request: HttpRequest, row: Any) -> str:
    known = _known(request, row)
    if known is None or row.deleted_at is not None:
        return ""
    words = {"row": row, "why_not": known[1].why_not, "address": _address(request, row)}
    return render_to_string("bridge/send_button.html", words, request)


def card(request: HttpRequest, row: Any) -> str:
    """What was sent last, what is under way, or why nothing can be sent."""
    known = _known(request, row)
    if known is None or row.deleted_at is not None:
        return ""
    found = known[1]
    words = {
        "row": row,
        "kind": row._meta.model_name,
        "why_not": found.why_not,
        "sent": export_outcome.latest(row),
        "under_way": _under_way(found.run),
        "may_undo": may(getattr(request, "membership", None), Verb.SEND) and found.run is None,
        "address": _address(request, row),
    }
    if isinstance(row, Company) and found.link is not None and found.why_not is None:
        words |= _next_contact(request, row)
    return render_to_string("bridge/send_card.html", words, request)


def _next_contact(request: HttpRequest, row: Company) -> dict[str, Any]:
    """ "3 of its contacts are not in Syncro: next, Priya Raman." """
    missing = not_in_syncro(row)
    count = missing.count()
    first = missing.order_by("sort_name", "pk").first() if count else None
    return {"missing": count, "next": first, "next_address": _address(request, first) if first else ""}


def after_won(request: HttpRequest, row: Any) -> str:
    """ "Send Brightwater to Syncro?" on an opportunity that is won, while its company is not there or is newer here."""
    company = _to_offer(request, row)
    if company is None:
        return ""
    words = {"company": company, "address": _address(request, company)}
    return render_to_string("bridge/send_won.html", words, request)


def moved(request: HttpRequest, row: Any) -> str:
    """The same as a message, right after the move; `row` as it was before, so its status is looked up."""
    company = _to_offer(request, Opportunity.objects.select_related("status", "company").get(pk=row.pk))
    if company is None:
        return ""
    return format_html('Won. <a href="{}">Send {} to Syncro?</a>', _address(request, company), company.name)


def _to_offer(request: HttpRequest, row: Any) -> Company | None:
    company: Company | None = row.company
    if row.status.outcome != OppStatus.Outcome.WON or company is None or row.deleted_at is not None:
        return None
    known = _known(request, company)
    if known is None or known[1].why_not is not None or known[1].run is not None:
        return None
    return company if known[1].creating or (known[1].link is not None and known[1].link.newer_here) else None


def rule_card(request: HttpRequest, about: Any) -> str:
    """On the integration's overview: what happens to an update without an opportunity."""
    if about is None or about.connected_at is None:
        return ""
    words = {"refuses": about.send_without_opportunity == "refuse", "account": about.account}
    return render_to_string("bridge/send_rule.html", words, request)


def _under_way(run: Run | None) -> str:
    if run is None:
        return ""
    if export_outcome.is_asking(run):
        return sentence(run.error_code)
    if run.state in (Run.State.WAITING, Run.State.NEEDS_ATTENTION):
        return sentence("send.looking")
    return SENDING["send.under_way"].format(who=run.by or "Somebody")


def _address(request: HttpRequest, row: Any) -> str:
    return url(request, f"bridge:send_{row._meta.model_name}", row.pk)


def no_bulk(request: HttpRequest, about: Any) -> str:
    """In the selection bar, where there is something to send to."""
    account = getattr(request, "account", None)
    connection = connection_of(account) if account is not None else None
    if connection is None or connection.connected_at is None:
        return ""
    return render_to_string("bridge/send_line.html", {}, request)
