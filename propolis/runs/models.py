"""Durable work: the Run row is the truth, tasks are door bells."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import TenantModel


class Run(TenantModel):
    """One import, undo, restore, backup or send, and how far it is.

    queued → reading → planned (at the gate, slot NULL) → applying → complete | incomplete
    any working state → waiting (Syncro trouble; next_at) → back · → paused → back · → needs_attention → back
    anything unfinished → stopped · failed

    `slot` is the lock: UNIQUE with the account while work is under way, NULL at the gate and when finished.
    `fence` rises with every claim; a batch is written only while it still holds. `attempt` counts the tries,
    `losses` the claims that died or ended in an unforeseen error, both since the last progress.
    `rung_at`: a wake-up is under way since then; NULL once a worker has answered it.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        READING = "reading", "Reading"
        PLANNED = "planned", "Ready to import"
        APPLYING = "applying", "Importing"
        WAITING = "waiting", "Waiting for Syncro"
        PAUSED = "paused", "Paused"
        NEEDS_ATTENTION = "needs_attention", "Needs attention"
        COMPLETE = "complete", "Complete"
        INCOMPLETE = "incomplete", "Incomplete"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"

    ENDED: ClassVar = frozenset({State.COMPLETE, State.INCOMPLETE, State.STOPPED, State.FAILED})
    WORKING: ClassVar = frozenset({State.QUEUED, State.READING, State.APPLYING, State.WAITING})

    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=30)
    slot = models.CharField(max_length=60, null=True, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    phase = models.CharField(max_length=40, blank=True, default="")
    options = models.JSONField(default=dict)
    fence = models.PositiveBigIntegerField(default=0)
    lease_owner = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    cursor = models.JSONField(default=dict)
    progress = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    attempt = models.PositiveIntegerField(default=0)
    losses = models.PositiveIntegerField(default=0)
    rung_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    stop_flag = models.CharField(
        max_length=6, blank=True, default="", choices=[("pause", "Pause"), ("stop", "Stop")]
    )
    by = models.ForeignKey(Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    undoes = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="undone_by"
    )
    gate_reason = models.CharField(max_length=60, blank=True, default="")
    error_code = models.CharField(max_length=60, blank=True, default="")
    error_detail = models.TextField(blank=True, default="")
    requests = models.PositiveIntegerField(default=0)
    waited = models.FloatField(default=0)
    worked = models.FloatField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    planned_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "slot"], name="run_one_per_slot"),
            models.UniqueConstraint(fields=["account", "number"], name="run_number"),
            models.UniqueConstraint(fields=["account", "id"], name="run_in_account"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "kind", "-id"], name="run_history"),
            models.Index(fields=["state", "lease_until"], name="run_reaper"),
        ]

    @property
    def ended(self) -> bool:
        return self.state in self.ENDED


class RunPage(models.Model):
    """A page as it was read, compressed; the body goes at the end, or 7 days after a preview."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="pages", db_index=False)
    phase = models.CharField(max_length=30)
    seq = models.PositiveIntegerField()
    read_at = models.DateTimeField()
    ids = models.JSONField(default=dict)
    meta = models.JSONField(default=dict)
    body = models.BinaryField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "phase", "seq"], name="runpage_once")]


class Schedule(TenantModel):
    """An import an Admin has switched on to happen by itself."""

    kind = models.CharField(max_length=30)
    enabled = models.BooleanField(default=False)
    every_hours = models.PositiveSmallIntegerField(default=24)
    at_minute = models.PositiveSmallIntegerField(default=120)
    options = models.JSONField(default=dict)
    next_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    off_because = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "kind"], name="schedule_once")]
        indexes: ClassVar = [models.Index(fields=["enabled", "next_at"], name="schedule_due")]


class Beat(models.Model):
    """A worker's sign of life, for the status page and the supervisor."""

    owner = models.CharField(max_length=100, unique=True)
    seen_at = models.DateTimeField()
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")


def next_number(account: Account) -> int:
    """The account's next run number; call inside a transaction."""
    Account.objects.filter(pk=account.pk).update(next_run_no=models.F("next_run_no") + 1)
    return int(Account.objects.values_list("next_run_no", flat=True).get(pk=account.pk)) - 1
