"""How alike two companies or two contacts are, and why: plain comparisons of their keys, no queries.

A reason is a code: email, phone, domain, company, name, or "similar:91" for a name alike by 91 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from propolis.crm.fields import Kind
from propolis.crm.keys import is_role_address

# Columns that are compared; a row of the table or anything else that has them.
COMPARED = {
    Kind.COMPANY: ("pk", "name_key", "email_key", "phone_key", "mobile_key", "domain", "city", "residential"),
    Kind.CONTACT: ("pk", "name_key", "email_key", "phone_key", "mobile_key", "company_id"),
}

SIMILAR = 86  # per cent from which two names count as alike
_SIMILAR_PEOPLE = 90  # brothers and sisters at one company are no duplicates
MOST = 99
_ENOUGH = 30  # points from which a pair is shown
_WORDS = {
    "email": "Same e-mail",
    "phone": "Same phone",
    "domain": "Same domain",
    "company": "Same company",
    "name": "Same name",
}


@dataclass(frozen=True, slots=True)
class Likeness:
    """`score`: 0 to 99, for the order of the list; 0 where the two are not alike at all."""

    score: int
    reasons: tuple[str, ...] = ()


NOT_ALIKE = Likeness(0)


def words(reason: str) -> str:
    """ "Same e-mail", "Similar name 91 %"."""
    code, _, per_cent = reason.partition(":")
    return _WORDS.get(code, f"Similar name {per_cent} %")


def similarity(one: str, other: str) -> int:
    """Per cent, of two name keys; 0 below `SIMILAR`, and where a number differs: "Suite 1" is not "Suite 2"."""
    if not one or not other:
        return 0
    if one == other:
        return 100
    found = fuzz.ratio(one, other, score_cutoff=SIMILAR) or fuzz.token_sort_ratio(
        one, other, score_cutoff=SIMILAR
    )
    return int(found) if found and _numbers(one) == _numbers(other) else 0


def _numbers(key: str) -> list[str]:
    return sorted(word for word in key.split() if any(c.isdigit() for c in word))


def likeness(kind: Kind, one: Any, other: Any) -> Likeness:
    """Of two living records of one kind, or of their `COMPARED` columns."""
    return of_companies(one, other) if kind is Kind.COMPANY else of_contacts(one, other)


def of_companies(one: Any, other: Any) -> Likeness:
    """A name alone is enough unless domain and city speak against it, and never of two households."""
    alike = similarity(one.name_key, other.name_key)
    points = {
        "email": 45 if _same(one.email_key, other.email_key) else 0,
        "phone": 35 if _phones(one) & _phones(other) else 0,
        "domain": 35 if _same(one.domain, other.domain) else 0,
    }
    if one.residential and other.residential and not any(points.values()):
        return NOT_ALIKE
    against = 15 * _differ(one.domain, other.domain) + 15 * _differ(one.city.lower(), other.city.lower())
    return _sum(points, alike, _of_name(alike, exact=50) - against)


def of_contacts(one: Any, other: Any) -> Likeness:
    """One address is enough; a name only with a phone or a company in common, or where one has no company."""
    email = _same(one.email_key, other.email_key)
    alike = similarity(one.name_key, other.name_key)
    alike = alike if alike >= _SIMILAR_PEOPLE else 0
    if not email and not alike:
        return NOT_ALIKE
    phone = bool(_phones(one) & _phones(other))
    together = one.company_id is not None and one.company_id == other.company_id
    loose = alike == 100 and (one.company_id is None or other.company_id is None)
    if not (email or phone or together or loose):
        return NOT_ALIKE
    role = email and is_role_address(one.email_key)
    points = {"email": (30 if role else 50) * email, "phone": 20 * phone, "company": 12 * together}
    against = 12 * _differ(one.email_key, other.email_key)
    return _sum(points, alike, _of_name(alike, exact=42) - against)


def _sum(points: dict[str, int], alike: int, of_name: int) -> Likeness:
    score = sum(points.values()) + of_name
    if score < _ENOUGH:
        return NOT_ALIKE
    reasons = [reason for reason, worth in points.items() if worth]
    if alike:
        reasons.append("name" if alike == 100 else f"similar:{alike}")
    return Likeness(min(score, MOST), tuple(reasons))


def _of_name(alike: int, *, exact: int) -> int:
    if alike == 100:
        return exact
    return exact - 2 * (100 - alike) if alike else 0


def _same(one: str, other: str) -> bool:
    return bool(one) and one == other


def _differ(one: str, other: str) -> bool:
    return bool(one) and bool(other) and one != other


def _phones(row: Any) -> set[str]:
    return {row.phone_key, row.mobile_key} - {""}
