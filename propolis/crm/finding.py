"""Finding records by what people type: words of a name, an e-mail, a domain, digits of a phone.

Every word must be found. On SQLite a word matches where a word of the name begins with it; on PostgreSQL also
with a slip of the pen, by trigrams.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import and_
from typing import Any

from django.contrib.postgres.lookups import TrigramWordSimilar
from django.db import connection
from django.db.models import CharField, Q, QuerySet

from propolis.crm.keys import fold
from propolis.crm.models import Company, Contact

_WORDS = 6  # more than that narrows nothing down


def narrowed(query: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The rows that match every word of the text."""
    words = fold(text).split()[:_WORDS]
    if not words:
        return query
    model = query.model
    digits = "".join(c for c in text if c.isdigit())
    if len(digits) >= 4 and not any(c.isalpha() for c in text) and model in (Company, Contact):
        return query.filter(Q(phone_key__contains=digits) | Q(mobile_key__contains=digits))
    return query.filter(reduce(and_, (_matches(model, word) for word in words)))


def _matches(model: type[Any], word: str) -> Q:
    found = Q(sort_name__startswith=word) | Q(sort_name__contains=f" {word}")
    if model is Contact or model is Company:
        found |= Q(email_key__startswith=word)
        if "@" in word:
            found |= Q(email_key__contains=word)
    if model is Company:
        found |= Q(domain__startswith=word)
    if len(word) >= 4 and has_trigrams():
        found |= Q(sort_name__trigram_word_similar=word)
    return found


@cache
def has_trigrams() -> bool:
    """PostgreSQL with pg_trgm installed; asked once per process."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        found = cursor.fetchone() is not None
    if found:
        CharField.register_lookup(TrigramWordSimilar)
    return found
