"""Addresses of imports, below those of the integration."""

from django.urls import URLPattern, URLResolver, path

from propolis.bridge import views_import_runs, views_imports

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views_import_runs.imports, name="imports"),
    path("start/", views_imports.start, name="import_start"),
    path("pill/", views_imports.pill, name="import_pill"),
    path("<int:number>/", views_import_runs.one_import, name="import_run"),
    path("<int:number>/progress/", views_imports.progress, name="import_progress"),
    path("<int:number>/pause/", views_imports.pause, name="import_pause"),
    path("<int:number>/resume/", views_imports.resume, name="import_resume"),
    path("<int:number>/stop/", views_imports.stop, name="import_stop"),
    path("<int:number>/confirm/", views_imports.confirm, name="import_confirm"),
    path("<int:number>/retry/", views_import_runs.retry, name="import_retry"),
    path("<int:number>/changes.csv", views_import_runs.changes_csv, name="import_csv"),
]
