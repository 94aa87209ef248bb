"""API tokens: each belongs to a user and holds permissions chosen when it was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

LIST = "Customers - List/Search"
VIEW = "Customers - View Detail"
CREATE = "Customers - Create"
EDIT = "Customers - Edit"
DELETE = "Customers - Delete"
LEADS = "Leads - List/Search"
PERMISSIONS: tuple[str, ...] = (LIST, VIEW, CREATE, EDIT, DELETE, LEADS)
READING: tuple[str, ...] = (LIST, VIEW, LEADS)


@dataclass(frozen=True, slots=True)
class Token:
    """`value` is the secret and stays out of the repr. `only_customer`: a Single-Customer User's token."""

    value: str = field(repr=False)
    name: str
    permissions: frozenset[str]
    user_id: int
    expires_ms: int | None = None
    only_customer: int | None = None

    def may(self, permission: str | None) -> bool:
        return permission is None or permission in self.permissions

    def described(self) -> dict[str, object]:
        return {
            "name": self.name,
            "ends_with": self.value[-4:],
            "permissions": sorted(self.permissions),
            "user_id": self.user_id,
            "only_customer": self.only_customer,
        }


class TokenBook:
    """All living tokens. A revoked or expired one is refused like one that never was."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._tokens: dict[str, Token] = {}

    def add(
        self,
        user_id: int,
        permissions: Iterable[str] = PERMISSIONS,
        *,
        value: str | None = None,
        name: str = "",
        expires_ms: int | None = None,
        only_customer: int | None = None,
    ) -> Token:
        """Raises ValueError for a permission that Syncro has not (in the part imitated here)."""
        chosen = frozenset(permissions)
        if unknown := chosen - set(PERMISSIONS):
            raise ValueError(f"no such permission: {', '.join(sorted(unknown))}")
        value = value or f"T{self._hex(17)}-{self._hex(32)}"
        token = Token(
            value, name or f"token {len(self._tokens) + 1}", chosen, user_id, expires_ms, only_customer
        )
        self._tokens[value] = token
        return token

    def _hex(self, length: int) -> str:
        return f"{self._chance.getrandbits(4 * length):0{length}x}"

    def revoke(self, value: str) -> bool:
        """False if there was no such token."""
        return self._tokens.pop(value, None) is not None

    def revoke_of_user(self, user_id: int) -> None:
        self._tokens = {value: token for value, token in self._tokens.items() if token.user_id != user_id}

    def find(self, value: str | None, now_ms: int) -> Token | None:
        token = self._tokens.get(value or "")
        if token is None or (token.expires_ms is not None and token.expires_ms <= now_ms):
            return None
        return token

    def __iter__(self) -> Iterator[Token]:
        return iter(list(self._tokens.values()))
