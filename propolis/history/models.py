"""What was planned, done, refused or undone to a record: the one table for preview, history, errors, undo."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from propolis.accounts.models import Membership
from propolis.accounts.scoping import TenantModel
from propolis.runs.models import Run


class Change(TenantModel):
    """One planned or done effect on one record; none for the unchanged.

    `fields` is {name: [before, after, why]}; `link_before` the Link's row before, for undo to put back.
    People's edits, merges and deletes are Changes too, with no run of an import but an actor.
    """

    class Action(models.TextChoices):
        CREATE = "create", "New"
        MERGE = "merge", "Merged"
        UPDATE = "update", "Updated"
        SAME = "same", "Already the same"
        REVIEW = "review", "Needs review"
        LEAVE_OUT = "leave_out", "Left out"
        FAIL = "fail", "Failed"
        DELETE = "delete", "Deleted"
        RESTORE = "restore", "Brought back"
        COMBINE = "combine", "Merged by hand"
        SEND = "send", "Sent to Syncro"
        NOTE = "note", "Note"

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        APPLIED = "applied", "Applied"
        SKIPPED = "skipped", "Skipped"
        HELD = "held", "Held"
        FAILED = "failed", "Failed"
        SENDING = "sending", "Sending"
        UNKNOWN = "unknown", "Outcome unknown"
        UNDONE = "undone", "Undone"

    run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="changes", db_index=False
    )
    seq = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=20)
    local_id = models.BigIntegerField(null=True, blank=True)
    link_id = models.BigIntegerField(null=True, blank=True)
    remote_kind = models.CharField(max_length=16, blank=True, default="")
    remote_id = models.BigIntegerField(null=True, blank=True)
    action = models.CharField(max_length=10, choices=Action.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.APPLIED)
    fields = models.JSONField(default=dict)
    link_before = models.JSONField(null=True, blank=True)
    args = models.JSONField(default=dict)
    reason = models.CharField(max_length=60, blank=True, default="")
    raw = models.TextField(null=True, blank=True)
    actor = models.ForeignKey(
        Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    undoes = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="undone_by",
        db_index=False,
    )
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [
            # What is only planned to be new has no id yet, and comes in when it has.
            models.Index(
                fields=["account", "kind", "local_id", "-id"],
                name="change_timeline",
                condition=models.Q(local_id__isnull=False),
            ),
            models.Index(fields=["undoes"], name="change_undone", condition=models.Q(undoes__isnull=False)),
            models.Index(fields=["run", "seq"], name="change_in_order"),
            models.Index(fields=["run", "state", "action", "reason", "id"], name="change_by_result"),
            # Only customers are asked for by run and Syncro id: while their contacts are planned.
            models.Index(
                fields=["run", "remote_id"], condition=models.Q(kind="company"), name="change_of_customer"
            ),
            models.Index(fields=["account", "at"], condition=models.Q(run=None), name="change_by_hand"),
            models.Index(fields=["link_id"], condition=models.Q(action="review"), name="change_of_review"),
        ]
