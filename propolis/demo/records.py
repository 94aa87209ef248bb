"""What the demo's CRM held before Syncro came: some of the same companies and people, as somebody typed them.

Made from what the Syncro account holds (the sandbox's dump), but older, newer, incomplete or in doubt, so
that the first import has something to merge and something to ask.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from propolis.accounts.models import Account, Membership
from propolis.crm import edit, lists, notes
from propolis.crm.fields import Kind
from propolis.crm.keys import split_name
from propolis.crm.models import Company, Contact, OppStatus

Raw = Mapping[str, Any]
Dump = Mapping[str, Sequence[Raw]]

COMPANIES, PEOPLE_EACH = 12, 4
# One after the other: how the record here differs from the one in Syncro.
AGES = ("older", "blank", "newer", "same")
# The last two of the twelve are in doubt: same domain but another name; same phone but another name.
DOUBTFUL = {COMPANIES - 2: "Northfold Holdings", COMPANIES - 1: "Castellan Partners"}
SHOWN_FIRST = "Brightwater Dental Group"
LONG_AGO, RECENTLY = timedelta(days=400), timedelta(days=1)


@dataclass(frozen=True)
class Furnished:
    """How many records were there before."""

    companies: int
    contacts: int


def furnish(account: Account, actor: Membership, syncro: Dump) -> Furnished:
    """Adds the records; call with the account in scope."""
    people = _people(syncro)
    chosen = choose(syncro, people)
    made: list[Contact] = []
    for at, raw in enumerate(chosen):
        company = _company(account, actor, raw, at)
        if at not in DOUBTFUL:
            mine = people[raw["id"]][:PEOPLE_EACH]
            made += [_contact(account, actor, company, one, at + n) for n, one in enumerate(mine)]
        if at == 0:
            _story(account, actor, company)
    newsletter = lists.create_list(account, "Spring newsletter", leads=False)
    lists.add(newsletter, [contact.pk for contact in made[::2]], actor=actor)
    return Furnished(len(chosen), len(made))


def choose(syncro: Dump, people: Mapping[int, Sequence[Raw]]) -> list[Raw]:
    """At most twelve customers, Brightwater first: firms with a domain and phone of their own, and people."""
    domains = Counter(_domain(raw) for raw in syncro["customers"])
    phones = Counter(raw["phone"] for raw in syncro["customers"])
    fit = [
        raw
        for raw in syncro["customers"]
        if raw["business_name"] and not raw["disabled"] and raw["phone"] and _domain(raw).endswith(".example")
        if domains[_domain(raw)] == 1 and phones[raw["phone"]] == 1
    ]
    shown = [raw for raw in syncro["customers"] if raw["business_name"] == SHOWN_FIRST][:1]
    others = [raw for raw in fit if raw not in shown and len(people.get(raw["id"], ())) >= PEOPLE_EACH]
    wanted = COMPANIES - len(shown)
    return shown + others[:: max(1, len(others) // wanted)][:wanted]


def _company(account: Account, actor: Membership, raw: Raw, at: int) -> Company:
    age = AGES[at % len(AGES)]
    values: dict[str, Any] = {"name": raw["business_name"], "website": _domain(raw)}
    if raw["business_name"] == SHOWN_FIRST:
        values["name"] = "Brightwater Dental"
    if age in ("older", "newer"):
        values |= {"phone": _own_number(at), "city": raw["city"] or "Seattle"}
    if age == "same":
        values |= {"phone": raw["phone"], "email": raw["email"]}
    if at in DOUBTFUL:
        values["name"] = DOUBTFUL[at]
    if at == COMPANIES - 1:
        values |= {"website": "", "email": "", "phone": raw["phone"]}
    company = edit.create(account, Kind.COMPANY, values, actor=actor)
    assert isinstance(company, Company)
    _date(company, raw, age)
    return company


def _contact(account: Account, actor: Membership, company: Company, raw: Raw, at: int) -> Contact:
    age = AGES[at % len(AGES)]
    first, last = split_name(raw["name"])
    values: dict[str, Any] = {"first": first, "last": last, "company": company.pk, "email": raw["email"]}
    if age == "older":
        values |= {"title": "Office", "email": raw["email"].upper()}
    if age == "newer":
        values |= {"mobile": _own_number(50 + at), "title": "Owner"}
    contact = edit.create(account, Kind.CONTACT, values, actor=actor)
    assert isinstance(contact, Contact)
    _date(contact, raw, age)
    return contact


def _story(account: Account, actor: Membership, company: Company) -> None:
    """What only this side knows, and keeps: a note and an opportunity."""
    notes.add_note(company, "Prefers calls after four. Asked about moving to a new floor.", actor=actor)
    status = OppStatus.objects.filter(outcome=OppStatus.Outcome.OPEN).order_by("position").first()
    if status is not None:
        deal = {"name": "Firewall renewal", "company": company.pk, "status": status.pk, "amount": "4200"}
        edit.create(account, Kind.OPPORTUNITY, deal, actor=actor)


def _date(row: Company | Contact, raw: Raw, age: str) -> None:
    """When it was typed here, and last changed by a person: before or after the record in Syncro."""
    theirs = datetime.fromisoformat(raw["updated_at"])
    edited = theirs + RECENTLY if age == "newer" else theirs - LONG_AGO
    type(row).objects.filter(pk=row.pk).update(created_at=theirs - 2 * LONG_AGO, edited_at=edited)


def _people(syncro: Dump) -> dict[int, list[Raw]]:
    """Customer → its contacts with a name and an address nobody else has."""
    mails = Counter((each["email"] or "").lower() for each in syncro["contacts"])
    found: dict[int, list[Raw]] = defaultdict(list)
    for each in syncro["contacts"]:
        if each["customer_id"] and each["email"] and each["name"] and mails[each["email"].lower()] == 1:
            found[each["customer_id"]].append(each)
    return found


def _domain(raw: Raw) -> str:
    return str(raw["email"] or "").rpartition("@")[2].lower()


def _own_number(at: int) -> str:
    """A number nobody else has: 555-01xx, kept for fiction, in an area where no sample company is."""
    return f"90755501{at:02d}"
