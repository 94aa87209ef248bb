"""Which row of the account a backed-up row is, and where the two differ; nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from propolis.accounts.csv_cells import original
from propolis.accounts.models import Account
from propolis.bridge.backup_format import BackupFile
from propolis.bridge.backup_snapshot import as_cells, rows_of
from propolis.bridge.backup_tables import COMPANIES, CONTACTS, LINKS, Table
from propolis.bridge.models import Erasure, Link
from propolis.crm import mailing
from propolis.crm.keys import email_key
from propolis.crm.models import Contact

Cells = Sequence[str]


class KeyMap:
    """Key of every row the account has in a table → its id, at about 100 bytes a row.

    Kept by the hash of the key, which is 64 bits: of a million rows two share one in 1 of 37 million cases.
    """

    def __init__(self, account: Account, table: Table) -> None:
        self.places = table.places(table.key)
        self.ids: dict[int, int] = {}
        keys = replace(table, columns=tuple(table.columns[place] for place in self.places))
        paths = [column.path for column in keys.columns]
        pks: list[int] = []

        def values() -> Iterator[Sequence[Any]]:
            for pk, *row in rows_of(account, table).values_list("pk", *paths).iterator(chunk_size=2000):
                pks.append(pk)
                yield row

        for at, cells in enumerate(as_cells(keys, values())):
            if cells is not None:
                self.ids[_hashed(cells)] = pks[at]

    def key(self, cells: Cells) -> int:
        """Of a whole row's cells."""
        return _hashed([cells[place] for place in self.places])

    def find(self, cells: Cells) -> int | None:
        return self.ids.get(self.key(cells))

    def named(self, *key: str) -> int | None:
        """By the key's cells alone."""
        return self.ids.get(_hashed(key))

    def add(self, cells: Cells, pk: int) -> None:
        self.ids[self.key(cells)] = pk


def _hashed(key: Sequence[str]) -> int:
    return hash("\x1f".join(key))


@dataclass(frozen=True, slots=True)
class Pair:
    """A backed-up row and the row of the account it is; `pk` and `now` are None where there is none."""

    cells: list[str]
    pk: int | None
    now: list[str] | None

    @property
    def differs(self) -> bool:
        return self.cells != self.now

    def fields(self, table: Table) -> list[str]:
        """Headings of the columns that differ."""
        if self.now is None:
            return []
        return [
            column.name
            for column, then, now in zip(table.columns, self.cells, self.now, strict=True)
            if then != now
        ]


def pairs(account: Account, table: Table, rows: Sequence[list[str]], known: KeyMap) -> list[Pair]:
    """Each backed-up row with its counterpart, in one query (two for contacts)."""
    wanted = _as_restored(table, rows)
    pks = [known.find(cells) for cells in wanted]
    now = _current(account, table, [pk for pk in pks if pk is not None])
    found = []
    for cells, pk in zip(wanted, pks, strict=True):
        here = now.get(pk) if pk is not None else None
        found.append(Pair(here if here and table.ours_stay else cells, pk, here))
    return found


def _current(account: Account, table: Table, pks: list[int]) -> dict[int, list[str]]:
    if not pks:
        return {}
    paths = [column.path for column in table.columns]
    found = list(rows_of(account, table).filter(pk__in=pks).values_list("pk", *paths))
    cells = as_cells(table, iter([row[1:] for row in found]))
    return {row[0]: each for row, each in zip(found, cells, strict=True) if each is not None}


def _as_restored(table: Table, rows: Sequence[list[str]]) -> list[list[str]]:
    """Whether an address may be mailed is what the suppressions say now: nobody is subscribed again."""
    if table is not CONTACTS:
        return list(rows)
    (email,), (state,) = table.places(("email",)), table.places(("mail_state",))
    keys = [email_key(original(cells[email])) for cells in rows]
    states = mailing.states({key for key in keys if key})
    said = []
    for cells, key in zip(rows, keys, strict=True):
        now = states.get(key, Contact.MailState.SUBSCRIBED)
        said.append([*cells[:state], str(now), *cells[state + 1 :]])
    return said


def keys_in(file: BackupFile, table: Table, known: KeyMap) -> set[int]:
    """The keys of every row of the file."""
    return {known.key(cells) for cells in file.rows(table)}


class Erased:
    """Who asked to be forgotten: their Syncro record stays erased, what it was linked to stays out."""

    def __init__(self, account: Account, file: BackupFile) -> None:
        known = Erasure.objects.filter(account=account, remote_id__isnull=False)
        links = Link.objects.filter(account=account, state=Link.State.ERASED)
        self.remote = {f"{kind}\x1f{pk}" for kind, pk in known.values_list("kind", "remote_id")}
        self.remote |= {f"{kind}\x1f{pk}" for kind, pk in links.values_list("kind", "remote_id")}
        self.uids: set[str] = set()
        if self.remote:
            local = LINKS.places(("company", "contact"))
            for cells in file.rows(LINKS):
                if self._erased(cells):
                    self.uids |= {cells[place] for place in local if cells[place]}

    def _erased(self, cells: Cells) -> bool:
        kind, remote_id = (cells[place] for place in LINKS.places(LINKS.key))
        return f"{kind}\x1f{remote_id}" in self.remote

    def without(self, table: Table, rows: list[list[str]]) -> list[list[str]]:
        """The rows less those of erased people."""
        if not self.remote or table not in (COMPANIES, CONTACTS, LINKS):
            return rows
        if table is LINKS:
            return [cells for cells in rows if not self._erased(cells)]
        (uid,) = table.places(("uid",))
        return [cells for cells in rows if cells[uid] not in self.uids]
