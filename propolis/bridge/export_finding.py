"""Looking in Syncro: for records that may be the one about to be sent, and for one whose answer never came.

Before a record is made, everything that shares its e-mail, domain, phone or name is shown to the person. After
an unclear answer the lists that come straight from Syncro's data are read (customers newest change first, the
contacts of one customer), never its search index, which may lag: only they can prove that nothing arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from propolis.bridge import mapping
from propolis.bridge.export_fields import Record, has_arrived, raw_of, values_of
from propolis.bridge.models import Connection, Link
from propolis.crm import comparing, keys
from propolis.crm.models import Company, Contact
from propolis.syncro import BadRecord, Customer, Resource, SyncroClient, parse_page
from propolis.syncro import Contact as SyncroContact

# How far two machines' clocks may be apart, and how many pages of new customers are looked through.
SLACK: Final = timedelta(minutes=10)
MOST_PAGES: Final = 3
_FEW: Final = 25


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Syncro record that may be the one here. `taken_by`: whose it is here already, "" if nobody's."""

    kind: Link.Kind
    remote_id: int
    name: str
    details: str
    why: str
    taken_by: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is in Syncro that may be the same. `ids`: every record seen, whether it may be or not.

    `at`: Syncro's own time of the answer, if it told it.
    """

    candidates: tuple[Candidate, ...] = ()
    ids: tuple[int, ...] = ()
    at: datetime | None = None


def customers_like(client: SyncroClient, connection: Connection, row: Company) -> Looked:
    """Customers with the company's e-mail, name, phone or domain, disabled ones too; up to four requests."""
    found: dict[int, Customer] = {}
    at = None
    for params in _questions(row):
        asked = {**params, "include_disabled": "true"}
        page = client.page(Resource.CUSTOMERS, 1, asked, per_page=_FEW)
        at = page.server_time or at
        found |= {
            one.id: one for one in parse_page(Resource.CUSTOMERS, page.raw) if isinstance(one, Customer)
        }
    owners = _owners(connection, Link.Kind.CUSTOMER, found)
    like = [_customer(one, row, owners) for one in found.values()]
    return Looked(tuple(each for each in like if each is not None), tuple(sorted(found)), at)


def _questions(row: Company) -> Iterator[dict[str, str]]:
    if row.email_key:
        yield {"email": row.email_key}
    if row.name:
        yield {"query": row.name} if row.residential else {"business_name": row.name}
    if row.phone_key or row.mobile_key:
        # Syncro keeps the digits as they were typed, with or without the country's code.
        yield {"query": (row.phone_key or row.mobile_key)[-10:]}
    if row.domain:
        yield {"query": row.domain}


def _customer(one: Customer, row: Company, owners: Mapping[int, tuple[int, str]]) -> Candidate | None:
    raw = mapping.customer_raw(one)
    values = values_of(Link.Kind.CUSTOMER, raw, one.id)
    theirs = comparing.company_keys(values, row.account.phone_region)
    ours = comparing.company_row_keys(row)
    why = [
        words
        for words, shared in (
            ("same e-mail", bool(ours.email) and ours.email == theirs.email),
            ("same name", bool(ours.name) and ours.name == theirs.name),
            ("same phone", bool(ours.phones & theirs.phones)),
            ("same domain", bool(ours.domains & theirs.domains)),
        )
        if shared
    ]
    if not why:
        return None
    taken = owners.get(one.id)
    details = _details(values, ("email", "phone", "city"), disabled=one.disabled is True)
    name = str(values.get("name") or "")
    by = taken[1] if taken and taken[0] != row.pk else ""
    return Candidate(Link.Kind.CUSTOMER, one.id, name, details, ", ".join(why), by)


def _details(values: Mapping[str, Any], names: Sequence[str], *, disabled: bool = False) -> str:
    told = [str(values[name]) for name in names if values.get(name)]
    return ", ".join([*told, "disabled in Syncro"] if disabled else told)


def contacts_like(client: SyncroClient, connection: Connection, row: Contact, customer_id: int) -> Looked:
    """Contacts of this customer with the same e-mail or name; one request per 50 of them."""
    listed = [one for one in client.contacts_of(customer_id) if isinstance(one, SyncroContact)]
    owners = _owners(connection, Link.Kind.CONTACT, [one.id for one in listed])
    ours = comparing.contact_row_keys(row)
    found = []
    for one in listed:
        values = values_of(Link.Kind.CONTACT, mapping.contact_raw(one), one.id)
        theirs = comparing.contact_keys(values, None)
        email = bool(ours.email) and ours.email == theirs.email
        name = bool(ours.name) and ours.name == theirs.name
        if not (name or (email and not ours.role_address)):
            continue
        why = " and ".join(words for words, yes in (("same e-mail", email), ("same name", name)) if yes)
        taken = owners.get(one.id)
        by = taken[1] if taken and taken[0] != row.pk else ""
        details = _details(values, ("title", "email", "phone"))
        found.append(Candidate(Link.Kind.CONTACT, one.id, str(values.get("name") or ""), details, why, by))
    return Looked(tuple(found), tuple(sorted(one.id for one in listed)))


