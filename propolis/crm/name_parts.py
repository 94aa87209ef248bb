"""The small words in names: legal forms of businesses, titles, particles and suffixes of persons.

Mostly taken from cleanco and nameparser, less those that are ordinary words as well.
"""

from __future__ import annotations

from functools import cache

from cleanco.termdata import terms_by_country, terms_by_type

_UNDOTTED = str.maketrans({".": "", "'": "", "&": " and ", "/": " ", ":": " "})
# Of the two-letter forms only those that say nothing else: "Acme UK" is not "Acme".
_SHORT_FORMS = frozenset({"co", "lp", "pc", "ag", "sa", "nv", "bv", "kg", "oy", "ab", "sl"})
_ORDINARY_WORDS = frozenset({"private", "sal", "sem", "sep", "vat", "ent", "teo", "ses", "ok"})


def _legal_forms() -> frozenset[tuple[str, ...]]:
    raw = {term for table in (terms_by_type, terms_by_country) for terms in table.values() for term in terms}
    found = {
        tuple(term.casefold().translate(_UNDOTTED).split()) for term in raw | {"professional corporation"}
    }
    return frozenset(
        form
        for form in found
        if form
        and (len(form) > 1 or len(form[0]) > 2 or form[0] in _SHORT_FORMS)
        and form[0] not in _ORDINARY_WORDS
    )


_FORMS = _legal_forms()
_ONE_WORD = frozenset(form[0] for form in _FORMS if len(form) == 1)
_LAST_OF_MANY = {form[-1] for form in _FORMS if len(form) > 1}
_LONGEST = max(map(len, _FORMS))

TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "herr", "frau", "dame", "rev"}
)
_DEGREES = {"md", "phd", "cpa", "dds", "dmd", "dvm", "rn", "jd", "mba", "pe"}


@cache
def particles() -> frozenset[str]:
    """ "van", "de la": what belongs to the last name."""
    from nameparser.config.particles import PARTICLES

    return frozenset(p for p in PARTICLES if p.isalpha()) - {"mc", "mac", "bat", "bar", "do", "te", "op"}


@cache
def person_suffixes() -> frozenset[str]:
    """ "jr", "iii", "md"."""
    from nameparser.config.suffixes import SUFFIX_WORDS

    return (frozenset(w for w in SUFFIX_WORDS if w.isascii()) - {"2", "i", "v"}) | _DEGREES


def strip_legal_form(words: list[str]) -> list[str]:
    """The words of a business name without what follows its name; at least one word stays.

    `words`: folded, without dots ("l.l.c." is "llc").
    """
    while len(words) > 1:
        taken = _form_at_end(words)
        if not taken:
            break
        words = words[:-taken]
        while len(words) > 1 and words[-1] == "and":
            words = words[:-1]
    return words


def _form_at_end(words: list[str]) -> int:
    """How many words at the end are one legal form, 0 if none; never all of them."""
    last = words[-1]
    if last in _LAST_OF_MANY:
        for size in range(min(_LONGEST, len(words) - 1), 1, -1):
            if tuple(words[-size:]) in _FORMS:
                return size
    return 1 if last in _ONE_WORD else 0
