"""The dashboard: what to do first, where the pipeline stands, what was won and lost."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.test import Client
from django.utils import timezone

from propolis.accounts.models import Membership
from propolis.crm import edit, pipeline
from propolis.crm.models import Company, Opportunity
from propolis.crm.pipeline import Month, Sums
from tests.crm.people import Msp
from tests.crm.test_csv_export import client_of
from tests.crm.test_edit import company, contact, opportunity


def closed(msp: Msp, status: str, day: datetime, amount: str = "") -> None:
    deal = opportunity(msp, status=msp.status(status).pk, amount=amount or None)
    Opportunity.objects.filter(pk=deal.pk).update(closed_at=day)


def test_won_and_lost_by_month_and_never_0_for_what_nobody_knows(msp: Msp) -> None:
    noon = datetime(2026, 11, 5, 12, tzinfo=UTC)
    closed(msp, "Won", noon, "1200")
    closed(msp, "Won", noon + timedelta(days=1))
    closed(msp, "Lost", noon)
    closed(msp, "Lost", datetime(2026, 9, 1, 0, 0, tzinfo=UTC), "90")
    closed(msp, "Won", datetime(2026, 8, 31, 23, 59, tzinfo=UTC), "7")
    edit.delete(Opportunity.objects.get(amount=90), actor=msp.alice)
    opportunity(msp)
    assert pipeline.closed_by_month(date(2026, 11, 26), months=3) == [
        Month(date(2026, 9, 1)),
        Month(date(2026, 10, 1)),
        Month(date(2026, 11, 1), won=2, lost=1, won_amount=Decimal(1200)),
    ]


def test_months_reach_back_over_new_year(msp: Msp) -> None:
    """Without opportunities no month is missing either."""
    firsts = [month.first for month in pipeline.closed_by_month(date(2027, 2, 1), months=4)]
    assert firsts == [date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)]


def test_the_weighted_pipeline_keeps_the_cents_of_whole_amounts(msp: Msp) -> None:
    for amount, likelihood in (("50", 33), ("99.99", 5), ("1", 1)):
        opportunity(msp, amount=amount, likelihood=likelihood)
    assert pipeline.stages()[0].sums.weighted == Decimal("21.51")


def test_the_weighted_pipeline_leaves_out_what_has_no_likelihood_and_says_so(msp: Msp, bob: Client) -> None:
    def told() -> tuple[Sums, str, str]:
        new = next(stage for stage in pipeline.stages() if stage.status.name == "New")
        return new.sums, new.words("USD"), new.weighted_words("USD")

    opportunity(msp, likelihood=90)
    assert told() == (Sums(1), "1 open, none with amount", "")
    opportunity(msp, amount="300")
    assert told()[2] == ""
    assert "Weighted by likelihood: none has one" in bob.get("/acme/").content.decode()
    quarter = opportunity(msp, amount="1000", likelihood=25)
    opportunity(msp, amount="40", likelihood=0)
    expected = Sums(4, 3, Decimal(1340), 2, Decimal(250))
    says = "4 open, 3 with amount: $1,340", "Weighted by likelihood: $250, 1 without one left out"
    assert told() == (expected, *says)
    for page in ("", "opportunities/", "opportunities/board/", "opportunities/amounts/"):
        text = bob.get(f"/acme/{page}").content.decode()
        assert [part in text for part in says] == [True, True], page
    edit.update(msp.account, quarter, {"status": msp.status("Won").pk}, actor=msp.bob)
    text = bob.get("/acme/opportunities/?show=won").content.decode()
    assert ("1 won, 1 with amount: $1,000" in text, "Weighted" in text) == (True, False)
    assert "1 won, 1 with amount: $1,000" in bob.get("/acme/opportunities/board/").content.decode()


def test_bob_sees_his_next_steps_first_and_everybodys_on_request(msp: Msp, bob: Client) -> None:
    today = timezone.localdate()
    for name, days, who in (
        ("Old", -3, msp.bob),
        ("Now", 0, msp.bob),
        ("Soon", 6, msp.bob),
        ("Hers", 0, msp.alice),
    ):
        company(msp, name, next_step=f"Call {name}", next_step_by=who.pk,
                next_step_on=(today + timedelta(days=days)).isoformat())  # fmt: skip
    company(msp, "Later", next_step="Call Later", next_step_by=msp.bob.pk,
            next_step_on=(today + timedelta(days=30)).isoformat())  # fmt: skip
    page = bob.get("/acme/").content.decode()
    assert re.findall(r"<h3>(\w[\w ]*) <span[^>]*>(\d+)|>(Call \w+)<", page) == [
        ("Overdue", "1", ""), ("", "", "Call Old"), ("Today", "1", ""), ("", "", "Call Now"),
        ("This week", "1", ""), ("", "", "Call Soon"),
    ]  # fmt: skip
    assert page.index("Next steps") < page.index("Pipeline by status")
    assert "Call Hers" in bob.get("/acme/?steps=all").content.decode()


def test_many_overdue_steps_hide_none_of_today(msp: Msp, bob: Client) -> None:
    today = timezone.localdate()
    for n in range(45):
        company(msp, f"Firm {n:02}", next_step=f"Late {n:02}", next_step_by=msp.bob.pk,
                next_step_on=(today - timedelta(days=50 - n)).isoformat())  # fmt: skip
        if n < 3:
            opportunity(msp, f"Deal {n}", next_step=f"Due {n}", next_step_by=msp.bob.pk,
                        next_step_on=(today - timedelta(days=90 * (n < 2))).isoformat())  # fmt: skip
    page = bob.get("/acme/").content.decode()
    assert re.findall(r"<h3>(\w[\w ]*) <span[^>]*>([\d,]+)", page) == [
        ("Overdue", "47"), ("Today", "1"), ("This week", "0"),
    ]  # fmt: skip
    assert re.findall(r">(Late \d\d|Due \d)<", page)[:3] == ["Due 0", "Due 1", "Late 00"]
    assert "The first 40; the others follow as these are done." in page
    assert "Due 2" in page


def test_more_than_fits_of_ones_own_opportunities_is_a_click_away(msp: Msp, bob: Client) -> None:
    for n in range(9):
        opportunity(msp, f"Deal {n}", salesperson=msp.bob.pk)
    opportunity(msp, "Hers", salesperson=msp.alice.pk)
    page = bob.get("/acme/").content.decode()
    more = re.findall(r'href="([^"]*)">All my open opportunities', page)
    assert "9 open" in bob.get(more[0]).content.decode()
    edit.delete(Opportunity.objects.get(name="Deal 8"), actor=msp.bob)
    assert "All my open opportunities" not in bob.get("/acme/").content.decode()


def test_what_changed_last_of_every_kind(msp: Msp, bob: Client) -> None:
    company(msp, "Brightwater")
    contact(msp, "Jo")
    opportunity(msp, "New firewall")
    page = bob.get("/acme/").content.decode()
    part = page[page.index("Recently changed") :]
    assert re.findall(r'<p class="small muted">(\w+)</p></th>', part) == ["Opportunity", "Contact", "Company"]


def test_what_is_not_synced_counts_as_changed_too(msp: Msp, bob: Client) -> None:
    """An amount moves no clock of the merge, and yet it is what Bob did last."""
    old = opportunity(msp, "Old deal")
    Opportunity.objects.update(edited_at=timezone.now() - timedelta(days=400))
    for n in range(12):
        company(msp, f"Firm {n}")
        Company.objects.filter(name=f"Firm {n}").update(edited_at=timezone.now() - timedelta(days=1))
    edit.update(msp.account, old, {"amount": "4200"}, actor=msp.bob)

    def names() -> list[str]:
        part = bob.get("/acme/").content.decode().partition("Recently changed")[2]
        return re.findall(r'<th scope="row"><a[^>]*>([^<]*)', part)

    assert names()[:2] == ["Old deal", "Firm 11"]
    assert (len(names()), len(set(names()))) == (8, 8)
    edit.delete(Opportunity.objects.get(), actor=msp.bob)
    assert "Old deal" not in names()


def test_an_empty_account_is_told_where_to_begin(msp: Msp, bob: Client) -> None:
    def offered(person: Membership) -> list[str]:
        page = client_of(person).get("/acme/").content.decode()
        part = page.partition("Welcome to Acme")[2].partition("</section>")[0]
        return re.findall(r"(Connect Syncro|Import a CSV file|New company)</a>", part)

    assert offered(msp.alice) == ["Connect Syncro", "Import a CSV file", "New company"]
    assert offered(msp.bob) == ["New company"]
    company(msp, "Brightwater")
    assert offered(msp.alice) == []
