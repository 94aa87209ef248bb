"""Addresses of the CRM, below the account's slug."""

from django.urls import URLPattern, path

from propolis.crm.fields import Kind
from propolis.crm.views import (
    companies,
    contacts,
    dashboard,
    lists,
    merging,
    opportunities,
    records,
    search,
    tables,
)
from propolis.crm.views.kinds import WORDS, RecordView, for_kind

app_name = "crm"


def _of_kind(kind: Kind) -> list[URLPattern]:
    """What every kind of record has."""
    page, name = WORDS[kind].page, kind.value
    views: tuple[tuple[str, str, RecordView], ...] = (
        ("new/", "new", records.new),
        ("<int:pk>/edit/", "edit", records.edit),
        ("<int:pk>/field/<slug:name>/", "field", records.field),
        ("<int:pk>/next-step/", "next_step", records.next_step),
        ("<int:pk>/delete/", "delete", records.delete),
        ("<int:pk>/restore/", "restore", records.restore),
        ("<int:pk>/note/", "note", records.note),
    )
    return [
        path(f"{page}/{route}", for_kind(kind, view), name=f"{name}_{what}") for route, what, view in views
    ]


urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("companies/", companies.companies, name="companies"),
    path("contacts/", contacts.contacts, name="contacts"),
    path("opportunities/", opportunities.opportunities, name="opportunities"),
    path("opportunities/board/", opportunities.board, name="board"),
    *_of_kind(Kind.COMPANY),
    *_of_kind(Kind.CONTACT),
    *_of_kind(Kind.OPPORTUNITY),
    path("companies/<int:pk>/", companies.company, name="company"),
    path("contacts/<int:pk>/", contacts.contact, name="contact"),
    path("contacts/<int:pk>/lists/", contacts.put_on_list, name="contact_lists"),
    path("contacts/<int:pk>/mail/", contacts.mail, name="contact_mail"),
    path("opportunities/<int:pk>/", opportunities.opportunity, name="opportunity"),
    path("opportunities/<int:pk>/move/", opportunities.move, name="opportunity_move"),
    path("opportunities/<int:pk>/add-company/", opportunities.add_company, name="opportunity_add_company"),
    path("companies/<int:pk>/merge/", merging.merge_company, name="company_merge"),
    path("contacts/<int:pk>/merge/", merging.merge_contact, name="contact_merge"),
    path("lists/", lists.lists, name="lists"),
    path("lists/new/", lists.list_new, name="list_new"),
    path("lists/<int:pk>/", lists.one_list, name="list"),
    path("lists/<int:pk>/edit/", lists.list_edit, name="list_edit"),
    path("lists/<int:pk>/delete/", lists.list_delete, name="list_delete"),
    path("tables/<slug:page>/columns/", tables.columns, name="columns"),
    path("tables/<slug:page>/selected/", tables.bulk, name="bulk"),
    path("search/", search.search, name="search"),
    path("pick/<slug:page>/", search.pick, name="pick"),
    path("changes/<int:pk>/undo/", records.undo, name="undo"),
]
