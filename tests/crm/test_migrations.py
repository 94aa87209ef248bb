"""What migrations make of rows that were there before them."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

from django.apps import apps
from django.db import connection

from propolis.accounts.scoping import in_account
from propolis.crm import lists
from propolis.crm.finding import narrowed
from propolis.crm.models import Contact, List
from tests.crm.people import Msp, make_msp
from tests.crm.test_edit import contact


def test_lists_known_as_businesses_were_are_known_by_their_whole_name(msp: Msp) -> None:
    other = make_msp("other")
    rows = {}
    for account, name, old in (
        (msp.account, "Prospects CO", "prospects"),
        (msp.account, "The News", "news"),
        (msp.account, "News", "prospects co"),  # has what another one gets
        (msp.account, "NEWS", "news 2"),  # two that were told apart, and are no more
        (other.account, "News", "news"),
    ):
        with in_account(account):
            row = lists.create_list(account, f"{name} {old}")
            List.objects.filter(pk=row.pk).update(name=name, name_key=old)
            rows[account.slug, name] = row
    migration = import_module("propolis.crm.migrations.0010_lists_by_their_whole_name")
    migration._anew(apps, SimpleNamespace(connection=connection))
    keys: dict[tuple[str, str], str] = {}
    for account in (msp.account, other.account):
        with in_account(account):
            keys |= {(account.slug, row.name): row.name_key for row in List.objects.all()}
    assert keys == {
        (msp.account.slug, "Prospects CO"): "prospects co",
        (msp.account.slug, "The News"): "the news",
        (msp.account.slug, "News"): "news",
        (msp.account.slug, "NEWS"): f"news {rows[msp.account.slug, 'NEWS'].uid}",
        (other.account.slug, "News"): "news",
    }


def test_whoever_was_there_is_found_without_an_apostrophe(msp: Msp) -> None:
    contact(msp, "Sean", last="O\u2019Brien")
    migration = import_module("propolis.crm.migrations.0011_names_without_apostrophes")
    migration._install(apps, SimpleNamespace(connection=connection))
    for text in ("obrien", "o'brien", "sean obri"):
        assert [row.name for row in narrowed(Contact.objects.all(), text)] == ["Sean O\u2019Brien"], text