def _owners(connection: Connection, kind: Link.Kind, ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Whose a remote record is here: remote id → our id and name."""
    local = "company" if kind is Link.Kind.CUSTOMER else "contact"
    links = Link.objects.filter(connection=connection, kind=kind, remote_id__in=list(ids))
    taken = links.exclude(**{local: None}).filter(state__in=[Link.State.LINKED, Link.State.SECONDARY])
    return {
        link.remote_id: (getattr(link, f"{local}_id"), str(getattr(link, local)))
        for link in taken.select_related(local)
    }


# ---- after an unclear answer


@dataclass(frozen=True, slots=True)
class Sought:
    """A record that was sent and not answered for. `known`: ids that were there before; `since`: by Syncro's
    clock, when it was sent."""

    kind: Link.Kind
    to: Mapping[str, Any]
    known: frozenset[int]
    since: datetime
    region: str
    local_id: int
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """`exact`: records as they were sent; `perhaps`: alike ones; `proven`: there can be no others."""

    exact: list[Record] = field(default_factory=list)
    perhaps: list[Record] = field(default_factory=list)
    proven: bool = True


def look_for(client: SyncroClient, connection: Connection, sought: Sought) -> Arrival:
    """Reads the list the record would be on."""
    if sought.kind is Link.Kind.CONTACT:
        listed = client.contacts_of(sought.parent or 0)
        new: list[Record] = [one for one in listed if isinstance(one, SyncroContact)]
        return _sorted_out(connection, sought, new, proven=not any(isinstance(o, BadRecord) for o in listed))
    customers, proven = _new_customers(client, sought)
    email = str(sought.to.get("email") or "")
    if not proven and email:
        # A customer's e-mail is unique in Syncro [A]: where none has it, a second one would be refused at worst.
        params = {"email": email.lower(), "include_disabled": "true"}
        page = client.page(Resource.CUSTOMERS, 1, params, per_page=_FEW)
        more = [one for one in parse_page(Resource.CUSTOMERS, page.raw) if isinstance(one, Customer)]
        customers, proven = list({one.id: one for one in [*customers, *more]}.values()), True
    return _sorted_out(connection, sought, customers, proven=proven)


def _new_customers(client: SyncroClient, sought: Sought) -> tuple[list[Customer], bool]:
    """Customers changed since, newest first, and whether those are all: only if Syncro kept to that order."""
    found: list[Customer] = []
    last: datetime | None = None
    for number in range(1, MOST_PAGES + 1):
        params = {"sort": "updated_at DESC", "include_disabled": "true"}
        page = client.page(Resource.CUSTOMERS, number, params, per_page=100)
        for one in parse_page(Resource.CUSTOMERS, page.raw):
            changed = one.updated_at if isinstance(one, Customer) else None
            if not isinstance(one, Customer) or not isinstance(changed, datetime):
                return found, False
            if last is not None and changed > last:
                return found, False
            last = changed
            if changed < sought.since - SLACK:
                return found, True
            found.append(one)
        if page.last:
            return found, True
    return found, False


def _sorted_out(connection: Connection, sought: Sought, listed: Sequence[Record], *, proven: bool) -> Arrival:
    owners = _owners(connection, sought.kind, [one.id for one in listed])
    exact, perhaps = [], []
    for one in listed:
        made = one.created_at
        old = isinstance(made, datetime) and made < sought.since - SLACK
        others = one.id in owners and owners[one.id][0] != sought.local_id
        if one.id in sought.known or old or others:
            continue
        raw = raw_of(sought.kind, one)
        if has_arrived(sought.kind, sought.to, raw, sought.region):
            exact.append(one)
        elif _alike(sought, raw, one.id):
            perhaps.append(one)
    return Arrival(exact, perhaps, proven)


def _alike(sought: Sought, raw: Mapping[str, Any], remote_id: int) -> bool:
    """The same e-mail, or the same name: somebody may have corrected it in Syncro meanwhile."""
    theirs, ours = (values_of(sought.kind, each, remote_id) for each in (raw, sought.to))
    email = keys.email_key(str(ours.get("email") or ""))
    name = keys.name_key(str(ours.get("name") or ""))
    return bool(
        (email and email == keys.email_key(str(theirs.get("email") or "")))
        or (name and name == keys.name_key(str(theirs.get("name") or "")))
    )


def moment(text: str | None) -> datetime:
    """A kept instant; for one that Syncro did not tell, our own clock's now."""
    return datetime.fromisoformat(text) if text else datetime.now(UTC)
