"""Companies, contacts, lists and opportunities. Has never heard of the API they may come from."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from propolis.accounts.models import Membership
from propolis.accounts.scoping import TenantModel
from propolis.crm import orders
from propolis.crm.look_alikes import Duplicate as Duplicate
from propolis.runs.models import Run

KEY = 200  # characters kept of a key, so that an index entry stays small whatever the value


def _key() -> models.CharField[str, str]:
    return models.CharField(max_length=KEY, blank=True, default="", editable=False)


def _text() -> models.TextField[str, str]:
    return models.TextField(blank=True, default="")


def _person() -> models.ForeignKey[Membership | None, Membership | None]:
    return models.ForeignKey(
        Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )


def _deleted(name: str) -> models.Index:
    """Narrower than every other index of the account, or SQLite, which keeps no statistics, takes another."""
    return models.Index(
        fields=["account"], name=f"{name}_deleted", condition=models.Q(deleted_at__isnull=False)
    )


def _living(name: str, *fields: str, **also: bool) -> models.Index:
    return models.Index(fields=fields, name=name, condition=models.Q(deleted_at=None, **also))


class Entity(TenantModel):
    """What companies, contacts and opportunities share.

    `edited_at` is the merge clock: moved by a person, CSV or API changing a synced field, set by an import to
    Syncro's time, never moved by lists, notes, salesperson or a merge. `rev` rises with every change.
    """

    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(db_default=Now())
    edited_at = models.DateTimeField(db_default=Now())
    rev = models.PositiveIntegerField(default=1)
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = _person()
    created_run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    salesperson = models.ForeignKey(
        Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    sort_name = _key()
    facts = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True


class NextStep(models.Model):
    next_step = _text()
    next_step_on = models.DateField(null=True, blank=True)
    next_step_by = _person()

    class Meta:
        abstract = True


class Reachable(models.Model):
    """E-mail, phones and postal address with their comparison keys (propolis/crm/keys.py)."""

    email = _text()
    email_key = _key()
    phone = _text()
    phone_key = _key()
    mobile = _text()
    mobile_key = _key()
    address_1 = _text()
    address_2 = _text()
    city = _text()
    state = _text()
    zip = _text()
    country = _text()
    notes = _text()

    class Meta:
        abstract = True


class Company(Entity, Reachable, NextStep):
    name = _text()
    name_key = _key()
    website = _text()
    domain = _key()
    residential = models.BooleanField(default=False)
    disabled_in_syncro = models.BooleanField(default=False)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        verbose_name_plural = "companies"
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "id"], name="company_in_account")]
        indexes: ClassVar = [
            models.Index(fields=["account", "sort_name", "id"], name="company_by_name"),
            models.Index(fields=["account", "created_at", "id"], name="company_by_created"),
            models.Index(fields=["account", "edited_at", "id"], name="company_by_edited"),
            models.Index(fields=["account", "domain"], name="company_domain"),
            models.Index(fields=["account", "email_key"], name="company_email"),
            models.Index(fields=["account", "phone_key"], name="company_phone"),
            models.Index(fields=["account", "mobile_key"], name="company_mobile"),
            models.Index(fields=["account", "name_key", "deleted_at"], name="company_name"),
            models.Index(fields=["account", "next_step_on"], name="company_next_step"),
            models.Index(fields=["account", "salesperson", "sort_name", "id"], name="company_by_salesperson"),
            models.Index(
                fields=["account", "deleted_at"],
                name="company_disabled",
                condition=models.Q(disabled_in_syncro=True),
            ),
            _deleted("company"),
        ]

    def __str__(self) -> str:
        return self.name


class Contact(Entity, Reachable):
    """A person. `mail_state` copies the truth in Suppression, which is per address."""

    class MailState(models.TextChoices):
        SUBSCRIBED = "subscribed", "Subscribed"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        BOUNCED = "bounced", "Bounced"

    first = _text()
    last = _text()
    name_key = _key()
    title = _text()
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="contacts", db_index=False
    )
    extension = _text()
    mail_state = models.CharField(max_length=12, choices=MailState.choices, default=MailState.SUBSCRIBED)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "id"], name="contact_in_account")]
        indexes: ClassVar = [
            models.Index(fields=["account", "sort_name", "id"], name="contact_by_name"),
            models.Index(fields=["account", "created_at", "id"], name="contact_by_created"),
            models.Index(fields=["account", "edited_at", "id"], name="contact_by_edited"),
            models.Index(fields=["account", "email_key", "deleted_at"], name="contact_email"),
            models.Index(fields=["account", "phone_key"], name="contact_phone"),
            models.Index(fields=["account", "mobile_key"], name="contact_mobile"),
            models.Index(fields=["account", "name_key"], name="contact_name"),
            models.Index(fields=["account", "company", "sort_name", "id"], name="contact_of_company"),
            models.Index(fields=["account", "mail_state", "sort_name", "id"], name="contact_by_mail"),
            models.Index(fields=["account", "salesperson", "sort_name", "id"], name="contact_by_salesperson"),
            _deleted("contact"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The whole name as shown, never empty."""
        return f"{self.first} {self.last}".strip() or self.email or self.phone or "Unnamed contact"


class Suppression(TenantModel):
    """An address nobody may be mailed at; the row outlives the contacts and is never undone by an import."""

    class Kind(models.TextChoices):
        UNSUBSCRIBED = "unsub", "Unsubscribed"
        BOUNCED = "bounce", "Bounced"

    email_key = models.CharField(max_length=KEY)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    source = models.CharField(max_length=60, blank=True, default="")
    reason = _text()
    by = _person()
    at = models.DateTimeField(db_default=Now())
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = _person()
    lifted_reason = _text()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "email_key", "kind"], name="suppression_once")
        ]


