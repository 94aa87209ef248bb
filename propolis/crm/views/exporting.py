"""CSV exports: any table as it is filtered, and of contacts the file for a mailing."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from propolis.accounts.addressing import typed_id
from propolis.accounts.models import audit
from propolis.accounts.policy import Verb, needs
from propolis.crm import paging
from propolis.crm.csv_export import complete_export
from propolis.crm.mailing_export import mailing_export, mailing_sum, mailing_sum_of_few
from propolis.crm.models import List
from propolis.crm.tables import View
from propolis.crm.views.kinds import inside
from propolis.crm.views.tables import KINDS, narrowed_table


@needs(Verb.EXPORT)
def contact_export(request: HttpRequest, account: str) -> HttpResponse:
    """Both exports of the contacts the table showed, with what the mailing's file will hold.

    Of more than ten thousand contacts that takes long: the page comes without, and asks again with ?count=all."""
    asked = request.GET.dict()
    everyone = bool(asked.pop("count", None))
    shown, of_list = _shown(request, "contacts")
    told = mailing_sum(shown.query) if everyone else mailing_sum_of_few(shown.query)
    context = {"sum": told, "most": paging.COUNTED, "of_list": of_list, "narrowing": urlencode(asked)}
    return render(request, "crm/export.html", {**context, "table": shown})


@needs(Verb.EXPORT)
@require_safe
def mailing_csv(request: HttpRequest, account: str) -> StreamingHttpResponse:
    """One row per address that may be mailed."""
    shown, of_list = _shown(request, "contacts")
    _audit(request, "export.mailing", "contacts", mailing_sum(shown.query).rows)
    return _file(f"mailing {of_list.name if of_list else ''}", mailing_export(shown.query))


@needs(Verb.EXPORT)
@require_safe
def export_csv(request: HttpRequest, account: str, page: str) -> StreamingHttpResponse:
    """Every field of every record the filters leave, in the order of the table."""
    shown, of_list = _shown(request, page)
    _audit(request, "export.complete", page, shown.query.order_by().count())
    return _file(
        of_list.name if of_list else page, complete_export(KINDS[page], shown.query.order_by(), shown.sort)
    )


def _shown(request: HttpRequest, page: str) -> tuple[View, List | None]:
    """The table of this address, and the list whose page it was on."""
    wanted = typed_id(request.GET.get("of_list"))
    asked = {key: str(value) for key, value in request.GET.items() if key not in ("of_list", "count")}
    of_list = get_object_or_404(List, pk=wanted) if wanted is not None else None
    return narrowed_table(request, page, asked, str(of_list.pk) if of_list else ""), of_list


def _audit(request: HttpRequest, verb: str, page: str, rows: int) -> None:
    """Who took what out of the house; the filters stay out, people search for names."""
    here = inside(request)
    audit(here.account, here.membership, verb, table=page, rows=rows)


def _file(name: str, parts: Iterable[bytes]) -> StreamingHttpResponse:
    stem = slugify(name) or "export"
    headers = {"Content-Disposition": f'attachment; filename="{stem}-{timezone.localdate().isoformat()}.csv"'}
    return StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8", headers=headers)
