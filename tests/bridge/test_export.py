"""Send to Syncro, from the open dialog to the agreed Link."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.bridge import exporting
from propolis.bridge.models import Link
from propolis.crm import edit
from propolis.crm.models import Company
from propolis.history.models import Change
from propolis.runs import engine
from propolis.runs.models import Run
from syncro_sandbox import Running
from tests.bridge.export_story import (
    EMPTY,
    a_company,
    a_contact,
    an_opportunity,
    asked,
    fresh,
    opened,
    pressed,
    ready_to_send,
    sent,
    writes,
)
from tests.bridge.export_wire import Wire, through
from tests.bridge.house import a_syncro

END_OF_MARCH = datetime(2024, 3, 31, 23, 30, tzinfo=UTC).timestamp()


@pytest.fixture
def syncro() -> Iterator[Running]:
    with a_syncro(EMPTY) as running:
        yield running


@pytest.fixture
def connection(acme: Account, syncro: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """On a wire without pace: no story here is about waiting."""
    wire = Wire()
    monkeypatch.setattr(exporting.JOB, "client", through(wire))
    yield ready_to_send(acme, syncro)
    wire.cut()


def test_a_company_becomes_a_customer(
    acme: Account, alice: Membership, syncro: Running, connection: Any
) -> None:
    row = a_company(
        acme,
        email="Info@Brightwater.example",
        phone="(212) 555-0142",
        city="Portland",
        notes="Bell is broken",
    )
    an_opportunity(acme, row)
    run = sent(connection, row, by=alice)
    assert (run.state, run.slot) == (Run.State.COMPLETE, None)
    assert writes(syncro) == [
        (
            "POST",
            "/customers",
            {
                "business_name": "Brightwater Dental",
                "email": "Info@Brightwater.example",
                "phone": "(212) 555-0142",
                "city": "Portland",
            },
        )
    ]
    change = Change.objects.get(action=Change.Action.SEND)
    assert (change.state, change.actor, set(change.fields)) == (
        Change.State.APPLIED,
        alice,
        {"name", "email", "phone", "city"},
    )
    link = Link.objects.get(company=row)
    assert (link.state, link.rule, link.remote_id, link.newer_here) == (
        "linked",
        "sent",
        change.remote_id,
        False,
    )


def test_a_contact_takes_its_company_along(acme: Account, syncro: Running, connection: Any) -> None:
    row = a_company(acme)
    person = a_contact(acme, row, "Priya", "Raman", title="Office manager")
    an_opportunity(acme, person)
    draft = opened(connection, person)
    assert [part.words for part in draft.parts] == ["Will create a customer.", "Will create a contact."]
    pressed(connection, draft)
    customer = Link.objects.get(company=row).remote_id
    assert writes(syncro) == [
        ("POST", "/customers", {"business_name": "Brightwater Dental"}),
        (
            "POST",
            "/contacts",
            {"name": "Priya Raman", "properties": {"title": "Office manager"}, "customer_id": customer},
        ),
    ]


def test_only_what_is_ticked_travels(acme: Account, syncro: Running, connection: Any) -> None:
    row = a_company(acme, phone="(212) 555-0142", city="Portland")
    an_opportunity(acme, row)
    sent(connection, row)
    edit.update(acme, fresh(row), {"phone": "(212) 555-0190", "city": "Salem", "zip": "97301"}, actor=None)
    syncro.sandbox.forget_requests()
    run = sent(connection, row, "company.phone")
    number = Link.objects.get(company=row).remote_id
    assert run.state == Run.State.COMPLETE
    assert asked(syncro) == [
        f"GET /customers/{number}",
        f"GET /customers/{number}",
        f"PUT /customers/{number}",
    ]
    assert writes(syncro) == [("PUT", f"/customers/{number}", {"phone": "(212) 555-0190"})]
    link = Link.objects.get(company=row)
    assert (link.newer_fields, link.agreed["city"]) == (["city", "zip"], "Portland")


def sent_before(acme: Account, connection: Any) -> tuple[Company, int]:
    """A company that Syncro has from a send, and its customer's number."""
    row = a_company(acme, phone="(212) 555-0142")
    an_opportunity(acme, row)
    sent(connection, row)
    return row, Link.objects.get(company=row).remote_id


def test_what_syncro_changed_since_is_shown_again_and_not_overwritten(
    acme: Account, syncro: Running, connection: Any
) -> None:
    row, number = sent_before(acme, connection)
    edit.update(acme, fresh(row), {"phone": "(212) 555-0190"}, actor=None)
    draft = opened(connection, row)
    syncro.sandbox.edit("customers", number, phone="2125550111")
    syncro.sandbox.forget_requests()
    run = pressed(connection, draft)
    assert (run.state, run.error_code, writes(syncro)) == (Run.State.STOPPED, "send.changed", [])
    line = next(line for line in opened(connection, row).parts[0].changed if line.name == "phone")
    assert (line.now, line.ticked) == ("2125550111", False)
    assert line.note.startswith("Also changed in Syncro on ")


