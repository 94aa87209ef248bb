from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest


class CrmConfig(AppConfig):
    name = "propolis.crm"
    label = "crm"

    def ready(self) -> None:
        from propolis.crm import founding
        from propolis.crm.kinds import register_kinds
        from propolis.crm.listing import register_tables
        from propolis.ui.panels import register_panel

        register_kinds()
        founding.listen()
        register_tables()
        register_panel("frame.search", _search_box)
        _navigation()


def _search_box(request: HttpRequest, about: Any) -> str:
    from django.template.loader import render_to_string

    if getattr(request, "membership", None) is None:
        return ""
    return render_to_string("crm/search_box.html", {"account": request.account}, request)  # type: ignore[attr-defined]


def _navigation() -> None:
    from propolis.crm import counts
    from propolis.ui.navigation import register_nav

    register_nav("dashboard", "Dashboard", "crm:dashboard", "layout-dashboard", verb="SEE", order=0)
    for order, (label, page, one, icon) in enumerate(
        (
            ("Companies", "companies", "company", "building-2"),
            ("Contacts", "contacts", "contact", "users"),
            ("Lists", "lists", "list", "list"),
        )
    ):
        register_nav(
            "contacts",
            label,
            f"crm:{page}",
            icon,
            verb="SEE",
            order=order,
            belongs=_pages(one),
            count=counts.OF[page],
        )
    register_nav(
        "opportunities",
        "Opportunities",
        "crm:opportunities",
        "square-kanban",
        verb="SEE",
        belongs=("crm:board", *_pages("opportunity")),
        count=counts.OF["opportunities"],
    )


def _pages(one: str) -> tuple[str, ...]:
    return (f"crm:{one}", f"crm:{one}_edit", f"crm:{one}_new", f"crm:{one}_merge", f"crm:{one}_next_step")
