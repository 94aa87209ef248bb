"""What the pages of the three kinds of record have in common: names, words, who may change them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.middleware.csrf import get_token
from django.utils.html import format_html

from propolis.accounts.addressing import url
from propolis.accounts.models import Account, Membership
from propolis.accounts.policy import Verb, may, needs
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


def for_kind(kind: Kind, view: RecordView) -> RecordView:
    """The view for one kind of record, open to those who may change that kind."""

    def of_kind(request: HttpRequest, account: str, **kwargs: Any) -> HttpResponseBase:
        return view(request, account, kind, **kwargs)

    of_kind.__name__, of_kind.__doc__ = view.__name__, view.__doc__
    return needs(WORDS[kind].verb)(of_kind)


def get_record(kind: Kind, pk: int, *, deleted: bool = False) -> Any:
    """The record with what its profile shows of others; 404 where there is none."""
    query = MODELS[kind].objects.select_related(*WORDS[kind].joined)
    row = query.filter(pk=pk).first()
    if row is None or (row.deleted_at and not deleted):
        raise Http404(f"There is no such {WORDS[kind].singular}.")
    return row


def kind_of(row: Company | Contact | Opportunity) -> Kind:
    return Kind(row._meta.model_name or "")


def profile_url(request: HttpRequest, row: Company | Contact | Opportunity) -> str:
    return url(request, f"crm:{kind_of(row).value}", row.pk)


def say_with_undo(request: HttpRequest, text: str, change: Change) -> None:
    """The message of the next page, with a button that takes the change back at once."""
    messages.success(
        request,
        format_html(
            '{} <form class="inline" method="post" action="{}">'
            '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
            '<button class="btn link" type="submit">Undo</button></form>',
            text,
            url(request, "crm:undo", change.pk),
            get_token(request),
        ),
    )


def may_undo(membership: Membership, change: Change) -> bool:
    """One's own changes, and as an Admin anybody's."""
    own = change.actor_id == membership.pk and may(membership, Verb.UNDO_OWN)
    return own or may(membership, Verb.UNDO_RUN)


def ids_of(values: Iterable[str]) -> list[int]:
    """The numbers among what a form sent as ids."""
    return [int(value) for value in values if value.isdigit() and len(value) < 19]
