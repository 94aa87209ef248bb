"""Which column is which field: what may be chosen, and what the headings let one guess."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from propolis.crm import csv_columns
from propolis.crm.csv_import.sentences import CsvRefused
from propolis.crm.fields import FIELDS, Kind
from propolis.crm.keys import email_key, fold

# What a column may stand for beside the fields of a record.
RECORD_ID, FULL_NAME, DOMAIN = "record_id", "full_name", "company_domain"
UNSUBSCRIBED, SUBSCRIBED, CHANGED, LISTS = "unsubscribed", "subscribed", "changed", "lists"
_LABELS = {
    RECORD_ID: "Propolis ID",
    FULL_NAME: "Full name",
    DOMAIN: "Company's domain or website",
    UNSUBSCRIBED: "Unsubscribed (yes or no)",
    SUBSCRIBED: "Subscribed (yes or no)",
    CHANGED: "Last changed",
    LISTS: "Lists, with ; between",
}
_FIELDS = {
    Kind.CONTACT: (
        *("first", "last", FULL_NAME, "title", "company", DOMAIN, "email", "phone", "extension", "mobile"),
        *("address_1", "address_2", "city", "state", "zip", "country", "notes", "salesperson"),
        *(UNSUBSCRIBED, SUBSCRIBED, LISTS, CHANGED, RECORD_ID),
    ),
    Kind.COMPANY: (
        *("name", "website", "email", "phone", "mobile"),
        *("address_1", "address_2", "city", "state", "zip", "country", "notes", "salesperson"),
        *("residential", CHANGED, RECORD_ID),
    ),
}

# Headings of our own export, Syncro, GlassHive, HubSpot, Outlook, Google and what people type, folded.
_SYNONYMS = {
    "first": "firstname|first|given name|givenname|forename|contact first name|vorname",
    "last": "lastname|last|family name|familyname|surname|contact last name|nachname",
    FULL_NAME: "name|fullname|contact|contact name|display name|person|end user|enduser",
    "name": "name|company|company name|business name|businessname|business|account name|account|customer|customer name"
    "|organization|organization name|organisation|client|client name",
    "title": "title|jobtitle|position|role|contact title",
    "company": "company|company name|customer business name|business name|businessname|customer|customer name"
    "|associated company|primary associated company|organization|organization name|organisation|account"
    "|account name|client|client name|employer",
    DOMAIN: "company domain|company domain name|domain|website|website url|company website",
    "website": "website|website url|url|web|web page|web site|homepage|domain|company domain name|domain name"
    "|company domain",
    "email": "email|email address|e mail address|e mail|mail|primary email|work email|business email|e mail 1 value"
    "|email 1|contact email|invoice email",
    "phone": "phone|phone number|telephone|business phone|work phone|primary phone|office phone|phone 1 value"
    "|main phone|company phone|direct phone|tel|landline",
    "extension": "extension|ext|phone extension|phone ext",
    "mobile": "mobile|mobile phone|mobile phone number|mobile number|cell|cell phone|cellphone|cell number",
    "address_1": "address|address1|address 1|address line 1|street|street address|business street|street address 1"
    "|mailing address",
    "address_2": "address2|address line 2|address 2|street address 2|business street 2|suite",
    "city": "city|town|business city|mailing city",
    "state": "state|state region|region|province|state province|business state|mailing state|county",
    "zip": "zip|zip code|zipcode|postal code|postalcode|postcode|business postal code|zip postal code|mailing zip",
    "country": "country|country region|business country region|mailing country",
    "notes": "notes|note|comment|comments|description|remarks",
    "salesperson": "salesperson|sales rep|contact owner|company owner|owner|account manager|rep",
    "residential": "residential",
    UNSUBSCRIBED: "unsubscribed|unsubscribed from all email|opt out|optout|opted out|no email|noemail|email opt out"
    "|do not email|mailing|email opted out|is unsubscribed",
    SUBSCRIBED: "subscribed|opt in|optin|email opt in|marketing consent",
    CHANGED: "last changed|last changed utc|updated at|last modified date|modified|last modified|updated|date modified"
    "|last updated|modified date",
    LISTS: "lists|list|list memberships|contact lists|mailing lists",
    RECORD_ID: "propolis id",
}
_KNOWN = {name: frozenset(words.replace(" ", "").split("|")) for name, words in _SYNONYMS.items()}
_NOT_WORDS = re.compile(r"[\W_]+")


def choices(kind: Kind) -> list[tuple[str, str]]:
    """(name, label) of everything a column may stand for."""
    return [(name, label_of(kind, name)) for name in _FIELDS[kind]]


def label_of(kind: Kind, name: str) -> str:
    if name in _LABELS:
        return _LABELS[name]
    return "Company" if name == "company" else FIELDS[kind][name].label


def guess(kind: Kind, headings: Sequence[str], samples: Sequence[Sequence[str]]) -> list[str]:
    """For each heading what it most likely stands for, "" for nothing; never the same twice.

    Our own export says when each record was last changed *here*; what somebody changed in the file since is
    newer, so that column is left alone and the person says how old the file is.
    """
    words = [_words(each) for each in headings]
    own = any(each in _KNOWN[RECORD_ID] for each in words)
    found, taken = [""] * len(headings), set()
    for name in _FIELDS[kind]:
        if name == CHANGED and own:
            continue
        at = next((n for n, each in enumerate(words) if not found[n] and each in _KNOWN[name]), None)
        if at is not None:
            found[at] = name
            taken.add(name)
    if "email" not in taken:
        at = next((n for n in range(len(headings)) if not found[n] and _addresses(n, samples)), None)
        if at is not None:
            found[at] = "email"
    return found


def is_own_export(headings: Sequence[str]) -> bool:
    return csv_columns.RECORD_ID in headings


def checked(kind: Kind, chosen: Sequence[str]) -> dict[str, int]:
    """What was chosen as field → column; CsvRefused where that cannot be imported."""
    allowed = set(_FIELDS[kind])
    found: dict[str, int] = {}
    for at, name in enumerate(chosen):
        if name not in allowed:
            continue
        if name in found:
            raise CsvRefused("csv.chosen_twice", label=label_of(kind, name))
        found[name] = at
    if kind is Kind.COMPANY and "name" not in found:
        raise CsvRefused("csv.no_company_name_column")
    if kind is Kind.CONTACT and not {"first", "last", FULL_NAME, "email"} & found.keys():
        raise CsvRefused("csv.no_name_column")
    return found


def _words(heading: str) -> str:
    return _NOT_WORDS.sub("", fold(heading))


def _addresses(at: int, samples: Sequence[Sequence[str]]) -> bool:
    """Most of the column's samples are e-mail addresses."""
    given = [row[at] for row in samples if at < len(row) and row[at]]
    return bool(given) and 2 * sum(bool(email_key(each)) for each in given) > len(given)


def by_heading(columns: Mapping[str, int], headings: Sequence[str]) -> list[tuple[str, str]]:
    """(heading, name of the field) of what was chosen, in the file's order."""
    return [(headings[at], name) for name, at in sorted(columns.items(), key=lambda pair: pair[1])]
