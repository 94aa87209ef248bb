"""Lists: all of them, one with the table of its contacts, making and changing."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from propolis.accounts.addressing import url
from propolis.accounts.models import audit
from propolis.accounts.policy import Verb, needs
from propolis.crm import lists as listing
from propolis.crm.forms import ListForm
from propolis.crm.listing import CONTACTS, on_list
from propolis.crm.models import Contact, List
from propolis.crm.paging import count_words, counted
from propolis.crm.tables import view
from propolis.crm.views.kinds import inside
from propolis.crm.views.tables import table_page


@needs(Verb.SEE)
def lists(request: HttpRequest, account: str) -> HttpResponse:
    """Every list with its size, and the built-in ones that follow from the contacts."""
    alive = Contact.objects.filter(deleted_at=None)
    contacts = url(request, "crm:contacts")
    built_in = [
        (
            "Contacts w/o Lists",
            f"{contacts}?show=unlisted",
            count_words(counted(listing.without_lists(alive))),
        ),
        ("Unsubscribed", f"{contacts}?show=unsubscribed", _count(alive, Contact.MailState.UNSUBSCRIBED)),
        ("Bounced", f"{contacts}?show=bounced", _count(alive, Contact.MailState.BOUNCED)),
    ]
    return render(request, "crm/lists.html", {"lists": listing.with_counts(), "built_in": built_in})


def _count(alive: object, state: str) -> str:
    return count_words(counted(Contact.objects.filter(deleted_at=None, mail_state=state)))


@needs(Verb.SEE)
def one_list(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    """The contacts on one list, as a table."""
    row = get_object_or_404(List, pk=pk)
    shown = view(request, CONTACTS, on_list(CONTACTS.rows(), str(pk))).load()
    return table_page(request, shown, row.name, "crm:contact_new", "New contact", of_list=row)


@needs(Verb.LISTS)
def list_new(request: HttpRequest, account: str) -> HttpResponse:
    form = ListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = listing.create_list(inside(request).account, **form.cleaned_data)
        except listing.NameTaken:
            form.add_error("name", "There is a list of this name already.")
        else:
            messages.success(request, f"Added the list {made.name}.")
            return redirect(url(request, "crm:list", made.pk))
    return _form(request, form, None)


@needs(Verb.LISTS)
def list_edit(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    row = get_object_or_404(List, pk=pk)
    form = ListForm(request.POST or None, initial={"name": row.name, "leads": row.leads})
    if request.method == "POST" and form.is_valid():
        try:
            listing.change_list(row, **form.cleaned_data)
        except listing.NameTaken:
            form.add_error("name", "There is a list of this name already.")
        except listing.BuiltIn:
            form.add_error("name", "A built-in list keeps its name.")
        else:
            return redirect(url(request, "crm:list", row.pk))
    return _form(request, form, row)


def _form(request: HttpRequest, form: ListForm, row: List | None) -> HttpResponse:
    back = url(request, "crm:list", row.pk) if row else url(request, "crm:lists")
    context: dict[str, object] = {"form": form, "row": row, "back": back}
    if row:
        there = counted(on_list(Contact.objects.filter(deleted_at=None), str(row.pk)))
        context["on_it"] = f"{count_words(there)} {'contact is' if there == 1 else 'contacts are'} on it"
    return render(request, "crm/list_form.html", context, status=400 if form.errors else 200)


@needs(Verb.LISTS)
@require_POST
def list_delete(request: HttpRequest, account: str, pk: int) -> HttpResponse:
    row, here = get_object_or_404(List, pk=pk), inside(request)
    on_it = counted(on_list(Contact.objects.filter(deleted_at=None), str(row.pk)))
    try:
        with transaction.atomic():
            listing.delete_list(row)
            audit(here.account, here.membership, "list.deleted", list=row.name, contacts=on_it)
    except listing.BuiltIn:
        messages.error(request, f"{row.name} is built in and stays.")
    else:
        messages.success(request, f"Deleted the list {row.name}. Its contacts are still here.")
    return redirect(url(request, "crm:lists"))
