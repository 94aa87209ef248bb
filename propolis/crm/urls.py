"""Addresses of the CRM, below the account's slug."""

from django.urls import URLPattern, path

from propolis.crm.csv_import import views as csv
from propolis.crm.fields import Kind
from propolis.crm.views import (
    amounts,
    companies,
    contacts,
    dashboard,
    duplicates,
    exporting,
    handing,
    lists,
    merging,
    opportunities,
    records,
    search,
    statuses,
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
    path("opportunities/amounts/", amounts.amounts, name="amounts"),
    path("opportunities/<int:pk>/amounts/<slug:name>/", amounts.cell, name="amount_cell"),
    path("opportunities/board/", opportunities.board, name="board"),
    *_of_kind(Kind.COMPANY),
    *_of_kind(Kind.CONTACT),
    *_of_kind(Kind.OPPORTUNITY),
    *(
        path(
            f"{WORDS[kind].page}/<int:pk>/next-step/",
            for_kind(kind, records.next_step),
            name=f"{kind.value}_next_step",
        )
        for kind in (Kind.COMPANY, Kind.OPPORTUNITY)
    ),
    path("companies/<int:pk>/", companies.company, name="company"),
    path("contacts/<int:pk>/", contacts.contact, name="contact"),
    path("contacts/<int:pk>/lists/", contacts.put_on_list, name="contact_lists"),
    path("contacts/<int:pk>/mail/", contacts.mail, name="contact_mail"),
    path("opportunities/<int:pk>/", opportunities.opportunity, name="opportunity"),
    path("opportunities/<int:pk>/move/", opportunities.move, name="opportunity_move"),
    path("opportunities/<int:pk>/add-company/", opportunities.add_company, name="opportunity_add_company"),
    path("companies/<int:pk>/merge/", merging.merge_company, name="company_merge"),
    path("contacts/<int:pk>/merge/", merging.merge_contact, name="contact_merge"),
    path("contacts/export/", exporting.contact_export, name="contact_export"),
    path("contacts/mailing.csv", exporting.mailing_csv, name="mailing_csv"),
    path("tables/<slug:page>/export.csv", exporting.export_csv, name="export_csv"),
    path("duplicates/", duplicates.duplicates, name="duplicates"),
    path("duplicates/search/", duplicates.search, name="duplicates_search"),
    path("duplicates/<int:pk>/not/", duplicates.not_duplicates, name="not_duplicates"),
    path("duplicates/said/<int:pk>/again/", duplicates.again, name="duplicates_again"),
    path("csv-import/", csv.csv_import, name="csv_import"),
    path("csv-import/<int:number>/", csv.csv_run, name="csv_run"),
    path("csv-import/<int:number>/columns/", csv.csv_columns, name="csv_columns"),
    path("csv-import/<int:number>/import/", csv.csv_confirm, name="csv_confirm"),
    path("csv-import/<int:number>/ask/", csv.csv_ask, name="csv_ask"),
    path("csv-import/<int:number>/progress/", csv.csv_progress, name="csv_progress"),
    path("csv-import/<int:number>/rows/<int:pk>/", csv.csv_review, name="csv_review"),
    path("csv-import/<int:number>/not-imported.csv", csv.csv_problems, name="csv_problems"),
    path("lists/", lists.lists, name="lists"),
    path("lists/new/", lists.list_new, name="list_new"),
    path("lists/<int:pk>/", lists.one_list, name="list"),
    path("lists/<int:pk>/edit/", lists.list_edit, name="list_edit"),
    path("lists/<int:pk>/delete/", lists.list_delete, name="list_delete"),
    path("tables/<slug:page>/columns/", tables.columns, name="columns"),
    path("tables/<slug:page>/selected/", tables.bulk, name="bulk"),
    path("search/", search.search, name="search"),
    path("pick/<slug:page>/", search.pick, name="pick"),
    path("companies/mine/", handing.my_companies, name="my_companies"),
    path("settings/users/<int:pk>/hand-over/", handing.hand_over, name="hand_over"),
    path("handed/<int:pk>/undo/", handing.take_back, name="hand_back"),
    path("settings/statuses/", statuses.statuses, name="statuses"),
    path("settings/statuses/<int:pk>/", statuses.status, name="status"),
    path("settings/statuses/<int:pk>/move/", statuses.move, name="status_move"),
    path("settings/statuses/<int:pk>/archive/", statuses.archive, name="status_archive"),
    path("settings/statuses/<int:pk>/back/", statuses.bring_back, name="status_back"),
    path("changes/<int:pk>/undo/", records.undo, name="undo"),
]
