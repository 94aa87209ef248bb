"""Contacts that are at the company a file names already: they stay, whatever the name alone could mean.

A private person's company is never found by its name, as many have one; nor is either of two branches. Our own
export would otherwise come back as new companies of the same names, and its contacts would move there.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from propolis.crm import keys
from propolis.crm.csv_import.companies import Place, key_of
from propolis.crm.csv_import.values import Incoming, email_of, uid_of
from propolis.crm.models import Contact

Homes = dict[int, set[int]]


def note_homes(homes: Homes, rows: Sequence[Incoming]) -> None:
    """Adds the ids of our companies by the company's key in the file; one query. A contact is known by its Propolis ID,
    without one by its address."""
    people = [(uid_of(row.record_id) or email_of(row), row.company) for row in rows if any(row.company)]
    uids = {who for who, _company in people if isinstance(who, UUID)}
    emails = {who for who, _company in people if isinstance(who, str)} - {""}
    if not uids | emails:
        return
    ours = _at(Q(uid__in=uids) | Q(email_key__in=emails) if emails else Q(uid__in=uids))
    for who, company in people:
        for pk, name, domain in ours.get(who, ()) if who else ():
            same = name == company[0] or keys.name_key(name) == keys.name_key(company[0])
            if same and company[1] in ("", domain):
                homes.setdefault(key_of(company), set()).add(pk)


def _at(which: Q) -> dict[UUID | str, list[tuple[int, str, str]]]:
    """Id, name and domain of the company each of these contacts is at, by the contact's own id and address."""
    known = Contact.objects.filter(which, deleted_at=None, company__isnull=False, company__deleted_at=None)
    at: dict[UUID | str, list[tuple[int, str, str]]] = {}
    paths = ("uid", "email_key", "company_id", "company__name", "company__domain")
    for uid, email, *company in known.values_list(*paths):
        for who in (uid, email):
            at.setdefault(who, []).append((company[0], company[1], company[2]))
    return at


def settled(place: Place | None, homes: set[int]) -> Place | None:
    """Where contacts belong that name this company; None for one to be made."""
    if not homes or (place is not None and (place.unclear or place.local in homes)):
        return place
    return Place(next(iter(homes))) if place is None and len(homes) == 1 else Place(unclear=True)
