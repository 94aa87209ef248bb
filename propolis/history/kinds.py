"""The kinds of records history knows, so that it can take an effect back without importing who owns them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, Protocol

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import TenantModel
from propolis.history.models import Change


class Adapter(Protocol):
    """What a kind of record must be able to do to be undone. Rows are never saved by `put`."""

    @property
    def model(self) -> type[TenantModel]: ...

    @property
    def follows(self) -> Mapping[str, str]:
        """Field → the field it is worked out from; it goes back exactly where that one does."""

    def values(self, row: Any) -> Mapping[str, Any]:
        """Every field as the plain value history keeps."""

    def put(self, row: Any, fields: Mapping[str, Any], account: Account) -> None:
        """Sets plain values and everything that follows from them."""

    def save(self, rows: Sequence[Any]) -> None:
        """Writes whole rows, each `rev` one higher; many at a time."""

    def in_use(self, rows: Sequence[Any], going: Set[tuple[str, int]]) -> Mapping[int, str]:
        """id → why a record cannot go, if something living hangs on it; `going`: (kind, id) that go too, and
        ("contact.company", id) of references that go back."""

    def bound(self, changes: Sequence[Change]) -> Mapping[int, str]:
        """Change id → why its further effects cannot be taken back; nothing for the others."""

    def unbind(self, done: Sequence[tuple[Change, Any]], actor: Membership | None) -> None:
        """Takes back what changes did to their rows beside fields: notes, lists, moved references."""


_adapters: dict[str, Adapter] = {}


class UnknownKind(KeyError):
    """A Change is about a kind nobody registered."""


def register_kind(kind: str, adapter: Adapter) -> None:
    """Called once per kind when the app that owns it is ready."""
    _adapters[kind] = adapter


def adapter_of(kind: str) -> Adapter:
    try:
        return _adapters[kind]
    except KeyError:
        raise UnknownKind(f"no kind {kind!r} is registered") from None


def is_registered(kind: str) -> bool:
    return kind in _adapters


def kind_of(row: TenantModel) -> str:
    """The kind a row belongs to, by its model."""
    for kind, adapter in _adapters.items():
        if isinstance(row, adapter.model):
            return kind
    raise UnknownKind(f"{row._meta.label} is of no registered kind")
