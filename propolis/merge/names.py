"""Are these two names one and the same? For businesses, and for people.

Two strengths. *Compatible*: nothing in the names speaks against it, enough beside strong evidence such as
one domain or one e-mail address; a missing name is compatible with any. *Similar*: the names themselves
speak for it, enough beside weaker evidence such as one phone number; a missing name is similar to none.
Similar names are always compatible, and neither depends on which name comes first.

Only spelling decides, never statistics: "East Clinic" and "West Clinic" are close by every measure of
distance and are two clinics. A slip of one letter is forgiven inside a word of five letters or more, never
in its first letter and never where digits are.
"""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = str.maketrans("", "", "'’`´")
_LONGEST = 8  # words of a name that are looked at: a bound on work, beyond any real person's name

_FILLER_WORDS = """
    a an and at by de der die das for in la le of on the und y co company corp corporation inc incorporated
    llc llp lp ltd limited plc pllc pc gmbh ag bv sa srl pty
"""
_GENERIC_WORDS = """
    associates bank care center centre church city clinic construction consulting county dental design
    electric engineering enterprises financial group health holdings home industries insurance international
    law legal management marketing medical network office offices partners plumbing practice properties
    realty restaurant school service services solutions store studio supply systems tech technologies
    technology trust
"""
_FILLERS = frozenset(_FILLER_WORDS.split())
_GENERIC = frozenset(_GENERIC_WORDS.split())
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "sir", "herr", "frau"})

# Full name: the short forms that are not its beginning; the others need no table.
_FULL_NAMES = {
    "alexander": "sandy", "andrew": "andy", "anthony": "tony", "charles": "chuck charlie", "david": "dave",
    "edward": "ted ned", "elizabeth": "betty liz beth", "gerald": "jerry", "henry": "hank harry",
    "james": "jim jimmy", "john": "jack johnny", "joseph": "joe", "katherine": "kate kathy",
    "lawrence": "larry", "margaret": "peggy meg", "mary": "molly polly", "michael": "mike",
    "nicholas": "nick", "richard": "rick dick", "robert": "bob bobby", "sarah": "sally",
    "stephen": "steve", "thomas": "tom", "william": "bill billy",
}  # fmt: skip
_SHORT_FORMS = {short: full for full, shorts in _FULL_NAMES.items() for short in shorts.split()}


def compatible_names(a: str, b: str) -> bool:
    """Nothing in two business names speaks against one business.

    One is missing, or every significant word of one occurs in the other, or they are one word written apart
    ("Bright Water"), or one is the other's initials ("KPS", "Kline Plumbing Services").
    Two different numbers ("Store 12", "Store 13") always speak against it.
    """
    if not a or not b or a == b:
        return True
    ours, theirs = _business_words(a), _business_words(b)
    if not ours or not theirs:
        return True
    if _other_numbers(ours, theirs):
        return False
    return (
        "".join(ours) == "".join(theirs)
        or _covered(ours, theirs)
        or _covered(theirs, ours)
        or _initials_of(ours, theirs)
        or _initials_of(theirs, ours)
    )


def similar_names(a: str, b: str) -> bool:
    """Two business names speak for one business.

    Both are there, and they are the same words in any order, or one word written apart, or one name holds
    at least half of the other's words, among them one that tells businesses apart ("Dental" does not).
    """
    if not a or not b:
        return False
    if a == b:
        return True
    ours, theirs = _business_words(a), _business_words(b)
    if not ours or not theirs or _other_numbers(ours, theirs):
        return False
    if "".join(ours) == "".join(theirs) or (_covered(ours, theirs) and _covered(theirs, ours)):
        return True
    return _mostly(ours, theirs) or _mostly(theirs, ours)


