"""Where the CRM and Syncro meet: the connection, its users and statuses, and a Link per Syncro record."""

from __future__ import annotations

from typing import ClassVar, Final

from django.db import models
from django.db.models.functions import Now

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import TenantModel
from propolis.crm.models import Company, Contact, Opportunity, OppStatus
from propolis.runs.models import Run
from propolis.syncro.permissions import PROBES, PermissionState


class Connection(TenantModel):
    """An account's Syncro: address, encrypted token, what the token may do, the choices for imports."""

    class State(models.TextChoices):
        NEW = "new", "Not connected"
        CONNECTED = "connected", "Connected"
        BROKEN = "broken", "Token refused"
        DISCONNECTED = "disconnected", "Disconnected"

    label = models.CharField(max_length=100, blank=True, default="")
    host = models.CharField(max_length=100, blank=True, default="")
    base_url = models.CharField(max_length=300, blank=True, default="")
    token_cipher = models.BinaryField(null=True)
    key_id = models.CharField(max_length=20, blank=True, default="")
    last4 = models.CharField(max_length=4, blank=True, default="")
    remote_account = models.CharField(max_length=100, blank=True, default="")
    remote_user_id = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.NEW)
    permissions = models.JSONField(default=dict)
    rule = models.CharField(max_length=20, default="more_current")
    field_rules = models.JSONField(default=dict)
    fields_chosen = models.JSONField(null=True, blank=True)
    custom_fields = models.JSONField(default=list)
    include_disabled = models.BooleanField(default=True)
    mail_leads = models.CharField(
        max_length=6, blank=True, default="", choices=[("leave", "Leave out"), ("import", "Import")]
    )
    old_leads_months = models.PositiveSmallIntegerField(null=True, blank=True)
    send_without_opportunity = models.CharField(max_length=6, default="warn")
    users_step = models.CharField(max_length=10, blank=True, default="")
    users_read_at = models.DateTimeField(null=True, blank=True)
    companies_read_at = models.DateTimeField(null=True, blank=True)
    contacts_read_at = models.DateTimeField(null=True, blank=True)
    opportunities_read_at = models.DateTimeField(null=True, blank=True)
    watermark = models.DateTimeField(null=True, blank=True)
    max_changes = models.PositiveIntegerField(null=True, blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    connected_by = models.ForeignKey(
        Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    checked_at = models.DateTimeField(null=True, blank=True)

    @property
    def lacks(self) -> list[str]:
        """The permissions an import needs that Syncro denied the saved token."""
        return [
            probe.name
            for probe in PROBES
            if probe.needed_for == "import"
            and self.permissions.get(probe.name, {}).get("state") == PermissionState.MISSING.value
        ]

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account"], name="connection_one_per_account"),
            models.UniqueConstraint(fields=["account", "id"], name="connection_in_account"),
        ]


class RemoteUser(TenantModel):
    """A Syncro user and which of ours it is."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="users", db_index=False)
    remote_id = models.BigIntegerField()
    name = models.CharField(max_length=255)
    email_key = models.CharField(max_length=254, blank=True, default="")
    group = models.CharField(max_length=255, blank=True, default="")
    membership = models.ForeignKey(
        Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="remote_users"
    )
    choice = models.CharField(
        max_length=9,
        default="auto",
        choices=[("auto", "By e-mail"), ("hand", "By hand"), ("leave_out", "Left out")],
    )
    first_seen_run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    first_seen_at = models.DateTimeField(db_default=Now())
    left_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "remote_id"], name="remoteuser_once")
        ]


class StatusMap(TenantModel):
    """Where a Syncro lead status goes; "Won, became a ticket" is a row of its own."""

    class Choice(models.TextChoices):
        MAP = "map", "Map"
        SKIP = "skip", "Do not import"
        UNMAPPED = "unmapped", "Not decided"

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="statuses", db_index=False
    )
    remote_status = models.CharField(max_length=200)
    became_ticket = models.BooleanField(default=False)
    status = models.ForeignKey(OppStatus, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    choice = models.CharField(max_length=8, choices=Choice.choices, default=Choice.UNMAPPED)
    send_back = models.BooleanField(default=False)
    seen = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "remote_status", "became_ticket"], name="statusmap_once"
            ),
            models.UniqueConstraint(
                fields=["connection", "status"],
                condition=models.Q(send_back=True),
                name="statusmap_send_back_once",
            ),
        ]


class Link(TenantModel):
    """One Syncro record and what became of it here.

    `agreed` holds the RAW remote values both sides last agreed on: a field changed there is one whose raw
    value differs from it. One of our records may carry several Links after a merge; one of them is
    `linked` (primary).
    """

    class Kind(models.TextChoices):
        CUSTOMER = "customer", "Customer"
        PERSON = "customer_person", "Person on a customer record"
        CONTACT = "contact", "Contact"
        LEAD = "lead", "Lead"

    class State(models.TextChoices):
        LINKED = "linked", "Linked"
        SECONDARY = "secondary", "Secondary"
        REVIEW = "review", "Needs review"
        SKIPPED = "skipped", "Skipped"
        LEFT_OUT = "left_out", "Left out"
        FAILED = "failed", "Failed"
        DELETED_HERE = "deleted_here", "Deleted here"
        GONE = "gone", "Not in Syncro any more"
        HIDDEN = "hidden", "Hidden in Syncro"
        ERASED = "erased", "Erased"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="links", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    remote_id = models.BigIntegerField()
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="links", db_index=False
    )
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="links", db_index=False
    )
    opportunity = models.ForeignKey(
        Opportunity, null=True, blank=True, on_delete=models.SET_NULL, related_name="links", db_index=False
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.LINKED)
    parent_id = models.BigIntegerField(null=True, blank=True)
    agreed = models.JSONField(default=dict)
    agreed_at = models.DateTimeField(null=True, blank=True)
    remote_updated_at = models.DateTimeField(null=True, blank=True)
    remote_hash = models.CharField(max_length=32, blank=True, default="")
    rule = models.CharField(max_length=40, blank=True, default="")
    candidates = models.JSONField(default=list)
    choice = models.CharField(max_length=12, blank=True, default="")
    choice_by = models.ForeignKey(
        Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    choice_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=60, blank=True, default="")
    newer_here = models.BooleanField(default=False)
    newer_fields = models.JSONField(default=list)
    rev = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "kind", "remote_id"], name="link_once"),
            models.UniqueConstraint(
                fields=["connection", "kind", "company"],
                condition=models.Q(state="linked", company__isnull=False),
                name="link_primary_company",
            ),
            models.UniqueConstraint(
                fields=["connection", "kind", "contact"],
                condition=models.Q(state="linked", contact__isnull=False),
                name="link_primary_contact",
            ),
            models.UniqueConstraint(
                fields=["connection", "kind", "opportunity"],
                condition=models.Q(state="linked", opportunity__isnull=False),
                name="link_primary_opp",
            ),
            models.CheckConstraint(
                name="link_to_one_at_most",
                condition=(
                    models.Q(company__isnull=True, contact__isnull=True)
                    | models.Q(company__isnull=True, opportunity__isnull=True)
                    | models.Q(contact__isnull=True, opportunity__isnull=True)
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "state", "kind", "id"], name="link_by_state"),
            # Asked for by `NEWER` alone; with it among the columns, SQLite prefers this to link_by_state.
            models.Index(
                fields=["account", "newer_here", "state", "kind", "id"],
                name="link_newer_here",
                condition=models.Q(newer_here=True),
            ),
            # Of these most Links have one or none: nothing is written for the rest.
            models.Index(
                # With the state, customers are told from prospects by this alone.
                fields=["company", "account", "state"],
                name="link_of_company",
                condition=models.Q(company__isnull=False),
            ),
            models.Index(
                fields=["contact", "account"],
                name="link_of_contact",
                condition=models.Q(contact__isnull=False),
            ),
            models.Index(
                fields=["opportunity", "account"],
                name="link_of_opp",
                condition=models.Q(opportunity__isnull=False),
            ),
            models.Index(
                fields=["connection", "kind", "parent_id"],
                name="link_children",
                condition=models.Q(parent_id__isnull=False),
            ),
        ]


# Said twice: the index holds only what the first says, and SQLite looks it up by the second.
NEWER: Final = models.Q(newer_here=True) & models.Q(newer_here__in=[True])


class Pacer(models.Model):
    """When the next request may leave this egress address; shared by all accounts, processes and machines."""

    egress = models.CharField(max_length=100, unique=True)
    next_at = models.FloatField(default=0)
    interval = models.FloatField(default=0.4)
    cool_until = models.FloatField(default=0)


class Backup(TenantModel):
    """A ZIP of one account's rows as CSV with a manifest; it holds Propolis, not Syncro."""

    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    file = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    why = models.CharField(max_length=60, blank=True, default="")
    verified_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account", "-id"], name="backup_newest")]


class Erasure(TenantModel):
    """A person who asked to be forgotten, kept as a salted hash so that an import leaves them out."""

    kind = models.CharField(max_length=16)
    remote_id = models.BigIntegerField(null=True, blank=True)
    email_hash = models.CharField(max_length=64, blank=True, default="")
    salt = models.CharField(max_length=32)
    at = models.DateTimeField(db_default=Now())


def connection_of(account: Account) -> Connection | None:
    """The account's connection, if one was ever saved; call with the account in scope."""
    return Connection.objects.filter(account=account).first()
