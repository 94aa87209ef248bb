"""Adding, changing and deleting a record, the same for companies, contacts and opportunities."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import typed_id, url
from propolis.accounts.policy import Verb, may, needs, refusal
from propolis.crm import edit as editing
from propolis.crm import lists, notes
from propolis.crm.fields import FIELDS, Kind
from propolis.crm.forms import NEXT_STEP, NoteForm, RecordForm, record_form
from propolis.crm.models import Company, Contact, List, Note, OppStatus
from propolis.crm.profile import facts_of
from propolis.crm.views import meanwhile
from propolis.crm.views.kinds import (
    WORDS,
    Deleted,
    get_record,
    inside,
    may_undo,
    profile_url,
    say_with_undo,
)
from propolis.history.models import Change
from propolis.history.undo import undo as take_back
from propolis.ui.toasts import record_changed, toast


def new(request: HttpRequest, account: str, kind: Kind) -> HttpResponse:
    """A form for a new record; what the address names (?company=12) is filled in."""
    here = inside(request)
    form = record_form(kind, data=request.POST or None, initial=_start(request, kind))
    if request.method == "POST" and form.is_valid():
        row = editing.create(here.account, kind, form.values(), actor=here.membership)
        to = _put_on_list(request, row)
        messages.success(request, f"Added {row.name}{f' to {to}' if to else ''}.")
        return redirect(profile_url(request, row))
    return _form_page(request, kind, form, None)


def _put_on_list(request: HttpRequest, row: Any) -> List | None:
    """The list on whose page "New contact" was pressed."""
    wanted = typed_id(request.GET.get("list")) if isinstance(row, Contact) else None
    chosen = List.objects.filter(pk=wanted).first() if wanted is not None else None
    if chosen:
        lists.add(chosen, [row.pk], actor=inside(request).membership)
    return chosen


def _start(request: HttpRequest, kind: Kind) -> dict[str, Any]:
    start: dict[str, Any] = {}
    models: dict[str, Any] = {"company": Company, "contact": Contact}
    for name, model in models.items():
        wanted = typed_id(request.GET.get(name))
        if name in FIELDS[kind] and wanted is not None:
            start[name] = model.objects.filter(pk=wanted, deleted_at=None).first()
    if kind is Kind.OPPORTUNITY:
        contact = start.get("contact")
        firm = contact.company if contact else None
        start.setdefault("company", None if firm is None or firm.deleted_at else firm)
        start["status"] = OppStatus.objects.filter(archived=False).first()
        start["salesperson"] = (
            inside(request).membership if inside(request).membership.is_salesperson else None
        )
    return start


def edit(request: HttpRequest, account: str, kind: Kind, pk: int) -> HttpResponse:
    """The whole record as one form."""
    row = get_record(kind, pk)
    form = record_form(kind, row, request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = _save(request, kind, row, form)
        if answer is None:
            return redirect(profile_url(request, row))
        form = answer
    return _form_page(request, kind, form, row)


def next_step(request: HttpRequest, account: str, kind: Kind, pk: int) -> HttpResponse:
    """Text, day and person of what is to be done next."""
    row = get_record(kind, pk)
    form = record_form(kind, row, request.POST or None, names=NEXT_STEP)
    if not row.next_step and row.next_step_on is None:
        # Or it would come up on nobody's dashboard.
        form.initial["next_step_by"] = row.next_step_by or inside(request).membership
    form.fields["next_step_on"].help_text = "The day it comes up on the dashboard."
    if request.method == "POST":
        if "done" in request.POST:
            # Without what they are to be, but with what they were: another step that somebody set meanwhile stays.
            kept = {key: value for key, value in request.POST.items() if key not in NEXT_STEP}
            form = record_form(kind, row, kept, names=NEXT_STEP)
        if form.is_valid():
            answer = _save(request, kind, row, form)
            if answer is None:
                return redirect(profile_url(request, row))
            form = answer
    return _form_page(request, kind, form, row, title="Next step")


def _save(request: HttpRequest, kind: Kind, row: Any, form: RecordForm) -> RecordForm | None:
    """None when saved; the form again when somebody else was quicker with the same field."""
    saved = _saved(request, kind, row, form)
    if isinstance(saved, RecordForm):
        return saved
    if saved:
        say_with_undo(request, f"Saved {row.name}.", saved)
    return None


def _saved(request: HttpRequest, kind: Kind, row: Any, form: RecordForm) -> Change | RecordForm | None:
    """What was changed, None where nothing was."""
    here = inside(request)
    values, rev = form.values(), form.cleaned_data["rev"]
    try:
        try:
            return editing.update(here.account, row, values, actor=here.membership, rev=rev)
        except editing.ChangedMeanwhile as clash:
            if meanwhile.disputed(kind, form, clash.row):
                raise
            # Each changed something else: both are right.
            mine, now = {name: values[name] for name in meanwhile.touched(form)}, clash.row
            return editing.update(here.account, now, mine, actor=here.membership, rev=now.rev)
    except editing.NotThere:
        raise Deleted(get_record(kind, row.pk, deleted=True)) from None
    except editing.ChangedMeanwhile as clash:
        return meanwhile.again(kind, form, clash)


def _form_page(request: HttpRequest, kind: Kind, form: RecordForm, row: Any, title: str = "") -> HttpResponse:
    words = WORDS[kind]
    context = {"form": form, "row": row, "kind": kind.value, "words": words}
    context["title"] = title or (f"Edit {row.name}" if row else f"New {words.singular}")
    context["back"] = profile_url(request, row) if row else url(request, f"crm:{words.page}")
    return render(request, "crm/record_form.html", context, status=400 if form.errors else 200)


def field(request: HttpRequest, account: str, kind: Kind, pk: int, name: str) -> HttpResponse:
    """One fact of a profile, edited in place: GET gives the form or (?show) the fact, POST saves."""
    if name not in FIELDS[kind] or not FIELDS[kind][name].by_hand:
        raise Http404
    row = get_record(kind, pk)
    form = record_form(kind, row, request.POST or None, names=[name])
    if request.method == "POST" and form.is_valid():
        answer = _save_field(request, kind, row, form)
        if isinstance(answer, HttpResponse):
            return answer
        form = answer
    elif request.method != "POST" and "show" in request.GET:
        return _fact(request, row, kind, name)
    return render(
        request, "crm/field_form.html", {"form": form, "row": row, "kind": kind.value, "name": name}
    )


def _save_field(request: HttpRequest, kind: Kind, row: Any, form: RecordForm) -> RecordForm | HttpResponse:
    here, name = inside(request), form.names[0]
    saved = _saved(request, kind, row, form)
    if isinstance(saved, RecordForm):
        return saved
    if not here.htmx:
        return redirect(profile_url(request, row))
    if name in ("name", "first", "last", "residential", "status", "company"):
        return HttpResponse(headers={"HX-Refresh": "true"})
    shown = _fact(request, get_record(kind, row.pk), kind, name)
    return record_changed(toast(shown, f"{FIELDS[kind][name].label} saved."))


def _fact(request: HttpRequest, row: Any, kind: Kind, name: str) -> HttpResponse:
    fact = facts_of(row, [name], request)[0]
    return render(request, "crm/fact.html", {"fact": fact, "row": row, "kind": kind.value, "editable": True})


@require_POST
def delete(request: HttpRequest, account: str, kind: Kind, pk: int) -> HttpResponse:
    """Out of sight, with an Undo in the message."""
    row = get_record(kind, pk)
    change = editing.delete(row, actor=inside(request).membership)
    say_with_undo(request, f"Deleted {row.name}.", change)
    return redirect(url(request, f"crm:{WORDS[kind].page}"))


@require_POST
def restore(request: HttpRequest, account: str, kind: Kind, pk: int) -> HttpResponse:
    """Brings a deleted record back."""
    row = get_record(kind, pk, deleted=True)
    if row.deleted_at and not getattr(row, "merged_into_id", None):
        editing.bring_back(row, actor=inside(request).membership)
        messages.success(request, f"{row.name} is back.")
    return redirect(profile_url(request, row))


@require_POST
def note(request: HttpRequest, account: str, kind: Kind, pk: int) -> HttpResponse:
    """Adds a note, or with `call` logs a call."""
    row = get_record(kind, pk)
    what = Note.Kind.CALL if "call" in request.POST else Note.Kind.NOTE
    form = NoteForm(request.POST)
    if form.is_valid():
        notes.add_note(row, form.cleaned_data["body"], actor=inside(request).membership, kind=what)
        messages.success(request, "Call logged." if what is Note.Kind.CALL else "Note added.")
    else:
        messages.error(request, " ".join(map(str, form.errors["body"])))
    return redirect(profile_url(request, row) + "#activity")


@needs(Verb.UNDO_OWN)
def undo(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """Takes back one change: one's own, or as an Admin anybody's."""
    change = get_object_or_404(Change, pk=pk)
    if request.method != "POST" or change.kind not in FIELDS:
        raise Http404
    if not may_undo(inside(request).membership, change):
        verb = WORDS[Kind(change.kind)].verb
        may_change = may(inside(request).membership, verb)
        messages.error(request, refusal(Verb.UNDO_OTHERS if may_change else verb))
    else:
        item = take_back(change, actor=inside(request).membership)
        _say_undone(request, item)
    kind = Kind(change.kind)
    row = get_record(kind, change.local_id or 0, deleted=True)
    gone = bool(row.deleted_at)
    return redirect(url(request, f"crm:{WORDS[kind].page}") if gone else profile_url(request, row))


def _say_undone(request: HttpRequest, item: Any) -> None:
    if not item.can:
        messages.warning(request, f"That cannot be undone: {item.why_not[:1].lower()}{item.why_not[1:]}.")
    elif item.kept:
        labels = ", ".join(FIELDS[item.change.kind][name].label for name in item.kept)
        messages.success(request, f"Undone, except what was changed since: {labels}.")
    else:
        messages.success(request, "Undone.")
