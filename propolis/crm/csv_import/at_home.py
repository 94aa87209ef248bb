"""Contacts that are at the company a file names already: they stay, whatever the name alone could mean.

A private person's company is never found by its name, as many have one; nor is either of two branches. Our own
export would otherwise come back as new companies of the same names, and its contacts would move there.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from propolis.crm import keys
from propolis.crm.csv_import.companies import Place, key_of
from propolis.crm.csv_import.values import Incoming, uid_of
from propolis.crm.models import Contact

Homes = dict[int, set[int]]


def note_homes(homes: Homes, rows: Sequence[Incoming]) -> None:
    """Adds the ids of our companies by the company's key in the file; one query. A contact is known by its Propolis ID
    or its address."""
    wanted = [row for row in rows if any(row.company)]
    uids = {uid for row in wanted if (uid := uid_of(row.record_id))}
    emails = {_email(row) for row in wanted} - {""}
    if not uids | emails:
        return
    known = Contact.objects.filter(Q(uid__in=uids) | Q(email_key__in=emails), deleted_at=None)
    at: dict[object, list[tuple[int, str, str]]] = {}
    found = known.filter(company__isnull=False, company__deleted_at=None).values_list(
        "uid", "email_key", "company_id", "company__name", "company__domain"
    )
    for uid, email, pk, name, domain in found:
        for each in (uid, email):
            at.setdefault(each, []).append((pk, keys.name_key(name), domain))
    for row in wanted:
        name, domain = keys.name_key(row.company[0]), row.company[1]
        for pk, ours, its in (*at.get(uid_of(row.record_id), ()), *at.get(_email(row) or None, ())):
            if name == ours and domain in ("", its):
                homes.setdefault(key_of(row.company), set()).add(pk)


def settled(place: Place | None, homes: set[int]) -> Place | None:
    """Where contacts belong that name this company; None for one to be made."""
    if not homes or (place is not None and (place.unclear or place.local in homes)):
        return place
    return Place(next(iter(homes))) if place is None and len(homes) == 1 else Place(unclear=True)


def _email(row: Incoming) -> str:
    return keys.email_key(str(row.values.get("email") or ""))
