"""What makes finding fast: a full-text table per kind on SQLite, trigrams on PostgreSQL.

On SQLite triggers keep the full-text tables equal to the rows. SQLite rebuilds a table to alter it, and drops
its triggers with it: a later migration that alters one of `INDEXED` must end with `install` again.
"""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

APOSTROPHES = "'’‘ʼ"
"""Nobody types them surely: who looks for "obrien" means O'Brien."""
_PHONES = ("phone_key", "mobile_key")
INDEXED: dict[str, tuple[str, ...]] = {
    "crm_company": ("sort_name", "email_key", "domain", *_PHONES),
    "crm_contact": ("sort_name", "email_key", *_PHONES),
    "crm_opportunity": ("sort_name",),
}


def unsaid(name: str) -> str:
    """SQL for a name without apostrophes. Of the name alone, and not by `translate`: each row a search finds is read
    once more, and that took four times as long."""
    for mark in APOSTROPHES:
        quoted = mark.replace("'", "''")
        name = f"replace({name}, '{quoted}', '')"
    return name


def install(connection: BaseDatabaseWrapper) -> None:
    """Makes the indexes and fills them; safe to repeat."""
    for table, columns in INDEXED.items():
        if connection.vendor == "sqlite":
            for statement in _full_text(table, columns):
                _run(connection, statement)
        elif connection.vendor == "postgresql":
            _trigrams(connection, table, columns)


def _run(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _full_text(table: str, columns: tuple[str, ...]) -> list[str]:
    changed = " OR ".join(f"new.{column} IS NOT old.{column}" for column in columns)
    names = {"t": table, "f": f"{table}_find", "changed": changed}
    names |= {"old_words": _words("", columns), "new_words": _words("new.", columns)}
    return [statement.format(**names) for statement in _STATEMENTS]


_STATEMENTS = (
    "DROP TRIGGER IF EXISTS {f}_add",
    "DROP TRIGGER IF EXISTS {f}_change",
    "DROP TRIGGER IF EXISTS {f}_drop",
    "DROP TABLE IF EXISTS {f}",
    # Only which rows have a word is kept, not where: a third less work for each row of an import.
    "CREATE VIRTUAL TABLE {f} USING fts5(words, detail=none, columnsize=0,"
    " tokenize='unicode61 remove_diacritics 2')",
    "INSERT INTO {f} (rowid, words) SELECT id, {old_words} FROM {t}",
    "CREATE TRIGGER {f}_add AFTER INSERT ON {t} BEGIN"
    " INSERT INTO {f} (rowid, words) VALUES (new.id, {new_words}); END",
    "CREATE TRIGGER {f}_change AFTER UPDATE ON {t} WHEN {changed} BEGIN"
    " UPDATE {f} SET words = {new_words} WHERE rowid = new.id; END",
    "CREATE TRIGGER {f}_drop AFTER DELETE ON {t} BEGIN DELETE FROM {f} WHERE rowid = old.id; END",
)


def _words(row: str, columns: tuple[str, ...]) -> str:
    """Phones whole, without country code, and their last seven digits, however somebody types them; a name with
    apostrophes also without."""
    name = f"{row}sort_name"
    bare = unsaid(name)
    parts = [f"CASE WHEN {bare} <> {name} THEN {bare} ELSE '' END"]
    for column in columns:
        name = f"{row}{column}"
        if column in _PHONES:
            ways = f"{name} || ' ' || substr({name}, 2) || ' ' || substr({name}, -7)"
            name = f"CASE WHEN {name} = '' THEN '' ELSE {ways} END"
        parts.append(name)
    return " || ' ' || ".join(parts)


def _trigrams(connection: Any, table: str, columns: tuple[str, ...]) -> None:
    """Where the extension may not be created, finding still works, only slower and without typos."""
    name, *others = (f'"{column}"' for column in columns)
    words = " || ' ' || ".join([unsaid(name), *others])
    try:
        with transaction.atomic(using=connection.alias):
            _run(connection, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
            _run(connection, f"DROP INDEX IF EXISTS {table}_find")
            _run(
                connection,
                f"CREATE INDEX {table}_find ON {table} USING gin (({words}) gin_trgm_ops)",
            )
    except DatabaseError:
        return
