"""An account that moves to another country: its numbers are read as numbers there."""

from __future__ import annotations

import pytest
from django.test import Client

from propolis.accounts.models import Account
from propolis.crm import phone_keys
from propolis.crm.models import Company, Contact
from propolis.history.models import Change
from propolis.runs.models import Run
from tests.crm.people import Msp
from tests.crm.test_edit import company, contact

SETTINGS = "/acme/settings/account/"


def moved(alice: Client, region: str) -> None:
    given = {"name": "Acme", "time_zone": "Europe/London", "phone_region": region, "currency": "GBP"}
    assert alice.post(SETTINGS, given).status_code == 302


def test_numbers_are_read_as_numbers_of_the_country_chosen_later(msp: Msp, alice: Client) -> None:
    firm = company(msp, phone="020 7946 0958", mobile="+1 206 555 0142")
    jo = contact(msp, mobile="(020) 7946-0959")
    before = Change.objects.count()
    moved(alice, "GB")
    told = Company.objects.values_list("phone_key", "mobile_key", "rev").get(pk=firm.pk)
    assert told == ("442079460958", "12065550142", firm.rev)
    assert Contact.objects.values_list("mobile_key", flat=True).get(pk=jo.pk) == "442079460959"
    assert 'href="tel:+442079460958"' in alice.get(f"/acme/companies/{firm.pk}/").content.decode()
    assert Change.objects.count() == before
    assert Run.objects.get(kind=phone_keys.PHONE_KEYS).state == Run.State.COMPLETE


def test_saving_other_settings_reads_nothing_anew(msp: Msp, alice: Client) -> None:
    moved(alice, "US")
    assert Account.objects.get(pk=msp.account.pk).currency == "GBP"
    assert not Run.objects.exists()


def test_page_after_page_of_them(msp: Msp, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_keys, "READ", 2)
    for n in range(5):
        contact(msp, f"Jo {n}", phone=f"020 7946 095{n}")
    moved(alice, "GB")
    told = Contact.objects.order_by("pk").values_list("phone_key", flat=True)
    assert list(told) == [f"44207946095{n}" for n in range(5)]
