"""What the integration shows on the CRM's own pages: cards, a filter, a chip. Nothing where nothing is linked."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string

from propolis.accounts.policy import Verb, may
from propolis.bridge import health, remembered, review_rows
from propolis.bridge.import_rows import rule_label
from propolis.bridge.merged_there import merged_into
from propolis.bridge.models import NEWER, Connection, Link, RemoteUser, connection_of
from propolis.bridge.remote_pages import remote_href
from propolis.bridge.sentences import sentence
from propolis.crm import panels
from propolis.crm.fields import label_of
from propolis.crm.loose_ends import LooseEnds
from propolis.crm.models import Company
from propolis.crm.tables import Chip, Filter
from propolis.ui.panels import register_panel

_PAGES: Final = {"companies": "company", "contacts": "contact", "opportunities": "opportunity"}
_OPTIONS: Final = (
    ("linked", "Linked to Syncro"),
    ("newer", "Newer here"),
    ("waiting", "Waiting for company"),
    ("gone", "Not in Syncro any more"),
    ("none", "Not from Syncro"),
)
_STATES: Final = {
    Link.State.LINKED: ("Linked", "ok"),
    Link.State.GONE: ("Not in Syncro any more", "warn"),
    Link.State.HIDDEN: ("Hidden in Syncro", "warn"),
    Link.State.DELETED_HERE: ("Deleted here", ""),
}
_GONE: Final = (Link.State.GONE, Link.State.HIDDEN)
_NARROWED: Final = {"newer": NEWER & Q(state=Link.State.LINKED), "gone": Q(state__in=_GONE)}
UNLINKED: Final = {
    kind: LooseEnds(
        *(f"bridge_unlinked_{kind}", f"crm_{kind}", "bridge_link", f"{kind}_id"),
        counts=f"{{row}}.{kind}_id IS NOT NULL",
    )
    for kind in _PAGES.values()
}
_ON_DASHBOARD: Final = ("newer", "review", "failed", "gone")


def register() -> None:
    """Called once, when the app is ready."""
    for page, kind in _PAGES.items():
        register_panel(f"{kind}.side", side, order=5)
        panels.add_filter(page, Filter("syncro", "Syncro", _by_state(kind), lambda request: _OPTIONS))
        panels.add_chip(page, Chip("gone", "Not in Syncro any more", _gone(kind), counted=True))
    panels.add_customer_reason(_customers)
    register_panel("dashboard.cards", dashboard_card, order=5)
    register_panel("bridge.overview", overview_card)
    register_panel("bridge.import_result", to_decide)


def _customers() -> QuerySet[Any]:
    """The Links by which Syncro has a company as a customer. One that left is what its won opportunities say."""
    alive = (Link.State.LINKED, Link.State.SECONDARY)
    # Only a customer's Link has a company. Said once more, as their index is of those that do.
    mine = Link.objects.filter(company=OuterRef("pk"), company__isnull=False)
    return mine.filter(state__in=alive)


def _by_state(kind: str) -> Any:
    """Filters by what the Links of this kind of ours say; unknown values give no row."""

    def apply(query: QuerySet[Any], value: str) -> QuerySet[Any]:
        mine = Link.objects.filter(**{kind: OuterRef("pk")})
        if value == "linked":  # nearly all are, if any: each looked up as it comes in the table's order
            return query.filter(Exists(mine.filter(state=Link.State.LINKED)))
        if value == "none":
            return UNLINKED[kind].among(query, mine)
        links = Link.objects.filter(**{f"{kind}__isnull": False})
        if value == "waiting":
            found = health.waiting(links, list(Connection.objects.values_list("pk", flat=True)))
        elif value in _NARROWED:
            found = links.filter(_NARROWED[value])
        else:
            return query.none()
        return query.filter(pk__in=found.values(kind))

    return apply


def _gone(kind: str) -> Any:
    def apply(query: QuerySet[Any]) -> QuerySet[Any]:
        gone = Link.objects.filter(state__in=_GONE, **{f"{kind}__isnull": False})
        return query.filter(deleted_at=None, pk__in=gone.values(kind))

    return apply


def side(request: HttpRequest, row: Any) -> str:
    """ "Syncro" on a profile: one query, and none more unless something is odd."""
    kind = row._meta.model_name
    links = list(
        Link.objects.filter(**{kind: row}).select_related("connection").order_by("state", "remote_id")
    )
    if not links:
        return ""
    main = next((link for link in links if link.state == Link.State.LINKED), links[0])
    state, tone = _STATES.get(Link.State(main.state), (Link.State(main.state).label, ""))
    merged = _merged(main, row)
    words = {
        "row": row,
        "state": state,
        "tone": tone,
        "ids": [
            (f"#{link.remote_id}", _href(link)) for link in [main, *(li for li in links if li is not main)]
        ],
        "agreed": main.agreed_at,
        "rule": rule_label(main.rule),
        "newer": ", ".join(label_of(kind, name) for name in main.newer_fields) if main.newer_here else "",
        "waits": sentence(main.reason) if main.state == Link.State.LINKED and main.reason else "",
        "twins": _twins(row) if kind == "company" and len(links) > 1 else "",
        "company_facts": row.company.facts if kind == "contact" and row.company else {},
        "seller": _seller(main, row) if kind == "opportunity" else None,
        "merged": merged,
        "merged_id": _ids_of(merged) if merged else "",
        "account": getattr(request, "account", None),
    }
    return render_to_string("bridge/health_side.html", words, request)


def _href(link: Link) -> str:
    return remote_href(link.connection, link.kind, link.remote_id)


def _twins(row: Company) -> str:
    found = remembered.twins(row.pk)
    return found[0].sentence if found else ""


def _seller(link: Link, row: Any) -> RemoteUser | None:
    """The Syncro user an opportunity was imported without."""
    if row.waits_for_remote_user is None or row.salesperson_id is not None:
        return None
    users = RemoteUser.objects.filter(connection=link.connection_id, remote_id=row.waits_for_remote_user)
    return users.select_related("membership").first()


def _merged(link: Link, row: Any) -> Company | None:
    gone = link.state == Link.State.GONE and isinstance(row, Company) and row.deleted_at is None
    return merged_into(row) if gone else None


def _ids_of(company: Company) -> str:
    link = Link.objects.filter(company=company, state=Link.State.LINKED).first()
    return f"#{link.remote_id}" if link else ""


def dashboard_card(request: HttpRequest, about: Any) -> str:
    """For those who may import; nothing before the first import."""
    account, membership = getattr(request, "account", None), getattr(request, "membership", None)
    if account is None or not may(membership, Verb.IMPORT):
        return ""
    connection = connection_of(account)
    if connection is None or connection.companies_read_at is None:
        return ""
    words = {"counters": health.counters(connection, _ON_DASHBOARD), "account": account}
    return render_to_string("bridge/health_card.html", words, request)


def overview_card(request: HttpRequest, connection: Any) -> str:
    """Sync health on the integration's overview, once something was imported."""
    if connection is None or connection.companies_read_at is None:
        return ""
    words = {"counters": health.counters(connection), "account": connection.account}
    return render_to_string("bridge/health_card.html", words, request)


def to_decide(request: HttpRequest, run: Any) -> str:
    """Below the result of an import: how many wait for a decision now."""
    connection = connection_of(run.account)
    left = review_rows.left(connection) if connection else None
    if left is None or not left.total:
        return ""
    return render_to_string("bridge/review_notice.html", {"left": left, "account": run.account}, request)
