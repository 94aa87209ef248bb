"""The wall between tenants.

django-scopes carries the current account; by itself it lets unscoped `exists`, `bulk_create` and `save`
through and treats `account=None` as *all* accounts. The manager and model here refuse those: every read needs
a scope (or `unscoped()`, for the reaper, the pacer and tests), every write must be of the scope's account.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Generic, Self, TypeVar

from django.db import models
from django_scopes import get_scope, scope, scopes_disabled

LOOKED_UP_AT_ONCE = 1000

M = TypeVar("M", bound="TenantModel", covariant=True)


class ScopeMissing(Exception):
    """A tenant's rows were touched without saying whose."""


class ForeignAccount(Exception):
    """A row of another account was about to be written."""


def in_account(account: models.Model) -> AbstractContextManager[Any]:
    """Everything inside sees and writes this account's rows only."""
    if account is None or account.pk is None:
        raise ScopeMissing("an account is needed, None would mean all of them")
    found: AbstractContextManager[Any] = scope(account=account)
    return found


def unscoped() -> AbstractContextManager[Any]:
    """For work that belongs to no account: reaper, pacer, backups of the whole house, tests."""
    found: AbstractContextManager[Any] = scopes_disabled()
    return found


def current_account_id() -> int | None:
    """The scope's account, None inside `unscoped()`; ScopeMissing outside both."""
    state = get_scope()
    if not state.get("_enabled", True):
        return None
    account = state.get("account")
    if account is None:
        raise ScopeMissing("no account is in scope; use in_account(account)")
    return int(account.pk)


def check_account(row: TenantModel) -> None:
    """ForeignAccount unless the row belongs to the scope's account."""
    check_accounts([row])


def check_accounts(rows: Iterable[TenantModel]) -> None:
    """As `check_account`, for many."""
    mine = current_account_id()
    for row in rows:
        if mine is not None and row.account_id != mine:
            raise ForeignAccount(f"{row._meta.label} of account {row.account_id} written in account {mine}")


class TenantQuerySet(models.QuerySet[M], Generic[M]):
    """A query set that knows whether it was made without a scope; then it builds but never runs."""

    _refused = False

    def _clone(self) -> Self:
        clone = super()._clone()  # type: ignore[misc]
        clone._refused = self._refused
        return clone  # type: ignore[no-any-return]

    def refused(self) -> Self:
        self._refused = True
        return self

    def refuse_unscoped(self) -> None:
        """ScopeMissing if this query was made without an account."""
        if self._refused:
            raise ScopeMissing(f"{self.model._meta.label} was queried without an account")

    def _fetch_all(self) -> None:
        self.refuse_unscoped()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Any:
        self.refuse_unscoped()
        return super().iterator(*args, **kwargs)

    def exists(self) -> bool:
        self.refuse_unscoped()
        return super().exists()

    def count(self) -> int:
        self.refuse_unscoped()
        return super().count()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self.refuse_unscoped()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self.refuse_unscoped()
        account = kwargs.get("account", kwargs.get("account_id"))
        if account is not None and current_account_id() is not None:
            raise ForeignAccount(f"{self.model._meta.label} rows cannot be moved to another account")
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self.refuse_unscoped()
        return super().delete()

    def _raw_delete(self, using: str | None) -> int:
        self.refuse_unscoped()
        return super()._raw_delete(using)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        rows = list(objs)
        check_accounts(rows)
        if kwargs.get("update_conflicts"):
            self._check_targets(rows, kwargs.get("unique_fields") or ())
        return super().bulk_create(rows, *args, **kwargs)

    def _check_targets(self, rows: list[Any], unique_fields: Iterable[str]) -> None:
        """An upsert by a key without the account could overwrite another account's row of that key.

        A row that was read here carries its own key; keys of rows that were made are looked up.
        """
        made = [row for row in rows if row._state.adding]
        for name in {"pk", self.model._meta.pk.name, "uid"} & set(unique_fields):
            keys = [k for k in (getattr(row, name) for row in made) if k is not None]
            for start in range(0, len(keys), LOOKED_UP_AT_ONCE):
                some = {f"{name}__in": keys[start : start + LOOKED_UP_AT_ONCE]}
                theirs = self.model._base_manager.filter(**some).exclude(account_id=made[0].account_id)
                if theirs.exists():
                    raise ForeignAccount(f"{self.model._meta.label} of another account would be overwritten")

    def bulk_update(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> int:
        rows = list(objs)
        check_accounts(rows)
        return super().bulk_update(rows, *args, **kwargs)


class TenantManager(models.Manager[M], Generic[M]):
    def get_queryset(self) -> TenantQuerySet[M]:
        query: TenantQuerySet[M] = TenantQuerySet(self.model, using=self._db)
        try:
            mine = current_account_id()
        except ScopeMissing:
            return query.refused()
        return query if mine is None else query.filter(account_id=mine)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        return self.get_queryset().bulk_create(objs, *args, **kwargs)


class TenantModel(models.Model):
    """A row that belongs to one account."""

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    account_id: int

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        check_account(self)
        super().save(*args, **kwargs)

    def _do_update(self, base_qs: Any, *args: Any, **kwargs: Any) -> Any:
        # A row that carries another account's id must not be found by it.
        return super()._do_update(base_qs.filter(account_id=self.account_id), *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        check_account(self)
        stored = type(self)._base_manager.filter(pk=self.pk).exclude(account_id=self.account_id)
        if stored.exists():
            raise ForeignAccount(f"{self._meta.label} of another account would be deleted")
        return super().delete(*args, **kwargs)
