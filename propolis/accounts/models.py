"""Tenants, the people in them, and what those people may do."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now

from propolis.accounts.scoping import TenantModel

if TYPE_CHECKING:
    from collections.abc import Iterable

# First parts of addresses that are not accounts (propolis/urls.py).
RESERVED_SLUGS = frozenset(
    {"auth", "static", "invite", "healthz", "me", "favicon.ico", "robots.txt", "new", "choose"}
)


class Account(models.Model):
    """One MSP: a tenant. Its slug is the first part of every address of its pages."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.CharField(
        max_length=60,
        unique=True,
        validators=[RegexValidator(r"\A[a-z0-9][a-z0-9-]*\Z", "Small letters, digits and hyphens only.")],
    )
    name = models.CharField(max_length=200)
    phone_region = models.CharField(max_length=2, default="US")
    time_zone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="USD")
    next_run_no = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person who signs in; global, since one person may work in several accounts."""

    THEMES: ClassVar = [("", "As the system"), ("light", "Light"), ("dark", "Dark")]

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True, default="")
    is_active = models.BooleanField(default=True)
    theme = models.CharField(max_length=5, choices=THEMES, blank=True, default="")
    time_zone = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    # allauth asks these of any user model; nobody is a superuser here.
    is_staff = False
    is_superuser = False

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)


class Membership(TenantModel):
    """A person in an account, with role types; salesperson and actor references point here, never at User.

    States: `linked` (known from Syncro, no role, cannot sign in) · `invited` · `active` · `disabled`.
    """

    class State(models.TextChoices):
        LINKED = "linked", "Linked"
        INVITED = "invited", "Invited"
        ACTIVE = "active", "Active"
        DISABLED = "disabled", "Disabled"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="memberships"
    )
    email_key = models.CharField(max_length=254)
    name = models.CharField(max_length=200)
    is_admin = models.BooleanField(default=False)
    is_marketer = models.BooleanField(default=False)
    is_salesperson = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.LINKED)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "user"], name="membership_once_per_user"),
            models.UniqueConstraint(fields=["account", "email_key"], name="membership_once_per_email"),
            models.UniqueConstraint(fields=["account", "id"], name="membership_in_account"),
        ]

    def __str__(self) -> str:
        return self.name or self.email_key

    @property
    def role_types(self) -> list[str]:
        """In the article's words; empty means "No Types"."""
        held = (
            ("Marketer", self.is_marketer),
            ("Salesperson", self.is_salesperson),
            ("Admin", self.is_admin),
        )
        return [name for name, has in held if has]

    @property
    def may_sign_in(self) -> bool:
        return self.state == self.State.ACTIVE and bool(self.role_types)


class Invitation(TenantModel):
    """A one-time link, valid 7 days; only its hash is kept."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="invitations")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account", "membership"], name="invitation_of")]


class Audit(TenantModel):
    """Who did what to which objects; no personal values. The database refuses to change or delete a row."""

    actor = models.ForeignKey(Membership, null=True, on_delete=models.DO_NOTHING, related_name="+")
    verb = models.CharField(max_length=60)
    objects_ids = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account", "-id"], name="audit_newest")]


def audit(
    account: Account, actor: Membership | None, verb: str, **object_ids: int | str | Iterable[int]
) -> None:
    """One line in the account's audit log, e.g. `audit(acme, dana, "syncro.connected", connection=3)`."""
    kept = {k: v if isinstance(v, (int, str)) else list(v) for k, v in object_ids.items()}
    Audit.objects.create(account=account, actor=actor, verb=verb, objects_ids=kept)
