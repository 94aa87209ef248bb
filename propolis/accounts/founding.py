"""Founding an account, and its first Admin."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.dispatch import Signal

from propolis.accounts.models import RESERVED_SLUGS, Account, Membership, User, audit
from propolis.accounts.scoping import in_account

# Sent inside the founding transaction and the account's scope, with `account`; other apps add their defaults.
account_created = Signal()
# Sent in the account's scope with `account` and `by` when numbers without + belong to another country from now on.
region_changed = Signal()


def create_account(slug: str, name: str = "") -> Account:
    """A new account with everything a new account has. ValidationError if the slug cannot be used."""
    if slug in RESERVED_SLUGS:
        raise ValidationError({"slug": f"“{slug}” is used by Propolis itself; choose another."})
    account = Account(slug=slug, name=name or slug.replace("-", " ").title())
    account.full_clean()
    with transaction.atomic():
        account.save(force_insert=True)
        with in_account(account):
            account_created.send(sender=Account, account=account)
    return account


def make_admin(account: Account, email: str, password: str, name: str = "") -> tuple[Membership, bool]:
    """Makes the person with this e-mail an active Admin of the account; True if the person is new.

    A known person gets this password. ValidationError if the e-mail or the password will not do.
    """
    email = email.strip().lower()
    validate_email(email)
    with transaction.atomic(), in_account(account):
        user = User.objects.filter(email=email).first()
        validate_password(password, user or User(email=email, name=name))
        created = user is None
        user = user or User(email=email)
        user.name = name or user.name
        user.is_active = True
        user.set_password(password)
        user.save()
        EmailAddress.objects.update_or_create(
            user=user, email=email, defaults={"verified": True, "primary": True}
        )
        member = _admin(account, user)
        audit(account, None, "user.made_admin", membership=member.pk)
    return member, created


def _admin(account: Account, user: User) -> Membership:
    member = (
        Membership.objects.filter(email_key=user.email).first()
        or Membership.objects.filter(user=user).first()
    )
    member = member or Membership(account=account, email_key=user.email)
    member.user = user
    member.name = user.name or member.name or user.email.partition("@")[0]
    member.is_admin = True
    member.state = Membership.State.ACTIVE
    member.save()
    return member
