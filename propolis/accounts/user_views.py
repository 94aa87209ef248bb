"""Account settings → Users: who is in the account, with which role types, and their invitations."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from propolis.accounts import invitations
from propolis.accounts.addressing import typed_id, url
from propolis.accounts.forms import ROLE_FIELDS, MemberForm
from propolis.accounts.models import Invitation, Membership, audit
from propolis.accounts.policy import Verb, needs
from propolis.accounts.requests import AccountRequest
from propolis.accounts.roster import LastAdmin, after_disabling, change, set_enabled


@needs(Verb.USERS)
def users(request: AccountRequest, account: str) -> HttpResponse:
    people = list(Membership.objects.select_related("user").order_by("name", "email_key"))
    last = {i.membership_id: i for i in Invitation.objects.order_by("id")}
    rows = [
        {"person": p, "invitation": last.get(p.pk), "expired": _expired(p, last.get(p.pk))} for p in people
    ]
    return render(request, "accounts/users.html", {"rows": rows})


def _expired(person: Membership, invitation: Invitation | None) -> bool:
    waiting = person.state == Membership.State.INVITED and invitation is not None
    return waiting and invitation is not None and invitation.expires_at <= timezone.now()


@needs(Verb.USERS)
def new(request: AccountRequest, account: str) -> HttpResponse:
    form = MemberForm(request.POST or None)
    if form.is_valid():
        with transaction.atomic():
            given = form.cleaned_data
            person = Membership.objects.create(
                account=request.account, name=given["name"], email_key=given["email"],
                **{f: given[f] for f in ROLE_FIELDS},
            )  # fmt: skip
            audit(request.account, request.membership, "user.added", membership=person.pk)
        report(request, invitations.invite([person], request.membership))
        return redirect(url(request, "accounts:users"))
    return render(request, "accounts/user_form.html", {"form": form, "person": None})


@needs(Verb.USERS)
def edit(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    person = get_object_or_404(Membership, pk=pk)
    start = {"name": person.name, "email": person.email_key, **{f: getattr(person, f) for f in ROLE_FIELDS}}
    form = MemberForm(request.POST or None, membership=person, initial=start)
    if form.is_valid():
        try:
            change(person, _as_changed(form, start), request.membership)
        except LastAdmin as refused:
            form.add_error("is_admin", str(refused))
        else:
            messages.success(request, f"{person} saved.")
            return redirect(url(request, "accounts:users"))
    return render(request, "accounts/user_form.html", {"form": form, "person": person})


def _as_changed(form: MemberForm, now: dict[str, Any]) -> dict[str, Any]:
    """What this form changed of what its page showed; what somebody else changed meanwhile stays so."""
    told = any(name.startswith("initial-") for name in form.data)
    changed = form.changed_data if told else list(form.cleaned_data)
    return now | {name: form.cleaned_data[name] for name in changed}


@needs(Verb.USERS)
def invite(request: AccountRequest, account: str) -> HttpResponse:
    """GET `?person=1&person=2`: who would be invited, by name; POST: sends."""
    for told in filter(None, [ask(request.account) for ask in invitations.before_inviting]):
        messages.info(request, told)
    chosen = request.POST.getlist("person") or request.GET.getlist("person")
    people = list(
        Membership.objects.filter(
            pk__in=[one for one in map(typed_id, chosen) if one is not None],
            state__in=[Membership.State.LINKED, Membership.State.INVITED],
        ).order_by("name")
    )
    ready = [p for p in people if p.role_types]
    if request.method == "POST" and ready:
        report(request, invitations.invite(ready, request.membership))
        return redirect(url(request, "accounts:users"))
    if not ready:
        messages.warning(
            request, "Tick the people to invite first. Somebody with No Types needs a role first."
        )
        return redirect(url(request, "accounts:users"))
    return render(request, "accounts/users_invite.html", {"people": ready})


def report(request: AccountRequest, sent: list[invitations.Sent]) -> None:
    """What became of invitations, as messages on the next page."""
    fine, others = invitations.told(sent)
    if fine:
        messages.success(request, fine)
    for sentence in others:
        messages.error(request, sentence)


@needs(Verb.USERS)
@require_POST
def copy_link(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    """A fresh link, shown once; the one sent before stops working."""
    person = _waiting(pk)
    if not person.role_types:
        messages.warning(request, "Give a role first: without one nobody can sign in.")
        return redirect(url(request, "accounts:users"))
    link = invitations.new_link(person, request.membership)
    return render(request, "accounts/user_link.html", {"person": person, "link": link})


@needs(Verb.USERS)
@require_POST
def revoke(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    person = _waiting(pk)
    if invitations.revoke(person, request.membership):
        messages.success(request, f"The invitation of {person} is revoked. Its link no longer works.")
    return redirect(url(request, "accounts:users"))


def _waiting(pk: int) -> Membership:
    states = [Membership.State.LINKED, Membership.State.INVITED]
    return get_object_or_404(Membership, pk=pk, state__in=states)


@needs(Verb.USERS)
@require_POST
def disable(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    return _switch(request, pk, enabled=False)


@needs(Verb.USERS)
@require_POST
def enable(request: AccountRequest, account: str, pk: int) -> HttpResponse:
    return _switch(request, pk, enabled=True)


def _switch(request: AccountRequest, pk: int, enabled: bool) -> HttpResponse:
    person = get_object_or_404(Membership, pk=pk)
    try:
        set_enabled(person, enabled, request.membership)
    except LastAdmin as refused:
        messages.error(request, str(refused))
    else:
        words = "can sign in again" if enabled else "can no longer sign in here. Their records stay"
        messages.success(request, f"{person} {words}.")
        for page in filter(None, [ask(person) for ask in after_disabling if not enabled]):
            return redirect(url(request, page, person.pk))
    return redirect(url(request, "accounts:users"))