def compatible_persons(a: str, b: str) -> bool:
    """Nothing in two names speaks against one person.

    One is missing, or they share a word and what remains of the one agrees with what remains of the other:
    nothing remains ("Smith", "John Smith"), an initial ("J Smith"), or a short form of the first name
    ("Rob", "Bob").
    """
    if not a or not b or a == b:
        return True
    ours, theirs = _person_words(a), _person_words(b)
    if not ours or not theirs or set(ours) == set(theirs):
        return True
    shared = set(ours) & set(theirs)
    if not any(len(word) > 1 for word in shared):
        return False
    rest = [(word, at == 0) for at, word in enumerate(ours) if word not in shared]
    other = [(word, at == 0) for at, word in enumerate(theirs) if word not in shared]
    return _pair_up(rest, other) if len(rest) <= len(other) else _pair_up(other, rest)


def similar_persons(a: str, b: str) -> bool:
    """Two names speak for one person: equal, or compatible while both are more than one word."""
    if not a or not b:
        return False
    if a == b:
        return True
    ours, theirs = _person_words(a), _person_words(b)
    if len(ours) < 2 or len(theirs) < 2:
        return bool(ours) and set(ours) == set(theirs)
    return compatible_persons(a, b)


def same_words(a: str, b: str) -> bool:
    """Two short texts (a city) are the same but for capitals, accents and punctuation."""
    return a == b or _words(a) == _words(b)


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    """The words of a text, folded: lower-case, without accents and apostrophes, each once, in order."""
    folded = text.casefold().translate(_APOSTROPHES)
    if not folded.isascii():
        apart = unicodedata.normalize("NFKD", folded)
        folded = "".join(mark for mark in apart if not unicodedata.combining(mark))
    return tuple(dict.fromkeys(_WORD.findall(folded)))


@lru_cache(maxsize=4096)
def _business_words(name: str) -> tuple[str, ...]:
    words = _words(name)
    return tuple(word for word in words if word not in _FILLERS) or words


@lru_cache(maxsize=4096)
def _person_words(name: str) -> tuple[str, ...]:
    words = _words(name)
    return (tuple(word for word in words if word not in _TITLES) or words)[:_LONGEST]


def _other_numbers(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    mine = {word for word in ours if word.isdigit()}
    yours = {word for word in theirs if word.isdigit()}
    return bool(mine and yours) and mine != yours


def _covered(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    return all(word in whole or any(_one_slip(word, other) for other in whole) for word in part)


def _mostly(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    """`part` holds at least half of the words of `whole`, one of them telling, and nothing else."""
    if len(part) * 2 < len(whole) or not any(len(word) > 3 and word not in _GENERIC for word in part):
        return False
    return _covered(part, whole)


def _initials_of(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    return len(short) == 1 and len(long) >= 3 and short[0] == "".join(word[0] for word in long)


def _one_slip(a: str, b: str) -> bool:
    """One letter added, left out, changed or swapped with its neighbour; not the first, no digits, five and
    longer."""
    if len(a) > len(b):
        a, b = b, a
    if len(a) < 5 or len(b) - len(a) > 1 or a[0] != b[0] or not (a.isalpha() and b.isalpha()):
        return False
    at = next((i for i, letter in enumerate(a) if letter != b[i]), len(a))
    if len(a) < len(b):
        return a[at:] == b[at + 1 :]
    return a[at + 1 :] == b[at + 1 :] or (
        a[at : at + 2] == b[at : at + 2][::-1] and a[at + 2 :] == b[at + 2 :]
    )


def _pair_up(few: list[tuple[str, bool]], many: list[tuple[str, bool]]) -> bool:
    """Every word of `few` finds a partner of its own in `many`; a word comes with "is it the first name"."""
    if not few:
        return True
    head, *rest = few
    return any(
        _agree(head, word) and _pair_up(rest, many[:at] + many[at + 1 :]) for at, word in enumerate(many)
    )


def _agree(one: tuple[str, bool], other: tuple[str, bool]) -> bool:
    (a, a_first), (b, b_first) = one, other
    if len(a) == 1 or len(b) == 1:
        return a[0] == b[0]
    return a_first and b_first and _short_form(a, b)


def _short_form(a: str, b: str) -> bool:
    if len(a) > len(b):
        a, b = b, a
    if len(a) >= 3 and b.startswith(a):
        return True
    full_a, full_b = _SHORT_FORMS.get(a, a), _SHORT_FORMS.get(b, b)
    return full_a == full_b
