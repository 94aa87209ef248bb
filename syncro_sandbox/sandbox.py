"""The stand-in for one Syncro account: its records, tokens, switches and faults, and what it was asked."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from random import Random
from threading import RLock
from typing import Any

from . import dumping, shifting
from .faults import Fault, FaultBook, FaultKind
from .model import JSON, KINDS, Contact, Customer, Kind, Lead, User
from .parameters import Params
from .ratelimit import SlidingWindow
from .rendering import Renderer
from .seeding import SeedOptions, fill
from .store import Fields, Store
from .switches import Switches
from .tables import Table
from .tokens import PERMISSIONS, Token, TokenBook


class Sandbox:
    """All state of one imitated account. Safe to use from several threads: every request holds `lock`.

    `clock` gives seconds since 1970 and may be replaced to move time by hand. Switches are keyword
    arguments, or come all in `switches`.
    """

    def __init__(
        self,
        seed: SeedOptions | None = None,
        *,
        token: str | None = None,
        clock: Callable[[], float] = time.time,
        switches: Mapping[str, object] | None = None,
        **more_switches: object,
    ) -> None:
        self.lock = RLock()
        self.clock = clock
        self._given_switches = {**(switches or {}), **more_switches}
        self._given_token = token
        self.switches = Switches(self._given_switches)
        self._start(seed or SeedOptions())
        # What was printed at the start is good after any reset.
        self._given_token = self.token

    def _start(self, seed: SeedOptions) -> None:
        self.seed = seed
        self.chance = Random(f"requests {seed.seed}")
        self.window = SlidingWindow()
        self.faults = FaultBook()
        self.log: deque[dict[str, JSON]] = deque(maxlen=100_000)
        self.served = 0
        self.shifter = shifting.Shifter(seed.seed)
        self.store = Store(self.now_ms)
        self.renderer = Renderer(self.switches, seed.account_id, seed.subdomain)
        self.tokens = TokenBook(Random(f"tokens {seed.seed}"))
        owner = fill(self.store, seed)
        first = self.tokens.add(owner, value=self._given_token, name="every permission")
        self.token = first.value

    # -- time -----------------------------------------------------------------------------------------------

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    # -- what tests and the demo turn -----------------------------------------------------------------------

    def reset(self, seed: SeedOptions | None = None) -> None:
        """As at the start: records of the seed, the first token, switches as given, no faults, no log."""
        with self.lock:
            self.switches = Switches(self._given_switches)
            self._start(seed or self.seed)

    def set(self, switch: str, value: object) -> None:
        """Raises UnknownSwitch, naming what is allowed."""
        with self.lock:
            self.switches.set(switch, value)
            self.renderer.adjust(self.switches)
            for kind in KINDS:
                self.store.table(kind).forget_rendered()

    def add_token(
        self,
        permissions: Iterable[str] = PERMISSIONS,
        *,
        name: str = "",
        value: str | None = None,
        user_id: int | None = None,
        expires_in: float | None = None,
        only_customer: int | None = None,
    ) -> str:
        """The secret of a new token. `expires_in`: seconds. Raises ValueError for an unknown permission."""
        with self.lock:
            expires_ms = None if expires_in is None else self.now_ms() + int(expires_in * 1000)
            owner = self.owner.id if user_id is None else user_id
            return self.tokens.add(
                owner, permissions, value=value, name=name, expires_ms=expires_ms, only_customer=only_customer
            ).value

    def revoke_token(self, value: str) -> bool:
        """The token dies at once. False if it was not alive."""
        with self.lock:
            return self.tokens.revoke(value)

    def token_named(self, value: str | None) -> Token | None:
        return self.tokens.find(value, self.now_ms())

    def fault(self, kind: FaultKind, **how: Any) -> int:
        """Queue a fault (see Fault for `how`); the number to clear it by."""
        with self.lock:
            return self.faults.add(Fault(kind=kind, **how), self.clock())

    def clear_faults(self, number: int | None = None) -> None:
        with self.lock:
            self.faults.clear(number)

    # -- what was asked, what is held -----------------------------------------------------------------------

    @property
    def requests(self) -> list[dict[str, JSON]]:
        """Every API request so far, oldest first; tokens are left out."""
        with self.lock:
            return list(self.log)

    def forget_requests(self) -> None:
        with self.lock:
            self.log.clear()

    def dump(self) -> dict[str, JSON]:
        """All records in canonical order, with the fields Syncro never gives back."""
        with self.lock:
            return dumping.dump(self)

    @property
    def customers(self) -> Table[Customer]:
        return self.store.customers

    @property
    def contacts(self) -> Table[Contact]:
        return self.store.contacts

    @property
    def leads(self) -> Table[Lead]:
        return self.store.leads

    @property
    def users(self) -> Mapping[int, User]:
        return self.store.users

    @property
    def owner(self) -> User:
        """Whom the first token belongs to."""
        return next(iter(self.store.users.values()))

    def record(self, kind: Kind, row_id: int) -> dict[str, JSON]:
        """One record as in the dump. Raises KeyError."""
        with self.lock:
            return dumping.record(self, kind, self.store.table(kind)[row_id])

    # -- what a technician does in Syncro -------------------------------------------------------------------

    def create(
        self, kind: Kind, fields: Fields | None = None, *, at: float | None = None, **more: JSON
    ) -> int:
        """The id of a new record; nothing is validated. `at`: seconds since 1970, instead of now."""
        with self.lock:
            return self.store.create(kind, {**(fields or {}), **more}, at_ms=_ms(at)).id

    def edit(
        self, kind: Kind, row_id: int, fields: Fields | None = None, *, at: float | None = None, **more: JSON
    ) -> bool:
        """True if a value became another (then `updated_at` moved). Raises KeyError."""
        with self.lock:
            return self.store.edit(kind, row_id, {**(fields or {}), **more}, at_ms=_ms(at))

    def delete(self, kind: Kind, row_id: int) -> None:
        with self.lock:
            self.store.delete(kind, row_id)

    def archive(self, customer_id: int, disabled: bool = True) -> None:
        """Disabled customers are hidden from lists; `disabled=False` brings one back."""
        self.edit("customers", customer_id, disabled=disabled)

    def merge_customers(self, winner: int, loser: int) -> None:
        """The loser answers 404 from now on; its contacts and leads belong to the winner."""
        with self.lock:
            self.store.merge_customers(winner, loser)

    def distort(
        self, kind: Kind, row_id: int, values: Fields | None = None, drop: Iterable[str] = ()
    ) -> None:
        """From now on this record is answered with these raw values and without these keys."""
        with self.lock:
            self.store.distort(kind, row_id, values or {}, tuple(drop))

    def user_leaves(self, user_id: int) -> None:
        """The user is gone from /users, the tokens die; leads still name the id."""
        with self.lock:
            self.store.users.pop(user_id)
            self.tokens.revoke_of_user(user_id)

    def user_joins(self, email: str, full_name: str, group: str = "Technicians") -> int:
        """The id of the new user."""
        with self.lock:
            user_id = max(self.store.users, default=0) + 3
            now = self.now_ms()
            self.store.users[user_id] = User(
                id=user_id, email=email, full_name=full_name, group=group, admin=group == "Admins",
                color="55b932", created_ms=now, updated_ms=now,
            )  # fmt: skip
            return user_id

    def between_pages(self, kind: Kind, params: Params) -> None:
        """Called before a list page is served: with `mutate_while_paging` the list moves under the reader."""
        self.shifter.before_page(self, kind, params)


def _ms(at: float | None) -> int | None:
    return None if at is None else int(at * 1000)