def test_when_syncro_changed_is_told_by_the_accounts_clock_and_with_another_year(
    acme: Account, syncro: Running, connection: Any
) -> None:
    row, number = sent_before(acme, connection)
    syncro.sandbox.edit("customers", number, phone="2125550111", at=END_OF_MARCH)
    with timezone.override("Asia/Tokyo"):
        line = next(line for line in opened(connection, row).parts[0].changed if line.name == "phone")
    assert line.note.startswith("Changed in Syncro on 1 Apr 2024, not here")


def test_a_refusal_is_syncros_own_words(acme: Account, syncro: Running, connection: Any) -> None:
    syncro.sandbox.create("customers", business_name="Other", email="info@brightwater.example")
    row = a_company(acme, name="Elsewhere", email="info@brightwater.example")
    an_opportunity(acme, row)
    draft = opened(connection, row, {"company": "new"})
    run = pressed(connection, draft)
    change = Change.objects.get(action=Change.Action.SEND)
    assert (run.state, change.state, change.args["refused"]["fields"]) == (
        Run.State.FAILED,
        Change.State.FAILED,
        {"email": ["Email has already been taken"]},
    )
    assert not Link.objects.exists()


def test_a_lost_reply_is_looked_for_and_nothing_is_sent_twice(
    acme: Account, syncro: Running, connection: Any
) -> None:
    row = a_company(acme)
    an_opportunity(acme, row)
    draft = opened(connection, row)
    syncro.sandbox.fault("lost_reply", method="POST")
    run = pressed(connection, draft)
    assert (run.state, len(syncro.sandbox.customers)) == (Run.State.COMPLETE, 1)
    assert Change.objects.get(action=Change.Action.SEND).args["found_after"] is True
    assert Link.objects.get(company=row).state == "linked"


@pytest.mark.parametrize("taken", ["documented", "all"])
class TestAnExtensionSyncroMayNotKeep:
    """It does not make what arrived unrecognisable after a lost answer."""

    @pytest.fixture
    def person(self, acme: Account, syncro: Running, connection: Any, taken: str) -> Any:
        syncro.sandbox.set("contact_fields", taken)
        person = a_contact(acme, a_company(acme), "Priya", "Raman", phone="(212) 555-0142", extension="12")
        an_opportunity(acme, person)
        return person

    def test_made(self, person: Any, syncro: Running, connection: Any) -> None:
        draft = opened(connection, person)
        syncro.sandbox.fault("lost_reply", method="POST", path="/contacts")
        run = pressed(connection, draft)
        assert (run.state, run.error_code, len(syncro.sandbox.contacts)) == (Run.State.COMPLETE, "", 1)

    def test_changed(self, acme: Account, person: Any, syncro: Running, connection: Any) -> None:
        sent(connection, person)
        for values in ({"phone": "(212) 555-0190", "extension": "14"}, {"extension": "15"}):
            edit.update(acme, fresh(person), values, actor=None)
            draft = opened(connection, person)
            syncro.sandbox.fault("lost_reply", method="PUT", path="/contacts/*")
            run = pressed(connection, draft)
            last = Change.objects.filter(run=run, action=Change.Action.SEND).get()
            assert (run.state, last.state, last.reason) == (Run.State.COMPLETE, Change.State.APPLIED, "")


class TestNobodyKnows:
    """No e-mail, and a Syncro that does not list its newest customers first: only a person can tell."""

    @pytest.fixture
    def row(self, acme: Account, syncro: Running, connection: Any, settings: Any) -> Any:
        settings.PROPOLIS_SEND_SETTLE_SECONDS = 0
        syncro.sandbox.set("customers_sort", "ignored")
        for name in ("Somebody Else", "Somebody Newer"):
            syncro.sandbox.create("customers", business_name=name)
        row = a_company(acme)
        an_opportunity(acme, row)
        return row

    def test_it_had_arrived(self, row: Any, syncro: Running, connection: Any) -> None:
        syncro.sandbox.fault("lost_reply", method="POST")
        run = sent(connection, row)
        assert (run.state, run.error_code) == (Run.State.NEEDS_ATTENTION, "send.cannot_tell")
        number = max(each.id for each in syncro.sandbox.customers)
        assert exporting.answer(run, str(number))
        engine.resume(run, None)
        assert exporting.take_up(run).state == Run.State.COMPLETE
        assert Link.objects.get(company=row).remote_id == number
        assert len(syncro.sandbox.customers) == 3

    def test_it_had_not(self, row: Any, syncro: Running, connection: Any) -> None:
        syncro.sandbox.fault("reset", method="POST")
        run = sent(connection, row)
        assert run.error_code == "send.cannot_tell"
        assert not exporting.answer(run, "perhaps")
        assert exporting.answer(run, "absent")
        engine.resume(run, None)
        assert exporting.take_up(run).state == Run.State.COMPLETE
        assert len(syncro.sandbox.customers) == 3

    def test_leave_it_as_it_is(self, row: Any, syncro: Running, connection: Any) -> None:
        syncro.sandbox.fault("reset", method="POST")
        run = sent(connection, row)
        assert engine.stop(run, None)
        change = Change.objects.get(action=Change.Action.SEND)
        assert (change.state, change.reason) == (Change.State.FAILED, "send.stopped")


