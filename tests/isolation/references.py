"""Which rows point at rows of another account: there must never be one."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import F, ForeignKey, QuerySet

from propolis.accounts.scoping import TenantModel


def references() -> list[ForeignKey[Any, Any]]:
    """Every foreign key from a tenant's table to a tenant's table."""
    return [
        field
        for model in apps.get_models()
        if issubclass(model, TenantModel)
        for field in model._meta.fields
        if isinstance(field, ForeignKey) and issubclass(field.related_model, TenantModel)
    ]


def crossing() -> dict[str, int]:
    """Foreign key → how many rows point across, of all accounts; {} when all is well. One question for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(*_asked())
        return {name: count for name, count in cursor.fetchall() if count}


@cache
def _asked() -> tuple[str, list[Any]]:
    parts, given = [], []
    for field in references():
        sql, parameters = _across(field).values("pk").query.sql_with_params()
        parts.append(f"SELECT %s, COUNT(*) FROM ({sql}) AS across")
        given += [named(field), *parameters]
    return " UNION ALL ".join(parts), given


def filled() -> set[str]:
    """The foreign keys that any row uses."""
    return {
        named(field)
        for field in references()
        if field.model._base_manager.filter(**{f"{field.name}__isnull": False}).exists()
    }


def named(field: ForeignKey[Any, Any]) -> str:
    return f"{field.model._meta.label}.{field.name}"


def _across(field: ForeignKey[Any, Any]) -> QuerySet[Any]:
    rows: QuerySet[Any] = field.model._base_manager.filter(**{f"{field.name}__isnull": False})
    return rows.exclude(**{f"{field.name}__account_id": F("account_id")}).order_by()
