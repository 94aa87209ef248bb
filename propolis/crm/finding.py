"""Finding records by what people type: words of a name, an e-mail, a domain, digits of a phone.

Every word must be found; an address of a website counts as its domain. On SQLite a word of the record must
begin with it; on PostgreSQL it may stand anywhere, with a slip of the pen where trigrams are installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from operator import and_
from typing import Any

from django.contrib.postgres.lookups import TrigramWordSimilar
from django.db import connection, transaction
from django.db.models import F, Func, Q, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Contains

from propolis.crm.finding_index import APOSTROPHES, INDEXED, unsaid
from propolis.crm.keys import EXTENSION_MARK, domain_of, fold

_PARTS = re.compile(r"[^\W_]+")  # what the index takes for words
# Of a number as tables show it, "206-555-0142 x12": the keys are without.
_EXTENSION = re.compile(rf"(?<=\d)\s*{EXTENSION_MARK}\d{{1,6}}\s*$", re.IGNORECASE)
_LINK = re.compile(r"\s*(?:mailto|tel):", re.IGNORECASE)  # what a browser copies of a link
_ADDRESS = re.compile(r"https?:|www\.|[^/@]+\.[^/@]+/", re.IGNORECASE)
_AROUND = '<>()[],;:"'  # "Lindqvist, Jo <jo@firm.com>", as a mail program copies it
_UNSAID = str.maketrans("", "", APOSTROPHES)
_WORDS = 6  # more than that narrows nothing down
_TYPO = 5  # letters from which on a slip is forgiven
_ALIKE = 0.45  # a wrong letter in a name of eight; PostgreSQL itself asks for 0.6
_PATIENCE = 400  # milliseconds


def narrowed(query: QuerySet[Any], text: str, *, many: bool = False) -> QuerySet[Any]:
    """The rows that match every word of the text.

    `many`: the same for when they are many and only the first by some order are wanted. SQLite then goes through
    all rows in that order and looks up whether each matches, rather than sorting all that do.
    """
    words = _typed(text)
    if not words:
        return query
    table = query.model._meta.db_table
    if connection.vendor == "sqlite":
        matching = _full_text(table, words)
        # A sum is no key to find rows by.
        return (
            query.alias(own=F("pk") + 0).filter(own__in=matching) if many else query.filter(pk__in=matching)
        )
    name, *others = INDEXED[table]
    joined = _Joined(_Unsaid(F(name)), *map(F, others))
    return query.filter(reduce(and_, (_like(joined, word) for word in words)))


def _typed(text: str) -> list[str]:
    """Folded words; a phone number however it is written is one word of digits."""
    text = _LINK.sub("", text, count=1)
    number = _EXTENSION.sub("", text)
    digits = "".join(c for c in number if c.isdigit())
    if len(digits) >= 4 and not any(c.isalpha() for c in number):
        return [digits]
    return fold(" ".join(map(_bare, text.split()))).split()[:_WORDS]


def _bare(word: str) -> str:
    """Without what stands around it; of a pasted address its domain, as the index has no more of a website."""
    word = word.strip(_AROUND) or word
    return (domain_of(word) or word) if _ADDRESS.match(word) else word


class _Unsaid(Func):
    template = unsaid("%(expressions)s")
    output_field = TextField()


class _Joined(Func):
    """The columns as one text, exactly as the index has them."""

    template = "(%(expressions)s)"
    arg_joiner = " || ' ' || "
    output_field = TextField()


def _like(joined: _Joined, word: str) -> Any:
    found = Q(Contains(joined, word))
    if (bare := word.translate(_UNSAID)) not in (word, ""):  # O'Brien, whose address may be o'brien@
        found |= Q(Contains(joined, bare))
        word = bare
    if len(word) >= _TYPO and word.isalpha() and _has_trigrams():
        found |= Q(TrigramWordSimilar(joined, word))
    return found


def _full_text(table: str, words: list[str]) -> RawSQL:
    """Ids of rows of any account; the query they narrow is of one account already."""
    # The index takes the last of the apostrophes for a letter.
    parts = [part for word in words for part in _PARTS.findall(word.replace(APOSTROPHES[-1], ""))]
    match = " AND ".join(f'"{part}"*' for part in parts) or '""'
    find = f"{table}_find"
    return RawSQL(f"SELECT rowid FROM {find} WHERE {find} MATCH %s", [match])  # noqa: S611, S608


@contextmanager
def forgiving() -> Iterator[None]:
    """Worse slips count too, for a search that found nothing. OperationalError where that takes too long: a word
    that is like many but equals none may mean reading much."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL pg_trgm.word_similarity_threshold = {_ALIKE}")
        cursor.execute(f"SET LOCAL statement_timeout = {_PATIENCE}")
        yield


def can_forgive() -> bool:
    return connection.vendor == "postgresql" and _has_trigrams()


_known: dict[str, bool] = {}


def _has_trigrams() -> bool:
    """PostgreSQL with pg_trgm installed; asked once per database and process."""
    name = str(connection.settings_dict["NAME"])
    if name not in _known:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
            _known[name] = cursor.fetchone() is not None
    return _known[name]
