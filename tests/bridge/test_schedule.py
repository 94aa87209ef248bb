"""The daily import: off by default, offered when trusted, capped, and off again when something is undone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge import scheduling
from propolis.bridge.models import Connection
from propolis.bridge.scheduling import standing, switch_on
from propolis.crm.models import Company
from propolis.runs.models import Run, Schedule
from propolis.runs.schedules import start_due
from syncro_sandbox import SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import finish, go_on, import_all, ready
from tests.bridge.test_import_pages import words_of
from tests.bridge.undo_story import undo_all
from tests.people import Crew, client_of

pytestmark = pytest.mark.django_db(transaction=True)
SEED = SeedOptions(companies=8, contacts=12, leads=4, seed=5, contacts_without_customer=0)
BASE = "/acme/settings/integrations/syncro/"


@pytest.fixture
def acme(crew: Crew):
    with in_account(crew.account):
        yield crew.account


def its_time_has_come() -> Run:
    """The run the reaper starts when the schedule is due."""
    Schedule.objects.update(next_at=timezone.now() - timedelta(minutes=1))
    assert start_due() == 1
    return Run.objects.filter(kind="import").latest("id")


def test_it_waits_for_one_complete_import_and_is_offered_after_two(acme: Account, crew: Crew) -> None:
    with a_syncro(SEED) as syncro:
        ready(acme, syncro)
        assert (
            standing(acme).waits == "Waits for one complete import of companies, contacts and opportunities."
        )
        with pytest.raises(ValueError, match="Waits for one complete import"):
            switch_on(acme, hour=2, max_changes=None, by=crew.alice)
        import_all(acme)
        assert (standing(acme).waits, standing(acme).offered) == ("", False)
        second = import_all(acme)
        assert standing(acme).offered
        alice = client_of(crew.alice)
        assert "Two imports without a flaw" in words_of(alice.get(f"{BASE}imports/{second.number}/"))
        assert "Propolis can import every day by itself" in words_of(alice.get(BASE))


def test_an_account_that_moves_to_another_time_zone_has_its_own_hour_at_once(acme: Account) -> None:
    tomorrow = (timezone.now() + timedelta(days=1)).date()
    schedule = Schedule.objects.create(
        account=acme, kind="import", enabled=True, every_hours=24, at_minute=180,
        next_at=datetime(tomorrow.year, tomorrow.month, tomorrow.day, 3, tzinfo=UTC),
    )  # fmt: skip
    acme.time_zone = "Asia/Tokyo"
    acme.save()
    schedule.refresh_from_db()
    assert schedule.next_at is not None
    assert (schedule.next_at.hour, schedule.next_at > timezone.now()) == (18, True)
    overdue = timezone.now() - timedelta(minutes=1)
    Schedule.objects.update(next_at=overdue)
    acme.save()
    schedule.refresh_from_db()
    assert schedule.next_at == overdue


def test_every_day_at_an_hour_of_the_accounts_own_clock(acme: Account, crew: Crew) -> None:
    acme.time_zone = "America/New_York"
    acme.save()
    with a_syncro(SEED) as syncro:
        ready(acme, syncro)
        import_all(acme)
    alice = client_of(crew.alice)
    response = alice.post(BASE + "schedule/", {"hour": "3", "max_changes": "50"})
    assert (response.status_code, response["Location"]) == (302, BASE)
    schedule = Schedule.objects.get()
    assert (schedule.enabled, schedule.by, schedule.at_minute, schedule.every_hours) == (
        True,
        crew.alice,
        180,
        24,
    )
    assert schedule.next_at is not None
    assert schedule.next_at.astimezone(UTC).hour in (7, 8)
    assert timezone.now() < schedule.next_at <= timezone.now() + timedelta(hours=25)
    assert Connection.objects.get().max_changes == 50
    assert "Every day at 03:00" in words_of(alice.get(BASE))
    assert "more than 50 records would change" in words_of(alice.get(BASE))
    alice.post(BASE + "schedule/off/")
    assert "Switched off: By hand" in words_of(alice.get(BASE))
    assert standing(acme).next_at is None


def test_it_imports_all_by_itself_and_stops_above_the_cap(acme: Account, crew: Crew) -> None:
    with a_syncro(SEED) as syncro:
        ready(acme, syncro)
        import_all(acme)
        switch_on(acme, hour=2, max_changes=2, by=crew.alice)
        quiet = finish(its_time_has_come())
        assert (quiet.state, quiet.options["scheduled"]) == (Run.State.COMPLETE, True)
        for name in ("Kestrel", "Osprey", "Heron"):
            syncro.sandbox.create("customers", {"business_name": name})
        held = finish(its_time_has_come())
        assert (held.state, held.gate_reason, Company.objects.count()) == (
            "planned",
            "too_many_for_schedule",
            8,
        )
        page = words_of(client_of(crew.alice).get(f"{BASE}imports/{held.number}/"))
        assert "The scheduled import would change 3 records, more than the 2 you allow it." in page
        assert "Yes, change 3 companies." in page
        # The next night's plan takes the place of one nobody confirmed.
        again = finish(its_time_has_come())
        held.refresh_from_db()
        assert (held.state, again.gate_reason) == (Run.State.STOPPED, "too_many_for_schedule")
        assert go_on(again).state == Run.State.COMPLETE
    assert Company.objects.count() == 11


def test_it_waits_while_syncro_cannot_be_asked(acme: Account, crew: Crew) -> None:
    with a_syncro(SEED) as syncro:
        ready(acme, syncro)
        run = import_all(acme)
    switch_on(acme, hour=2, max_changes=None, by=crew.alice)
    Connection.objects.update(state=Connection.State.BROKEN)
    assert its_time_has_come() == run
    assert Schedule.objects.filter(next_at__gt=timezone.now()).count() == 1


def test_an_undo_switches_it_off_and_says_so(acme: Account, crew: Crew) -> None:
    with a_syncro(SEED) as syncro:
        ready(acme, syncro)
        run = import_all(acme)
        switch_on(acme, hour=2, max_changes=None, by=crew.alice)
        undo_all(run, crew.alice)
    now: Any = standing(acme)
    assert (now.enabled, now.off_because, now.waits[:9]) == (False, "An import was undone", "Waits for")
    assert "Switched off: An import was undone" in words_of(client_of(crew.alice).get(BASE))
    assert scheduling.clean_imports() == 0
    assert datetime.now(UTC) > run.created_at
