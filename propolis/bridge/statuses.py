"""The status map: every Syncro lead status to one of ours, or to "Do not import".

A lead that is won *and* became a ticket has a row of its own. A status nobody has heard of gets an undecided
row: its leads are held, not lost, and nothing that was decided is undecided by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from propolis.bridge.models import Connection, StatusMap
from propolis.crm.models import DEFAULT_STATUSES, OppStatus

WON: Final = "Won"


@dataclass(frozen=True)
class Default:
    """`send_back`: the Syncro status that our status is sent as; one per status of ours."""

    remote: str
    ours: str
    became_ticket: bool = False
    send_back: bool = False


# The ten of Syncro's reference [A], and the won ones that became a ticket.
DEFAULTS: Final = (
    Default("New", "New", send_back=True),
    Default("Lead", "New"),
    Default("First Contact", "Qualified"),
    Default("Opportunity", "Qualified", send_back=True),
    Default("Prospect", "Qualified"),
    Default("Waiting on Client", "On hold", send_back=True),
    Default("In Negotiation", "Negotiation", send_back=True),
    Default("Pending", "Proposal", send_back=True),
    Default(WON, "Won", send_back=True),
    Default(WON, "Won", became_ticket=True),
    Default("Lost", "Lost", send_back=True),
)


@dataclass(frozen=True)
class Mapped:
    """Goes to one of our statuses."""

    status: OppStatus


@dataclass(frozen=True)
class Skip:
    """A person chose "Do not import"."""


@dataclass(frozen=True)
class Unmapped:
    """Nobody has decided yet: hold it."""


Found = Mapped | Skip | Unmapped


class StatusMapper:
    """The whole map in one query; answers from memory."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: dict[tuple[str, bool], Found] = {}
        for row in StatusMap.objects.filter(connection=connection).select_related("status"):
            self._rows[_key(row.remote_status), row.became_ticket] = _found(row)

    def find(self, raw_status: str, ticket_id: int | None) -> Found:
        """`raw_status` as Syncro says it; case and surrounding spaces do not matter."""
        key = _key(raw_status)
        if ticket_id is not None and (key, True) in self._rows:
            return self._rows[key, True]
        return self._rows.get((key, False), Unmapped())

    def remember_new(self, statuses: Iterable[str]) -> list[str]:
        """Makes an undecided row for each status not on the map yet; returns those, sorted."""
        new = {_key(status): status.strip() for status in statuses if (_key(status), False) not in self._rows}
        rows = [_undecided(self._connection, status) for status in sorted(new.values())]
        if rows:
            StatusMap.objects.bulk_create(rows, ignore_conflicts=True)
        self._rows.update({(key, False): Unmapped() for key in new})
        return [row.remote_status for row in rows]


def ensure_status_map(connection: Connection) -> list[StatusMap]:
    """The map's rows in Syncro's order, made with sensible defaults where missing; later ones by name."""
    query = StatusMap.objects.filter(connection=connection).select_related("status")
    rows = list(query)
    have = {(_key(row.remote_status), row.became_ticket) for row in rows}
    missing = [one for one in DEFAULTS if (_key(one.remote), one.became_ticket) not in have]
    if missing:
        _make(connection, missing)
        rows = list(query.all())
    order = {(_key(one.remote), one.became_ticket): at for at, one in enumerate(DEFAULTS)}
    return sorted(
        rows,
        key=lambda row: (
            order.get((_key(row.remote_status), row.became_ticket), len(order)),
            row.remote_status,
        ),
    )


def remember_counts(connection: Connection, counts: Mapping[tuple[str, bool], int]) -> None:
    """How many leads the last read had, by (raw status, became a ticket); of the others: none."""
    by_key = {(_key(status), ticket): count for (status, ticket), count in counts.items()}
    for row in StatusMap.objects.filter(connection=connection):
        seen = by_key.get((_key(row.remote_status), row.became_ticket), 0)
        if row.seen != seen:
            StatusMap.objects.filter(pk=row.pk).update(seen=seen)


