"""A kept page's records as planning wants them: parsed, mapped to raw values, repeated copies left out."""

from __future__ import annotations

from datetime import datetime

from propolis.bridge import mapping, pages
from propolis.bridge.mapping import Incoming, Raw
from propolis.bridge.models import Link
from propolis.bridge.plan_contacts import contact_record, person_record
from propolis.bridge.scene import Scene
from propolis.crm import keys
from propolis.merge.match import same_person
from propolis.merge.record import ContactKeys
from propolis.runs.models import Run
from propolis.syncro.parsing import BadRecord, parse_page
from propolis.syncro.records import Contact, Customer, Lead
from propolis.syncro.resources import Resource

Items = list[Incoming | BadRecord]
# By customer: e-mail key and normalised name of the person on its record.
Persons = dict[int, tuple[str, str]]


def companies(scene: Scene, page: pages.Kept, index: pages.Index) -> Items:
    found: Items = []
    for at, item in enumerate(parse_page(Resource.CUSTOMERS, page.raw)):
        if index.is_copy(page, at, item):
            continue
        if isinstance(item, BadRecord):
            found.append(item)
        else:
            raw = mapping.customer_raw(item, scene.custom)
            found.append(_incoming(scene, page, Link.Kind.CUSTOMER, item, raw))
    return found


def contacts(scene: Scene, page: pages.Kept, index: pages.Index) -> Items:
    found: Items = []
    for at, item in enumerate(parse_page(Resource.CONTACTS, page.raw)):
        if not index.is_copy(page, at, item):
            found.append(item if isinstance(item, BadRecord) else _contact(scene, page, item))
    return found


def nested_contacts(scene: Scene, page: pages.Kept, index: pages.Index) -> Items:
    """The contacts inside the customers of this page; a nested one may leave its customer's id out."""
    found: Items = []
    at = -1
    for customer in parse_page(Resource.CUSTOMERS, page.raw):
        for contact in pages.nested_contacts(customer):
            at += 1
            if not index.is_copy(page, at, contact):
                found.append(_contact(scene, page, contact, getattr(customer, "id", None)))
    return found


def persons(scene: Scene, page: pages.Kept, index: pages.Index, covered: set[int] | None) -> Items:
    """The persons named on customer records who are not among the customer's contacts.

    `covered`: customers whose person is among them; None = look into the nested contacts, which are all.
    """
    found: Items = []
    for at, customer in enumerate(parse_page(Resource.CUSTOMERS, page.raw)):
        if isinstance(customer, BadRecord) or index.is_copy(page, at, customer):
            continue
        raw = mapping.person_raw(customer)
        if not mapping.has_person(raw):
            continue
        if _among_nested(customer, raw) if covered is None else customer.id in covered:
            continue
        found.append(_incoming(scene, page, Link.Kind.PERSON, customer, raw, parent=customer.id))
    return found


def leads(scene: Scene, page: pages.Kept, index: pages.Index) -> Items:
    found: Items = []
    for at, item in enumerate(parse_page(Resource.LEADS, page.raw)):
        if index.is_copy(page, at, item):
            continue
        if isinstance(item, BadRecord):
            found.append(item)
        else:
            raw = mapping.lead_raw(item)
            found.append(_incoming(scene, page, Link.Kind.LEAD, item, raw, parent=raw.get("customer_id")))
    return found


def single(scene: Scene, kind: Link.Kind, record: Customer | Contact | Lead, read_at: datetime) -> Incoming:
    """One record as it was fetched by its id. `read_at`: when it was asked for."""
    page = pages.Kept("single", 1, read_at, b"", {})
    if isinstance(record, Contact):
        return _contact(scene, page, record)
    if isinstance(record, Lead):
        raw = mapping.lead_raw(record)
        return _incoming(scene, page, kind, record, raw, parent=raw.get("customer_id"))
    if kind is Link.Kind.PERSON:
        return _incoming(scene, page, kind, record, mapping.person_raw(record), parent=record.id)
    return _incoming(scene, page, kind, record, mapping.customer_raw(record, scene.custom))


def covered_persons(run: Run, index: pages.Index) -> set[int]:
    """Customers whose person is among their contacts, going once through both lists."""
    known = _persons_by_customer(run, index)
    covered: set[int] = set()
    for page in pages.load(run, pages.phases_of(run, "contacts")):
        for item in parse_page(Resource.CONTACTS, page.raw):
            if isinstance(item, BadRecord) or not isinstance(item.customer_id, int):
                continue
            person = known.get(item.customer_id)
            if person is not None and _may_be(person, item) and _is(person, item):
                covered.add(item.customer_id)
    return covered


def _persons_by_customer(run: Run, index: pages.Index) -> Persons:
    known: Persons = {}
    for page in pages.load(run, pages.phases_of(run, "customers")):
        for at, customer in enumerate(parse_page(Resource.CUSTOMERS, page.raw)):
            if isinstance(customer, BadRecord) or index.is_copy(page, at, customer):
                continue
            raw = mapping.person_raw(customer)
            if mapping.has_person(raw):
                values = mapping.person_values(raw, frozenset({"email"}))
                email, name = str(values.get("email") or ""), str(values["name"])
                known[customer.id] = (keys.email_key(email), name)
    return known


def _may_be(person: tuple[str, str], contact: Contact) -> bool:
    """Cheap, before names are taken apart: the e-mail is the same, or one of them has none."""
    email = keys.email_key(contact.email) if isinstance(contact.email, str) else ""
    return not email or not person[0] or email == person[0]


def _is(person: tuple[str, str], contact: Contact) -> bool:
    theirs = person_record({"firstname": "", "lastname": person[1], "email": person[0]}, 0)
    return same_person(theirs, contact_record(mapping.contact_raw(contact), contact.id))


def _among_nested(customer: Customer, raw: Raw) -> bool:
    person = person_record(raw, customer.id)
    assert isinstance(person.keys, ContactKeys)
    asked = (person.keys.email, person.keys.name)
    return any(
        _may_be(asked, each) and same_person(person, contact_record(mapping.contact_raw(each), each.id))
        for each in pages.nested_contacts(customer)
    )


def _contact(scene: Scene, page: pages.Kept, contact: Contact, customer_id: int | None = None) -> Incoming:
    raw = mapping.contact_raw(contact)
    if raw.get("customer_id") is None and customer_id is not None:
        raw["customer_id"] = customer_id
    return _incoming(scene, page, Link.Kind.CONTACT, contact, raw, parent=raw.get("customer_id"))


def _incoming(
    scene: Scene,
    page: pages.Kept,
    kind: Link.Kind,
    record: Customer | Contact | Lead,
    raw: Raw,
    parent: int | None = None,
) -> Incoming:
    raw = scene.coming(kind.value, raw)
    return Incoming(
        kind=kind.value,
        remote_id=record.id,
        raw=raw,
        hash=mapping.fingerprint(raw, scene.salt),
        updated_at=pages.changed_at(record),
        read_at=page.read_at,
        parent=parent,
        created_at=_when(record.created_at),
    )


def _when(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
