"""An installation for one measure: temporary data, a database, a Syncro without a limit. Gone afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from propolis.cli.demo_house import Syncro

if TYPE_CHECKING:
    from propolis.accounts.models import Account, Membership
    from propolis.bridge.models import Connection

POSTGRES = os.environ.get("PROPOLIS_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
# As good as no pace at all.
UNPACED = "10000000"
SLUG = "acme"


@dataclass(frozen=True)
class Size:
    companies: int
    contacts: int
    leads: int


@dataclass(frozen=True)
class House:
    account: Account
    alice: Membership
    connection: Connection
    syncro: Syncro


@contextmanager
def open_house(size: Size, database: str = "sqlite", **settings: str) -> Iterator[House]:
    """Sets this process's environment, so Django must not be loaded yet; the body runs in the account's scope.

    `database`: "sqlite" or "postgres".
    """
    with _data(database, settings), _syncro(size) as syncro:
        from propolis.cli import ready

        ready()
        from propolis.accounts.scoping import in_account

        house = _founded(syncro)
        with in_account(house.account):
            yield house


@contextmanager
def _data(database: str, settings: dict[str, str]) -> Iterator[None]:
    folder = tempfile.mkdtemp(prefix="propolis-bench-")
    os.environ |= {"PROPOLIS_DATA_DIR": folder, "PROPOLIS_PACE": UNPACED, **settings}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "propolis.settings")
    os.environ.pop("DATABASE_URL", None)
    try:
        if database == "sqlite":
            yield
            return
        name = f"propolis_bench_{secrets.token_hex(4)}"
        with psycopg.connect(POSTGRES, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"'.encode())
            os.environ["DATABASE_URL"] = POSTGRES.rpartition("/")[0] + f"/{name}"
            try:
                yield
            finally:
                admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _syncro(size: Size) -> Iterator[Syncro]:
    syncro = Syncro(size.companies, size.contacts, size.leads, "--rate-limit", "0")
    try:
        yield syncro
    finally:
        syncro.close()


def _founded(syncro: Syncro) -> House:
    from propolis.accounts.founding import create_account, make_admin
    from propolis.accounts.scoping import in_account
    from propolis.bridge import connecting, people
    from propolis.bridge.models import Connection

    account = create_account(SLUG, "Acme Managed IT")
    alice, _ = make_admin(account, "alice@acme.example", secrets.token_hex(8), "Alice Moreau")
    with in_account(account):
        made = connecting.connect(
            account, address_or_base_url=syncro.base_url, token=syncro.token, by=alice, allow_any_url=True
        )
        assert isinstance(made, Connection), made
        with connecting.client_for(made) as client:
            people.read_users(made, client)
    return House(account, alice, made, syncro)


def imported(house: House, *objects: str) -> Any:
    """Imports these (all if none are named) to the end, in this process; the run."""
    from propolis.bridge.importing import OBJECTS, start_import
    from propolis.runs.engine import work

    run, _ = start_import(house.account, list(objects or OBJECTS), by=house.alice, gate_first_import=False)
    while not run.ended:
        outcome = work(run.pk).outcome
        run.refresh_from_db()
        assert outcome in ("slice", "ended"), (outcome, run.state, run.error_code, run.error_detail)
    assert run.state == "complete", (run.state, run.error_code, run.error_detail)
    return run
