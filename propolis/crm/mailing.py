"""Who may be mailed: a fact about an **address**, copied to every contact of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.crm.keys import email_key
from propolis.crm.models import Contact, Suppression
from propolis.history.door import keep
from propolis.history.models import Change

_STATE = {
    Suppression.Kind.UNSUBSCRIBED: Contact.MailState.UNSUBSCRIBED.value,
    Suppression.Kind.BOUNCED: Contact.MailState.BOUNCED.value,
}


class ReasonMissing(ValueError):
    """Re-subscribing somebody needs a reason."""


def states(keys: Collection[str]) -> dict[str, str]:
    """email_key → the contacts' mail_state, for addresses that are not simply subscribed; one query."""
    found: dict[str, str] = {}
    if keys:
        standing = Suppression.objects.filter(email_key__among=keys, lifted_at=None)
        for key, kind in standing.order_by("kind").values_list("email_key", "kind"):
            found[key] = _STATE[Suppression.Kind(kind)]  # "bounce" < "unsub": unsubscribed wins
    return found


def state_of(key: str) -> str:
    """The mail_state of one address."""
    return states([key] if key else []).get(key, Contact.MailState.SUBSCRIBED)


def suppress(
    account: Account,
    email: str,
    kind: Suppression.Kind,
    *,
    actor: Membership | None,
    source: str = "by hand",
    reason: str = "",
) -> bool:
    """Nobody at this address is mailed any more; False where that was so already or it is no address."""
    key = email_key(email)
    if not key:
        return False
    with transaction.atomic():
        row, made = Suppression.objects.select_for_update().get_or_create(
            account=account,
            email_key=key,
            kind=kind,
            defaults={"source": source, "reason": reason, "by": actor},
        )
        if not made:
            if row.lifted_at is None:
                return False
            row.lifted_at = row.lifted_by = None
            row.lifted_reason = ""
            row.source, row.reason, row.by, row.at = source, reason, actor, timezone.now()
            row.save()
        copy_to_contacts(account, [key], actor=actor)
    return True


def stop_mailing(
    account: Account, emails: Collection[str], kind: Suppression.Kind, *, source: str, at: datetime
) -> None:
    """What an import says of these addresses (keys), for every contact that has one.

    An address a person re-subscribed stays so. Call in a transaction; the contacts' histories say nothing of it.
    """
    if not emails:
        return
    Suppression.objects.bulk_create(
        [
            Suppression(account_id=account.pk, email_key=email, kind=kind, source=source, at=at)
            for email in sorted(emails)
        ],
        ignore_conflicts=True,
    )
    standing = Suppression.objects.filter(email_key__among=emails, kind=kind, lifted_at__isnull=True)
    behind = [Contact.MailState.SUBSCRIBED]
    if kind == Suppression.Kind.UNSUBSCRIBED:
        behind.append(Contact.MailState.BOUNCED)  # unsubscribed wins, as in `states`
    Contact.objects.filter(email_key__in=standing.values("email_key"), mail_state__in=behind).update(
        mail_state=_STATE[kind]
    )


def lift(account: Account, email: str, *, actor: Membership, reason: str) -> bool:
    """The address may be mailed again, for every contact of it; ReasonMissing without a reason."""
    if not reason.strip():
        raise ReasonMissing("Say why they may be mailed again")
    key = email_key(email)
    with transaction.atomic():
        lifted = Suppression.objects.filter(email_key=key, lifted_at=None).update(
            lifted_at=timezone.now(), lifted_by=actor, lifted_reason=reason.strip()
        )
        copy_to_contacts(account, [key], actor=actor)
    return bool(lifted)


def copy_to_contacts(account: Account, keys: Iterable[str], *, actor: Membership | None) -> int:
    """Brings mail_state of every contact of these addresses in line with the truth; how many changed."""
    wanted = [key for key in keys if key]
    now = states(wanted)
    changes: list[Change] = []
    for contact in Contact.objects.filter(email_key__in=wanted).only("account_id", "email_key", "mail_state"):
        state = now.get(contact.email_key, Contact.MailState.SUBSCRIBED)
        if contact.mail_state != state:
            changes.append(_mail_change(contact, state, actor))
    for state in Contact.MailState.values:
        ids = [c.local_id or 0 for c in changes if c.args["mail"][1] == state]
        if ids:
            Contact.objects.filter(pk__in=ids).update(mail_state=state, rev=F("rev") + 1)
    return keep(changes)


def _mail_change(contact: Contact, state: str, actor: Membership | None) -> Change:
    return Change(
        account_id=contact.account_id,
        kind="contact",
        local_id=contact.pk,
        action=Change.Action.UPDATE,
        actor=actor,
        args={"mail": [contact.mail_state, state]},
        reason="mail",
    )
