from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import in_account
from propolis.bridge import exporting
from syncro_sandbox import Running
from tests.bridge.export_story import EMPTY, ready_to_send
from tests.bridge.export_wire import Wire, through
from tests.bridge.house import a_member, a_syncro, an_account
from tests.people import Crew, client_of


@pytest.fixture(autouse=True)
def brisk(settings: Any) -> None:
    """No story here is about the pace."""
    settings.PROPOLIS_PACE = 60_000.0
    settings.PROPOLIS_PAUSE_SECONDS = 0.01


@pytest.fixture
def acme(db: None):
    account = an_account()
    with in_account(account):
        yield account


@pytest.fixture
def visitor(crew: Crew) -> Client:
    """Alice's browser, of an account that a file has with its people."""
    return client_of(crew.alice)


@pytest.fixture
def alice(acme: Account) -> Membership:
    return a_member(acme, "Alice", "Admin")


@pytest.fixture
def syncro(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """An empty Syncro, connected and mapped: ready to be sent to. Other stories have a fixture of their own."""
    wire = Wire()
    monkeypatch.setattr(exporting.JOB, "client", through(wire))
    with a_syncro(EMPTY) as running, in_account(crew.account):
        ready_to_send(crew.account, running)
        yield running
    wire.cut()
