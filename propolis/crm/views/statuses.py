"""Account settings → Opportunity statuses: order, names, what counts as won and lost, archive."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.policy import Verb, needs
from propolis.crm import statuses as editing
from propolis.crm.keys import clean
from propolis.crm.models import Opportunity, OppStatus
from propolis.crm.views.kinds import inside


class StatusForm(forms.Form):
    name = forms.CharField(label="Name", max_length=60)
    outcome = forms.ChoiceField(
        label="Counts as",
        choices=OppStatus.Outcome.choices,
        help_text="Open ones make up the pipeline; won and lost ones are closed.",
    )

    def clean_name(self) -> str:
        name = " ".join(clean(self.cleaned_data["name"]).split())
        if not name:
            raise forms.ValidationError("Enter a name.")
        return name


@needs(Verb.SETTINGS)
def statuses(request: HttpRequest, account: str) -> HttpResponse:
    """The list, and the form that adds one."""
    form = StatusForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = editing.add(**form.cleaned_data, actor=inside(request).membership)
        except editing.Refused as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, f"Added {made.name}.")
            return redirect(url(request, "crm:statuses"))
    shown = list(editing.offered())
    context = {"statuses": shown, "archived": list(editing.archived()), "form": form}
    return render(request, "crm/statuses.html", context, status=400 if form.errors else 200)


@needs(Verb.SETTINGS)
def status(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """A new name or outcome."""
    row = get_object_or_404(editing.offered(), pk=pk)
    form = StatusForm(request.POST or None, initial={"name": row.name, "outcome": row.outcome})
    if request.method == "POST" and form.is_valid():
        try:
            editing.change(row, **form.cleaned_data, actor=inside(request).membership)
        except editing.Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Saved {row.name}.")
            return redirect(url(request, "crm:statuses"))
    context = {"status": row, "form": form}
    return render(request, "crm/status_form.html", context, status=400 if form.errors else 200)


@needs(Verb.SETTINGS)
@require_POST
def move(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """up or down; the focus stays on the button that was pressed."""
    row = get_object_or_404(OppStatus, pk=pk, archived=False)
    way = "up" if "up" in request.POST else "down"
    editing.shift(row, -1 if way == "up" else 1, actor=inside(request).membership)
    return redirect(f"{url(request, 'crm:statuses')}#{way}-{row.pk}")


@needs(Verb.SETTINGS)
def archive(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """Asks where its opportunities go, then takes it out of use."""
    row = get_object_or_404(editing.offered(), pk=pk)
    others = list(editing.offered().exclude(pk=pk))
    used, problem = editing.uses(row), ""
    if request.method == "POST":
        to = next((each for each in others if str(each.pk) == request.POST.get("to")), None)
        try:
            moved = editing.archive(row, to, actor=inside(request).membership)
        except editing.Refused as refused:
            problem = str(refused)
        else:
            went = (
                f" {moved:,} {'opportunity' if moved == 1 else 'opportunities'} went to {to}."
                if moved
                else ""
            )
            messages.success(request, f"Archived {row.name}.{went}")
            return redirect(url(request, "crm:statuses"))
    likely = [each.pk for each in others if each.outcome == row.outcome][:1]
    context = {"status": row, "others": others, "uses": used, "problem": problem, "likely": likely}
    context["asks"] = bool(used) or Opportunity.objects.filter(status=row, deleted_at=None).exists()
    return render(request, "crm/status_archive.html", context, status=400 if problem else 200)


@needs(Verb.SETTINGS)
@require_POST
def bring_back(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    row = get_object_or_404(OppStatus, pk=pk, archived=True)
    editing.bring_back(row, actor=inside(request).membership)
    messages.success(request, f"{row.name} is in use again.")
    return redirect(url(request, "crm:statuses"))
