"""Restoring a backup: upload, compare, look, confirm by typing, watch."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.models import Account, audit
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge.backup_format import BackupRefused
from propolis.bridge.backup_preview import lost_edits, names_of, samples_shown
from propolis.bridge.backup_restoring import KIND, start_restore
from propolis.bridge.backups import BEFORE_RESTORE, take_in, verify
from propolis.bridge.models import Backup, connection_of
from propolis.bridge.views_imports import discarded
from propolis.crm.fields import label_of
from propolis.runs.engine import Refused, confirm
from propolis.runs.models import Run

MAX_UPLOAD = 4_000_000_000  # bytes
BUSY = "Something else is working on this account's records. Try again when it is done."
STALE = "This preview is out of date: the records were worked on since, or it is more than 24 hours old."
_PHASES = {
    "": "Waiting for a worker",
    "checking": "Checking the file",
    "comparing": "Comparing with how it is now",
    "backup": "Backing up how it is now",
    "applying": "Restoring",
}


class UploadForm(forms.Form):
    file = forms.FileField(
        label="Backup file",
        help_text="A ZIP file that Propolis made.",
        error_messages={"required": "Choose a backup file.", "empty": "This file is empty."},
    )


class ConfirmForm(forms.Form):
    """The person types the account's slug."""

    typed = forms.CharField(
        label="Type the account's name in addresses",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"required": "Type the name to restore."},
    )

    def __init__(self, account: Account, *args: Any) -> None:
        super().__init__(*args)
        self.slug = account.slug
        self.fields["typed"].label = f"Type {account.slug} to restore"

    def clean_typed(self) -> str:
        typed = str(self.cleaned_data["typed"]).strip()
        if typed != self.slug:
            raise forms.ValidationError(f"That is not {self.slug}.")
        return typed


@needs(Verb.RESTORE)
def upload(request: AccountRequest, account: str) -> HttpResponse:
    """A file from elsewhere is verified, listed among the backups, and compared at once."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        try:
            backup = _taken_in(request, form.cleaned_data["file"])
            return _begun(request, backup)
        except BackupRefused as refusal:
            form.add_error("file", refusal.sentence)
    return render(request, "bridge/backups_upload.html", {"form": form})


def _taken_in(request: AccountRequest, file: UploadedFile[Any]) -> Backup:
    if (file.size or 0) > MAX_UPLOAD:
        raise BackupRefused("backup.too_large", limit="4 GB")
    folder = settings.DATA_DIR / "backups"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(suffix=".upload", dir=folder)
    try:
        with os.fdopen(handle, "wb") as draft:
            for part in file.chunks():
                draft.write(part)
        report = verify(Path(name))
        return take_in(request.account, Path(name), report, by=request.membership)
    finally:
        Path(name).unlink(missing_ok=True)


@require_POST
@needs(Verb.RESTORE)
def begin(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    backup = get_object_or_404(Backup, pk=pk)
    try:
        return _begun(request, backup)
    except BackupRefused as refusal:
        messages.error(request, refusal.sentence)
        return redirect(url(request, "bridge:backups"))


def _begun(request: AccountRequest, backup: Backup) -> HttpResponse:
    run, fresh = start_restore(request.account, backup, by=request.membership)
    if not fresh and (run.kind != KIND or run.options.get("backup") != backup.pk):
        messages.error(request, BUSY)
        return redirect(url(request, "bridge:backups"))
    return redirect(url(request, "bridge:restore", run.number))


@needs(Verb.RESTORE)
def page(request: AccountRequest, account: str, number: int) -> HttpResponse:
    run = get_object_or_404(Run, number=number, kind=KIND)
    return render(request, "bridge/backups_restore.html", _words(request, run, ConfirmForm(request.account)))


@needs(Verb.RESTORE)
def progress(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """The polled part; when there is something to decide or it has ended the whole page comes anew."""
    run = get_object_or_404(Run, number=number, kind=KIND)
    if run.state not in Run.WORKING:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "bridge/backups_progress.html", _words(request, run, None))


@require_POST
@needs(Verb.RESTORE)
def confirmed(request: AccountRequest, account: str, number: int) -> HttpResponse:
    run = get_object_or_404(Run, number=number, kind=KIND)
    form = ConfirmForm(request.account, request.POST)
    if run.state == Run.State.PLANNED and not form.is_valid():
        return render(request, "bridge/backups_restore.html", _words(request, run, form))
    try:
        if not confirm(run, request.membership):
            messages.error(request, BUSY)
        else:
            audit(request.account, request.membership, "backup.restore", run=run.pk)
    except Refused:
        messages.error(request, f"{STALE} Start again from the list of backups.")
    return redirect(url(request, "bridge:restore", number))


@require_POST
@needs(Verb.RESTORE)
def cancel(request: AccountRequest, account: str, number: int) -> HttpResponse:
    run = get_object_or_404(Run, number=number, kind=KIND)
    if discarded(request, run):
        messages.success(request, "Nothing was changed.")
        return redirect(url(request, "bridge:backups"))
    return redirect(url(request, "bridge:restore", number))


def _words(request: AccountRequest, run: Run, form: ConfirmForm | None) -> dict[str, Any]:
    made_at = datetime.fromisoformat(run.options["made_at"])
    done = run.progress
    words: dict[str, Any] = {
        "run": run,
        "form": form,
        "made_at": made_at,
        "working": run.state in Run.WORKING,
        "phase": _PHASES.get(run.phase, _PHASES[""]),
        "done": done.get("done", 0),
        "total": done.get("total"),
        "empty": run.options["empty"],
    }
    if run.state == Run.State.PLANNED:
        words |= _preview(run, made_at)
    if run.state == Run.State.COMPLETE:
        before = Backup.objects.filter(run=run, why=BEFORE_RESTORE).first()
        connection = connection_of(request.account)
        words |= {"before": before, "connection": connection}
    return words


def _preview(run: Run, made_at: datetime) -> dict[str, Any]:
    tables = [
        {"name": name.replace("_", " ").capitalize(), **counts}
        for name, counts in run.counts.get("tables", {}).items()
        if any(counts.values())
    ]
    lost = lost_edits(run.account, made_at)
    names = names_of(run.account, lost.newest)
    changes = [
        {
            "change": change,
            "name": names.get((change.kind, change.local_id or 0), ""),
            "fields": ", ".join(label_of(change.kind, name) for name in change.fields),
        }
        for change in lost.newest
    ]
    changing = sum(each["added"] + each["changed"] + each["removed"] for each in tables)
    return {
        "tables": tables,
        "lost": lost,
        "lost_changes": changes,
        "samples": samples_shown(run.account, run.counts.get("samples", [])),
        "changing": changing,
    }
