"""The pages of CSV imports: upload, columns, preview, under way, result; one address per import."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.models import audit
from propolis.accounts.policy import Verb, may, needs
from propolis.accounts.requests import AccountRequest
from propolis.crm.csv_import import columns, pages, starting
from propolis.crm.csv_import.changes import problems_csv
from propolis.crm.csv_import.deciding import CHOICES, LINK, decide_row, undecided
from propolis.crm.csv_import.job import KIND, kind_of, verb_to_undo
from propolis.crm.csv_import.reviewing import side_by_side
from propolis.crm.csv_import.sentences import SENTENCES, CsvRefused
from propolis.crm.csv_import.values import AGES
from propolis.crm.fields import Kind
from propolis.crm.models import List
from propolis.crm.views.kinds import ids_of
from propolis.history.models import Change
from propolis.runs import engine
from propolis.runs.models import Run
from propolis.ui.toasts import announce

_ASK = {"pause": engine.pause, "resume": engine.resume, "stop": engine.stop}


class UploadForm(forms.Form):
    of = forms.ChoiceField(
        label="What is in the file?",
        choices=[
            (Kind.CONTACT.value, "Contacts, one person a row"),
            (Kind.COMPANY.value, "Companies, one a row"),
        ],
        widget=forms.RadioSelect,
        initial=Kind.CONTACT.value,
        error_messages={"required": "Choose what is in the file."},
    )
    file = forms.FileField(
        label="CSV file",
        allow_empty_file=True,
        help_text="From Syncro, HubSpot, Outlook, Google, Excel … or exported here. The first row names the columns.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
        error_messages={"required": "Choose a file first."},
    )


@needs(Verb.CSV_IMPORT)
def csv_import(request: AccountRequest, account: str) -> HttpResponse:
    """Upload, and the imports there were."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            kind = Kind(form.cleaned_data["of"])
            run = starting.take_in(
                request.account, file.read(), name=file.name or "file.csv", kind=kind, by=request.membership
            )
        except CsvRefused as refused:
            form.add_error("file", refused.sentence)
        else:
            return redirect(_address(request, run))
    context = {"form": form, "history": pages.history()}
    return render(request, "crm/csv/upload.html", context, status=400 if form.errors else 200)


