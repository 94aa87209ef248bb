"""Every page that is measured: the CRM's, and all of setting up and importing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from propolis.accounts.models import Account
    from propolis.crm.models import Company, Contact, Opportunity


def addresses(account: Account) -> dict[str, str]:
    """Name → address.

    The newest import is the preview, the newest undo is at its preview; see `prepared`."""
    site = f"/{account.slug}"
    return of_the_crm(account) | _of_setting_up(f"{site}/settings/") | _of_imports(f"{site}/settings/")


def of_the_crm(account: Account) -> dict[str, str]:
    """Tables, filters, searches, profiles, the board, the dashboard and the forms."""
    site, some = f"/{account.slug}", Some.find()
    return {
        "dashboard": f"{site}/",
        "dashboard, everybody's steps": f"{site}/?steps=all",
        **_tables(site, some),
        **_searches(site, some),
        **_profiles(site, some),
        **_other_pages(site, some),
    }


@dataclass(frozen=True)
class Some:
    """Somebody and something to look at."""

    company: Company
    contact: Contact
    opportunity: Opportunity
    list: int
    salesperson: int
    late: int
    gone: int

    @classmethod
    def find(cls) -> Some:
        from propolis.accounts.models import Membership
        from propolis.bridge.models import Link
        from propolis.crm.models import Company, Contact, List, Opportunity

        deals = Opportunity.objects.filter(deleted_at=None, company__isnull=False, contact__isnull=False)
        deal = deals.select_related("company", "contact").order_by("id")[0]
        assert deal.company is not None
        assert deal.contact is not None
        return cls(
            deal.company,
            deal.contact,
            deal,
            List.objects.order_by("id")[0].pk,
            Membership.objects.order_by("-is_salesperson", "id")[0].pk,
            Contact.objects.filter(deleted_at=None).order_by("-sort_name", "-id")[0].pk,
            Company.objects.filter(links__state=Link.State.GONE).order_by("id")[0].pk,
        )


def _tables(site: str, some: Some) -> dict[str, str]:
    found: dict[str, str] = {}
    asked = {
        "companies": _companies(some),
        "contacts": _contacts(some),
        "opportunities": _opportunities(some),
    }
    for page, queries in asked.items():
        found[page] = f"{site}/{page}/"
        found |= {f"{page}, {name}": f"{site}/{page}/?{query}" for name, query in queries.items()}
    return found


def _companies(some: Some) -> dict[str, str]:
    return {
        "newest first": "sort=-created",
        "last changed": "sort=-edited",
        "last page": "end=1",
        "all": "show=all",
        "customers": "state=customer",
        "prospects": "state=prospect",
        "residential": "kind=residential",
        "of a salesperson": f"salesperson={some.salesperson}",
        "of nobody": "salesperson=none",
        "not in Syncro any more": "syncro=gone",
        "newer here": "syncro=newer",
        "not from Syncro": "syncro=none",
        "disabled": "show=disabled",
    }


def _contacts(some: Some) -> dict[str, str]:
    return {
        "newest first": "sort=-created",
        "last page": "end=1",
        "deep inside": f"before={some.late}",
        "on a list": f"list={some.list}",
        "on no list": "show=unlisted",
        "unsubscribed": "show=unsubscribed",
        "of a company": f"company={some.company.pk}",
        "of a salesperson": f"salesperson={some.salesperson}",
        "newer here": "syncro=newer",
        "waiting": "syncro=waiting",
        "linked": "syncro=linked",
        "not from Syncro": "syncro=none",
    }


def _opportunities(some: Some) -> dict[str, str]:
    return {
        "won": "show=won",
        "all": "show=all",
        "last page": "end=1",
        "of a status": f"show=all&status={some.opportunity.status_id}",
        "of a salesperson": f"salesperson={some.salesperson}",
        "of nobody": "salesperson=none",
        "without amount": "amount=none",
        "by amount": "show=all&sort=-amount",
        "by expected close": "show=all&sort=close",
        "not from Syncro": "syncro=none",
    }


def _searches(site: str, some: Some) -> dict[str, str]:
    last = quote(some.contact.last)
    return {
        "companies, searched": f"{site}/companies/?q={quote(some.company.name.split()[0])}",
        "contacts, searched": f"{site}/contacts/?q={last}",
        "contacts, searched by two words": f"{site}/contacts/?q={quote(some.contact.name)}",
        "contacts, searched by a letter": f"{site}/contacts/?q=a",
        "contacts, searched by phone": f"{site}/contacts/?q=(503)+555",
        "contacts, searched in vain": f"{site}/contacts/?q=xyzzyx",
        "opportunities, searched": f"{site}/opportunities/?q={quote(some.opportunity.name.split()[0])}",
        "search": f"{site}/search/?q={last}",
        "search, two letters": f"{site}/search/?q=an",
        "search, in vain": f"{site}/search/?q=xyzzyx",
        "picking a company": f"{site}/pick/companies/?q=riv",
        "picking a contact": f"{site}/pick/contacts/?q=mar",
    }


def _profiles(site: str, some: Some) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind, page in (("company", "companies"), ("contact", "contacts"), ("opportunity", "opportunities")):
        record = f"{site}/{page}/{getattr(some, kind).pk}/"
        found |= {kind: record, f"new {kind}": f"{site}/{page}/new/", f"editing a {kind}": f"{record}edit/"}
        found[f"a fact of a {kind}"] = (
            f"{record}field/name/" if kind != "contact" else f"{record}field/title/"
        )
    found["company merged in Syncro"] = f"{site}/companies/{some.gone}/"
    at = f"{site}/contacts/new/?company={some.company.pk}"
    next_step = {f"next step of a {kind}": f"{found[kind]}next-step/" for kind in ("company", "opportunity")}
    merging = {f"merging a {kind}": f"{found[kind]}merge/" for kind in ("company", "contact")}
    return {**found, **next_step, **merging, "new contact of a company": at}


def _other_pages(site: str, some: Some) -> dict[str, str]:
    settings = f"{site}/settings/"
    return {
        "board": f"{site}/opportunities/board/",
        "board of a salesperson": f"{site}/opportunities/board/?salesperson={some.salesperson}",
        "amounts": f"{site}/opportunities/amounts/",
        "amounts, to be filled": f"{site}/opportunities/amounts/?amount=none",
        "moving an opportunity": f"{site}/opportunities/{some.opportunity.pk}/move/",
        "lists": f"{site}/lists/",
        "list": f"{site}/lists/{some.list}/",
        "new list": f"{site}/lists/new/",
        "editing a list": f"{site}/lists/{some.list}/edit/",
        "my companies": f"{site}/companies/mine/",
        "my companies, others' too": f"{site}/companies/mine/?others=1",
        "duplicates": f"{site}/duplicates/",
        "duplicates among contacts": f"{site}/duplicates/?kind=contact",
        "duplicates turned down": f"{site}/duplicates/?show=turned-down",
        "exporting contacts": f"{site}/contacts/export/",
        "exporting a list": f"{site}/contacts/export/?of_list={some.list}",
        "exporting contacts, counted": f"{site}/contacts/export/?count=all",
        "csv imports": f"{site}/csv-import/",
        **_csv_preview(site),
        "audit log": f"{settings}audit/",
        "audit log of one deed": f"{settings}audit/?what=export.complete",
        "statuses": f"{settings}statuses/",
        "archiving a status": f"{settings}statuses/{some.opportunity.status_id}/archive/",
        "people": f"{settings}users/",
        "handing over a leaver's": f"{settings}users/{some.salesperson}/hand-over/",
        "account": f"{settings}account/",
    }


def _csv_preview(site: str) -> dict[str, str]:
    from propolis.runs.models import Run

    newest = Run.objects.filter(kind="csv_import").order_by("-id").first()
    return {"csv preview": f"{site}/csv-import/{newest.number}/"} if newest else {}


def _of_setting_up(settings: str) -> dict[str, str]:
    from propolis.bridge.health import DATA_LABELS, LABELS
    from propolis.bridge.models import Backup, RemoteUser

    syncro, user = f"{settings}integrations/syncro/", RemoteUser.objects.order_by("remote_id")[0].pk
    return {
        "integrations": f"{settings}integrations/",
        "integration": syncro,
        **{step: f"{syncro}{step}/" for step in ("connection", "users")},
        "disconnecting": f"{syncro}connection/disconnect/",
        "matching by hand": f"{syncro}users/{user}/",
        "handing over": f"{syncro}users/{user}/hand-over/",
        "what comes along": f"{syncro}choices/",
        "schedule": f"{syncro}schedule/",
        "review": f"{syncro}review/",
        "decisions made": f"{syncro}review/decisions/",
        "health": f"{syncro}health/",
        **{f"health: {key}": f"{syncro}health/{key}/" for key in (*LABELS, *DATA_LABELS)},
        "remembered decisions": f"{syncro}health/remembered/",
        "backups": f"{settings}backups/",
        "restore from a file": f"{settings}backups/upload/",
        "deleting a backup": f"{settings}backups/{Backup.objects.order_by('id')[0].pk}/delete/",
    }


def _of_imports(settings: str) -> dict[str, str]:
    from propolis.runs.models import Run

    syncro = f"{settings}integrations/syncro/"
    numbers = dict(Run.objects.order_by("id").values_list("kind", "number"))
    imports = Run.objects.filter(kind="import").order_by("id").values_list("number", flat=True)
    first, preview = imports[0], imports.filter(state=Run.State.PLANNED).order_by("-id")[0]
    result = f"{syncro}imports/{first}/"
    return {
        **{f"import {step}": f"{syncro}{step}/" for step in ("companies", "contacts", "opportunities")},
        "imports": f"{syncro}imports/",
        "import preview": f"{syncro}imports/{preview}/",
        "import result": result,
        **{f"import result: {show}": f"{result}?show={show}" for show in ("new", "left_out", "failed")},
        "undo preview": f"{result}undo/",
        "restore preview": f"{settings}backups/restores/{numbers['restore']}/",
    }
