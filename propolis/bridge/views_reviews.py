""" "Needs review": one held record at a time, side by side with ours; the decisions made; accept all strong."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import typed_id, url
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.bridge import review_rows, reviewing
from propolis.bridge.models import Connection, Link, connection_of
from propolis.bridge.reviewing import CHOICES, NotDecided

_DONE: Final = {"link": "Linked", "create": "Created", "skip": "Skipped"}


@needs(Verb.IMPORT)
def page(request: AccountRequest, account: str) -> HttpResponse:
    """The first one to decide."""
    connection = connection_of(request.account)
    link = review_rows.next_after(connection, None) if connection else None
    return _show(request, connection, link)


@needs(Verb.IMPORT)
def one(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    """One to decide, or one decided before, to be changed."""
    return _show(request, connection_of(request.account), _link(pk))


@needs(Verb.IMPORT)
@require_POST
def decide(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    """Applies the decision at once; then the next one, or the list where one was changed."""
    link = _link(pk)
    choice = next((each for each in CHOICES if each == request.POST.get("choice")), None)
    if choice is None:
        return redirect(url(request, "bridge:review_one", pk))
    link.rev = _number(request.POST.get("rev"))
    changed = bool(link.choice)
    try:
        reviewing.decide(link, choice, request.membership, local_id=_number(request.POST.get("local")))
    except NotDecided as refused:
        messages.error(request, refused.sentence)
        return redirect(url(request, "bridge:review_one", pk))
    messages.success(request, f"{_DONE[choice]}.")
    if changed:
        return redirect(url(request, "bridge:review_decisions"))
    following = review_rows.next_after(link.connection, link)
    return redirect(
        url(request, "bridge:review_one", following.pk) if following else url(request, "bridge:review")
    )


@needs(Verb.IMPORT)
@require_POST
def ask_again(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    """A skipped one that came with a backup, without what Syncro sent: the next import asks about it."""
    link = _link(pk)
    link.rev = _number(request.POST.get("rev"))
    try:
        reviewing.ask_again(link, request.membership)
    except NotDecided as refused:
        messages.error(request, refused.sentence)
        return redirect(url(request, "bridge:review_one", pk))
    messages.success(request, "Not skipped any more. The next import brings it, or asks about it here.")
    return redirect(url(request, "bridge:review_decisions"))


@needs(Verb.IMPORT)
def decisions(request: AccountRequest, account: str) -> HttpResponse:
    """What was decided, newest first; each can be changed."""
    before = _number(request.GET.get("before")) or None
    restored = _number(request.GET.get("restored")) or None
    listed, further = ([], None) if restored else review_rows.decisions(request.account, before)
    more = f"before={further}" if further else ""
    if not further:
        # Older than every decision made here.
        skipped, rest = review_rows.restored_skips(request.account, restored)
        listed, more = [*listed, *skipped], f"restored={rest}" if rest else ""
    connection = connection_of(request.account)
    words = {"decisions": listed, "more": more, "first": before is None and restored is None}
    return render(request, "bridge/review_decisions.html", words | _left(connection))


@needs(Verb.IMPORT)
def accept(request: AccountRequest, account: str) -> HttpResponse:
    """ "Accept all 71": asks with the number and the names first; exactly that many, or it asks again."""
    connection = connection_of(request.account)
    wanted = reviewing.strong() if connection else {}
    if connection is None or not wanted:
        messages.info(request, "No strong match is left: each of these needs your own look.")
        return redirect(url(request, "bridge:review"))
    if request.method == "POST" and _number(request.POST.get("count")) == len(wanted):
        return _accepted(request, connection, wanted)
    rows = review_rows.strong_rows(request.account, wanted)
    words = {"count": len(wanted), "rows": rows, "more": len(wanted) - len(rows)}
    return render(request, "bridge/review_accept.html", words | {"again": request.method == "POST"})


def _accepted(request: AccountRequest, connection: Connection, wanted: dict[int, int]) -> HttpResponse:
    try:
        count = reviewing.accept_all(connection, request.membership, wanted)
    except NotDecided as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, f"{count:,} strong match{'' if count == 1 else 'es'} linked.")
    return redirect(url(request, "bridge:review"))


def _show(request: AccountRequest, connection: Connection | None, link: Link | None) -> HttpResponse:
    words = _left(connection)
    if connection is not None and link is not None:
        words["review"] = review_rows.review_of(request.account, connection, link)
        words["link"] = link
        following = review_rows.next_after(connection, link)
        words["following"] = following if following and following.pk != link.pk else None
    return render(request, "bridge/review.html", words)


def _left(connection: Connection | None) -> dict[str, Any]:
    if connection is None:
        return {"left": review_rows.Left(0, 0, 0, 0), "strong": 0}
    return {"left": review_rows.left(connection), "strong": len(reviewing.strong())}


def _link(pk: int) -> Link:
    return get_object_or_404(Link.objects.select_related("connection", "choice_by"), pk=pk)


def _number(text: str | None) -> int:
    return typed_id(text) or 0
