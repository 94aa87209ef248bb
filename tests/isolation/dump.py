"""An account's rows as they are, to see whether anything happened to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps

from propolis.accounts.models import Account
from propolis.accounts.scoping import TenantModel


@contextmanager
def rows_of(account: Account) -> Iterator[list[str]]:
    """Afterwards: the tables whose rows of this account are not as they were."""
    before = _rows(account)
    changed: list[str] = []
    yield changed
    after = _rows(account)
    changed += [table for table in after if after[table] != before[table]]


def _rows(account: Account) -> dict[str, list[tuple[Any, ...]]]:
    tenants = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    return {
        model._meta.label: list(model._base_manager.filter(account=account).order_by("pk").values_list())
        for model in tenants
    }
