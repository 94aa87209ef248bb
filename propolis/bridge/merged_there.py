"""Two customers merged in Syncro: there one is gone, and its contacts are the other's."""

from __future__ import annotations

from collections import Counter
from typing import Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from propolis.bridge.models import Link
from propolis.crm.models import Company
from propolis.history.models import Change
from propolis.runs.models import Run

# So many of the contacts that went tell where most did.
_LOOKED_AT: Final = 1000
# The company a contact was taken from, as its Change keeps it. What asks and what the index holds must be the same
# words, values and all: Django would pass the values beside the words, and SQLite then not see that they match.
_FROM: Final = {
    "sqlite": "json_extract(fields, '$.company[0]')",
    "postgresql": "(fields #>> '{company,0}')",
}
_MOVES: Final = "kind = 'contact' AND action = 'update' AND {left} IS NOT NULL"


def merged_into(company: Company) -> Company | None:
    """The company to which a gone customer's contacts have gone, if most did: merged there, most likely."""
    left, moves = _words(connection.vendor)
    value = company.pk if connection.vendor == "sqlite" else str(company.pk)
    from_here = RawSQL(f"{moves} AND {left} = %s", [value], BooleanField())  # noqa: S611 - words of ours
    imports = Run.objects.filter(kind="import").values("pk")
    moved = Change.objects.filter(from_here, run__in=imports, state=Change.State.APPLIED)
    went = Counter(fields["company"][1] for fields in moved.values_list("fields", flat=True)[:_LOOKED_AT])
    if not went:
        return None
    best, _ = went.most_common(1)[0]
    linked = Link.objects.filter(company=best, state=Link.State.LINKED).values("company")
    return Company.objects.filter(pk__in=linked, deleted_at=None).first()


def install(connection: BaseDatabaseWrapper) -> None:
    """The index of contacts that went from one company to another; safe to repeat."""
    left, moves = _words(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE INDEX IF NOT EXISTS change_of_company ON history_change (account_id, {left}) WHERE {moves}"
        )


def _words(vendor: str) -> tuple[str, str]:
    return _FROM[vendor], _MOVES.replace("{left}", _FROM[vendor])