def mapping_complete(connection: Connection) -> bool:
    """Every status that Syncro documents is decided. One that turns up later does not undo that."""
    undecided = {
        (_key(row.remote_status), row.became_ticket)
        for row in ensure_status_map(connection)
        if row.choice == StatusMap.Choice.UNMAPPED
    }
    return not any((_key(one.remote), one.became_ticket) in undecided for one in DEFAULTS)


def save_choices(
    connection: Connection, choices: Mapping[int, OppStatus | None]
) -> list[tuple[StatusMap, int | None]]:
    """Sets rows (primary key) to one of our statuses, or to "Do not import" (None).

    Answers those that changed, each with the status it was mapped to before.
    """
    changed = []
    with transaction.atomic():
        for row in StatusMap.objects.select_for_update().filter(connection=connection, pk__in=choices):
            status = choices[row.pk]
            choice = StatusMap.Choice.MAP if status else StatusMap.Choice.SKIP
            if (row.choice, row.status_id) == (choice, status.pk if status else None):
                continue
            before = row.status_id if row.choice == StatusMap.Choice.MAP else None
            # Freed here, given anew below: one of ours goes back as one of Syncro's only.
            row.choice, row.status, row.send_back = choice, status, False
            row.save(update_fields=["choice", "status", "send_back"])
            changed.append((row, before))
        send_each_back_once(connection)
    return changed


def send_each_back_once(connection: Connection) -> None:
    """Every status of ours that something maps to is sent as one of those, the first in Syncro's order."""
    rows = [row for row in ensure_status_map(connection) if isinstance(_found(row), Mapped)]
    served = {row.status_id for row in rows if row.send_back}
    for row in rows:
        if row.status_id not in served and not row.became_ticket:
            served.add(row.status_id)
            StatusMap.objects.filter(pk=row.pk).update(send_back=True)


def undecided(connection: Connection) -> int:
    """How many statuses wait for a person."""
    rows = StatusMap.objects.filter(connection=connection)
    return sum(isinstance(_found(row), Unmapped) for row in rows.select_related("status"))


def _make(connection: Connection, defaults: list[Default]) -> None:
    ours = {status.name.casefold(): status for status in _our_statuses(connection)}
    taken = set(
        StatusMap.objects.filter(connection=connection, send_back=True).values_list("status_id", flat=True)
    )
    rows = []
    for one in defaults:
        status = ours.get(one.ours.casefold())
        send_back = one.send_back and status is not None and status.pk not in taken
        if send_back and status is not None:
            taken.add(status.pk)
        rows.append(
            StatusMap(
                account_id=connection.account_id,
                connection=connection,
                remote_status=one.remote,
                became_ticket=one.became_ticket,
                status=status,
                choice=StatusMap.Choice.MAP if status else StatusMap.Choice.UNMAPPED,
                send_back=send_back,
            )
        )
    StatusMap.objects.bulk_create(rows, ignore_conflicts=True)


def _our_statuses(connection: Connection) -> list[OppStatus]:
    have = list(OppStatus.objects.filter(account=connection.account_id))
    if have:
        return have
    with transaction.atomic():
        return OppStatus.objects.bulk_create(
            OppStatus(account_id=connection.account_id, name=name, position=position, outcome=outcome)
            for position, (name, outcome) in enumerate(DEFAULT_STATUSES)
        )


def _undecided(connection: Connection, status: str) -> StatusMap:
    return StatusMap(account_id=connection.account_id, connection=connection, remote_status=status[:200])


def _found(row: StatusMap) -> Found:
    if row.choice == StatusMap.Choice.SKIP:
        return Skip()
    if row.choice == StatusMap.Choice.MAP and row.status is not None:
        return Mapped(row.status)
    return Unmapped()


def _key(status: str) -> str:
    return status.strip().casefold()[:200]
