"""Alice's MSP and a Syncro for it, for the stories of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from propolis.accounts.models import Account, Membership, User
from propolis.accounts.scoping import unscoped
from propolis.bridge.connecting import connect
from propolis.bridge.models import Connection
from syncro_sandbox import Running, Sandbox, SeedOptions, serve

SMALL = SeedOptions(companies=4, contacts=6, leads=5, seed=3)


def an_account(slug: str = "acme") -> Account:
    with unscoped():
        return Account.objects.create(slug=slug, name=slug.title())


def a_member(account: Account, name: str, *roles: str, email: str = "", user: bool = True) -> Membership:
    """`roles` of Admin, Marketer, Salesperson; active, with a sign-in unless `user` is False."""
    email = email or f"{name.lower()}@{account.slug}.example"
    with unscoped():
        person = User.objects.create(email=email, name=name) if user else None
        return Membership.objects.create(
            account=account,
            user=person,
            email_key=email,
            name=name,
            state=Membership.State.ACTIVE if user else Membership.State.LINKED,
            **{f"is_{role.lower()}": True for role in roles},
        )


@contextmanager
def a_syncro(seed: SeedOptions = SMALL, **switches: Any) -> Iterator[Running]:
    """A Syncro on a real socket of this machine, without a rate limit."""
    with serve(Sandbox(seed, rate_limit=0, **switches)) as running:
        yield running


def connected(account: Account, syncro: Running, by: Membership | None = None) -> Connection:
    found = connect(
        account, address_or_base_url=syncro.base_url, token=syncro.token, by=by, allow_any_url=True
    )
    assert isinstance(found, Connection), found
    return found
