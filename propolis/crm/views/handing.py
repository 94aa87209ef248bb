"""My companies, and handing over what a leaver leaves behind: shown with numbers, done at once, undone."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.models import Membership
from propolis.accounts.policy import Verb, may, needs, refusal
from propolis.crm import hand_jobs, handing, list_jobs
from propolis.crm.fields import Kind
from propolis.crm.models import Company, List
from propolis.crm.paging import counted
from propolis.crm.views.kinds import WORDS, ids_of, inside, say_with_button
from propolis.runs.models import Run

_LISTED = 50
BUSY = "Many records are being changed already. Try again in a moment."
THE_REST = "The rest follows within the next minutes."


@needs(Verb.EDIT_CRM)
def my_companies(request: HttpRequest, account: str) -> HttpResponse:
    """Who sells to whom, from each company's latest opportunity; POST gives the ticked people theirs."""
    here = inside(request)
    others_too = "others" in (request.POST or request.GET)
    if request.method == "POST":
        options = {"people": ids_of(request.POST.getlist("person")), "others_too": others_too}
        if not options["people"]:
            messages.error(request, "Tick at least one person.")
        else:
            _say(
                request, hand_jobs.at_once(here.account, hand_jobs.MY_COMPANIES, options, by=here.membership)
            )
        return redirect(url(request, "crm:my_companies"))
    deals = handing.suggested(others_too=others_too).select_related("company__salesperson", "salesperson")
    context = {
        "mine": counted(Company.objects.filter(deleted_at=None, salesperson=here.membership)),
        "counts": handing.suggested_counts(others_too=others_too),
        "lines": [(deal.company, deal.salesperson) for deal in deals[:_LISTED]],
        "others": others_too,
        "runs": hand_jobs.latest(hand_jobs.MY_COMPANIES),
    }
    return render(request, "crm/my_companies.html", context)


@needs(Verb.USERS)
def hand_over(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """What a person has, to be given to another; ticked part by part."""
    here = inside(request)
    person = get_object_or_404(Membership, pk=pk)
    left, people = handing.left_behind(person), handing.heirs(person)
    if request.method == "POST":
        to = people.filter(pk__in=ids_of([request.POST.get("to", "")])).first()
        known = {share.key for share, _count in left}
        shares = [key for key in request.POST.getlist("share") if key in known]
        if to is None or not shares:
            messages.error(request, "Choose who gets them, and tick what to hand over.")
            return redirect(url(request, "crm:hand_over", pk))
        options = {"of": person.pk, "to": to.pk, "shares": shares}
        _say(request, hand_jobs.at_once(here.account, hand_jobs.HAND_OVER, options, by=here.membership))
        return redirect(url(request, "crm:hand_over", pk))
    runs = [run for run in hand_jobs.latest(hand_jobs.HAND_OVER, 20) if run.options.get("of") == person.pk]
    context = {"person": person, "left": left, "people": people, "runs": runs}
    return render(request, "crm/hand_over.html", context)


def _say(request: HttpRequest, run: Run | None) -> None:
    if run is None:
        messages.warning(request, BUSY)
        return
    count = sum(run.counts.values())
    if not run.ended:
        messages.info(request, f"{count:,} records done, the rest follows within the next minutes.")
    elif not count:
        messages.info(request, "Nothing was left to give.")
    else:
        words = f"{count:,} {'record' if count == 1 else 'records'} given."
        say_with_button(request, words, url(request, "crm:hand_back", run.pk))


@needs(Verb.UNDO_OWN)
@require_POST
def take_back(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """Undo: one's own, or as an Admin anybody's."""
    here = inside(request)
    run = get_object_or_404(Run, pk=pk, kind__in=(*hand_jobs.KINDS, list_jobs.ON_LIST))
    if run.by_id != here.membership.pk and not may(here.membership, Verb.UNDO_OTHERS):
        messages.error(request, refusal(Verb.UNDO_OTHERS))
    elif Run.objects.filter(undoes=run).exists():
        messages.info(request, "That was taken back already.")
    else:
        kind = list_jobs.ON_LIST_BACK if run.kind == list_jobs.ON_LIST else hand_jobs.TAKE_BACK
        undo = None
        if run.ended:
            undo = hand_jobs.at_once(here.account, kind, {}, by=here.membership, undoes=run)
        if undo is None:
            # The button again: on most pages it stands nowhere else.
            say_with_button(request, BUSY, request.path, messages.warning)
        else:
            _say_undone(request, undo)
    return redirect(_where(request, run))


def _where(request: HttpRequest, run: Run) -> str:
    """The page on which it was done."""
    if run.kind == list_jobs.ON_LIST:
        row = List.objects.filter(pk=run.options["list"]).first()
        return url(request, "crm:list", row.pk) if row else url(request, "crm:lists")
    if run.kind == hand_jobs.HAND_OVER:
        return url(request, "crm:hand_over", run.options["of"])
    if run.kind == hand_jobs.GIVE:
        return url(request, f"crm:{WORDS[Kind(run.options['what'])].page}")
    return url(request, "crm:my_companies")


def _say_undone(request: HttpRequest, undo: Run) -> None:
    back, kept = undo.counts.get("back", 0), undo.counts.get("kept", 0)
    if undo.kind == list_jobs.ON_LIST_BACK:
        was = undo.undoes.options if undo.undoes else {"list": 0, "on": False}
        name = List.objects.filter(pk=was["list"]).values_list("name", flat=True).first()
        if name is None:
            messages.info(request, "Nothing is left to undo: the list was deleted meanwhile.")
            return
        words = f"{'is' if back == 1 else 'are'} {'off' if was['on'] else 'on'} {name} again."
        since = "changed"
    else:
        words, since = f"{'is' if back == 1 else 'are'} back.", "given on"
    if kept:
        words += f" {kept:,} {'was' if kept == 1 else 'were'} {since} since and {'stays' if kept == 1 else 'stay'}."
    messages.success(request, f"Undone: {back:,} {words}" + ("" if undo.ended else f" {THE_REST}"))
