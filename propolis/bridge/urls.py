"""Account settings → Integrations → Syncro PSA Integration."""

from django.urls import URLPattern, URLResolver, include, path

from propolis.bridge import (
    views_choices,
    views_connection,
    views_send,
    views_statuses,
    views_users,
    views_wizard,
)

app_name = "bridge"

_connection: list[URLPattern | URLResolver] = [
    path("", views_connection.page, name="connection"),
    path("check/", views_connection.check, name="connection_check"),
    path("check-saved/", views_connection.check_saved, name="connection_check_saved"),
    path("replace/", views_connection.replace, name="connection_replace"),
    path("disconnect/", views_connection.disconnect, name="connection_disconnect"),
]
_users: list[URLPattern | URLResolver] = [
    path("", views_users.page, name="users"),
    path("read/", views_users.read, name="users_read"),
    path("details/", views_users.details, name="users_details"),
    path("roles/", views_users.roles, name="users_roles"),
    path("invite/", views_users.invite, name="users_invite"),
    path("me/", views_users.me, name="users_me"),
    path("<int:pk>/", views_users.match, name="user_match"),
    path("<int:pk>/relink/", views_users.relink, name="user_relink"),
    path("<int:pk>/hand-over/", views_users.hand_over, name="user_hand_over"),
    path("<int:pk>/link/", views_users.copy_link, name="user_link"),
    path("<int:pk>/revoke/", views_users.revoke, name="user_revoke"),
]
_syncro: list[URLPattern | URLResolver] = [
    path("", views_wizard.overview, name="syncro"),
    path("connection/", include(_connection)),
    path("users/", include(_users)),
    path("companies/", views_wizard.companies, name="companies"),
    path("contacts/", views_wizard.contacts, name="contacts"),
    path("opportunities/", views_wizard.opportunities, name="opportunities"),
    path("opportunities/statuses/", views_statuses.save, name="statuses"),
    path("choices/", views_choices.page, name="choices"),
    path("choices/answer/", views_choices.answer, name="choices_answer"),
    path("imports/", include("propolis.bridge.urls_imports")),
    path("", include("propolis.bridge.urls_undo")),
    path("review/", include("propolis.bridge.urls_reviews")),
    path("send/", views_send.rule, name="send_rule"),
    path("health/", include("propolis.bridge.urls_health")),
]
urlpatterns = [
    path("settings/integrations/", views_wizard.integrations, name="integrations"),
    path("settings/integrations/syncro/", include(_syncro)),
    path("settings/backups/", include("propolis.bridge.urls_backups")),
    path("", include("propolis.bridge.urls_send")),
]
