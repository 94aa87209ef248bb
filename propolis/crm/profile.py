"""The facts of a record as its profile shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest

from propolis.accounts.addressing import url
from propolis.crm import cells, rows
from propolis.crm.fields import FIELDS, ORDER, Field, Shape

_ICONS = {
    "name": "tag", "residential": "house", "website": "globe", "email": "mail", "phone": "phone",
    "mobile": "smartphone", "extension": "hash", "title": "briefcase", "company": "building-2",
    "contact": "user",
    "salesperson": "user-round", "address_1": "map-pin", "address_2": "map-pin",
    "city": "building", "state": "map", "zip": "hash", "country": "flag", "notes": "notebook-text",
    "status": "circle-dot", "amount": "banknote", "likelihood": "percent", "expected_close": "calendar",
    "closed_at": "calendar-check", "prospect_name": "user-round-search", "prospect_email": "mail",
    "prospect_phone": "phone",
}  # fmt: skip
_IN_THE_TITLE = frozenset(["name", "first", "last"])
# Blank, these only take room: there is the whole form for them.
_ONLY_FILLED = frozenset(
    [
        "mobile",
        "extension",
        "address_2",
        "country",
        "residential",
        "closed_at",
        "prospect_name",
        "prospect_email",
        "prospect_phone",
        "state",
        "zip",
    ]
)


@dataclass(frozen=True)
class Fact:
    """`shown`: text or safe HTML; `words`: the same as plain text, "" for blank."""

    name: str
    label: str
    icon: str
    shown: Any
    words: str
    by_hand: bool


def facts_of(row: Any, names: Iterable[str], request: HttpRequest | None = None) -> list[Fact]:
    """The named facts, blank ones too; links where there is a request to make addresses for."""
    kind = rows.kind_of(row)
    return [_fact(row, FIELDS[kind][name], request) for name in names]


def facts(row: Any, request: HttpRequest) -> list[Fact]:
    """What the profile lists, without what is blank and rarely used."""
    names = [name for name in ORDER[rows.kind_of(row)] if name not in _IN_THE_TITLE]
    shown = facts_of(row, names, request)
    return [fact for fact in shown if fact.words or fact.name not in _ONLY_FILLED]


def _fact(row: Any, field: Field, request: HttpRequest | None) -> Fact:
    words = _words(row, field, request)
    shown = _linked(row, field, words, request) if words and request else words
    return Fact(field.name, field.label, _ICONS.get(field.name, "dot"), shown, words, field.by_hand)


def _words(row: Any, field: Field, request: HttpRequest | None) -> str:
    value = getattr(row, field.name)
    if value is None or value == "":
        return ""
    if field.shape is Shape.YES_NO:
        return "Yes" if value else ""
    if field.shape is Shape.MONEY:
        account = getattr(request, "account", None)
        return cells.money(value, account.currency if account else "USD")
    if field.shape is Shape.PERCENT:
        return f"{value} %"
    if field.shape is Shape.PHONE:
        return cells.phone_words(value, row.account.phone_region)
    return cells.day(value) if isinstance(value, date) else str(getattr(value, "name", value))


def _linked(row: Any, field: Field, words: str, request: HttpRequest) -> Any:
    if field.shape is Shape.EMAIL:
        return cells.mail_link(words)
    if field.name in ("phone", "mobile"):
        return cells.phone_link(words, getattr(row, f"{field.name}_key"))
    if field.shape is Shape.WEBSITE:
        return cells.website_link(words, row.domain)
    if field.shape in (Shape.COMPANY, Shape.CONTACT):
        target = getattr(row, field.name)
        if target.deleted_at:
            return words
        return cells.link(url(request, f"crm:{field.shape.value}", target.pk), words)
    return words
