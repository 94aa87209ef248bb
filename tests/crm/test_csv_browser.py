"""CSV files in a browser, by the keyboard alone."""

from typing import Any

import pytest
from playwright.sync_api import Page

from propolis.accounts.scoping import in_account
from propolis.crm import edit, lists, paging
from propolis.crm.fields import Kind
from propolis.crm.models import Company
from propolis.runs import engine
from propolis.runs.models import Run
from tests.browser import assert_presentable, signed_in
from tests.people import Crew

pytestmark = pytest.mark.browser


def press_on(page: Page, name: str) -> None:
    """Goes on by Tab until the focus is on the link or button of this name, then presses Enter."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText?.trim()") == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} is not reached by Tab on {page.url}")


def test_mia_takes_a_list_to_a_mailing(page: Page, live_server: Any, house: Crew) -> None:
    with in_account(house.account):
        news = lists.create_list(house.account, "News")
        for first, email in (("Jo", "jo@firm.example"), ("Joanna", "jo@firm.example"), ("Nil", "")):
            made = edit.create(house.account, Kind.CONTACT, {"first": first, "email": email}, actor=house.mia)
            lists.add(news, [made.pk], actor=house.mia)
    signed_in(page, live_server, house.mia).goto(f"{live_server.url}/acme/lists/{news.pk}/")
    press_on(page, "Export")
    page.wait_for_url("**/contacts/export/**")
    assert page.inner_text("#mailing-sum") == (
        "3 contacts: 1 row, 1 without e-mail, 1 shares an address with another."
    )
    assert_presentable(page)
    with page.expect_download() as download:
        press_on(page, "Download 1 row")
    assert download.value.suggested_filename.startswith("mailing-news-")
    assert b"jo@firm.example,Jo" in download.value.path().read_bytes()


def test_of_many_contacts_the_sum_comes_after_the_page(
    page: Page, live_server: Any, house: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "COUNTED", 2)
    with in_account(house.account):
        for n in range(4):
            values = {"first": f"Jo {n}", "email": f"jo{n % 3}@firm.example"}
            edit.create(house.account, Kind.CONTACT, values, actor=house.mia)
    signed_in(page, live_server, house.mia).goto(f"{live_server.url}/acme/contacts/export/?sort=-created")
    page.wait_for_selector("text=Download 3 rows")
    assert page.inner_text("#mailing-sum") == "4 contacts: 3 rows, 1 shares an address with another."
    assert_presentable(page)


def work_on(account: Any) -> None:
    """What a worker does, here and now."""
    with in_account(account):
        run = Run.objects.order_by("-pk")[0]
    while engine.work(run.pk).outcome == "slice":
        pass


def test_mia_imports_a_file_decides_a_row_and_undoes_it(page: Page, live_server: Any, house: Crew) -> None:
    with in_account(house.account):
        values = {"name": "Brightwater", "phone": "212 555 0100", "city": "Salem"}
        edit.create(house.account, Kind.COMPANY, values, actor=house.alice)
    text = (
        "Company name,Phone,City\nBrightwater LLC,2125550100,Portland\n"
        "Harbor Inn,2125550100,Astoria\nNew One,,Bend\n,1,\n"
    )
    signed_in(page, live_server, house.mia).goto(f"{live_server.url}/acme/companies/")
    press_on(page, "Import")
    page.wait_for_url("**/csv-import/")
    page.set_input_files("#id_file", {"name": "firms.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_label("Companies, one a row").focus()
    page.keyboard.press("Space")
    assert_presentable(page)
    press_on(page, "Upload and choose columns")
    page.wait_for_selector("#csv-columns")
    press_on(page, "Show what would happen")
    assert "Say how old this file is" in page.inner_text(".error-summary")
    page.get_by_label("From today").focus()
    page.keyboard.press("Space")
    assert_presentable(page)
    press_on(page, "Show what would happen")
    page.wait_for_selector("#csv-running")
    assert_presentable(page)
    work_on(house.account)
    page.wait_for_selector("#preview")  # the page comes anew by itself
    assert page.inner_text(".csv-sum") == "firms.csv has 4 rows: 1 New, 1 Merged, 1 Needs review, 1 Failed."
    assert_presentable(page)
    press_on(page, "Look at it")
    page.wait_for_url("**/rows/*/")
    assert_presentable(page)
    press_on(page, "Create new")
    page.wait_for_selector("#preview")
    press_on(page, "Import 3 companies")
    page.wait_for_selector("#csv-running")
    work_on(house.account)
    page.wait_for_selector("#result")
    assert page.inner_text(".csv-sum") == "firms.csv has 4 rows: 2 New, 1 Merged, 1 Failed."
    assert_presentable(page)
    press_on(page, "Undo this import")
    page.wait_for_selector("#undo-look")
    press_on(page, "Show what would go back")
    page.wait_for_selector("#undo-run")
    work_on(house.account)
    page.wait_for_selector("#undo-confirm")
    assert_presentable(page)
    press_on(page, "Undo this import")
    page.wait_for_selector("#undo-run")
    work_on(house.account)
    page.wait_for_selector("#undo-receipt")
    with in_account(house.account):
        left = Company.objects.filter(deleted_at=None).values_list("name", "city")
        assert list(left) == [("Brightwater", "Salem")]
    page.complaints.expect("400")  # type: ignore[attr-defined] # the file's age was not said at first
