"""Seeded customers: firms, groups of firms on one domain, private people, and some without any name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import TypeVar

from .model import Contact, Customer, Phone
from .seed_words import (
    AREAS,
    CITIES,
    FIRST,
    FREE_MAIL,
    LAST,
    NOTES,
    ODD_BUSINESSES,
    PLACE_WORDS,
    ROLE_BOXES,
    STATUS_ANSWERS,
    STREETS,
    SUFFIXES,
    TRADES,
)
from .store import Store

T = TypeVar("T")
DAY_MS = 86_400_000
_MIGRATED = 0.3  # share of customers that came in one upload, in the same instant
_PROPERTIES = tuple(
    {"Managed Status": answer, "Managed IT": tick} for answer in STATUS_ANSWERS for tick in "01"
)
LONG_NAME = ("The Extraordinarily Long Named " * 12)[:249] + " Trust"


@dataclass(slots=True)
class Company:
    """A seeded customer and what its people need: domain (None for private people), weight, pattern."""

    customer: Customer
    domain: str | None
    weight: float
    pattern: int
    person: tuple[str, str] | None = None
    contacts: list[Contact] = field(default_factory=list)


class _Makers:
    """What was already used, so that domains and e-mails stay distinct."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.domains: set[str] = set()
        self.emails: set[str] = set()

    def domain(self, base: str, city: str) -> str:
        for tried in (base, f"{base}-{slug(city)}"):
            if tried not in self.domains:
                break
        else:
            tried = f"{base}-{len(self.domains)}"
        self.domains.add(tried)
        return f"{tried}.example"

    def email(self, wanted: str) -> str | None:
        """None if another customer has it: it is unique in Syncro."""
        if wanted in self.emails:
            return None
        self.emails.add(wanted)
        return wanted


@lru_cache(maxsize=4096)
def slug(text: str) -> str:
    return (
        "".join(character for character in text.lower() if character.isascii() and character.isalnum()) or "x"
    )


def fictional_number(index: int) -> str:
    """Ten digits, 555-01xx in a real area code."""
    return f"{AREAS[index // 100 % len(AREAS)]}55501{index % 100:02d}"


def make_companies(store: Store, chance: Random, wanted: int, as_of: int) -> list[Company]:
    """Exactly `wanted` customers, loaded into the store in the order of their ids."""
    makers, made = _Makers(chance), []
    moments = _moments(chance, wanted, as_of)
    group: Company | None = None
    for index in range(wanted):
        created = moments[index]
        at = created if chance.random() < 0.4 else created + int((as_of - created) * chance.random())
        customer = Customer(id=store.take_id("customers"), created_ms=created, updated_ms=at)
        lot = chance.random()
        if lot < 0.12:
            company = _private(makers, customer)
        elif lot < 0.135:
            company = _nameless(makers, customer, index)
        else:
            company = _firm(makers, customer, index, group if chance.random() < 0.05 else None)
            group = company if chance.random() < 0.2 else group
        _place(store, makers, company, index, has_phone=lot < 0.12 or chance.random() < 0.88)
        customer.disabled = chance.random() < 0.06
        store.load(customer)
        made.append(company)
    return made


def _moments(chance: Random, wanted: int, as_of: int) -> list[int]:
    """Times of creation, ascending: one big upload, then one by one over twelve years."""
    upload = as_of - 4600 * DAY_MS
    migrated = int(wanted * _MIGRATED)
    span = as_of - upload - 2 * DAY_MS
    later = sorted(upload + DAY_MS + int(chance.random() * span) for _ in range(wanted - migrated))
    return [upload] * migrated + later


def _private(makers: _Makers, customer: Customer) -> Company:
    chance = makers.chance
    customer.firstname, customer.lastname = pick(chance, FIRST), pick(chance, LAST)
    if chance.random() < 0.8:
        local = f"{slug(customer.firstname)}.{slug(customer.lastname)}.{customer.id}"
        customer.email = makers.email(f"{local}@{pick(chance, FREE_MAIL)}")
    return Company(customer, None, 0.04, 0, (customer.firstname, customer.lastname))


def _nameless(makers: _Makers, customer: Customer, index: int) -> Company:
    if index % 2:
        customer.email = makers.email(f"walkin.{customer.id}@{FREE_MAIL[0]}")
    return Company(customer, None, 0.0, 0)


def _firm(makers: _Makers, customer: Customer, index: int, group: Company | None) -> Company:
    chance = makers.chance
    city = pick(chance, CITIES)
    if group is not None and group.domain:
        stem = (group.customer.business_name or "Group").split(" - ")[0][:200]
        customer.business_name, domain = f"{stem} - {city[0]}", group.domain
    else:
        word, (trade, short) = pick(chance, PLACE_WORDS), pick(chance, TRADES)
        customer.business_name = f"{word} {trade}{pick(chance, SUFFIXES)}"
        domain = makers.domain(f"{slug(word)}-{short}", city[0])
    if index % 37 == 7:
        customer.business_name = ODD_BUSINESSES[index // 37 % len(ODD_BUSINESSES)]
    elif index % 997 == 20:
        customer.business_name = LONG_NAME
    company = Company(customer, domain, chance.paretovariate(1.3), chance.randrange(3))
    if chance.random() < 0.75:
        company.person = customer.firstname, customer.lastname = pick(chance, FIRST), pick(chance, LAST)
    customer.email = _firm_email(makers, company)
    return company


def _firm_email(makers: _Makers, company: Company) -> str | None:
    lot = makers.chance.random()
    if lot < 0.45 and company.person:
        return makers.email(work_email(company, *company.person))
    if lot < 0.78:
        return makers.email(f"{ROLE_BOXES[int(lot * 1000) % 3]}@{company.domain}")
    return None


def work_email(company: Company, first: str, last: str) -> str:
    """An address in the firm's own pattern."""
    given, family = slug(first), slug(last)
    local = (f"{given}.{family}", f"{given[0]}{family}", given)[company.pattern]
    return f"{local}@{company.domain}"


def _place(store: Store, makers: _Makers, company: Company, index: int, *, has_phone: bool) -> None:
    """Address, numbers, notes, flags and custom fields."""
    chance, customer = makers.chance, company.customer
    if chance.random() < 0.8:
        customer.city, customer.state, customer.zip = pick(chance, CITIES)
        customer.address = f"{1 + index % 980} {pick(chance, STREETS)}"
    if chance.random() < 0.1:
        customer.address_2 = f"Suite {100 + index % 40}"
    if has_phone:
        customer.phones.append(_phone(store, customer, fictional_number(index), "Phone"))
    if chance.random() < 0.25:
        customer.phones.append(_phone(store, customer, fictional_number(index + 5000), "Mobile"))
    if chance.random() < 0.15:
        customer.notes = pick(chance, NOTES)
    if company.domain and chance.random() < 0.7:
        customer.properties = pick(chance, _PROPERTIES)
    customer.no_email = chance.random() < 0.02
    customer.opt_out = chance.random() < 0.02
    customer.get_sms = chance.random() < 0.1
    if chance.random() < 0.1:
        customer.referred_by = ""


def _phone(store: Store, customer: Customer, number: str, label: str) -> Phone:
    at = customer.created_ms
    return Phone(id=store.take_id("phones"), number=number, label=label, created_ms=at, updated_ms=at)


def pick(chance: Random, among: Sequence[T]) -> T:
    """One of them; quicker than Random.choice, which counts with a hundred thousand contacts."""
    return among[int(chance.random() * len(among))]
