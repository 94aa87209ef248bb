"""What the pages of the three kinds of record have in common: names, words, who may change them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.utils.html import format_html

from propolis.accounts.addressing import typed_id, url
from propolis.accounts.models import Account, Membership
from propolis.accounts.policy import Verb, may, needs
from propolis.crm.activity import Story, story
from propolis.crm.fields import Kind
from propolis.crm.kinds import MODELS
from propolis.crm.models import Company, Contact, Opportunity
from propolis.history.models import Change

RecordView = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Words:
    """`page`: url name of the table. `joined`: rows the profile shows of others."""

    page: str
    singular: str
    plural: str
    icon: str
    verb: Verb
    joined: tuple[str, ...]


WORDS = {
    Kind.COMPANY: Words(
        "companies", "company", "companies", "building-2", Verb.EDIT_CRM, ("salesperson", "next_step_by")
    ),
    Kind.CONTACT: Words(
        "contacts", "contact", "contacts", "users", Verb.EDIT_CRM, ("salesperson", "company")
    ),
    Kind.OPPORTUNITY: Words(
        "opportunities",
        "opportunity",
        "opportunities",
        "square-kanban",
        Verb.OPPORTUNITIES,
        ("salesperson", "company", "contact", "status", "next_step_by"),
    ),
}


class AccountRequest(HttpRequest):
    """A request inside an account, as the middleware leaves it."""

    account: Account
    membership: Membership
    htmx: Any


def inside(request: HttpRequest) -> AccountRequest:
    return cast(AccountRequest, request)


class Deleted(Http404):
    """The record is there, deleted: its page says by whom, and brings it back."""

    def __init__(self, row: Any) -> None:
        super().__init__(f"{row._meta.label} {row.pk} was deleted")
        self.row = row


def to_deleted(view: Callable[..., Any]) -> Callable[..., Any]:
    """On a tab left open a record may have been deleted meanwhile: its page is shown, which says by whom and brings it
    back, rather than that there is nothing."""

    @wraps(view)
    def looked_after(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return cast(HttpResponseBase, view(request, *args, **kwargs))
        except Deleted as gone:
            if inside(request).htmx:
                raise
            nothing = " Nothing was saved." if request.method == "POST" else ""
            messages.warning(request, f"{gone.row.name} was deleted meanwhile.{nothing}")
            return redirect(profile_url(request, gone.row))

    return looked_after


def for_kind(kind: Kind, view: RecordView) -> RecordView:
    """The view for one kind of record, open to those who may change that kind."""

    @to_deleted
    def of_kind(request: HttpRequest, account: str, **kwargs: Any) -> HttpResponseBase:
        return view(request, account, kind, **kwargs)

    of_kind.__name__, of_kind.__doc__ = view.__name__, view.__doc__
    return needs(WORDS[kind].verb)(of_kind)


def get_record(kind: Kind, pk: int, *, deleted: bool = False) -> Any:
    """The record with what its profile shows of others; 404 where there is none."""
    query = MODELS[kind].objects.select_related(*WORDS[kind].joined)
    row = query.filter(pk=pk).first()
    if row is None:
        raise Http404(f"There is no such {WORDS[kind].singular}.")
    if row.deleted_at and not deleted:
        raise Deleted(row)
    return row


def kind_of(row: Company | Contact | Opportunity) -> Kind:
    return Kind(row._meta.model_name or "")


def profile_url(request: HttpRequest, row: Company | Contact | Opportunity) -> str:
    return url(request, f"crm:{kind_of(row).value}", row.pk)


def say_with_undo(request: HttpRequest, text: str, change: Change) -> None:
    """The message of the next page, with a button that takes the change back at once."""
    say_with_button(request, text, url(request, "crm:undo", change.pk))


def say_with_button(
    request: HttpRequest, text: str, action: str, say: Callable[..., None] = messages.success
) -> None:
    """The message of the next page, with "Undo", which posts to `action`."""
    say(
        request,
        format_html(
            '{} <form class="inline" method="post" action="{}">'
            '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
            '<button class="btn link" type="submit">Undo</button></form>',
            text,
            action,
            get_token(request),
        ),
    )


def story_of(request: HttpRequest, row: Company | Contact | Opportunity) -> Story:
    """The history as this person sees it; `?before=` the older part of it."""
    member = inside(request).membership
    before = typed_id(request.GET.get("before"))
    return story(row, before=before, may_undo=lambda change: may_undo(member, change))


def may_undo(membership: Membership, change: Change) -> bool:
    """One's own changes of what one may still change, and as an Admin anybody's."""
    if change.kind not in WORDS or not may(membership, WORDS[Kind(change.kind)].verb):
        return False
    own = change.actor_id == membership.pk and may(membership, Verb.UNDO_OWN)
    return own or may(membership, Verb.UNDO_OTHERS)


def ids_of(values: Iterable[str]) -> list[int]:
    """The numbers among what a form sent as ids."""
    return [one for one in map(typed_id, values) if one is not None]
