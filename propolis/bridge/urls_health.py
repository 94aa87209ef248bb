"""Addresses of "Sync health", below those of the integration."""

from django.urls import URLPattern, URLResolver, path

from propolis.bridge import views_health

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views_health.page, name="health"),
    path("retry/", views_health.retry, name="health_retry"),
    path("remembered/", views_health.decisions, name="remembered"),
    path("remembered/<int:pk>/bring-back/", views_health.bring_back, name="bring_back"),
    path("remembered/<int:pk>/put-back/", views_health.put_back, name="put_back"),
    path("<str:key>.csv", views_health.as_csv, name="health_csv"),
    path("<str:key>/", views_health.listing, name="health_list"),
]
