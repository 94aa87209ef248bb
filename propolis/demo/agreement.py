"""Is what arrived what Syncro holds? Compared with Syncro's own dump, never with our counters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from propolis.bridge.models import Link
from propolis.crm.keys import clean, email_key

Dump = Mapping[str, Sequence[Mapping[str, Any]]]
_KINDS = {"customers": Link.Kind.CUSTOMER, "contacts": Link.Kind.CONTACT, "leads": Link.Kind.LEAD}
# States in which nothing of the record stands in the CRM.
_ABSENT = (Link.State.LEFT_OUT, Link.State.REVIEW, Link.State.SKIPPED, Link.State.FAILED)


def disagreements(dump: Dump) -> list[str]:
    """A line for every record that is missing, twice, or differs; [] is what it should be.

    Call with the account in scope. Records that were here before are compared by their link alone: merging
    may rightly keep what stood here.
    """
    return [*_ids(dump), *_companies(dump), *_contacts(dump)]


def _ids(dump: Dump) -> Iterator[str]:
    for key, kind in _KINDS.items():
        theirs = {record["id"] for record in dump[key]}
        ours = set(Link.objects.filter(kind=kind).values_list("remote_id", flat=True))
        yield from (f"{kind} {one} never arrived" for one in sorted(theirs - ours))
        yield from (f"{kind} {one} is not in Syncro" for one in sorted(ours - theirs))


def _companies(dump: Dump) -> Iterator[str]:
    names = {record["id"]: record["business_name"] for record in dump["customers"]}
    links = Link.objects.filter(kind=Link.Kind.CUSTOMER, company__created_run__isnull=False)
    for remote_id, name in links.values_list("remote_id", "company__name"):
        theirs = names.get(remote_id)
        if theirs and clean(theirs).strip() != name:
            yield f"customer {remote_id} is {theirs!r} in Syncro and {name!r} here"


def _contacts(dump: Dump) -> Iterator[str]:
    companies = dict(
        Link.objects.filter(kind=Link.Kind.CUSTOMER)
        .exclude(state__in=_ABSENT)
        .values_list("remote_id", "company")
    )
    links = Link.objects.filter(kind=Link.Kind.CONTACT, contact__created_run__isnull=False)
    ours = {
        remote_id: (email, company)
        for remote_id, email, company in links.values_list(
            "remote_id", "contact__email_key", "contact__company"
        )
    }
    for record in dump["contacts"]:
        found = ours.get(record["id"])
        theirs = (email_key(record["email"] or ""), companies.get(record["customer_id"]))
        if found is not None and found != theirs:
            yield f"contact {record['id']} is {theirs} in Syncro and {found} here"
