"""Values into rows and back."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from propolis.crm import rows
from propolis.crm.fields import FIELDS, SYNCED, label_of
from propolis.crm.models import Company, Contact, Opportunity

BRIGHTWATER = {
    "name": "Brightwater Dental, LLC",
    "website": "www.brightwater.example",
    "email": "Office@Brightwater.example",
    "phone": "(212) 555-0100",
    "mobile": "",
    "city": "Portland",
}


def test_a_company_gets_its_values_as_given_and_its_keys() -> None:
    company = rows.fill_company(Company(), BRIGHTWATER, "US")
    got = {name: getattr(company, name) for name in (*BRIGHTWATER, "residential")}
    assert got == {**BRIGHTWATER, "residential": False}
    assert (company.sort_name, company.name_key) == ("brightwater dental, llc", "brightwater dental")
    assert (company.domain, company.email_key) == ("brightwater.example", "office@brightwater.example")
    assert (company.phone_key, company.mobile_key) == ("12125550100", "")


def test_the_domain_is_the_email_s_where_there_is_no_website() -> None:
    company = rows.fill_company(Company(), {**BRIGHTWATER, "website": "n/a"}, "US")
    assert company.domain == "brightwater.example"
    rows.fill_company(company, {"email": "brightwater@gmail.com"}, "US")
    assert company.domain == ""


def test_a_residential_company_is_compared_as_a_person() -> None:
    company = rows.fill_company(Company(), {"name": "Dr. Jo Lindqvist", "residential": True}, "US")
    assert company.name_key == "jo lindqvist"


def test_only_what_is_given_changes() -> None:
    company = rows.fill_company(Company(), BRIGHTWATER, "US")
    rows.fill_company(company, {"phone": None}, "US")
    assert (company.phone, company.phone_key, company.name) == ("", "", "Brightwater Dental, LLC")


def test_a_contact_without_a_name_sorts_by_what_is_printed() -> None:
    contact = rows.fill_contact(Contact(), {"email": "Jo@Brightwater.example", "company": 7}, "US")
    assert (contact.sort_name, contact.name_key, contact.company_id) == ("jo@brightwater.example", "", 7)
    rows.fill_contact(contact, {"first": "Jo", "last": "Lindqvist\x00"}, "US")
    assert (contact.name, contact.sort_name, contact.name_key) == (
        "Jo Lindqvist",
        "jo lindqvist",
        "jo lindqvist",
    )


def test_an_opportunity_takes_plain_values_and_gives_them_back() -> None:
    given = {
        "name": "New firewall",
        "status": 3,
        "amount": "1200.5",
        "likelihood": 40,
        "expected_close": "2026-12-01",
        "closed_at": "2026-11-22T14:02:00+00:00",
        "salesperson": None,
    }
    deal = rows.fill_opportunity(Opportunity(), given)
    assert (deal.amount, deal.expected_close) == (Decimal("1200.50"), date(2026, 12, 1))
    assert (deal.status_id, deal.closed_at) == (3, datetime(2026, 11, 22, 14, 2, tzinfo=UTC))
    assert {name: rows.values_of(deal)[name] for name in given} == {**given, "amount": "1200.50"}


def test_values_go_round() -> None:
    company = rows.fill_company(Company(), BRIGHTWATER, "US")
    again = rows.fill_company(Company(), rows.values_of(company), "US")
    assert rows.values_of(again) == rows.values_of(company)
    columns = [getattr(company, name) for name in rows.COMPANY_COLUMNS]
    assert [getattr(again, name) for name in rows.COMPANY_COLUMNS] == columns


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(rows.NoSuchField, match="company has no field 'seats'"):
        rows.fill_company(Company(), {"seats": "5"}, "US")
    with pytest.raises(ValueError, match="'a lot' is no amount"):
        rows.fill_opportunity(Opportunity(), {"amount": "a lot"})


def test_every_field_is_a_column_of_its_model() -> None:
    models = {"company": Company, "contact": Contact, "opportunity": Opportunity}
    for kind, fields in FIELDS.items():
        columns = {column.name for column in models[kind]._meta.get_fields()}
        assert set(fields) <= columns


def test_what_moves_the_merge_clock() -> None:
    assert SYNCED["opportunity"] == {"name", "status"}
    assert not SYNCED["company"] & {"website", "country", "salesperson", "next_step", "disabled_in_syncro"}
    assert label_of("contact", "address_1") == "Address"
    assert label_of("contact", "unheard_of") == "Unheard of"
