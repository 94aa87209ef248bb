"""What the Users page shows: Syncro's users with the people they are here. A fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils import timezone

from propolis.accounts.models import Invitation, Membership
from propolis.bridge import people
from propolis.bridge.models import Connection, RemoteUser
from propolis.bridge.waiting import there_again
from propolis.crm.models import Opportunity, OppStatus


@dataclass(frozen=True)
class Row:
    """One Syncro user. `invited_until`: while an invitation waits; `expired`: it did so in vain. `waiting`:
    opportunities that were imported without this salesperson."""

    user: RemoteUser
    person: Membership | None
    is_new: bool
    open_opportunities: int
    waiting: int
    invited_until: datetime | None
    expired: bool

    @property
    def roles(self) -> list[str]:
        return self.person.role_types if self.person else []

    @property
    def left_out(self) -> bool:
        return self.user.choice == "leave_out"

    @property
    def invitable(self) -> bool:
        """Not signed in yet; whether they hold a role is another question."""
        return self.person is not None and self.person.state in ("linked", "invited")


@dataclass(frozen=True)
class Roster:
    """`present` and `left` by name; `unread`: users whose e-mail has not been asked for yet."""

    present: list[Row]
    left: list[Row]
    groups: list[str]
    unread: int
    matched: int
    suggestion: RemoteUser | None
    read_at: datetime | None

    @property
    def read(self) -> int:
        return len(self.present) - self.unread

    @property
    def reading(self) -> dict[str, int]:
        """For the bar while details are read."""
        return {"all": len(self.present), "done": self.read}

    @property
    def new(self) -> int:
        return sum(row.is_new for row in self.present)


def roster(connection: Connection, viewer: Membership) -> Roster:
    """Everybody Syncro lists, and those of the others who have open opportunities or a person here."""
    users = list(
        RemoteUser.objects.filter(connection=connection)
        .select_related("membership")
        .order_by("name", "remote_id")
    )
    new = people.new_since_last_time(connection)
    invitations = _waiting_invitations(users)
    open_of = _open_opportunities([user for user in users if user.left_at])
    waiting = _waiting_for([user for user in users if user.left_at is None and user.choice != "leave_out"])
    rows = [_row(user, new, invitations, open_of, waiting) for user in users]
    present = [row for row in rows if row.user.left_at is None]
    return Roster(
        present=present,
        left=[row for row in rows if row.user.left_at and (row.open_opportunities or row.person)],
        groups=sorted({row.user.group for row in present if row.user.group}),
        unread=sum(row.user.read_at is None for row in present),
        matched=sum(row.person is not None for row in present),
        suggestion=people.suggestion(connection, viewer),
        read_at=connection.users_read_at,
    )


def _row(
    user: RemoteUser,
    new: set[int],
    invitations: dict[int, datetime],
    open_of: dict[int, int],
    waiting: dict[int, int],
) -> Row:
    until = invitations.get(user.membership_id or 0)
    return Row(
        user=user,
        person=user.membership,
        is_new=user.pk in new,
        open_opportunities=open_of.get(user.pk, 0),
        waiting=waiting.get(user.remote_id, 0),
        invited_until=until,
        expired=until is not None and until <= timezone.now(),
    )


def _waiting_invitations(users: list[RemoteUser]) -> dict[int, datetime]:
    """Membership id → when the open invitation ends or ended."""
    ids = [user.membership_id for user in users if user.membership_id]
    waiting = Invitation.objects.filter(membership__in=ids, accepted_at=None, revoked_at=None)
    return dict(waiting.order_by("id").values_list("membership_id", "expires_at"))


def _waiting_for(present: list[RemoteUser]) -> dict[int, int]:
    """Syncro user id → opportunities here that wait for them."""
    living = Opportunity.objects.filter(deleted_at=None, salesperson=None)
    theirs = living.filter(waits_for_remote_user__in=[user.remote_id for user in present])
    return dict(theirs.values_list("waits_for_remote_user").annotate(Count("pk")))


def _open_opportunities(left: list[RemoteUser]) -> dict[int, int]:
    """RemoteUser id → open opportunities of those who left: waiting for them, or the linked person's."""
    living = Opportunity.objects.filter(deleted_at=None, status__outcome=OppStatus.Outcome.OPEN)
    by_remote = living.filter(waits_for_remote_user__in=[user.remote_id for user in left])
    waiting = dict(by_remote.values_list("waits_for_remote_user").annotate(Count("pk")))
    members = {user.membership_id for user in left if user.membership_id}
    members -= there_again(members)
    held = dict(living.filter(salesperson__in=members).values_list("salesperson").annotate(Count("pk")))
    return {user.pk: waiting.get(user.remote_id, 0) + held.get(user.membership_id or 0, 0) for user in left}
