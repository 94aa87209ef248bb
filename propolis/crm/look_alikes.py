"""The table of look-alikes, a model of this app like those in models.py."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from propolis.accounts.scoping import TenantModel


class Duplicate(TenantModel):
    """Two records that look like one: derived, never the truth. `a` < `b`; `reasons` as in alike.py."""

    kind = models.CharField(max_length=12)
    a = models.BigIntegerField()
    b = models.BigIntegerField()
    score = models.PositiveSmallIntegerField()
    reasons = models.JSONField(default=list)
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "kind", "a", "b"], name="duplicate_once"),
            models.CheckConstraint(name="duplicate_in_order", condition=models.Q(a__lt=models.F("b"))),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "kind", "score", "id"], name="duplicate_by_score"),
            models.Index(fields=["account", "kind", "b"], name="duplicate_other"),
        ]