def test_two_that_may_be_it_are_shown(acme: Account, syncro: Running, connection: Any, settings: Any) -> None:
    """Somebody made one of the same name in Syncro at the same moment."""
    settings.PROPOLIS_SEND_SETTLE_SECONDS = 0
    row = a_company(acme)
    an_opportunity(acme, row)
    draft = opened(connection, row)
    syncro.sandbox.fault("error", method="POST", status=504, applied=True)
    syncro.sandbox.fault("error", method="GET", query={"sort": "updated_at DESC"}, status=503, times=4)
    run = pressed(connection, draft)
    assert (run.state, run.error_code) == (Run.State.WAITING, "syncro.server_trouble")
    syncro.sandbox.create("customers", business_name="Brightwater Dental")
    engine.resume(run, None)
    run = exporting.take_up(run)
    assert (run.state, run.error_code) == (Run.State.NEEDS_ATTENTION, "send.several")
    assert [each for each, _ in exporting.question(run)["found"]] == sorted(syncro.sandbox.customers.rows)[
        ::-1
    ]


def test_a_write_that_was_never_carried_out_is_sent_once_more(
    acme: Account, syncro: Running, connection: Any, settings: Any
) -> None:
    settings.PROPOLIS_SEND_SETTLE_SECONDS = 0
    row = a_company(acme)
    an_opportunity(acme, row)
    draft = opened(connection, row)
    syncro.sandbox.fault("reset", method="POST")
    run = pressed(connection, draft)
    assert (run.state, len(writes(syncro)), len(syncro.sandbox.customers)) == (Run.State.COMPLETE, 2, 1)
    person = a_contact(acme, fresh(row), "Priya", "Raman")
    draft = opened(connection, person)
    syncro.sandbox.fault("reset", method="POST", times=2)
    run = pressed(connection, draft)
    assert (run.state, run.error_code, len(syncro.sandbox.contacts)) == (
        Run.State.FAILED,
        "send.not_there",
        0,
    )


def test_nothing_is_believed_absent_before_syncro_has_had_time(
    acme: Account, syncro: Running, connection: Any
) -> None:
    row = a_company(acme)
    an_opportunity(acme, row)
    draft = opened(connection, row)
    syncro.sandbox.fault("reset", method="POST")
    run = pressed(connection, draft)
    assert (run.state, run.error_code, len(writes(syncro))) == (Run.State.WAITING, "send.looking", 1)
    assert run.next_at is not None and run.next_at > timezone.now()


def test_too_many_requests_was_not_executed(acme: Account, syncro: Running, connection: Any) -> None:
    row = a_company(acme)
    an_opportunity(acme, row)
    draft = opened(connection, row)
    syncro.sandbox.fault("too_many", method="POST", seconds=0)
    assert pressed(connection, draft).state == Run.State.COMPLETE
    assert [each["status"] for each in syncro.sandbox.requests if each["method"] == "POST"] == [429, 200]


def test_half_a_pair_is_resumed_at_the_contact(acme: Account, syncro: Running, connection: Any) -> None:
    row = a_company(acme)
    person = a_contact(acme, row, "Priya", "Raman", email="priya at brightwater")
    an_opportunity(acme, row)
    run = sent(connection, person)
    assert (run.state, run.error_code) == (Run.State.FAILED, "syncro.refused")
    edit.update(acme, fresh(person), {"email": "priya@brightwater.example"}, actor=None)
    draft = opened(connection, person)
    assert [part.words for part in draft.parts] == ["Will create a contact."]
    assert pressed(connection, draft).state == Run.State.COMPLETE
    assert (len(syncro.sandbox.customers), len(syncro.sandbox.contacts)) == (1, 1)


def test_how_many_requests_it_takes(acme: Account, syncro: Running, connection: Any) -> None:
    """From the press: at most 5 for a new record, 4 for an update."""
    row = a_company(
        acme, email="info@brightwater.example", phone="(212) 555-0142", website="brightwater.example"
    )
    an_opportunity(acme, row)
    draft = opened(connection, row)
    syncro.sandbox.forget_requests()
    assert pressed(connection, draft).requests == len(syncro.sandbox.requests) == 5
    edit.update(acme, fresh(row), {"phone": "(212) 555-0190"}, actor=None)
    draft = opened(connection, row)
    syncro.sandbox.forget_requests()
    assert pressed(connection, draft).requests == len(syncro.sandbox.requests) == 2
