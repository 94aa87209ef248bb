"""Seeded contacts: most at a firm, some with one address for several, some without address, some of no
customer.
"""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING

from .fixtures import JO
from .model import Contact
from .seed_companies import DAY_MS, Company, fictional_number, pick, slug, work_email
from .seed_words import CITIES, FIRST, FREE_MAIL, LAST, NOTES, ODD_PEOPLE, ROLE_BOXES, TITLES
from .store import Store

if TYPE_CHECKING:
    from .seeding import SeedOptions

_FORMATS = ("({0}) {1}-{2}", "{0}.{1}.{2}", "{0}-{1}-{2}", "+1 {0} {1} {2}", "{0}{1}{2}")
_PROPERTIES = tuple({"title": title} for title in TITLES)
LONG_NAME = ("Maximiliana Josephine Theodora " * 10)[:250] + " Long"


def make_contacts(
    store: Store, chance: Random, companies: list[Company], options: SeedOptions, already: int
) -> None:
    """As many as are still missing, loaded in the order of their ids."""
    orphans = options.orphans
    places = _places(chance, companies, options.contacts - already - orphans, options.as_of_ms)
    places += [(_moment(chance, None, options.as_of_ms), None) for _ in range(orphans)]
    places.sort(key=lambda place: place[0])
    used: set[str] = {contact.email.lower() for contact in store.contacts if contact.email}
    made = []
    for number, (created, company) in enumerate(places):
        at = (
            created
            if chance.random() < 0.5
            else created + int((options.as_of_ms - created) * chance.random())
        )
        contact = Contact(id=store.take_id("contacts"), created_ms=created, updated_ms=at)
        _person(chance, contact, company, used, number)
        _details(chance, contact, number)
        made.append(contact)
    _share(chance, companies, options.shared - (1 if JO in store.contacts else 0), used)
    for contact in made:
        store.load(contact)


def _places(
    chance: Random, companies: list[Company], wanted: int, as_of: int
) -> list[tuple[int, Company | None]]:
    """When and at which customer: few have very many, most have some."""
    if wanted <= 0:
        return []
    weights = list(accumulate(company.weight for company in companies))
    if not weights or weights[-1] == 0:
        weights = list(range(1, len(companies) + 1))
    chosen = chance.choices(companies, cum_weights=weights, k=wanted)
    return [(_moment(chance, company, as_of), company) for company in chosen]


def _moment(chance: Random, company: Company | None, as_of: int) -> int:
    upload = as_of - 4600 * DAY_MS
    if company is not None and company.customer.created_ms == upload and chance.random() < 0.7:
        return upload + 3_600_000
    start = upload + DAY_MS if company is None else company.customer.created_ms + 3_600_000
    return start + int(max(0, as_of - start) * chance.random())


def _person(chance: Random, contact: Contact, company: Company | None, used: set[str], number: int) -> None:
    """Name, e-mail and customer. The person on the customer record is often among the contacts."""
    first, last = pick(chance, FIRST), pick(chance, LAST)
    contact.name = f"{first} {last}"
    if company is None:
        contact.email = _free(f"{slug(first)}.{slug(last)}.{contact.id}@{pick(chance, FREE_MAIL)}", used)
        contact.vendor_id = 700 + contact.id % 90 if chance.random() < 0.5 else None
        return
    contact.customer_id = company.customer.id
    if company.person and not company.contacts and chance.random() < 0.6:
        first, last = company.person
        contact.name = f"{first} {last}"
        contact.email = _free(company.customer.email or _address(company, first, last, chance), used)
    elif number % 53 == 11:
        contact.name = ODD_PEOPLE[number // 53 % len(ODD_PEOPLE)]
    elif number % 1999 == 31:
        contact.name = LONG_NAME
    if contact.email is None and chance.random() < 0.9:
        contact.email = _free(_address(company, first, last, chance), used)
    company.contacts.append(contact)


def _address(company: Company, first: str, last: str, chance: Random) -> str:
    if company.domain is None:
        return f"{slug(first)}.{slug(last)}.{company.customer.id}@{pick(chance, FREE_MAIL)}"
    return work_email(company, first, last)


def _free(address: str, used: set[str]) -> str:
    """The address, with a number if somebody has it: sharing happens on purpose, further below."""
    tried, number = address, 2
    while tried in used:
        local, _, domain = address.partition("@")
        tried = f"{local}{number}@{domain}"
        number += 1
    used.add(tried)
    return tried


def _details(chance: Random, contact: Contact, number: int) -> None:
    lot = chance.random()
    if lot < 0.7:
        digits = fictional_number(number // 3)
        typed = pick(chance, _FORMATS).format(digits[:3], digits[3:6], digits[6:])
        contact.extension = str(10 + number % 90) if lot < 0.15 else None
        contact.phone = f"{typed} x{contact.extension}" if contact.extension else typed
    if chance.random() < 0.35:
        digits = fictional_number(number + 9000)
        contact.mobile = pick(chance, _FORMATS).format(digits[:3], digits[3:6], digits[6:])
    if chance.random() < 0.4:
        contact.properties = pick(chance, _PROPERTIES)
    if chance.random() < 0.15:
        contact.city, contact.state, contact.zip = pick(chance, CITIES)
        contact.address1 = f"{1 + number % 970} Cedar Street"
    if chance.random() < 0.05:
        contact.notes = pick(chance, NOTES)
    contact.opt_out = chance.random() < 0.03


def _share(chance: Random, companies: list[Company], wanted: int, used: set[str]) -> None:
    """Exactly `wanted` addresses get a second or third holder, while there are colleagues to share with."""
    groups = [list(company.contacts) for company in companies if len(company.contacts) > 1]
    domains = [company.domain for company in companies if len(company.contacts) > 1]
    while wanted > 0 and groups:
        index = int(chance.random() * len(groups))
        sharing = groups[index]
        together = 3 if len(sharing) >= 5 and chance.random() < 0.2 else 2
        holders = [sharing.pop() for _ in range(together)]
        address = _shared_address(chance, holders[0], domains[index], used)
        for holder in holders:
            holder.email = address
        wanted -= 1
        if len(sharing) < 2:
            groups[index], domains[index] = groups[-1], domains[-1]
            groups.pop()
            domains.pop()


def _shared_address(chance: Random, first: Contact, domain: str | None, used: set[str]) -> str:
    """A role mailbox, or simply the address of one of them."""
    if domain and (first.email is None or chance.random() < 0.5):
        for box in ROLE_BOXES:
            if f"{box}@{domain}" not in used:
                used.add(f"{box}@{domain}")
                return f"{box}@{domain}"
    return first.email or _free(f"household.{first.id}@{FREE_MAIL[0]}", used)
