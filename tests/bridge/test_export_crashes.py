"""Whatever dies or gets lost on the way, in whatever order: one record in Syncro, never two.

Four attempts, each clean, or our process dies before its POST, or the reply is lost, or our process dies after
its POST: 256 sequences, walked as a tree so that what two have in common happens once. After each, one clean
attempt. An attempt is what a person does: open the dialog, press Send. One that finds nothing left to send writes
nothing, so all sequences that go on from there end the same.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from propolis.accounts.models import Account
from propolis.bridge import export_outcome, exporting
from propolis.bridge.models import Connection, Link
from propolis.crm.models import Company, Contact
from syncro_sandbox import Running, Sandbox
from tests.bridge.export_story import (
    EMPTY,
    a_company,
    a_contact,
    an_opportunity,
    fresh,
    opened,
    pressed,
    ready_to_send,
    sent,
)
from tests.bridge.export_wire import FATES, Died, Fate, Wire, as_after_a_kill, through
from tests.bridge.house import a_syncro

pytestmark = pytest.mark.export_crash
ATTEMPTS = 4
Found = Counter[tuple[int, int]]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Wire]:
    settings.PROPOLIS_SEND_SETTLE_SECONDS = 0
    made = Wire()
    monkeypatch.setattr(exporting.JOB, "client", through(made))
    yield made
    made.cut()


@pytest.fixture(params=["as usual", "index lags", "no e-mail"])
def circumstances(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def syncro(circumstances: str) -> Iterator[Running]:
    lag = 3600 if circumstances == "index lags" else 0
    with a_syncro(EMPTY, index_lag=lag) as running:
        running.sandbox.create("customers", business_name="Somebody Else", phone="2125550100")
        yield running


@pytest.fixture
def connection(acme: Account, syncro: Running) -> Connection:
    return ready_to_send(acme, syncro)


def reach(circumstances: str, name: str) -> dict[str, str]:
    return (
        {"phone": "(212) 555-0142"}
        if circumstances == "no e-mail"
        else {"email": f"{name}@brightwater.example"}
    )


class Person:
    """Somebody who wants this record in Syncro, and presses until it is."""

    def __init__(self, connection: Connection, row: Company | Contact, wire: Wire) -> None:
        self.connection, self.row, self.wire = connection, row, wire
        self.idle = False

    def attempt(self, fate: Fate) -> None:
        self.wire.fate, self.idle = fate, False
        try:
            self._press()
        except Died:
            as_after_a_kill(self.wire)
        self.wire.fate = "clean"

    def _press(self) -> None:
        run = export_outcome.under_way(fresh(self.row))
        if run is not None:
            assert not export_outcome.is_asking(exporting.take_up(run))
            return
        draft = opened(self.connection, self.row)
        assert not draft.asking
        self.idle = not draft.possible
        if not self.idle:
            pressed(self.connection, draft)


@contextmanager
def as_it_was(box: Sandbox) -> Iterator[None]:
    """Afterwards both sides are as before."""
    kept = copy.deepcopy(box.store, {id(box): box})
    level = transaction.atomic()
    level._from_testcase = True  # type: ignore[attr-defined]
    with level:
        yield
        transaction.set_rollback(True)
    box.store = kept


def walk(box: Sandbox, person: Person, check: Callable[[], tuple[int, int]], depth: int = ATTEMPTS) -> Found:
    """How often each number of customers and contacts was found at the end, over all sequences from here."""
    found: Found = Counter()
    for fate in FATES if depth else ():
        with as_it_was(box):
            person.attempt(fate)
            assert max(check()) <= 1
            if person.idle:
                found[check()] += len(FATES) ** (depth - 1)
            else:
                found += walk(box, person, check, depth - 1)
    if not depth:
        with as_it_was(box):
            person.attempt("clean")
            found[check()] += 1
    return found


def made(box: Sandbox) -> tuple[int, int]:
    """Customers and contacts, besides the one that was there."""
    dump = box.dump()
    return len(dump["customers"]) - 1, len(dump["contacts"])


def linked() -> list[tuple[str, str]]:
    return sorted(Link.objects.values_list("kind", "state"))


def test_a_company(
    acme: Account, syncro: Running, connection: Connection, wire: Wire, circumstances: str
) -> None:
    row = a_company(acme, **reach(circumstances, "info"))
    an_opportunity(acme, row)
    person = Person(connection, row, wire)
    assert walk(syncro.sandbox, person, lambda: made(syncro.sandbox)) == {(1, 0): 256}


def test_a_contact(
    acme: Account, syncro: Running, connection: Connection, wire: Wire, circumstances: str
) -> None:
    company = a_company(acme)
    an_opportunity(acme, company)
    sent(connection, company)
    row = a_contact(acme, company, "Priya", "Raman", **reach(circumstances, "priya"))
    person = Person(connection, row, wire)
    assert walk(syncro.sandbox, person, lambda: made(syncro.sandbox)) == {(1, 1): 256}


def test_a_company_and_its_contact(
    acme: Account, syncro: Running, connection: Connection, wire: Wire, circumstances: str
) -> None:
    company = a_company(acme, **reach(circumstances, "info"))
    row = a_contact(acme, company, "Priya", "Raman", **reach(circumstances, "priya"))
    an_opportunity(acme, row)
    person = Person(connection, row, wire)
    assert walk(syncro.sandbox, person, lambda: made(syncro.sandbox)) == {(1, 1): 256}
    person.attempt("died after")
    person.attempt("clean")
    assert (linked(), made(syncro.sandbox)) == ([("contact", "linked"), ("customer", "linked")], (1, 1))
