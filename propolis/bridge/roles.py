""" "Import users as": role types for Syncro's users, which makes them known here. It creates no sign-in."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from django.db import transaction

from propolis.accounts.models import Membership, audit
from propolis.bridge.models import Connection, RemoteUser
from propolis.bridge.waiting import attach_waiting

ROLES = ("Marketer", "Salesperson", "Admin")


@dataclass(frozen=True)
class Applied:
    """Persons made known here, persons whose role types changed, opportunities that got the salesperson they
    waited for, and a sentence for each user left as it was."""

    made: int
    changed: int
    attached: int
    refused: tuple[str, ...] = ()


def apply_roles(connection: Connection, roles: Mapping[int, Set[str]], *, by: Membership | None) -> Applied:
    """Gives each user (RemoteUser primary key) the named role types; an empty set is "No Types".

    A user not linked yet is linked to the person with the same e-mail, made if there is none. ValueError for
    a role type there is not.
    """
    if unknown := set().union(*roles.values()) - set(ROLES):
        raise ValueError(f"no such role type: {sorted(unknown)}")
    made = changed = 0
    refused: list[str] = []
    with transaction.atomic():
        rows = RemoteUser.objects.filter(connection=connection, pk__in=roles)
        for row in rows.select_related("membership").order_by("pk"):
            person, is_new = _person(row, connection)
            sentence = _why_not(row, person, roles[row.pk], by)
            if sentence or person is None:
                refused.append(sentence)
                continue
            changed += _give(person, roles[row.pk], is_new=is_new, by=by)
            made += is_new
            _link(row, person)
        attached = attach_waiting(connection, actor=by)
    return Applied(made, changed, attached, tuple(refused))


def _person(row: RemoteUser, connection: Connection) -> tuple[Membership | None, bool]:
    """Who the user is here, and whether that person is still to be made."""
    if row.membership is not None or not row.email_key:
        return row.membership, False
    known = Membership.objects.filter(email_key=row.email_key).first()
    new = Membership(account_id=connection.account_id, email_key=row.email_key, name=row.name[:200])
    return known or new, known is None


def _why_not(row: RemoteUser, person: Membership | None, roles: Set[str], by: Membership | None) -> str:
    if person is None:
        return f"Syncro has no e-mail address for {row.name}. Choose the person by hand."
    if by is not None and person.pk == by.pk and person.is_admin and "Admin" not in roles:
        return "You cannot take Admin from yourself. Ask another Admin to do it."
    if "Admin" not in roles and _is_last_admin(person):
        return f"{person} is the only Admin who can sign in. Make somebody else an Admin first."
    return ""


def _is_last_admin(person: Membership) -> bool:
    if not person.is_admin or person.state != Membership.State.ACTIVE:
        return False
    others = Membership.objects.filter(is_admin=True, state=Membership.State.ACTIVE)
    return not others.exclude(pk=person.pk).exists()


def _give(person: Membership, roles: Set[str], *, is_new: bool, by: Membership | None) -> int:
    """1 if an existing person's role types changed."""
    wanted = [role for role in ROLES if role in roles]
    if not is_new and wanted == person.role_types:
        return 0
    person.is_marketer, person.is_salesperson, person.is_admin = (role in roles for role in ROLES)
    _write(person, is_new=is_new)
    audit(person.account, by, "user.roles", membership=person.pk, roles=" ".join(wanted) or "none")
    return int(not is_new)


def _write(person: Membership, *, is_new: bool) -> None:
    """Without the signal of `save`: what follows from a role is done, and counted, here."""
    if is_new:
        Membership.objects.bulk_create([person])
        return
    fields = {name: getattr(person, name) for name in ("is_marketer", "is_salesperson", "is_admin")}
    Membership.objects.filter(pk=person.pk).update(**fields)


def _link(row: RemoteUser, person: Membership) -> None:
    if row.membership_id != person.pk:
        row.membership = person
        row.choice = "auto" if person.email_key == row.email_key else "hand"
        row.save(update_fields=["membership", "choice"])
