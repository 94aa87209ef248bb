from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest


class CrmConfig(AppConfig):
    name = "propolis.crm"
    label = "crm"

    def ready(self) -> None:
        from propolis.crm import duplicate_search, duplicates, founding, hand_jobs, list_jobs, phone_keys
        from propolis.crm.csv_import import job  # noqa: F401 - registers
        from propolis.crm.kinds import register_kinds
        from propolis.crm.listing import register_tables
        from propolis.history.undo import register_undo_hook
        from propolis.ui.panels import register_panel

        register_kinds()
        duplicate_search.install()
        hand_jobs.install()
        list_jobs.install()
        phone_keys.install()
        register_undo_hook(duplicates.after_undo)
        founding.listen()
        register_tables()
        register_panel("frame.search", _search_box)
        register_panel("users.actions", _hand_over)
        _navigation()
        _settings()


def _hand_over(request: HttpRequest, person: Any) -> str:
    """An entry of the menu beside a person on the Users page."""
    from django.template.loader import render_to_string

    context = {"person": person, "account": request.account}  # type: ignore[attr-defined]
    return render_to_string("crm/hand_over_action.html", context, request)


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
        "contacts",
        "Duplicates",
        "crm:duplicates",
        "copy",
        verb="SEE",
        order=3,
        count=counts.OF["duplicates"],
    )
    register_nav(
        "opportunities",
        "Opportunities",
        "crm:opportunities",
        "square-kanban",
        verb="SEE",
        belongs=("crm:board", "crm:amounts", *_pages("opportunity")),
        count=counts.OF["opportunities"],
    )


def _settings() -> None:
    from propolis.ui.navigation import register_settings

    register_settings(
        "Workspace",
        "Opportunity statuses",
        "crm:statuses",
        "square-kanban",
        verb="SETTINGS",
        order=3,
        belongs=("crm:status", "crm:status_archive"),
        says="Names, order, what counts as won",
    )


def _pages(one: str) -> tuple[str, ...]:
    return (f"crm:{one}", f"crm:{one}_edit", f"crm:{one}_new", f"crm:{one}_merge", f"crm:{one}_next_step")
