"""Addresses: sign-in under /auth/, everything of an account under /<account-slug>/."""

from django.urls import include, path

urlpatterns = [
    path("auth/", include("allauth.urls")),
]
