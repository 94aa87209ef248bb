"""Backups of the account: list, make, download, verify, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from propolis.accounts.addressing import url
from propolis.accounts.models import audit
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge.backup_jobs import BACKUP, start_backup
from propolis.bridge.backup_restoring import KIND as RESTORE
from propolis.bridge.backups import BY_HAND, backups_kept, delete_backup, path_of, verify
from propolis.bridge.models import Backup
from propolis.runs.engine import holder
from propolis.runs.models import Run

SHOWN = 200
GONE = "The file of this backup is gone from the server. Use another backup."


@needs(Verb.BACKUP)
def page(request: AccountRequest, account: str) -> HttpResponse:
    rows = [
        {"backup": backup, "there": path_of(backup).exists(), "by_hand": backup.why == BY_HAND}
        for backup in Backup.objects.select_related("by").order_by("-id")[:SHOWN]
    ]
    restoring = Run.objects.filter(kind=RESTORE).exclude(state__in=Run.ENDED).order_by("-id").first()
    words = {"rows": rows, "kept": backups_kept(), "restoring": restoring, **_making(request)}
    return render(request, "bridge/backups.html", words)


@needs(Verb.BACKUP)
def making(request: AccountRequest, account: str) -> HttpResponse:
    """The part that says a backup is being made; when it is made the whole page comes anew."""
    words = _making(request)
    if words["making"] is None:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "bridge/backups_making.html", words)


def _making(request: AccountRequest) -> dict[str, Any]:
    """The run under way, or the last one if it failed and nothing was made since."""
    last = Run.objects.filter(kind=BACKUP).order_by("-id").first()
    failed = last if last and last.state == Run.State.FAILED else None
    return {"making": holder(request.account, "backup"), "failed": failed}


@require_POST
@needs(Verb.BACKUP)
def make(request: AccountRequest, account: str) -> HttpResponse:
    start_backup(request.account, by=request.membership)
    return redirect(url(request, "bridge:backups"))


@needs(Verb.BACKUP)
@require_safe
def download(request: AccountRequest, account: str, pk: int) -> HttpResponseBase:
    backup = get_object_or_404(Backup, pk=pk)
    path = path_of(backup)
    if not path.exists():
        messages.error(request, GONE)
        return redirect(url(request, "bridge:backups"))
    audit(request.account, request.membership, "backup.downloaded", backup=backup.pk)
    name = f"propolis-{request.account.slug}-{path.name}"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="application/zip")


@require_POST
@needs(Verb.BACKUP)
def check(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    backup = get_object_or_404(Backup, pk=pk)
    report = verify(path_of(backup))
    if report.ok and report.sha256 == backup.sha256:
        Backup.objects.filter(pk=pk).update(verified_at=timezone.now())
        messages.success(request, report.sentence)
    elif report.ok:
        messages.error(
            request, "This is not the file that was made here: it was exchanged. Use another backup."
        )
    else:
        messages.error(request, report.sentence)
    return redirect(url(request, "bridge:backups"))


@needs(Verb.BACKUP)
def delete(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    """GET asks, POST deletes the file and its line."""
    backup = get_object_or_404(Backup, pk=pk)
    if request.method != "POST":
        return render(request, "bridge/backups_delete.html", {"backup": backup})
    delete_backup(backup)
    audit(request.account, request.membership, "backup.deleted", backup=pk)
    messages.success(request, "The backup is deleted.")
    return redirect(url(request, "bridge:backups"))
