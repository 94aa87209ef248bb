"""Invitations: a link by e-mail, valid 7 days, good once; only its hash is kept.

    linked ──invite──▶ invited ──accept──▶ active
                          │ ▲
                 revoke, expiry, resend (the older link dies)

Whoever already has a sign-in elsewhere in this house joins with it; nobody inviting learns that they had one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from propolis.accounts.models import Account, Invitation, Membership, User, audit
from propolis.accounts.scoping import in_account, unscoped

VALID_FOR = timedelta(days=7)
TO_FILES = "django.core.mail.backends.filebased.EmailBackend"

# Asked with the account whenever somebody presses "Invite"; each answers a sentence to show, or "".
before_inviting: list[Callable[[Account], str]] = []


class NoRole(Exception):
    """Somebody without a role type was to be invited; `str()` is the sentence for a person."""


@dataclass(frozen=True)
class Sent:
    """`link`: the whole address, known only now. `problem`: why the e-mail did not leave, "" when it did."""

    membership: Membership
    link: str
    problem: str = ""


def told(sent: Iterable[Sent]) -> tuple[str, list[str]]:
    """For the person who invited: who was sent an e-mail ("" for nobody), and a sentence for each of the others."""
    fine = [str(one.membership) for one in sent if not one.problem]
    noun = "invitation" if len(fine) == 1 else "invitations"
    return (
        f"{len(fine)} {noun} sent: {', '.join(fine)}." if fine else "",
        [
            f"No e-mail went to {one.membership}. {one.problem} Use “Copy link” beside their name instead."
            for one in sent
            if one.problem
        ],
    )


def invite(memberships: Iterable[Membership], by: Membership | None) -> list[Sent]:
    """Sends each an e-mail with a fresh link; older links of theirs die. Active people are passed over.

    NoRole, before anything is sent, when one of them holds no role type. A mail server that refuses does not
    undo the invitation: its link can still be copied.
    """
    people = [m for m in memberships if m.state in (Membership.State.LINKED, Membership.State.INVITED)]
    nobody = [str(m) for m in people if not m.role_types]
    if nobody:
        raise NoRole(f"Give a role first: {', '.join(nobody)}.")
    return [_send(m, new_link(m, by), by) for m in people]


@transaction.atomic
def new_link(membership: Membership, by: Membership | None) -> str:
    """A fresh link to copy, 7 days from now; older ones die."""
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    _open(membership).update(revoked_at=now)
    Invitation.objects.create(
        account_id=membership.account_id,
        membership=membership,
        token_hash=hash_of(token),
        expires_at=now + VALID_FOR,
        by=by,
    )
    membership.state = Membership.State.INVITED
    membership.save(update_fields=["state"])
    audit(membership.account, by, "user.invited", membership=membership.pk)
    return settings.PROPOLIS_URL + reverse("invite", args=[token])


def revoke(membership: Membership, by: Membership | None) -> bool:
    """Ends their open links; False when there was none."""
    ended = _open(membership).update(revoked_at=timezone.now())
    if ended:
        membership.state = Membership.State.LINKED
        membership.save(update_fields=["state"])
        audit(membership.account, by, "user.invitation_revoked", membership=membership.pk)
    return bool(ended)


def find(token: str) -> Invitation | None:
    """The invitation a link belongs to, still good; None for a wrong, used, revoked or old one."""
    with unscoped():
        found = (
            Invitation.objects.filter(
                token_hash=hash_of(token),
                accepted_at=None,
                revoked_at=None,
                expires_at__gt=timezone.now(),
            )
            .select_related("account", "membership__account", "by")
            .first()
        )
    invited = found is not None and found.membership.state == Membership.State.INVITED
    return found if invited and found is not None and found.membership.role_types else None


@transaction.atomic
def accept(invitation: Invitation, user: User, *, name: str = "") -> Membership | None:
    """The person joins the account; None when somebody was quicker with the same link. `name`: as they wrote it
    themselves, instead of what whoever invited them wrote."""
    with in_account(invitation.account):
        taken = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(
            accepted_at=timezone.now()
        )
        if not taken:
            return None
        membership = Membership.objects.select_for_update().get(pk=invitation.membership_id)
        membership.user = user
        membership.state = Membership.State.ACTIVE
        membership.name = name or membership.name
        membership.save(update_fields=["user", "state", "name"])
        audit(invitation.account, membership, "user.joined", membership=membership.pk)
    return membership


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _open(membership: Membership) -> QuerySet[Invitation]:
    return Invitation.objects.filter(membership=membership, accepted_at=None, revoked_at=None)


def _send(membership: Membership, link: str, by: Membership | None) -> Sent:
    account: Account = membership.account
    words = {"account": account, "membership": membership, "by": by, "link": link, "days": VALID_FOR.days}
    mail = EmailMessage(
        subject=" ".join(render_to_string("accounts/mail/invitation_subject.txt", words).split()),
        body=render_to_string("accounts/mail/invitation.txt", words),
        to=[membership.email_key],
    )
    try:
        mail.send()
    except OSError as error:
        return Sent(membership, link, f"The mail server refused: {error.__class__.__name__}.")
    if settings.EMAIL_BACKEND == TO_FILES:
        return Sent(membership, link, "No mail server is set up here; the letter was put into a file.")
    Invitation.objects.filter(
        membership=membership, token_hash=hash_of(link.rstrip("/").rsplit("/", 1)[1])
    ).update(sent_at=timezone.now())
    return Sent(membership, link)
