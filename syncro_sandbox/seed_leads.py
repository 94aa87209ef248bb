"""Seeded leads: most were born from e-mails to the mailboxes, the rest are what we call opportunities."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from .model import Lead
from .seed_companies import DAY_MS, Company, fictional_number, pick, slug
from .seed_words import (
    DEALS,
    FIRST,
    FREE_MAIL,
    LAST,
    MAILBOXES,
    MAILS,
    PLACE_WORDS,
    SPAM,
    TRADES,
    USERS,
    USERS_WHO_LEFT,
)
from .store import Store

if TYPE_CHECKING:
    from .seeding import SeedOptions

_DEAL_STATUSES = (
    ("New", 12), ("Lead", 10), ("First Contact", 10), ("Opportunity", 16), ("Prospect", 10),
    ("Waiting on Client", 8), ("In Negotiation", 8), ("Pending", 6), ("Won", 12), ("Lost", 8),
)  # fmt: skip
_KNOWN_SENDER = (("Won", 75), ("New", 12), ("Lost", 8), ("Waiting on Client", 5))
_STRANGER = (("Lost", 50), ("New", 30), ("Won", 10), ("Lead", 10))
_PROBLEMS = ("Virus", "TuneUp", "Hardware", "Software", "Other", None, None)
_MAIL_SHARE = 0.8


def make_leads(
    store: Store, chance: Random, companies: list[Company], options: SeedOptions, already: int
) -> None:
    """As many as are still missing, loaded in the order of their ids."""
    wanted = options.leads - already
    span = 6 * 365 * DAY_MS
    moments = sorted(options.as_of_ms - int(span * chance.random() ** 1.5) for _ in range(wanted))
    for number, created in enumerate(moments):
        rest = min(options.as_of_ms - created, 70 * DAY_MS)
        at = created + int(rest * chance.random() ** 2)
        lead = Lead(id=store.take_id("leads"), created_ms=created, updated_ms=at)
        company = pick(chance, companies) if companies and chance.random() < 0.82 else None
        _sender(chance, lead, company, companies, number)
        if chance.random() < _MAIL_SHARE:
            _from_mail(chance, lead, company)
        else:
            _deal(chance, lead)
        _worked_on(chance, lead, number)
        store.load(lead)


def _sender(
    chance: Random, lead: Lead, company: Company | None, companies: list[Company], number: int
) -> None:
    """A customer with or without contact, or a stranger, sometimes writing from a customer's domain."""
    if company is None:
        lead.first_name, lead.last_name = pick(chance, FIRST), pick(chance, LAST)
        lead.email = (
            f"{slug(lead.first_name)}.{slug(lead.last_name)}.{number}@{_strange_domain(chance, companies)}"
        )
        lead.business_name = (
            f"{pick(chance, PLACE_WORDS)} {pick(chance, TRADES)[0]}" if chance.random() < 0.4 else ""
        )
        lead.phone = fictional_number(number + 12_000) if chance.random() < 0.5 else ""
        return
    customer = company.customer
    lead.customer_id = customer.id
    lead.business_name = customer.business_name
    lead.first_name, lead.last_name, lead.email = customer.firstname, customer.lastname, customer.email
    if company.contacts and chance.random() < 0.7:
        contact = pick(chance, company.contacts)
        first, _, last = (contact.name or "").partition(" ")
        lead.first_name, lead.last_name, lead.email = first, last, contact.email
        lead.contact_id = contact.id if chance.random() < 0.8 else None
    lead.phone = customer.number("Phone") or ""


def _strange_domain(chance: Random, companies: list[Company]) -> str:
    lot = chance.random()
    if lot < 0.3 and companies and (domain := pick(chance, companies).domain):
        return domain
    if lot < 0.6:
        return pick(chance, FREE_MAIL)
    return f"{slug(pick(chance, PLACE_WORDS))}{int(lot * 9000)}.example"


def _from_mail(chance: Random, lead: Lead, company: Company | None) -> None:
    lead.mailbox_id, lead.mailbox_name = pick(chance, MAILBOXES)
    lead.status = _weighted(chance, _STRANGER if company is None else _KNOWN_SENDER)
    subjects = SPAM if company is None and lead.status == "Lost" else MAILS
    lead.ticket_subject = pick(chance, ("", "", "RE: ", "Re: ", "FW: ", "RE: FW: ")) + pick(chance, subjects)
    if chance.random() < 0.03:
        lead.ticket_subject = pick(chance, ("", None))
    lead.ticket_description = (
        f"<div>{lead.ticket_subject or 'Hello'}<br>Thanks, {lead.first_name or ''}</div>"
    )
    lead.has_attachments = chance.random() < 0.2
    if lead.status == "Won" and company is not None:
        lead.ticket_id = 9_800_000 + lead.id % 1_000_000


def _deal(chance: Random, lead: Lead) -> None:
    lead.status = _weighted(chance, _DEAL_STATUSES)
    lead.ticket_subject = pick(chance, DEALS).format(n=5 + int(chance.random() * 60))
    lead.ticket_description = "Asked on the phone." if chance.random() < 0.3 else None
    if lead.status == "Won" and chance.random() < 0.5:
        lead.ticket_id = 9_800_000 + lead.id % 1_000_000
    if chance.random() < 0.6:
        lead.hidden = {
            "opportunity_amount_dollars": 250 * (1 + int(chance.random() ** 3 * 200)),
            "likelihood": 10 * int(chance.random() * 10),
        }


def _worked_on(chance: Random, lead: Lead, number: int) -> None:
    lot = chance.random()
    if lot < 0.55:
        lead.user_id = USERS[number % len(USERS)][0]
    elif lot < 0.65:
        lead.user_id = pick(chance, USERS_WHO_LEFT)
    lead.ticket_problem_type = pick(chance, _PROBLEMS)
    lead.message_read = lead.status != "New"
    for name in ("mobile", "address", "city", "state", "zip"):
        setattr(lead, name, "" if lot < 0.8 else None)


def _weighted(chance: Random, choices: tuple[tuple[str, int], ...]) -> str:
    lot = chance.random() * sum(weight for _, weight in choices)
    for word, weight in choices:
        lot -= weight
        if lot < 0:
            return word
    return choices[-1][0]
