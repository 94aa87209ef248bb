"""Filling in amounts: the opportunities the filters leave, as a grid to tab through."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.policy import Verb, needs
from propolis.crm import amounts as filling
from propolis.crm.fields import Kind
from propolis.crm.listing import OPPORTUNITIES
from propolis.crm.models import Opportunity
from propolis.crm.paging import counted
from propolis.crm.tables import View, view
from propolis.crm.views.kinds import get_record, ids_of, inside
from propolis.crm.views.opportunities import sums_of


@needs(Verb.OPPORTUNITIES)
def amounts(request: HttpRequest, account: str) -> HttpResponse:
    """One page of the grid; POST saves every cell that was touched (what htmx does cell by cell)."""
    here = inside(request)
    wrong: dict[str, filling.Cell] = {}
    if request.method == "POST":
        rows = list(Opportunity.objects.filter(pk__in=ids_of(request.POST.getlist("row")), deleted_at=None))
        found = filling.save_all(here.account, rows, request.POST.dict(), actor=here.membership)
        wrong = {key: cell for key, cell in found.items() if cell.error}
        saved = len(found) - len(wrong)
        if not wrong:
            messages.success(request, f"{saved} {'value' if saved == 1 else 'values'} saved.")
            return redirect(request.get_full_path())
    shown = view(request, OPPORTUNITIES).load()
    lines = [(row, [wrong.get(c.key, c) for c in filling.cells(row)]) for row in shown.page.rows]
    context = {
        "table": shown,
        "lines": lines,
        "wrong": list(wrong.values()),
        **_summary(request, shown, shown.count),
    }
    context["back"] = f"{url(request, 'crm:opportunities')}?{shown.narrowing}"
    return render(request, "crm/amounts.html", context, status=400 if wrong else 200)


def _summary(request: HttpRequest, shown: View, count: int) -> dict[str, Any]:
    return {"says": sums_of(request, shown, count), "narrowing": shown.narrowing}


@needs(Verb.OPPORTUNITIES)
@require_POST
def cell(request: HttpRequest, account: str, pk: int, name: str) -> HttpResponse:
    """One cell as it is left; the answer is the cell, and the sum above the grid."""
    if name not in filling.NAMES:
        raise Http404
    here = inside(request)
    row: Opportunity = get_record(Kind.OPPORTUNITY, pk)
    key = f"{name}-{pk}"
    text, was = request.POST.get(key, ""), request.POST.get(f"was-{key}", "")
    saved = filling.save(here.account, row, name, text, was, actor=here.membership)
    shown = view(request, OPPORTUNITIES)
    return render(
        request, "crm/amount_saved.html", {"cell": saved, **_summary(request, shown, counted(shown.query))}
    )
