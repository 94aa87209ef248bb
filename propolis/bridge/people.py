"""Syncro's users and which of ours they are.

Reading is two things: the list (one request) and each user's e-mail and group (one request each, only for
those new, renamed or not asked about for a day). Linking never makes a sign-in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Min, QuerySet
from django.utils import timezone

from propolis.accounts.models import Membership
from propolis.bridge.models import Connection, RemoteUser
from propolis.bridge.roles import Applied, apply_roles
from propolis.bridge.waiting import attach_waiting, hand_over, open_opportunities_of, salespeople
from propolis.crm.keys import clean, email_key
from propolis.crm.models import Opportunity
from propolis.runs.models import Run
from propolis.syncro import EmptyAnswer, NotFound, SyncroClient, User, UserRef

__all__ = [
    "Applied",
    "UsersRead",
    "apply_roles",
    "attach_waiting",
    "hand_over",
    "leave_out",
    "link_by_email",
    "link_by_hand",
    "list_users",
    "new_since_last_time",
    "open_opportunities_of",
    "read_details",
    "read_users",
    "relink_by_email",
    "remember_left",
    "remember_waiting",
    "salespeople",
    "suggestion",
]

FRESH_FOR: Final = timedelta(days=1)
# Users no longer listed whose name is asked for, one request each, in one go.
MOST_LEFT_ASKED: Final = 50


@dataclass(frozen=True)
class UsersRead:
    """How many users Syncro lists, are new, have left, still lack details, were linked by e-mail."""

    listed: int
    new: int
    left: int
    waiting: int
    linked: int


def read_users(connection: Connection, client: SyncroClient, run: Run | None = None) -> UsersRead:
    """The list, every missing detail, and links by e-mail. Raises `SyncroError`, keeping what was read."""
    listed = list_users(connection, client, run)
    waiting = read_details(connection, client)
    linked = relink_by_email(connection)
    return UsersRead(listed.listed, listed.new, listed.left, waiting, linked)


def list_users(connection: Connection, client: SyncroClient, run: Run | None = None) -> UsersRead:
    """Reads who there is: new rows, new names, who left, who is back. One request."""
    began = timezone.now()
    refs = {ref.id: ref for ref in client.users()}
    have = {row.remote_id: row for row in _users(connection)}
    if not refs:
        # The token itself belongs to a user, so nobody at all is no answer.
        raise EmptyAnswer(detail="GET /users: nobody")
    new = [ref for ref in refs.values() if ref.id not in have]
    RemoteUser.objects.bulk_create([_new(connection, ref, began, run) for ref in new], ignore_conflicts=True)
    left = 0
    for remote_id, row in have.items():
        left += _seen(row, refs.get(remote_id), began)
    connection.users_read_at = began
    connection.save(update_fields=["users_read_at"])
    remember_waiting(connection, client)
    return UsersRead(len(refs), len(new), left, _without_details(connection).count(), 0)


def read_details(connection: Connection, client: SyncroClient, at_most: int | None = None) -> int:
    """Asks for e-mail and group where missing, one request each, `at_most` so many; how many still lack them.

    Having read all of them for the first time ends the Users step.
    """
    for row in list(_without_details(connection)[:at_most]):
        _read_one(row, client)
    waiting = _without_details(connection).count()
    if not waiting and connection.users_step != "read":
        connection.users_step = "read"
        connection.save(update_fields=["users_step"])
    return waiting


def relink_by_email(connection: Connection) -> int:
    """Links every undecided user to the person here with the same e-mail; how many that were.

    Opportunities that waited for one of them get their salesperson.
    """
    rows = list(_undecided(connection).exclude(email_key=""))
    people = {
        person.email_key: person
        for person in Membership.objects.filter(email_key__in={row.email_key for row in rows})
    }
    linked = 0
    for row in rows:
        if person := people.get(row.email_key):
            linked += _undecided(connection).filter(pk=row.pk).update(membership=person)
    if linked:
        attach_waiting(connection)
    return linked


def link_by_email(row: RemoteUser) -> bool:
    """Back to "by e-mail" after a choice by hand; True if that found somebody."""
    row.choice, row.membership = "auto", None
    if row.email_key:
        row.membership = Membership.objects.filter(email_key=row.email_key).first()
    row.save(update_fields=["choice", "membership"])
    return row.membership is not None


def link_by_hand(row: RemoteUser, person: Membership) -> None:
    """This Syncro user is that person, whatever the e-mails say."""
    row.choice, row.membership = "hand", person
    row.save(update_fields=["choice", "membership"])
    attach_waiting(row.connection)


def leave_out(row: RemoteUser) -> None:
    """Nobody here; e-mails are not compared any more."""
    row.choice, row.membership = "leave_out", None
    row.save(update_fields=["choice", "membership"])


def suggestion(connection: Connection, person: Membership) -> RemoteUser | None:
    """ "Is this you?": the user whose token is saved, if neither that user nor this person is linked yet."""
    if connection.remote_user_id is None or connection.connected_by_id != person.pk:
        return None
    if _users(connection).filter(membership=person).exists():
        return None
    return _undecided(connection).filter(remote_id=connection.remote_user_id).first()


def new_since_last_time(connection: Connection) -> set[int]:
    """Primary keys of users that the latest reading found for the first time; none after the very first."""
    first = _users(connection).aggregate(first=Min("first_seen_at"))["first"]
    if first is None or connection.users_read_at is None or first >= connection.users_read_at:
        return set()
    fresh = _undecided(connection).filter(first_seen_at__gte=connection.users_read_at, left_at=None)
    return set(fresh.values_list("pk", flat=True))


def remember_left(connection: Connection, ids: Iterable[int], client: SyncroClient | None = None) -> int:
    """Makes a row, marked as left, for each user id that leads name and Syncro does not list; how many.

    With a client, up to 50 of them are asked for by id: Syncro may still tell the name.
    """
    wanted = set(ids)
    known = set(_users(connection).values_list("remote_id", flat=True)) if wanted else set()
    unknown = sorted(wanted - known)
    now = timezone.now()
    rows = [_new(connection, UserRef(one, f"Syncro user {one}"), now, None) for one in unknown]
    for at, row in enumerate(rows):
        row.left_at = now
        if client is not None and at < MOST_LEFT_ASKED:
            _fill(row, client)
    if rows:
        RemoteUser.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def remember_waiting(connection: Connection, client: SyncroClient | None = None) -> int:
    """As `remember_left`, for every user an opportunity here waits for."""
    waiting = Opportunity.objects.filter(account=connection.account_id, waits_for_remote_user__isnull=False)
    ids = waiting.values_list("waits_for_remote_user", flat=True).distinct()
    return remember_left(connection, {one for one in ids if one is not None}, client)


def _users(connection: Connection) -> QuerySet[RemoteUser]:
    return RemoteUser.objects.filter(connection=connection)


def _undecided(connection: Connection) -> QuerySet[RemoteUser]:
    return _users(connection).filter(choice="auto", membership=None)


def _without_details(connection: Connection) -> QuerySet[RemoteUser]:
    return _users(connection).filter(read_at=None, left_at=None).order_by("remote_id")


def _new(connection: Connection, ref: UserRef, now: datetime, run: Run | None) -> RemoteUser:
    return RemoteUser(
        account_id=connection.account_id,
        connection=connection,
        remote_id=ref.id,
        name=clean(ref.name)[:255],
        first_seen_run=run,
        first_seen_at=now,
    )


def _seen(row: RemoteUser, ref: UserRef | None, now: datetime) -> int:
    """Brings a known row up to the list; 1 if the user has left just now."""
    before = (row.name, row.read_at, row.left_at)
    if ref is None:
        row.left_at = row.left_at or now
    else:
        name = clean(ref.name)[:255]
        stale = row.read_at is None or row.read_at < now - FRESH_FOR
        if stale or name != row.name or row.left_at:
            row.read_at = None
        row.name, row.left_at = name, None
    if (row.name, row.read_at, row.left_at) != before:
        row.save(update_fields=["name", "read_at", "left_at"])
    return int(row.left_at is not None and before[2] is None)


def _read_one(row: RemoteUser, client: SyncroClient) -> None:
    _fill(row, client)
    row.read_at = timezone.now()
    row.save(update_fields=["name", "email_key", "group", "read_at"])


def _fill(row: RemoteUser, client: SyncroClient) -> None:
    try:
        user: User = client.user(row.remote_id)
    except NotFound:
        return
    # A key that is absent says nothing.
    if isinstance(user.full_name, str) and user.full_name.strip():
        row.name = clean(user.full_name)[:255]
    if isinstance(user.email, str):
        row.email_key = email_key(user.email)
    if isinstance(user.group, str):
        row.group = clean(user.group)[:255]
