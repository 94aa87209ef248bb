"""What the kill tests call inside a process of their house."""

from __future__ import annotations

import hashlib

from propolis.accounts.founding import create_account
from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.connecting import client_for, connect
from propolis.bridge.dumping import canonical_dump
from propolis.bridge.importing import start_import
from propolis.bridge.models import Connection
from propolis.bridge.people import read_users
from propolis.history.models import Change

OBJECTS = ["companies", "contacts", "opportunities"]


def begin(base_url: str, token: str) -> int:
    """An account connected to this Syncro, and an import of everything started; the run's id."""
    account = create_account("acme", "Acme")
    with in_account(account):
        found = connect(account, address_or_base_url=base_url, token=token, by=None, allow_any_url=True)
        assert isinstance(found, Connection), found
        with client_for(found) as client:
            read_users(found, client)
        run, _ = start_import(account, OBJECTS, gate_first_import=False)
    return run.pk


def again() -> int:
    """Another import of everything."""
    account = Account.objects.get()
    with in_account(account):
        return start_import(account, OBJECTS, gate_first_import=False)[0].pk


def dump() -> dict[str, object]:
    """The whole account in a form two installations can be compared by."""
    account = Account.objects.get()
    with in_account(account):
        lines = list(canonical_dump(account))
        words = sorted(Change.objects.values_list("kind", "action", "state", "remote_id"))
    text = "\n".join(lines)
    changes = hashlib.sha256(repr(words).encode()).hexdigest()
    return {"lines": len(lines), "sha256": hashlib.sha256(text.encode()).hexdigest(), "changes": changes}
