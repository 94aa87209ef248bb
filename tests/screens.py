"""`make screenshots`: the ten main screens, light and dark, of a sample MSP imported a moment ago → docs/screens.

Everything is made anew (sandbox, account, import, browser) and nothing but the pictures stays.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Page, sync_playwright

from propolis.cli import demo, ready
from propolis.cli.demo_house import DemoHouse

if TYPE_CHECKING:
    from propolis.cli.demo import Scene

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screens"
COMPANIES, CONTACTS, LEADS, PACE = 60, 300, 80, 900.0
WIDTH, HEIGHT = 1440, 900
CHROMIUM = "/usr/bin/chromium"
SYNCRO = "settings/integrations/syncro/"
LIKELY = (40, 75, None, 20, 60)
AMOUNTS = ("2400", "12000", "860", "5400", "31000")


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "propolis.settings")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with DemoHouse(COMPANIES, CONTACTS, LEADS, PACE, None) as house:
        ready()
        from propolis.accounts.scoping import in_account

        scene = demo._set(house)
        with in_account(scene.account):
            addresses = _story(scene)
        house.serve()
        with _browser() as browser:
            for theme in ("light", "dark"):
                page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=theme)
                _signed_in(page, scene)
                for name, address in addresses.items():
                    _picture(page, f"{house.url}/{scene.account.slug}/{address}", f"{name}-{theme}")
                page.close()
    sizes = [each.stat().st_size for each in FOLDER.glob("*.png")]
    sys.stdout.write(f"{len(sizes)} pictures in docs/screens, {sum(sizes) / 1e6:.1f} MB\n")
    return 0


def _story(scene: Scene) -> dict[str, str]:
    """Imports, and does what people would have done since; name of a picture → address of its page."""
    from propolis.cli.imports import Order, work_through
    from propolis.crm.models import Company, Contact

    demo._connect(scene)
    run = work_through(Order(demo._start(scene), mine=True))
    _worked_on(scene)
    company = Company.objects.get(name__startswith="Brightwater", deleted_at=None)
    contact = Contact.objects.filter(company=company, deleted_at=None).order_by("pk")[0]
    return {
        "dashboard": "",
        "companies": f"companies/?salesperson={scene.admin.pk}",
        "company": f"companies/{company.pk}/",
        "contact": f"contacts/{contact.pk}/",
        "board": "opportunities/board/",
        "send": f"companies/{company.pk}/#send",
        "import": f"{SYNCRO}imports/{run.number}/",
        "review": f"{SYNCRO}review/",
        "health": f"{SYNCRO}health/",
        "wizard": SYNCRO,
    }


def _worked_on(scene: Scene) -> None:
    """Amounts, likelihoods, next steps, salespeople, and a phone number changed here."""
    from django.utils import timezone

    from propolis.crm import edit
    from propolis.crm.assign import assign
    from propolis.crm.fields import Kind
    from propolis.crm.models import Company, Opportunity

    today, me = timezone.localdate(), scene.admin.pk
    deals = Opportunity.objects.filter(status__outcome="open", deleted_at=None).order_by("pk")
    for at, deal in enumerate(deals[:30]):
        given: dict[str, Any] = {"salesperson": me}
        if at % 2 == 0:
            given |= {"amount": AMOUNTS[at // 2 % len(AMOUNTS)], "likelihood": LIKELY[at // 2 % len(LIKELY)]}
        if at < 4:
            day = today + timedelta(days=(-2, 0, 1, 3)[at])
            given |= {"next_step": STEPS[at], "next_step_on": day.isoformat(), "next_step_by": me}
        edit.update(scene.account, deal, given, actor=scene.admin)
    mine = [row.pk for row in Company.objects.all() if row.pk % 3 and row.name[:1].isalpha()]
    assign(Kind.COMPANY, mine, scene.admin, actor=scene.admin)
    company = Company.objects.get(name__startswith="Brightwater", deleted_at=None)
    edit.update(scene.account, company, {"phone": "(503) 555-0188"}, actor=scene.admin)


STEPS = (
    "Send the quote again",
    "Call about the firewall",
    "Walk through the offices",
    "Ask for the signed contract",
)


@contextmanager
def _browser() -> Iterator[Any]:
    from tests.browser import FLAGS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def _signed_in(page: Page, scene: Scene) -> None:
    page.goto(scene.house.url + "/auth/login/")
    page.get_by_label("E-mail").fill(demo.ADMIN)
    page.get_by_label("Password", exact=True).fill(scene.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"**/{scene.account.slug}/")


def _picture(page: Page, address: str, name: str) -> None:
    place, _, part = address.partition("#")
    page.goto(place, wait_until="networkidle")
    if part == "send":
        page.get_by_role("link", name="Send to Syncro").or_(
            page.get_by_role("button", name="Send to Syncro")
        ).first.click()
        page.wait_for_selector("#dialog[open]")
        page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    sys.exit(main())
