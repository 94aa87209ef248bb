"""Addresses: sign-in under /auth/, a person's own pages under /me/, all of an account under /<slug>/."""

from django.urls import include, path

from propolis.accounts import invited_views, person_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("choose/", views.choose, name="choose"),
    path("healthz", views.healthz, name="healthz"),
    path("me/", person_views.profile, name="profile"),
    path("me/theme/", person_views.theme, name="theme"),
    path("invite/<str:token>/", invited_views.accept, name="invite"),
    # The address one signs in with stays the one that was invited: an account knows its people by it.
    path("auth/email/", views.not_here),
    path("auth/", include("allauth.urls")),
    path(
        "<slug:account>/",
        include(
            [
                path("", include("propolis.accounts.urls")),
                path("", include("propolis.bridge.urls")),
                path("", include("propolis.crm.urls")),
            ]
        ),
    ),
]