@needs(Verb.CSV_IMPORT)
def csv_run(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """One import from its columns to its result."""
    return _page(request, _run(number))


@needs(Verb.CSV_IMPORT)
@require_POST
def csv_columns(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """ "Show what would happen": takes the choices down and begins to compare."""
    run = _run(number)
    chosen = [request.POST.get(f"column-{at}", "") for at in range(len(run.options["headings"]))]
    try:
        begun = starting.choose(
            run,
            chosen,
            age=request.POST.get("age", ""),
            list_id=request.POST.get("list", ""),
            new_list=request.POST.get("new_list", ""),
            make_lists="make_lists" in request.POST,
        )
    except CsvRefused as refused:
        return _page(request, run, chosen=chosen, problem=refused.sentence)
    if not begun:
        return _page(request, run, chosen=chosen, problem=SENTENCES["csv.busy"])
    return redirect(_address(request, run))


@needs(Verb.CSV_IMPORT)
@require_POST
def csv_confirm(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """ "Import 4,978 contacts": exactly the plan that was shown."""
    run = _run(number)
    try:
        if engine.confirm(run, request.membership):
            audit(request.account, request.membership, "csv.import", run=run.pk, rows=run.options["rows"])
        else:
            messages.warning(request, SENTENCES["csv.busy"])
    except engine.Refused as refused:
        messages.error(request, SENTENCES.get(refused.code, refused.code))
    return redirect(_address(request, run))


@needs(Verb.CSV_IMPORT)
@require_POST
def csv_ask(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """Pause, resume, "Stop and keep what is done"; of a preview or its columns: "Discard"."""
    run = _run(number)
    asked = _ASK.get(request.POST.get("ask", ""))
    waited = run.state == Run.State.PLANNED
    if asked and asked(run, request.membership) and waited:
        messages.success(request, "Discarded. Nothing was imported.")
        return redirect(url(request, "crm:csv_import"))
    return redirect(_address(request, run))


@needs(Verb.CSV_IMPORT)
def csv_progress(request: AccountRequest, account: str, number: int) -> HttpResponse:
    """The polled part; when there is something to decide or it has ended, the whole page comes anew."""
    run = _run(number)
    if pages.state_of(run) != "running":
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    seen = pages.look(run, request.GET.get("mark", ""))
    response = render(request, "crm/csv/running.html", {"run": run, "seen": seen})
    return announce(response, seen.pace.announce) if seen.pace.announce else response


@needs(Verb.CSV_IMPORT)
def csv_review(request: AccountRequest, account: str, number: int, pk: int) -> HttpResponse:
    """One row beside the records it may be: Link, Create new or Skip; then the next one opens by itself."""
    run = _run(number)
    change = get_object_or_404(Change, run=run, pk=pk)
    if change.action != Change.Action.REVIEW:
        return redirect(_address(request, run))
    if request.method == "POST":
        return _decide(request, run, change)
    waiting = undecided(run)
    review = side_by_side(request.account, run, change)
    later = next((each for each in waiting if each > pk), None)
    words = {"run": run, "title": pages.title_of(run), "review": review, "left": len(waiting), "later": later}
    return render(request, "crm/csv/review.html", words)


def _decide(request: AccountRequest, run: Run, change: Change) -> HttpResponse:
    choice, picked = request.POST.get("choice", ""), ids_of([request.POST.get("local", "")])
    here = url(request, "crm:csv_review", run.number, change.pk)
    if choice not in CHOICES or (choice == LINK and not picked):
        messages.error(request, "Choose the record it is, or press Create new or Skip.")
        return redirect(here)
    try:
        word = decide_row(run, change.pk, choice, picked[0] if picked else None, by=request.membership)
    except CsvRefused as refused:
        messages.error(request, refused.sentence)
        return redirect(here)
    messages.success(request, f"Line {change.args['line']}: {word.value}.")
    waiting = undecided(run)
    following = next((each for each in waiting if each > change.pk), waiting[0] if waiting else None)
    return redirect(
        url(request, "crm:csv_review", run.number, following) if following else _address(request, run)
    )


@needs(Verb.CSV_IMPORT)
def csv_problems(request: AccountRequest, account: str, number: int) -> HttpResponseBase:
    """The rows that were not imported, with why, as a file to correct and import again."""
    run = _run(number)
    response = StreamingHttpResponse(problems_csv(run), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="not-imported-{run.number}.csv"'
    return response


def _page(
    request: AccountRequest, run: Run, *, chosen: list[str] | None = None, problem: str = ""
) -> HttpResponse:
    state = pages.state_of(run)
    words: dict[str, Any] = {
        "run": run,
        "title": pages.title_of(run),
        "state": state,
        "badge": pages.badge_of(run),
    }
    if state == "columns":
        words |= _columns(request, run, chosen, problem)
    elif state == "running":
        words["seen"] = pages.look(run)
    else:
        words |= {
            "sums": pages.sums_of(run),
            "numbers": pages.numbers_of(run),
            "listing": pages.listing_of(run, request.GET.dict()),
            "counts": pages.counts_of(run, pages.noun_of(run)),
            "review": next(iter(undecided(run)), None),
            "button": pages.button_of(run),
            "may_undo": may(request.membership, verb_to_undo(run, request.membership)),
            "coming": pages.coming(run),
            "estimate": pages.estimate_of(run),
            "stale": pages.stale_of(run) if state == "preview" else "",
            "reason": pages.reason_of(run),
            "discarded": pages.was_discarded(run),
            "noun": pages.noun_of(run),
        }
    return render(request, "crm/csv/run.html", words, status=400 if problem else 200)


def _columns(request: AccountRequest, run: Run, chosen: list[str] | None, problem: str) -> dict[str, Any]:
    asked = request.POST if problem else None
    return {
        "lines": pages.column_lines(run, chosen),
        "choices": columns.choices(kind_of(run)),
        "ages": [(key, words) for key, (words, _) in AGES.items()],
        "age": asked.get("age", "") if asked else pages.suggested_age(run),
        "lists": List.objects.order_by("name_key") if kind_of(run) is Kind.CONTACT else [],
        "list": asked.get("list", "") if asked else "",
        "new_list": asked.get("new_list", "") if asked else "",
        "make_lists": bool(asked and "make_lists" in asked),
        "of_contacts": kind_of(run) is Kind.CONTACT,
        "problem": problem,
    }


def _run(number: int) -> Run:
    return get_object_or_404(Run.objects.select_related("by", "account"), number=number, kind=KIND)


def _address(request: AccountRequest, run: Run) -> str:
    return url(request, "crm:csv_run", run.number)
