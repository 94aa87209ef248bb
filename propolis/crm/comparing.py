"""What records are compared by, and which of ours an incoming one may be: the same for every import.

The rules themselves are `propolis.merge.match`; here are our keys and our candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet

from propolis.crm import keys
from propolis.crm.models import Company, Contact
from propolis.merge.record import CompanyKeys, ContactKeys, Record, Value


def company_keys(values: Mapping[str, Value], region: str, website: str = "") -> CompanyKeys:
    """What a company with these values is recognised by; `website` where the values have none."""
    email, residential = _text(values, "email"), values.get("residential") is True
    domains = {keys.domain_of(email), keys.domain_of(website or _text(values, "website"))} - {""}
    phones = {keys.phone_key(_text(values, name), region) for name in ("phone", "mobile")} - {""}
    name = _text(values, "name")
    return CompanyKeys(
        name=keys.person_key(name) if residential else keys.name_key(name),
        domains=frozenset(domains),
        email=keys.email_key(email),
        phones=frozenset(phones),
        city=keys.fold(_text(values, "city")),
        residential=residential,
        person=keys.person_key(name) if residential else "",
    )


def company_row_keys(row: Company) -> CompanyKeys:
    """The same of one of our rows, from its stored keys."""
    return CompanyKeys(
        name=row.name_key,
        domains=frozenset({row.domain, keys.domain_of(row.email)} - {""}),
        email=row.email_key,
        phones=frozenset({row.phone_key, row.mobile_key} - {""}),
        city=keys.fold(row.city),
        residential=row.residential,
        person=keys.person_key(row.name) if row.residential else "",
    )


def contact_keys(values: Mapping[str, Value], company: int | None) -> ContactKeys:
    """`company`: local id of the company its customer stands for here, if that is known."""
    email = _text(values, "email")
    return ContactKeys(
        name=keys.person_key(_text(values, "name")),
        email=keys.email_key(email),
        role_address=keys.is_role_address(email),
        company=company,
    )


def contact_row_keys(row: Contact) -> ContactKeys:
    return ContactKeys(
        name=row.name_key,
        email=row.email_key,
        role_address=keys.is_role_address(row.email),
        company=row.company_id,
    )


def company_candidates(rows: QuerySet[Any], wanted: Sequence[CompanyKeys]) -> list[Record]:
    """Those of our companies `rows` that share a domain, e-mail, phone or name with any of these."""
    domains = {d for each in wanted for d in each.domains}
    emails = {each.email for each in wanted} - {""}
    phones = {p for each in wanted for p in each.phones}
    names = {each.name for each in wanted} - {""}
    found = rows.filter(
        Q(domain__among=domains)
        | Q(email_key__among=emails)
        | Q(phone_key__among=phones)
        | Q(mobile_key__among=phones)
        | Q(name_key__among=names)
    )
    return [Record(row.pk, {}, row.edited_at, company_row_keys(row)) for row in found]


def contact_candidates(rows: QuerySet[Any], wanted: Sequence[ContactKeys]) -> list[Record]:
    """Those of our contacts `rows` with one of these e-mails, or of one of these names in the same company."""
    emails = {each.email for each in wanted} - {""}
    companies = {each.company for each in wanted} - {None}
    names = {each.name for each in wanted} - {""}
    found = rows.filter(Q(email_key__among=emails) | Q(company_id__in=companies, name_key__among=names))
    return [Record(row.pk, {}, row.edited_at, contact_row_keys(row)) for row in found]


def name_counts(names: Iterable[str]) -> dict[str, int]:
    """How many living companies have each of these normalised names."""
    rows = Company.objects.filter(
        name_key__among=list(names), deleted_at__isnull=True, merged_into__isnull=True
    )
    return dict(rows.order_by().values_list("name_key").annotate(n=Count("pk")))


def normaliser(region: str) -> Callable[[str, Value], Value]:
    """How two values of a field are compared: phone digits, lower-cased e-mail, single spaces."""

    def normalise(field: str, value: Value) -> Value:
        if not isinstance(value, str):
            return value
        if field in ("phone", "mobile"):
            return keys.phone_key(value, region) or _digits(value)
        if field == "email":
            return keys.email_key(value) or value.strip().lower()
        return " ".join(value.split())

    return normalise


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit()) or " ".join(text.split()).lower()


def _text(values: Mapping[str, Value], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
