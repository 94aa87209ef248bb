"""An account's settings: everything under /<slug>/settings/ that is not an integration."""

from django.urls import path

from propolis.accounts import user_views, views

app_name = "accounts"
urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("settings/account/", views.account_settings, name="account"),
    path("settings/audit/", views.audit_log, name="audit"),
    path("settings/users/", user_views.users, name="users"),
    path("settings/users/new/", user_views.new, name="user_new"),
    path("settings/users/invite/", user_views.invite, name="users_invite"),
    path("settings/users/<int:pk>/", user_views.edit, name="user"),
    path("settings/users/<int:pk>/link/", user_views.copy_link, name="user_link"),
    path("settings/users/<int:pk>/revoke/", user_views.revoke, name="user_revoke"),
    path("settings/users/<int:pk>/disable/", user_views.disable, name="user_disable"),
    path("settings/users/<int:pk>/enable/", user_views.enable, name="user_enable"),
]
