"""Merging two companies or two contacts: choose the other, choose field by field, undo."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from propolis.accounts.addressing import typed_id, url
from propolis.accounts.policy import Verb, needs
from propolis.crm import panels
from propolis.crm.combine import NotTwo, combine, differing, hanging, suggested
from propolis.crm.fields import Kind
from propolis.crm.finding import narrowed
from propolis.crm.kinds import MODELS
from propolis.crm.profile import facts_of
from propolis.crm.views.kinds import WORDS, get_record, inside, profile_url, say_with_undo, to_deleted


@needs(Verb.EDIT_CRM)
@to_deleted
def merge_company(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    return _merge(request, Kind.COMPANY, pk)


@needs(Verb.EDIT_CRM)
@to_deleted
def merge_contact(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    return _merge(request, Kind.CONTACT, pk)


def _merge(request: HttpRequest, kind: Kind, pk: int) -> HttpResponse:
    """Without ?with=ID a search for the other record; with it the choice; POST merges."""
    survivor = get_record(kind, pk)
    wanted = request.GET.get("with", "")
    other = typed_id(wanted)
    if other is None:
        return _choose_other(request, kind, survivor)
    loser = get_record(kind, other)
    problem = ""
    if request.method == "POST":
        here = inside(request)
        take = {name: request.POST.get(f"take-{name}") == "theirs" for name in _names(survivor, loser)}
        try:
            change = combine(here.account, survivor, loser, take, actor=here.membership)
        except NotTwo as refused:
            problem = str(refused)
        else:
            say_with_undo(request, f"Merged {loser.name} into {survivor.name}.", change)
            return redirect(_back(request, kind) or profile_url(request, survivor))
    return _choose_fields(request, kind, survivor, loser, problem)


def _back(request: HttpRequest, kind: Kind) -> str:
    """Where the merge was asked for, if that was the page of duplicates."""
    asked = request.GET.get("from") == "duplicates"
    return f"{url(request, 'crm:duplicates')}?kind={kind.value}" if asked else ""


def _names(survivor: Any, loser: Any) -> list[str]:
    return [field.name for field, _ours, _theirs in differing(survivor, loser)]


def _choose_other(request: HttpRequest, kind: Kind, survivor: Any) -> HttpResponse:
    text = request.GET.get("q", "").strip() or survivor.name
    others = MODELS[kind].objects.filter(deleted_at=None).exclude(pk=survivor.pk)
    found = list(narrowed(others, text).order_by("sort_name", "pk")[:25])
    context = {"row": survivor, "kind": kind.value, "words": WORDS[kind], "q": text, "found": found}
    return render(request, "crm/merge_find.html", context)


def _choose_fields(request: HttpRequest, kind: Kind, survivor: Any, loser: Any, problem: str) -> HttpResponse:
    take = suggested(survivor, loser)
    names = _names(survivor, loser)
    pairs = zip(facts_of(survivor, names, request), facts_of(loser, names, request), strict=True)
    context = {
        "row": survivor,
        "other": loser,
        "kind": kind.value,
        "words": WORDS[kind],
        "lines": [(ours, theirs, take[ours.name]) for ours, theirs in pairs],
        "notices": panels.merge_notices(survivor, loser),
        "problem": problem,
        "moving": hanging(loser),
        "back": _back(request, kind),
    }
    return render(request, "crm/merge.html", context)
