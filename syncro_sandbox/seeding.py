"""A believable managed service provider of any size, the same for the same options."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random

from . import fixtures
from .model import JSON, OPPORTUNITY_FIELDS, Contact, Customer, Lead, Phone, User
from .seed_companies import make_companies
from .seed_contacts import make_contacts
from .seed_leads import make_leads
from .seed_words import MSP_DOMAIN, USERS
from .store import Store

DAY_MS = 86_400_000
_FIRST_REGULAR = {"customers": 20_600, "contacts": 310_200, "leads": 5_560_138_600, "phones": 4_294_968_000}


@dataclass(frozen=True)
class SeedOptions:
    """Exactly so many records of each kind: `companies` customers, `contacts` rows of /contacts, `leads`.

    contacts_without_customer: contacts whose customer_id is null (default: 1 in 250; 0 makes the contacts
    nested in customers complete). shared_emails: addresses that more than one contact has (default: 8 in 100
    contacts). as_of: nothing in the account is younger.
    """

    companies: int = 500
    contacts: int = 5000
    leads: int = 500
    seed: int = 1
    contacts_without_customer: int | None = None
    shared_emails: int | None = None
    as_of: str = "2026-11-01T09:00:00+00:00"
    subdomain: str = "harborpoint-it"
    account_id: int = 48213

    def __post_init__(self) -> None:
        if min(self.companies, self.contacts, self.leads) < 0:
            raise ValueError("companies, contacts and leads cannot be negative")
        if datetime.fromisoformat(self.as_of).tzinfo is None:
            raise ValueError("as_of needs its offset, such as +00:00")

    @property
    def as_of_ms(self) -> int:
        return int(datetime.fromisoformat(self.as_of).timestamp() * 1000)

    @property
    def orphans(self) -> int:
        """Contacts without a customer: all of them if there are no customers."""
        if not self.companies:
            return self.contacts
        given = self.contacts_without_customer
        usual = max(self.contacts // 250, 1 if self.contacts >= 50 else 0)
        return min(usual if given is None else given, self.contacts)

    @property
    def shared(self) -> int:
        return self.contacts * 8 // 100 if self.shared_emails is None else self.shared_emails


def fill(store: Store, options: SeedOptions) -> int:
    """Put users, customers, contacts and leads into an empty store; the id of the user who owns the first
    token.
    """
    chance = Random(f"seed {options.seed}")
    store.next_id = dict(_FIRST_REGULAR)
    _users(store, options)
    fixed = options.companies >= fixtures.SMALLEST
    counts = (len(fixtures.CUSTOMERS), len(fixtures.CONTACTS), len(fixtures.LEADS)) if fixed else (0, 0, 0)
    room = options.contacts - options.orphans
    with_contacts, with_leads = room >= counts[1], options.leads >= counts[2]
    if fixed:
        _fixed(store, options, with_contacts, with_leads)
    companies = make_companies(store, chance, options.companies - counts[0], options.as_of_ms)
    already = counts[1] if fixed and with_contacts else 0
    make_contacts(store, chance, companies, options, already)
    make_leads(store, chance, companies, options, counts[2] if fixed and with_leads else 0)
    return USERS[0][0]


def _users(store: Store, options: SeedOptions) -> None:
    for number, (user_id, name, group) in enumerate(USERS):
        made = options.as_of_ms - (4000 - 250 * number) * DAY_MS
        local = name.split()[0].lower()
        store.users[user_id] = User(
            id=user_id,
            email=f"{local}@{MSP_DOMAIN}",
            full_name=name,
            group=group,
            admin=group == "Admins",
            color="55b932",
            created_ms=made,
            updated_ms=made + 20 * DAY_MS,
        )


def _fixed(store: Store, options: SeedOptions, with_contacts: bool, with_leads: bool) -> None:
    """The records of `fixtures`, older than everything else and at times of their own."""
    start = options.as_of_ms - 4700 * DAY_MS
    ids = list(_phone_ids())
    for number, (row_id, values) in enumerate(fixtures.CUSTOMERS.items()):
        at = start + number * 3_600_123
        held = dict(values)
        numbers = [
            (label, held.pop(name, None)) for name, label in (("phone", "Phone"), ("mobile", "Mobile"))
        ]
        phones = [
            Phone(id=ids.pop(0), number=dialled, label=label, created_ms=at, updated_ms=at)
            for label, dialled in numbers
            if dialled
        ]
        store.load(Customer(id=row_id, created_ms=at, updated_ms=at + 900 * DAY_MS, phones=phones, **held))
    for number, (row_id, values) in enumerate(fixtures.CONTACTS.items() if with_contacts else ()):
        at = start + DAY_MS + number * 61_000
        store.load(Contact(id=row_id, created_ms=at, updated_ms=at + 800 * DAY_MS, **values))
    for number, (row_id, values) in enumerate(fixtures.LEADS.items() if with_leads else ()):
        at = options.as_of_ms - (40 - 9 * number) * DAY_MS
        store.load(_fixed_lead(row_id, at, dict(values)))


def _fixed_lead(row_id: int, at: int, values: dict[str, JSON]) -> Lead:
    names = [name for name in OPPORTUNITY_FIELDS if name in values]
    hidden = {name: values.pop(name) for name in names}
    user = values.pop("user", None)
    lead = Lead(id=row_id, created_ms=at, updated_ms=at + 2 * DAY_MS, hidden=hidden or None)
    for name, value in values.items():
        setattr(lead, name, value)
    lead.user_id = USERS[user][0] if isinstance(user, int) else None
    return lead


def _phone_ids() -> range:
    first = _FIRST_REGULAR["phones"]
    return range(first - 40, first, 2)