class List(TenantModel):
    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=KEY)
    system_key = models.CharField(max_length=30, null=True, blank=True)
    leads = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "name_key"], name="list_name_once"),
            models.UniqueConstraint(fields=["account", "system_key"], name="list_system_once"),
            models.UniqueConstraint(fields=["account", "id"], name="list_in_account"),
        ]

    def __str__(self) -> str:
        return self.name


class ListMember(TenantModel):
    """The row is the memory: `removed` by hand means later imports leave the contact off the list."""

    class State(models.TextChoices):
        IN = "in", "On the list"
        REMOVED = "removed", "Removed by hand"

    list = models.ForeignKey(List, on_delete=models.CASCADE, related_name="members", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="on_lists", db_index=False)
    state = models.CharField(max_length=7, choices=State.choices, default=State.IN)
    by = models.ForeignKey(
        Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["list", "contact"], name="listmember_once")]
        indexes: ClassVar = [
            models.Index(fields=["list", "state", "contact"], name="listmember_counted"),
            models.Index(fields=["contact", "state", "account"], name="listmember_of_contact"),
        ]


class OppStatus(TenantModel):
    class Outcome(models.TextChoices):
        OPEN = "open", "Open"
        WON = "won", "Won"
        LOST = "lost", "Lost"

    name = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=4, choices=Outcome.choices, default=Outcome.OPEN)
    archived = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "name"], name="oppstatus_name_once"),
            models.UniqueConstraint(fields=["account", "id"], name="oppstatus_in_account"),
        ]

    def __str__(self) -> str:
        return self.name


DEFAULT_STATUSES = (
    ("New", OppStatus.Outcome.OPEN),
    ("Qualified", OppStatus.Outcome.OPEN),
    ("Proposal", OppStatus.Outcome.OPEN),
    ("Negotiation", OppStatus.Outcome.OPEN),
    ("On hold", OppStatus.Outcome.OPEN),
    ("Won", OppStatus.Outcome.WON),
    ("Lost", OppStatus.Outcome.LOST),
)


class Opportunity(Entity, NextStep):
    name = _text()
    company = models.ForeignKey(
        Company,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="opportunities",
        db_index=False,
    )
    contact = models.ForeignKey(
        Contact,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="opportunities",
        db_index=False,
    )
    prospect_name = _text()
    prospect_email = _text()
    prospect_phone = _text()
    waits_for_remote_user = models.BigIntegerField(null=True, blank=True)
    status = models.ForeignKey(
        OppStatus, on_delete=models.PROTECT, related_name="opportunities", db_index=False
    )
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    likelihood = models.PositiveSmallIntegerField(null=True, blank=True)
    expected_close = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    notes = _text()

    class Meta:
        verbose_name_plural = "opportunities"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "id"], name="opportunity_in_account")
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "sort_name", "id"], name="opp_by_name"),
            models.Index(fields=["account", "created_at", "id"], name="opp_by_created"),
            models.Index(fields=["account", "edited_at", "id"], name="opp_by_edited"),
            models.Index("account", orders.AMOUNT, "id", name="opp_by_amount"),
            models.Index("account", orders.EXPECTED_CLOSE, "id", name="opp_by_close"),
            models.Index(fields=["account", "status", "id"], name="opp_by_status"),
            models.Index(fields=["account", "salesperson", "id"], name="opp_by_salesperson"),
            models.Index(fields=["account", "company"], name="opp_of_company"),
            models.Index(fields=["account", "contact"], name="opp_of_contact"),
            models.Index(fields=["account", "closed_at"], name="opp_by_closed"),
            models.Index(fields=["account", "next_step_on"], name="opp_next_step"),
            models.Index(fields=["account", "waits_for_remote_user"], name="opp_waits_for"),
            # Read alone: sums by status, and of each company who sold to it last.
            _living("opp_summed_up", "account", "status", "amount", "likelihood"),
            _living("opp_latest", "account", "company", "id", "salesperson", salesperson__isnull=False),
            _deleted("opp"),
        ]

    def __str__(self) -> str:
        return self.name


class Note(TenantModel):
    """A note or a logged call on exactly one record."""

    class Kind(models.TextChoices):
        NOTE = "note", "Note"
        CALL = "call", "Call"

    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=4, choices=Kind.choices, default=Kind.NOTE)
    company = models.ForeignKey(Company, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    opportunity = models.ForeignKey(
        Opportunity, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    body = models.TextField()
    by = _person()
    at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="note_on_exactly_one",
                condition=(
                    models.Q(company__isnull=False, contact__isnull=True, opportunity__isnull=True)
                    | models.Q(company__isnull=True, contact__isnull=False, opportunity__isnull=True)
                    | models.Q(company__isnull=True, contact__isnull=True, opportunity__isnull=False)
                ),
            )
        ]


class NotDuplicate(TenantModel):
    """Two records a person has said are not the same."""

    kind = models.CharField(max_length=12)
    a = models.BigIntegerField()
    b = models.BigIntegerField()
    by = _person()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "kind", "a", "b"], name="notduplicate_once"),
            models.CheckConstraint(name="notduplicate_in_order", condition=models.Q(a__lt=models.F("b"))),
        ]


class Columns(TenantModel):
    """The columns a person has chosen for a table."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=30)
    columns = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["membership", "page"], name="columns_once")]
