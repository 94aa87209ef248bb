"""Addresses of undoing one import and of the daily import, below those of the integration."""

from django.urls import URLPattern, URLResolver, include, path

from propolis.bridge import views_schedule, views_undo

_undo: list[URLPattern | URLResolver] = [
    path("", views_undo.page, name="undo"),
    path("begin/", views_undo.begin, name="undo_begin"),
    path("progress/", views_undo.progress, name="undo_progress"),
    path("confirm/", views_undo.confirm, name="undo_confirm"),
    path("cancel/", views_undo.cancel, name="undo_cancel"),
    path("resume/", views_undo.resume, name="undo_resume"),
    path("kept.csv", views_undo.kept, name="undo_kept"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("imports/<int:number>/undo/", include(_undo)),
    path("schedule/", views_schedule.page, name="schedule"),
    path("schedule/off/", views_schedule.off, name="schedule_off"),
]
