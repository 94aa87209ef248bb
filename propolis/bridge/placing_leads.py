"""Putting opportunities where they belong: company, contact, salesperson, prospect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from propolis.bridge import mapping
from propolis.bridge.models import Link
from propolis.bridge.placing import ALIVE, UNKNOWN_CUSTOMER, WAITS, Placer, companies_of
from propolis.bridge.scene import Scene, Seller
from propolis.crm import keys, rows
from propolis.crm.models import Company, Contact, Opportunity, OppStatus
from propolis.history.models import Change


class OpportunityPlacer(Placer):
    model = Opportunity
    columns = (*rows.OPPORTUNITY_COLUMNS,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        statuses = OppStatus.objects.values_list("pk", "outcome")
        self._closed = {pk for pk, outcome in statuses if outcome != OppStatus.Outcome.OPEN}
        self._companies: dict[int, int] = {}
        self._customers: set[int] = set()
        self._contacts: dict[int, tuple[int, int | None]] = {}
        self._by_email: dict[str, tuple[int, int | None]] = {}
        self._by_domain: dict[str, int] = {}

    def begin(self, batch: Sequence[Change]) -> None:
        raws = [each.args.get("raw", {}) for each in batch]
        self._companies, self._customers = companies_of(self.scene, (raw.get("customer_id") for raw in raws))
        self._contacts = _contacts_of(self.scene, (raw.get("contact_id") for raw in raws))
        strangers = {keys.email_key(raw.get("email") or "") for raw in raws if raw.get("customer_id") is None}
        self._by_email = _one_contact_each(strangers - {""})
        self._by_domain = _one_company_each({keys.domain_of(email) for email in strangers} - {""})

    def place(self, change: Change, row: Opportunity) -> None:
        raw = change.args["raw"]
        row.company_id, row.contact_id = self._whose(raw)
        self._sell(row, raw.get("user_id"), change)
        if row.status_id in self._closed:
            row.closed_at = row.edited_at
        if row.company_id is None:
            row.prospect_name = mapping.lead_person(raw)
            row.prospect_email = keys.clean(raw.get("email"))
            row.prospect_phone = keys.clean(raw.get("phone") or raw.get("mobile"))
        for name in ("company", "contact", "salesperson"):
            value = getattr(row, f"{name}_id")
            if value is not None:
                change.fields[name] = [None, value, "new"]

    def change(self, change: Change, row: Opportunity, fields: dict[str, list[Any]]) -> None:
        """Beside the decided fields: what could not be resolved before is filled, nothing set is replaced."""
        company, contact = self._whose(change.args["raw"])
        if row.company_id is None and company is not None:
            fields["company"] = [None, company, "known now"]
        if row.contact_id is None and contact is not None:
            fields["contact"] = [None, contact, "known now"]
        if "status" in fields:
            was, closed = row.status_id in self._closed, fields["status"][1] in self._closed
            updated = change.args.get("updated")
            if was != closed:
                at = datetime.fromisoformat(updated) if updated and closed else None
                fields["closed_at"] = [rows.plain(row.closed_at), rows.plain(at), "with the status"]
        super().change(change, row, fields)

    def waits(self, change: Change) -> str:
        customer = change.args["raw"].get("customer_id")
        if customer is None or customer in self._companies:
            return ""
        return WAITS if customer in self._customers else UNKNOWN_CUSTOMER

    def _whose(self, raw: dict[str, Any]) -> tuple[int | None, int | None]:
        """Company and contact: by Syncro's ids; without a customer by e-mail, then by domain."""
        contact, employer = self._contacts.get(raw.get("contact_id") or 0, (None, None))
        customer = raw.get("customer_id")
        if customer is not None:
            return self._companies.get(customer), contact
        if contact is not None:
            return employer, contact
        email = keys.email_key(raw.get("email") or "")
        known, employer = self._by_email.get(email, (None, None))
        if known is not None:
            return employer, known
        return self._by_domain.get(keys.domain_of(email)), None

    def _sell(self, row: Opportunity, user_id: int | None, change: Change) -> None:
        """Only if that user is linked and a Salesperson here; else it waits for them."""
        if user_id is None:
            return
        row.salesperson_id = self.scene.sellers.get(user_id, Seller(None, "")).membership_id
        if row.salesperson_id is None:
            row.waits_for_remote_user = user_id
            change.args["no_salesperson"] = "not_linked" if user_id in self.scene.sellers else "left_syncro"


def _contacts_of(scene: Scene, contact_ids: Iterable[int | None]) -> dict[int, tuple[int, int | None]]:
    wanted = sorted({each for each in contact_ids if each is not None})
    links = Link.objects.filter(
        connection=scene.connection,
        kind=Link.Kind.CONTACT,
        remote_id__among=wanted,
        state__in=ALIVE,
        contact__isnull=False,
        contact__deleted_at__isnull=True,
    )
    found = links.values_list("remote_id", "contact_id", "contact__company_id")
    return {remote: (contact, company) for remote, contact, company in found if contact is not None}


def _one_contact_each(emails: set[str]) -> dict[str, tuple[int, int | None]]:
    """The contact of each address, where exactly one has it."""
    found: dict[str, list[tuple[int, int | None]]] = {}
    alive = Contact.objects.filter(email_key__among=emails, deleted_at__isnull=True, merged_into__isnull=True)
    for email, pk, company in alive.values_list("email_key", "pk", "company_id"):
        found.setdefault(email, []).append((pk, company))
    return {email: contacts[0] for email, contacts in found.items() if len(contacts) == 1}


def _one_company_each(domains: set[str]) -> dict[str, int]:
    found: dict[str, list[int]] = {}
    alive = Company.objects.filter(domain__among=domains, deleted_at__isnull=True, merged_into__isnull=True)
    for domain, pk in alive.values_list("domain", "pk"):
        found.setdefault(domain, []).append(pk)
    return {domain: companies[0] for domain, companies in found.items() if len(companies) == 1}
