"""Backups in a real browser: presentable in every state, and a restore with the keyboard alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from propolis.accounts.scoping import in_account
from propolis.bridge.backup_jobs import start_backup
from propolis.bridge.backup_restoring import start_restore
from propolis.bridge.backups import BEFORE_IMPORT, make_backup, path_of
from propolis.bridge.models import Backup
from propolis.crm import edit
from propolis.crm.fields import Kind
from propolis.crm.models import Company, OppStatus
from propolis.runs.engine import confirm, work
from propolis.runs.models import Run
from tests.browser import assert_presentable, set_look, signed_in
from tests.people import Crew

pytestmark = pytest.mark.browser
ROOT = "/acme/settings/backups/"
STATES = (
    *("empty", "making", "list", "delete", "upload", "upload refused", "comparing", "preview"),
    *("preview refused", "nothing differs", "applying", "restored", "stopped", "file gone"),
)


@pytest.fixture
def house(house: Crew, settings: Any, tmp_path: Path) -> Crew:
    settings.DATA_DIR = tmp_path / "data"
    with in_account(house.account):
        OppStatus.objects.create(account=house.account, name="New")
        edit.create(house.account, Kind.COMPANY, {"name": "Brightwater", "city": "York"}, actor=house.bob)
    return house


def worked(run: Run) -> None:
    while work(run.pk, seconds=1).outcome == "slice":
        pass


def since(house: Crew) -> None:
    with in_account(house.account):
        row = Company.objects.get()
        edit.update(house.account, row, {"city": "A town with a rather long name"}, actor=house.bob)


def backed_up(house: Crew, **how: Any) -> Backup:
    return make_backup(house.account, by=house.alice, **how)


def restoring(house: Crew, backup: Backup, *, compared: bool = True) -> str:
    with in_account(house.account):
        run, _ = start_restore(house.account, backup, by=house.alice)
        if compared:
            worked(run)
    return f"{ROOT}restores/{run.number}/"


def the_run(house: Crew) -> Run:
    with in_account(house.account):
        return Run.objects.latest("id")


def put_in_state(page: Any, house: Crew, state: str, to: str, tmp_path: Path) -> None:
    """Shows the page in one of STATES; `to` is the address of the backups page."""
    root = to.removesuffix(ROOT)
    if state == "empty":
        page.goto(to)
        return
    if state == "making":
        start_backup(house.account, by=house.alice)
        page.goto(to)
        return
    backup = backed_up(house)
    if state in ("list", "file gone"):
        backed_up(house, why=BEFORE_IMPORT)
        if state == "file gone":
            path_of(backup).unlink()
        page.goto(to)
        page.get_by_role("button", name="Actions for the backup of").first.click()
    elif state == "delete":
        page.goto(f"{to}{backup.pk}/delete/")
    elif state.startswith("upload"):
        page.goto(to + "upload/")
        if state == "upload refused":
            cut = tmp_path / "cut.zip"
            cut.write_bytes(path_of(backup).read_bytes()[:500])
            page.set_input_files("input[type=file]", str(cut))
            page.get_by_role("button", name="Check and compare").click()
            page.get_by_text("There is a problem").wait_for()
    else:
        if state != "nothing differs":
            since(house)
        place = restoring(house, backup, compared=state != "comparing")
        if state in ("applying", "restored"):
            confirm(the_run(house), house.alice)
        if state == "restored":
            worked(the_run(house))
        if state == "stopped":
            page.goto(root + place)
            page.get_by_role("button", name="Leave everything as it is").click()
            page.wait_for_url("**/settings/backups/")
        page.goto(root + place)
        if state == "preview refused":
            page.get_by_label("Type acme to restore").fill("other")
            page.keyboard.press("Enter")
            page.get_by_text("There is a problem").wait_for()


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_presentable(
    page: Any, live_server: Any, house: Crew, tmp_path: Path, state: str
) -> None:
    signed_in(page, live_server, house.alice)
    put_in_state(page, house, state, live_server.url + ROOT, tmp_path)
    assert_presentable(page)


def test_what_a_restore_would_change_is_not_broken_letter_by_letter_on_a_phone(
    page: Any, live_server: Any, house: Crew, tmp_path: Path
) -> None:
    set_look(page, "light", 390)
    signed_in(page, live_server, house.alice)
    put_in_state(page, house, "preview", live_server.url + ROOT, tmp_path)
    widths = page.locator("td.anywhere").evaluate_all("cells => cells.map(cell => cell.offsetWidth)")
    assert widths
    assert min(widths) >= 100


def test_the_states_are_all_there() -> None:
    assert len(STATES) == 14


def press_until(page: Any, name: str) -> None:
    """Tab until the control of that name has the focus, then Enter."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if (page.evaluate("document.activeElement.innerText || ''") or "").strip() == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name!r} cannot be reached with the Tab key")


def test_a_restore_with_the_keyboard_alone(page: Any, live_server: Any, house: Crew) -> None:
    signed_in(page, live_server, house.alice).goto(live_server.url + ROOT)
    press_until(page, "Back up now")
    page.get_by_text("Making and verifying a backup").wait_for()
    worked(the_run(house))
    page.get_by_role("row").nth(1).wait_for()
    since(house)
    with in_account(house.account):
        backup = Backup.objects.get()
    place = restoring(house, backup)
    page.goto(live_server.url + place)
    page.get_by_text("Loses 1 edit by 1 person.").wait_for()
    page.get_by_label("Type acme to restore").focus()
    page.keyboard.type("acme")
    page.keyboard.press("Enter")
    page.get_by_text("Waiting for a worker").or_(page.get_by_text("Backing up")).first.wait_for()
    worked(the_run(house))
    page.get_by_text("What now").wait_for()
    with in_account(house.account):
        assert Company.objects.get().city == "York"
