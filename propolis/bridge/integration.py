"""Where the integration takes its place in the frame, and what it does when people here change."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.http import HttpRequest
from django.template.loader import render_to_string

from propolis.accounts.invitations import before_inviting
from propolis.accounts.models import Account, Membership
from propolis.accounts.policy import Verb, may
from propolis.accounts.scoping import in_account
from propolis.bridge.import_pill import pill_html
from propolis.bridge.models import RemoteUser, connection_of
from propolis.bridge.people import relink_by_email
from propolis.bridge.status_use import status_use
from propolis.bridge.waiting import attach_waiting
from propolis.crm.panels import add_status_use

_PAGES = (
    "syncro",
    "connection",
    "connection_check",
    "connection_replace",
    "connection_disconnect",
    "users",
    "users_invite",
    "user_match",
    "user_hand_over",
    "user_link",
    "companies",
    "contacts",
    "opportunities",
    "statuses",
    "choices",
    "imports",
    "import_run",
    "undo",
    "schedule",
    "review",
    "review_one",
    "review_decisions",
    "review_accept",
    "health",
    "health_list",
    "remembered",
)


def first_step(request: HttpRequest, about: Any) -> str:
    """For the dashboard of an empty account."""
    account, membership = getattr(request, "account", None), getattr(request, "membership", None)
    if account is None or not may(membership, Verb.CONNECT):
        return ""
    return render_to_string("bridge/first_step.html", {"connected": connection_of(account)}, request)


def register() -> None:
    """Called once, when the app is ready."""
    from propolis.bridge import views_schedule, views_undo
    from propolis.ui.navigation import register_settings
    from propolis.ui.panels import register_panel

    register_settings(
        "Data",
        "Integrations",
        "bridge:integrations",
        "plug",
        verb="IMPORT",
        order=1,
        belongs=tuple(f"bridge:{name}" for name in _PAGES),
        says="Syncro PSA Integration",
    )
    register_panel("settings.integrations", card)
    register_panel("dashboard.first", first_step)
    register_panel("frame.pill", pill_html)
    register_panel("bridge.import_actions", views_undo.button)
    register_panel("bridge.import_result", views_undo.notice)
    register_panel("csv_import.actions", views_undo.button)
    register_panel("csv_import.notices", views_undo.notice)
    register_panel("bridge.import_result", views_schedule.offer, order=1)
    register_panel("bridge.overview", views_schedule.card, order=5)
    add_status_use(status_use)
    if link_by_email not in before_inviting:
        before_inviting.append(link_by_email)
    post_save.connect(person_changed, sender=Membership, dispatch_uid="bridge.person_changed")


def link_by_email(account: Account) -> str:
    """Links Syncro users to people with the same e-mail; how many, as a sentence. "" without a connection."""
    connection = connection_of(account)
    if connection is None or not connection.users_step:
        return ""
    linked = relink_by_email(connection)
    if not linked:
        return "No further Syncro users to link by e-mail."
    return f"{linked} Syncro user{'' if linked == 1 else 's'} linked by e-mail."


def card(request: HttpRequest, about: Any) -> str:
    """The integration on the settings' start page, for those who may import."""
    account, membership = getattr(request, "account", None), getattr(request, "membership", None)
    if account is None or not may(membership, Verb.IMPORT):
        return ""
    words = {"connection": connection_of(account)}
    return render_to_string("bridge/integration_card.html", words, request)


def person_changed(sender: type[Membership], instance: Membership, raw: bool, **how: Any) -> None:
    """Links Syncro users with the person's e-mail, and gives a new salesperson what waited for them."""
    if raw:
        return
    with in_account(instance.account):
        same = RemoteUser.objects.filter(
            email_key=instance.email_key, choice="auto", membership=None, account=instance.account_id
        )
        linked = same.update(membership=instance) if instance.email_key else 0
        connection = connection_of(instance.account) if linked or instance.is_salesperson else None
        if connection is not None:
            attach_waiting(connection)
