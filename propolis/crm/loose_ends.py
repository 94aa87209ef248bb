"""Records nothing hangs on, found at once among a million on which something does: contacts on no list.

Nearly all have what is looked for; to find the few that do not, all would have to be looked through. So PostgreSQL
keeps the ids of those that may have none: triggers put a record there when it comes and when it loses one, and take
it away when it gets one, whoever writes. The ids are where to look, never the answer: each is looked up again. One
too many does no harm, and none can be missing: see docs/decisions/010-what-a-million-contacts-need.md.
On SQLite, where there are fewer, all are looked through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.lookups import IsNull

from propolis.accounts.scoping import current_account_id


@dataclass(frozen=True)
class LooseEnds:
    """`name`: of the table of ids. `of`: the table of the records, `on`: of what hangs on them by `column`, and
    which of its rows count, as SQL about the row `{row}`."""

    name: str
    of: str
    on: str
    column: str
    counts: str

    def among(self, query: QuerySet[Any], hanging: QuerySet[Any]) -> QuerySet[Any]:
        """The records without any; `hanging`: what counts, of the record `OuterRef("pk")`."""
        if connection.vendor != "postgresql":
            return query.filter(~Exists(hanging))
        where = f"SELECT record_id FROM {self.name} WHERE account_id = %s"  # noqa: S608 - a name of ours
        maybe = RawSQL(where, [current_account_id()])  # noqa: S611 - the same
        # Not as ~Exists: PostgreSQL takes that for a join that leaves next to none, and then sorts them all.
        return query.filter(IsNull(Subquery(hanging.values("pk")[:1]), True), pk__in=maybe)

    def install(self, connection: BaseDatabaseWrapper) -> None:
        """Makes the table, fills it and has it kept; safe to repeat."""
        if connection.vendor != "postgresql":
            return
        with connection.cursor() as cursor:
            for statement in (*_TABLE, *_FUNCTIONS, *_TRIGGERS):
                cursor.execute(self._filled(statement))
        self.refill(connection)

    def refill(self, connection: Any) -> None:
        """Puts in what has none; for rows that came while triggers were off."""
        with connection.cursor() as cursor:
            cursor.execute(self._filled(_FILL))

    def _filled(self, statement: str) -> str:
        counts = {f"{row}_counts": self.counts.format(row=row) for row in ("m", "f", "g")}
        return statement.format(name=self.name, of=self.of, on=self.on, column=self.column, **counts)


_TABLE = (
    "CREATE TABLE IF NOT EXISTS {name} (account_id bigint, record_id bigint,"
    " PRIMARY KEY (account_id, record_id))",
)
_FILL = """
    INSERT INTO {name} SELECT r.account_id, r.id FROM {of} r
    WHERE NOT EXISTS (SELECT 1 FROM {on} m WHERE m.{column} = r.id AND {m_counts})
    ON CONFLICT DO NOTHING
"""
_CAME = "INSERT INTO {name} SELECT account_id, id FROM fresh ON CONFLICT DO NOTHING;"
_WENT = "DELETE FROM {name} e USING gone g WHERE e.account_id = g.account_id AND e.record_id = g.id;"
# A row somebody else holds is left alone: it may stay, and nobody waits.
_GOT = """
    DELETE FROM {name} e USING (
        SELECT o.account_id, o.record_id FROM {name} o
        JOIN fresh f ON f.account_id = o.account_id AND f.{column} = o.record_id AND {f_counts}
        FOR UPDATE OF o SKIP LOCKED
    ) here WHERE e.account_id = here.account_id AND e.record_id = here.record_id;
"""
# Put in, or held if it is in, before anybody looks what else hangs on it: of two who take away one each at the same
# time, the later waits here and then sees what the other did.
_LOST = """
    INSERT INTO {name} AS e SELECT DISTINCT g.account_id, g.{column} FROM {lost} ORDER BY 1, 2
        ON CONFLICT (account_id, record_id) DO UPDATE SET record_id = e.record_id;
    DELETE FROM {name} e USING {lost} AND e.account_id = g.account_id AND e.record_id = g.{column}
        AND EXISTS (SELECT 1 FROM {on} m WHERE m.{column} = e.record_id AND {m_counts});
"""
_DELETED = "gone g WHERE {g_counts}"
_CHANGED = (
    "gone g WHERE {g_counts} AND NOT EXISTS"
    " (SELECT 1 FROM fresh f WHERE f.id = g.id AND f.{column} = g.{column} AND {f_counts})"
)


def _function(name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {{name}}_{name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {body} RETURN NULL; END $$"
    )


_FUNCTIONS = (
    _function("came", _CAME),
    _function("went", _WENT),
    _function("got", _GOT),
    _function("lost", _LOST.replace("{lost}", _DELETED)),
    _function("changed", _LOST.replace("{lost}", _CHANGED) + _GOT),
)


def _trigger(name: str, event: str, table: str, *rows: str) -> str:
    return (
        f"CREATE OR REPLACE TRIGGER {{name}}_{name} AFTER {event} ON {table} REFERENCING {' '.join(rows)} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {{name}}_{name}()"
    )


_FRESH, _GONE = "NEW TABLE AS fresh", "OLD TABLE AS gone"
_TRIGGERS = (
    _trigger("came", "INSERT", "{of}", _FRESH),
    _trigger("went", "DELETE", "{of}", _GONE),
    _trigger("got", "INSERT", "{on}", _FRESH),
    _trigger("lost", "DELETE", "{on}", _GONE),
    _trigger("changed", "UPDATE", "{on}", _GONE, _FRESH),
)
