"""The database's clock: leases are compared by it alone, so machines may disagree about the time."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.expressions import Combinable
from django.db.models.functions import Now


def later(seconds: float) -> Combinable:
    """The database's now, plus seconds; negative for the past. For use inside a query."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())
