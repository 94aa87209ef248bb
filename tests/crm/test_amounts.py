"""The grid of amounts: each cell saved as it is left, or all at once without scripts."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from propolis.crm import amounts, edit
from propolis.crm.models import Opportunity
from propolis.history.models import Change
from tests.crm.people import Msp
from tests.crm.test_edit import opportunity


def leave(client: Client, deal: Opportunity, name: str, text: str, was: str = "", more: str = "") -> str:
    """The answer to leaving a cell, as words."""
    key = f"{name}-{deal.pk}"
    answer = client.post(
        f"/acme/opportunities/{deal.pk}/amounts/{name}/{more}", {key: text, f"was-{key}": was}
    )
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("1200", "1200"),
        ("$1,200.50", "1200.50"),
        (" 0 ", "0"),
        ("18 400", "18400"),
        ("1200,50", "1200.50"),
        ("1.200,5 €", "1200.50"),
        ("1,200,300", "1200300"),
        ("1.200.300", "1200300"),
        ("CHF 1'200.05", "1200.05"),
        (".5", "0.50"),
    ],
)
def test_an_amount_as_people_type_it(msp: Msp, bob: Client, typed: str, stored: str) -> None:
    deal = opportunity(msp)
    opportunity(msp, "Another")
    says = leave(bob, deal, "amount", typed)
    assert says.startswith("Saved 2 open, 1 with amount: $")
    assert Opportunity.objects.get(pk=deal.pk).amount == Decimal(stored)


def test_likelihood_and_expected_close(msp: Msp, bob: Client) -> None:
    deal = opportunity(msp)
    leave(bob, deal, "likelihood", "50 %")
    leave(bob, deal, "expected_close", "2027-03-31")
    saved = Opportunity.objects.get(pk=deal.pk)
    assert (saved.likelihood, saved.expected_close, saved.amount) == (50, date(2027, 3, 31), None)
    assert Change.objects.filter(local_id=deal.pk, kind="opportunity", action="update").count() == 2


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        *(
            ("amount", text)
            for text in ("much", "-5", "1e9", "12k", "1,20,3", "1.200", "1200.555", "NaN", "12.5.6")
        ),
        ("likelihood", "101"),
        ("expected_close", "soon"),
        ("expected_close", "0026-12-05"),
    ],
)
def test_what_is_no_value_is_said_and_not_saved(msp: Msp, bob: Client, name: str, typed: str) -> None:
    deal = opportunity(msp)
    assert "is not saved" in leave(bob, deal, name, typed)
    assert Opportunity.objects.get(pk=deal.pk).rev == 1


def test_a_cell_that_somebody_else_changed_is_not_overwritten(msp: Msp, bob: Client) -> None:
    deal = opportunity(msp)
    edit.update(msp.account, deal, {"amount": "900"}, actor=msp.alice)
    assert "Somebody changed this meanwhile. Now: 900." in leave(bob, deal, "amount", "1200")
    assert Opportunity.objects.get(pk=deal.pk).amount == 900
    leave(bob, deal, "amount", "1200", was="900")
    assert Opportunity.objects.get(pk=deal.pk).amount == 1200


def test_two_cells_of_a_row_saved_at_once_are_both_saved(msp: Msp) -> None:
    deal = opportunity(msp)
    stale = Opportunity.objects.get(pk=deal.pk)
    edit.update(msp.account, deal, {"amount": "900"}, actor=msp.bob)
    cell = amounts.save(msp.account, stale, "likelihood", "50", "", actor=msp.bob)
    assert (cell.saved, cell.error) == (True, "")
    other = Opportunity.objects.get(pk=deal.pk)
    edit.update(msp.account, other, {"likelihood": 60}, actor=msp.alice)
    cell = amounts.save(msp.account, stale, "likelihood", "70", "50", actor=msp.bob)
    assert cell.error == "Somebody changed this meanwhile. Now: 60."
    saved = Opportunity.objects.get(pk=deal.pk)
    assert (saved.amount, saved.likelihood) == (Decimal(900), 60)


def test_the_grid_follows_the_filters_and_saves_without_scripts(msp: Msp, bob: Client) -> None:
    one, two = opportunity(msp, "One"), opportunity(msp, "Two", amount="50")
    page = bob.get("/acme/opportunities/amounts/?amount=none&sort=-close").content.decode()
    assert '<input type="hidden" name="sort" value="-close">' in page, (
        "or another filter would lose the order"
    )
    assert re.findall(r'name="row" value="(\d+)"', page) == [str(one.pk)]
    form = {
        "row": [one.pk, two.pk],
        f"amount-{one.pk}": "1200", f"was-amount-{one.pk}": "",
        f"amount-{two.pk}": "50", f"was-amount-{two.pk}": "50",
        f"likelihood-{two.pk}": "high", f"was-likelihood-{two.pk}": "",
    }  # fmt: skip
    answer = bob.post("/acme/opportunities/amounts/", form)
    page = answer.content.decode()
    assert (answer.status_code, "There is a problem" in page, 'value="high"' in page) == (400, True, True)
    assert Opportunity.objects.get(pk=one.pk).amount == 1200
    form[f"was-amount-{one.pk}"], form[f"likelihood-{two.pk}"] = "1200", "75"
    answer = bob.post("/acme/opportunities/amounts/", form, follow=True)
    assert "1 value saved." in answer.content.decode()
    assert Opportunity.objects.get(pk=two.pk).likelihood == 75


def test_the_form_takes_what_the_grid_takes_and_says_what_an_amount_is(msp: Msp, bob: Client) -> None:
    deal = opportunity(msp)
    where = f"/acme/opportunities/{deal.pk}/field/"
    assert bob.post(f"{where}amount/", {"amount": "$1,300,5"}).status_code == 200
    assert bob.post(f"{where}amount/", {"amount": "$1.300,5"}).status_code == 302
    assert Opportunity.objects.get().amount == Decimal("1300.50")
    page = bob.post(f"{where}amount/", {"amount": "-1"}).content.decode()
    assert "Enter an amount, such as 1200 or 1,200.50." in page
    page = bob.post(f"{where}likelihood/", {"likelihood": "101"}).content.decode()
    assert "Enter a whole number from 0 to 100." in page
