"""Account settings → Data → Backups."""

from django.urls import URLPattern, path

from propolis.bridge import views_backups, views_restore

urlpatterns: list[URLPattern] = [
    path("", views_backups.page, name="backups"),
    path("making/", views_backups.making, name="backups_making"),
    path("make/", views_backups.make, name="backup_make"),
    path("upload/", views_restore.upload, name="backup_upload"),
    path("<int:pk>/download/", views_backups.download, name="backup_download"),
    path("<int:pk>/verify/", views_backups.check, name="backup_verify"),
    path("<int:pk>/delete/", views_backups.delete, name="backup_delete"),
    path("<int:pk>/restore/", views_restore.begin, name="backup_restore"),
    path("restores/<int:number>/", views_restore.page, name="restore"),
    path("restores/<int:number>/progress/", views_restore.progress, name="restore_progress"),
    path("restores/<int:number>/confirm/", views_restore.confirmed, name="restore_confirm"),
    path("restores/<int:number>/cancel/", views_restore.cancel, name="restore_cancel"),
]
