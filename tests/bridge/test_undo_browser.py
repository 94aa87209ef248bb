"""Undo and the daily import with a keyboard: a note added since stays, the overwritten phone is back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.models import Connection
from propolis.crm import notes
from propolis.crm.models import Company, Contact, Note
from propolis.crm.rows import fill_company
from propolis.runs.models import Run, Schedule
from syncro_sandbox import SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import finish, import_all, ready
from tests.browser import assert_presentable, signed_in
from tests.people import Crew

pytestmark = pytest.mark.browser
BASE: Final = "/acme/settings/integrations/syncro/"
SEED: Final = SeedOptions(companies=3, contacts=8, leads=6, seed=5, contacts_without_customer=0)
# Each is looked at in light and dark, 1440 and 390 px wide: no axe violation, no sideways scroll.
STATES: Final = ("schedule", "undo preview", "undo under way", "receipt")


@pytest.fixture
def acme(house: Crew) -> Iterator[Account]:
    """A company that was here before; both Syncro and a person have something to say about it since."""
    with in_account(house.account):
        row = fill_company(
            Company(account=house.account),
            {"name": "Kestrel Logistics", "website": "kestrel.example", "phone": "303-555-0101"},
            "US",
        )
        row.save()
        Company.objects.update(edited_at="2020-01-01T00:00:00Z")
        with a_syncro(SEED) as syncro:
            told = {"business_name": "Kestrel Logistics", "email": "b@kestrel.example", "phone": "3035550199"}
            syncro.sandbox.create("customers", told)
            ready(house.account, syncro)
            import_all(house.account)
        assert Company.objects.get(pk=row.pk).phone == "3035550199"
        notes.add_note(row, "Asked for a quote", actor=house.bob)
        yield house.account


def the_undo() -> Run:
    return Run.objects.filter(kind="undo").get()


def test_an_import_is_undone_and_imported_daily_by_keyboard(
    acme: Account, house: Crew, page: Page, live_server: Any
) -> None:
    seen: list[str] = []

    def look(state: str) -> None:
        assert_presentable(page)
        seen.append(state)

    signed_in(page, live_server, house.alice)
    import_daily(page, live_server.url, look)
    run = Run.objects.get(kind="import")
    page.goto(f"{live_server.url}{BASE}imports/{run.number}/")
    page.get_by_role("link", name="Undo this import").press("Enter")
    page.get_by_role("button", name="Show what would go back").press("Enter")
    expect(page.get_by_role("heading", name="Looking at what goes back")).to_be_visible()
    look("undo under way")
    finish(the_undo())
    expect(page.get_by_role("heading", name="Preview: nothing is undone yet")).to_be_visible()
    look("undo preview")
    page.get_by_role("button", name="Undo this import").press("Enter")
    expect(page.get_by_role("heading", name="Undoing")).to_be_visible()
    finish(the_undo())
    expect(page.locator("#main")).to_contain_text("Undone:")
    look("receipt")
    kestrel = Company.objects.get(name="Kestrel Logistics")
    note = Note.objects.get(company=kestrel)
    assert (kestrel.phone, note.body, note.deleted_at) == ("303-555-0101", "Asked for a quote", None)
    assert Contact.objects.filter(deleted_at=None).count() == 0
    page.goto(f"{live_server.url}{BASE}")
    expect(page.locator("#schedule")).to_contain_text("Switched off:")
    assert sorted(seen) == sorted(STATES)


def test_the_states_are_all_there() -> None:
    assert len(STATES) == 4


def import_daily(page: Page, root: str, look: Callable[[str], None]) -> None:
    """Switched on, with a cap on changes."""
    page.goto(f"{root}{BASE}")
    page.get_by_role("link", name="Import every day…").press("Enter")
    look("schedule")
    page.get_by_label("Every day at").select_option(label="03:00")
    page.get_by_label("Stop if more than this many records would change").fill("50")
    page.get_by_role("button", name="Switch on").press("Enter")
    expect(page.locator("#schedule")).to_contain_text("Every day at 03:00")
    expect(page.locator("#schedule")).to_contain_text("Stops and asks if more than 50 records would change.")
    schedule = Schedule.objects.get()
    assert (schedule.enabled, schedule.at_minute, Connection.objects.get().max_changes) == (True, 180, 50)
