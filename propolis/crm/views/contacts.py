"""Contacts: the table, the profile, lists and mailing of one contact."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import typed_id
from propolis.accounts.policy import Verb, needs
from propolis.crm import lists, mailing
from propolis.crm.fields import Kind
from propolis.crm.forms import NoteForm
from propolis.crm.listing import CONTACTS
from propolis.crm.models import Contact, List, Opportunity, Suppression
from propolis.crm.profile import facts
from propolis.crm.tables import view
from propolis.crm.views.kinds import get_record, inside, profile_url, story_of, to_deleted
from propolis.crm.views.tables import table_page

_DEALS = 20


@needs(Verb.SEE)
def contacts(request: HttpRequest, account: str) -> HttpResponse:
    return table_page(request, view(request, CONTACTS).load(), "Contacts", "crm:contact_new", "New contact")


@needs(Verb.SEE)
def contact(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """The profile; a merged contact leads to the one it became."""
    row: Contact = get_record(Kind.CONTACT, pk, deleted=True)
    if row.merged_into_id:
        return redirect(profile_url(request, get_record(Kind.CONTACT, row.merged_into_id, deleted=True)))
    deals = Opportunity.objects.filter(contact=row, deleted_at=None).select_related("status")
    on = list(lists.of_contact(row))
    sharing = Contact.objects.filter(email_key=row.email_key, deleted_at=None).exclude(pk=row.pk)
    context = {
        "row": row,
        "kind": "contact",
        "facts": facts(row, request),
        "deals": list(deals.order_by("closed_at", "-pk")[: _DEALS + 1]),
        "most_deals": _DEALS,
        "on_lists": on,
        "other_lists": List.objects.exclude(pk__in=[m.list_id for m in on]).order_by("name_key"),
        "sharing": list(sharing.order_by("pk")[:5]) if row.email_key else [],
        "suppressions": list(_standing(row)),
        "story": story_of(request, row),
        "note_form": NoteForm(),
    }
    return render(request, "crm/contact.html", context)


def _standing(row: Contact) -> list[Suppression]:
    if row.mail_state == Contact.MailState.SUBSCRIBED:
        return []
    return list(Suppression.objects.filter(email_key=row.email_key, lifted_at=None).select_related("by"))


@needs(Verb.LIST_MEMBERS)
@require_POST
@to_deleted
def put_on_list(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """list=ID puts the contact on it, off=ID takes it off, which is remembered."""
    row = get_record(Kind.CONTACT, pk)
    member = inside(request).membership
    wanted, off = typed_id(request.POST.get("list")), typed_id(request.POST.get("off"))
    if wanted is not None:
        chosen = get_object_or_404(List, pk=wanted)
        lists.add(chosen, [row.pk], actor=member)
        messages.success(request, f"{row.name} is on {chosen.name}.")
    elif off is not None:
        chosen = get_object_or_404(List, pk=off)
        lists.remove(chosen, [row.pk], actor=member)
        messages.success(request, f"{row.name} is off {chosen.name}. Later imports remember that.")
    return redirect(profile_url(request, row))


@needs(Verb.LISTS)
@require_POST
@to_deleted
def mail(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """Unsubscribes the address, with `bounced` notes that mail came back from it, with `subscribe` and a reason
    re-subscribes it; for every contact that has it."""
    here = inside(request)
    row = get_record(Kind.CONTACT, pk)
    if "subscribe" in request.POST:
        try:
            mailing.lift(
                here.account, row.email, actor=here.membership, reason=request.POST.get("reason", "")
            )
        except mailing.ReasonMissing:
            messages.error(request, "Say why they may be mailed again.")
        else:
            messages.success(request, f"{row.email} may be mailed again.")
    else:
        bounced = "bounced" in request.POST
        kind = Suppression.Kind.BOUNCED if bounced else Suppression.Kind.UNSUBSCRIBED
        if mailing.suppress(here.account, row.email, kind, actor=here.membership):
            words = "is noted as bounced" if bounced else "is unsubscribed"
            messages.success(request, f"{row.email} {words}, for every contact with this address.")
    return redirect(profile_url(request, row))
