"""The three tables: companies, contacts, opportunities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from propolis.accounts.addressing import typed_id, url
from propolis.accounts.models import Membership
from propolis.crm import cells, orders, panels
from propolis.crm.finding import narrowed
from propolis.crm.lists import without_lists
from propolis.crm.models import Company, Contact, List, ListMember, Opportunity, OppStatus
from propolis.crm.paging import COUNTED, counted
from propolis.crm.tables import Chip, Column, Filter, Table, View

_SORTS = {"name": "sort_name", "created": "created_at", "edited": "edited_at"}


# What people choose from


def salespeople(request: HttpRequest) -> Iterable[tuple[str, str]]:
    """Nobody, everyone who can be given records, and whoever is or was a salesperson here."""
    yield "none", "No salesperson"
    able = Q(is_salesperson=True) | Q(state=Membership.State.ACTIVE)
    people = Membership.objects.filter(able).order_by("name")
    for person in people:
        yield str(person.pk), str(person)


def list_options(request: HttpRequest) -> Iterable[tuple[str, str]]:
    for pk, name in List.objects.order_by("name_key").values_list("pk", "name"):
        yield str(pk), name


def status_options(request: HttpRequest) -> Iterable[tuple[str, str]]:
    """Those that the chip leaves anything of: of "Open" nothing is won. One in the address is always named."""
    show, chosen = request.GET.get("show", OppStatus.Outcome.OPEN), request.GET.get("status", "")
    for status in OppStatus.objects.order_by("position", "pk"):
        fits = show not in OppStatus.Outcome or show == status.outcome
        if fits or str(status.pk) == chosen:
            yield str(status.pk), status.name


def _by_salesperson(query: QuerySet[Any], value: str) -> QuerySet[Any]:
    return query.filter(salesperson=None) if value == "none" else _by_id(query, "salesperson_id", value)


def _by_id(query: QuerySet[Any], column: str, value: str) -> QuerySet[Any]:
    """No row for what is no id, rather than an error."""
    wanted = typed_id(value)
    return query.none() if wanted is None else query.filter(**{column: wanted})


def on_list(query: QuerySet[Any], value: str) -> QuerySet[Any]:
    """Contacts on the list of this id."""
    wanted = typed_id(value)
    if wanted is None:
        return query.none()
    here = ListMember.objects.filter(list=wanted, state=ListMember.State.IN)
    if counted(here) <= COUNTED:
        return query.filter(pk__in=here.values("contact"))
    return query.filter(Exists(here.filter(contact=OuterRef("pk"))))  # faster where most are on it


def _alive(query: QuerySet[Any]) -> QuerySet[Any]:
    return query.filter(deleted_at=None)


def _deleted(query: QuerySet[Any]) -> QuerySet[Any]:
    return query.filter(deleted_at__isnull=False, merged_into=None)


# What cells show


def _salesperson(row: Any, view: View) -> str:
    return str(row.salesperson) if row.salesperson else ""


def _created(row: Any, view: View) -> Any:
    return format_html('<span class="nowrap">{}</span>', cells.day(row.created_at))


def _edited(row: Any, view: View) -> Any:
    return cells.when(row.edited_at)


def _email(row: Any, view: View) -> Any:
    return cells.mail_link(row.email)


def _phone(row: Any, view: View) -> Any:
    return cells.phone_link(row.phone, row.phone_key, getattr(row, "extension", ""))


def _place(row: Any, view: View) -> str:
    return ", ".join(part for part in (row.city, row.state) if part)


def _company_name(row: Company, view: View) -> Any:
    return cells.link(url(view.request, "crm:company", row.pk), row.name or "Unnamed company")


def _standing(row: Company, view: View) -> Any:
    if row.disabled_in_syncro:
        return cells.badge("Disabled in Syncro", "warn")
    return cells.badge("Customer", "ok") if row.pk in view.prepared["customers"] else cells.badge("Prospect")


def _customers(rows: Sequence[Company]) -> Mapping[str, Any]:
    ids = [row.pk for row in rows]
    return {
        "customers": set(
            Company.objects.filter(panels.is_customer(), pk__in=ids).values_list("pk", flat=True)
        )
    }


def _next_step(row: Any, view: View) -> str:
    return " · ".join(part for part in (row.next_step, cells.day(row.next_step_on)) if part)


def _contact_name(row: Contact, view: View) -> Any:
    return cells.link(url(view.request, "crm:contact", row.pk), row.name)


def _of_company(row: Any, view: View) -> Any:
    if row.company is None or row.company.deleted_at:
        return getattr(row, "prospect_name", "")
    return cells.link(url(view.request, "crm:company", row.company.pk), row.company.name)


def _of_contact(row: Opportunity, view: View) -> Any:
    if row.contact is None or row.contact.deleted_at:
        return ""
    return cells.link(url(view.request, "crm:contact", row.contact.pk), row.contact.name)


def _mail_state(row: Contact, view: View) -> Any:
    tones = {"unsubscribed": "warn", "bounced": "bad"}
    if row.mail_state == Contact.MailState.SUBSCRIBED:
        return ""
    return cells.badge(row.get_mail_state_display(), tones.get(row.mail_state, ""))


def _opportunity_name(row: Opportunity, view: View) -> Any:
    return cells.link(url(view.request, "crm:opportunity", row.pk), row.name or "Unnamed opportunity")


def _status(row: Opportunity, view: View) -> Any:
    return status_badge(row.status)


def status_badge(status: OppStatus) -> Any:
    tones = {OppStatus.Outcome.WON: "ok", OppStatus.Outcome.LOST: "", OppStatus.Outcome.OPEN: "brand"}
    return cells.badge(status.name, tones[OppStatus.Outcome(status.outcome)])


def _amount(row: Opportunity, view: View) -> str:
    return cells.money(row.amount, view.request.account.currency)  # type: ignore[attr-defined]


def _by_record(model: Any) -> Filter:
    """Only what belongs to one record, which the table then names."""
    key = str(model._meta.model_name)

    def named(request: HttpRequest, value: str) -> tuple[str, str] | None:
        wanted = typed_id(value)
        row = model.objects.filter(pk=wanted).first() if wanted is not None else None
        return (row.name or f"Unnamed {key}", url(request, f"crm:{key}", row.pk)) if row else None

    return Filter(key, key.capitalize(), lambda q, v: _by_id(q, f"{key}_id", v), free=True, named=named)


# The tables


def _companies() -> QuerySet[Company]:
    return Company.objects.select_related("salesperson")


def _contacts() -> QuerySet[Contact]:
    return Contact.objects.select_related("salesperson", "company")


def _opportunities() -> QuerySet[Opportunity]:
    return Opportunity.objects.select_related("salesperson", "company", "contact", "status")


def _outcome(*outcomes: str) -> Any:
    return lambda query: _alive(query).filter(status__outcome__in=outcomes)


_CREATED = Column("created", "Date created", _created, sort="created")
_EDITED = Column("edited", "Last changed", _edited, sort="edited", shown=False)
_SALES = Column("salesperson", "Salesperson", _salesperson)
_BY_SALES = Filter("salesperson", "Salesperson", _by_salesperson, salespeople)
_BY_COMPANY, _BY_CONTACT = _by_record(Company), _by_record(Contact)
_BY_RUN = Filter("run", "Import", lambda q, v: _by_id(q, "created_run_id", v), free=True)

COMPANIES = Table(
    page="companies",
    noun=("company", "companies"),
    rows=_companies,
    name=Column("name", "Name", _company_name, sort="name"),
    columns=[
        Column("standing", "State", _standing),
        Column("phone", "Phone", _phone),
        Column("email", "E-mail", _email),
        Column("domain", "Domain", lambda row, view: row.domain, shown=False),
        Column("place", "City", _place),
        _SALES,
        Column("next_step", "Next step", _next_step, shown=False),
        _CREATED,
        _EDITED,
    ],
    chips=[
        Chip("active", "Active", lambda q: _alive(q).filter(disabled_in_syncro=False)),
        Chip("all", "All", _alive),
        Chip(
            "disabled",
            "Disabled in Syncro",
            lambda q: _alive(q).filter(disabled_in_syncro=True),
            counted=True,
        ),
        Chip("deleted", "Deleted", _deleted, counted=True),
    ],
    filters=[
        _BY_SALES,
        Filter(
            "kind",
            "Kind",
            lambda q, v: q.filter(residential=v == "residential"),
            lambda request: (("business", "Business"), ("residential", "Residential")),
        ),
        Filter(
            "state",
            "State",
            lambda q, v: q.filter(panels.is_customer()) if v == "customer" else panels.prospects(q),
            lambda request: (("customer", "Customer"), ("prospect", "Prospect")),
            many=lambda q, v: (
                q.filter(panels.is_customer(each=True)) if v == "customer" else panels.prospects(q)
            ),
        ),
        _BY_RUN,
    ],
    search=narrowed,
    sorts=_SORTS,
    prepare=[_customers],
)
CONTACTS = Table(
    page="contacts",
    noun=("contact", "contacts"),
    rows=_contacts,
    name=Column("name", "Name", _contact_name, sort="name"),
    columns=[
        Column("title", "Title", lambda row, view: row.title),
        Column("company", "Company", _of_company),
        Column("email", "E-mail", _email),
        Column("phone", "Phone", _phone),
        Column("mobile", "Mobile", lambda r, v: cells.phone_link(r.mobile, r.mobile_key), shown=False),
        Column("place", "City", _place, shown=False),
        Column("mail", "Mailing", _mail_state),
        Column("salesperson", "Salesperson", _salesperson, shown=False),
        _CREATED,
        _EDITED,
    ],
    chips=[
        Chip("all", "All", _alive),
        Chip("unlisted", "Contacts w/o Lists", lambda q: without_lists(_alive(q))),
        Chip("unsubscribed", "Unsubscribed", lambda q: _alive(q).filter(mail_state="unsubscribed")),
        Chip("bounced", "Bounced", lambda q: _alive(q).filter(mail_state="bounced")),
        Chip("deleted", "Deleted", _deleted, counted=True),
    ],
    filters=[
        Filter("list", "List", on_list, list_options),
        _BY_SALES,
        _BY_COMPANY,
        _BY_RUN,
    ],
    search=narrowed,
    sorts=_SORTS,
)
OPPORTUNITIES = Table(
    page="opportunities",
    noun=("opportunity", "opportunities"),
    rows=_opportunities,
    name=Column("name", "Name", _opportunity_name, sort="name"),
    columns=[
        Column("status", "Status", _status),
        Column("company", "Company", _of_company),
        Column("contact", "Contact", _of_contact),
        Column("amount", "Amount", _amount, sort="amount", number=True),
        Column(
            "likelihood",
            "Likelihood",
            lambda r, v: "" if r.likelihood is None else f"{r.likelihood} %",
            shown=False,
            number=True,
        ),
        Column("expected_close", "Expected close", lambda r, v: cells.day(r.expected_close), sort="close"),
        _SALES,
        Column("next_step", "Next step", _next_step, shown=False),
        _CREATED,
        _EDITED,
    ],
    chips=[
        Chip("open", "Open", _outcome("open")),
        Chip("won", "Won", _outcome("won")),
        Chip("lost", "Lost", _outcome("lost")),
        Chip("all", "All", _alive),
        Chip("deleted", "Deleted", lambda q: q.filter(deleted_at__isnull=False), counted=True),
    ],
    filters=[
        Filter("status", "Status", lambda q, v: _by_id(q, "status_id", v), status_options),
        _BY_SALES,
        Filter(
            "amount",
            "Amount",
            lambda q, v: q.filter(amount__isnull=v == "none"),
            lambda request: (("none", "Without amount"), ("some", "With amount")),
        ),
        _BY_COMPANY,
        _BY_CONTACT,
        _BY_RUN,
    ],
    search=narrowed,
    sorts={**_SORTS, "amount": orders.AMOUNT, "close": orders.EXPECTED_CLOSE},
    sort="-created",
)


def register_tables() -> None:
    for table in (COMPANIES, CONTACTS, OPPORTUNITIES):
        panels.register_table(table)
