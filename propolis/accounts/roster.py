"""Changing who is in an account, without locking everybody out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from propolis.accounts import invitations
from propolis.accounts.forms import ROLE_FIELDS
from propolis.accounts.models import Account, Membership, audit

# Asked after somebody was disabled: `(person) -> url name` of a page, taking the person's id, where what they
# leave behind is handed over; "" where there is nothing.
after_disabling: list[Callable[[Membership], str]] = []


class LastAdmin(Exception):
    """The account would be left without an Admin; `str()` is the sentence for a person."""

    def __init__(self, person: Membership) -> None:
        super().__init__(f"{person} is the only Admin who can sign in. Make somebody else an Admin first.")


@transaction.atomic
def change(person: Membership, given: dict[str, Any], by: Membership) -> None:
    """New name, role types and, for somebody who has not joined yet, e-mail address. LastAdmin."""
    Account.objects.select_for_update().get(pk=person.account_id)
    if not given["is_admin"]:
        _refuse_last(person)
    moved = given.get("email", person.email_key) != person.email_key
    if moved:
        # A link sent to the old address must not open the account for the new one.
        invitations.revoke(person, by)
        person.email_key = given["email"]
    person.name = given["name"]
    for field in ROLE_FIELDS:
        setattr(person, field, given[field])
    person.save()
    audit(person.account, by, "user.changed", membership=person.pk, roles=",".join(person.role_types))


@transaction.atomic
def set_enabled(person: Membership, enabled: bool, by: Membership) -> None:
    """Lets a leaver in no more, or again. LastAdmin."""
    Account.objects.select_for_update().get(pk=person.account_id)
    if not enabled:
        _refuse_last(person)
        invitations.revoke(person, by)
    back = Membership.State.ACTIVE if person.user_id else Membership.State.LINKED
    person.state = back if enabled else Membership.State.DISABLED
    person.save(update_fields=["state"])
    audit(person.account, by, "user.enabled" if enabled else "user.disabled", membership=person.pk)


def _refuse_last(person: Membership) -> None:
    others = Membership.objects.filter(is_admin=True, state=Membership.State.ACTIVE).exclude(pk=person.pk)
    if person.is_admin and person.state == Membership.State.ACTIVE and not others.exists():
        raise LastAdmin(person)
