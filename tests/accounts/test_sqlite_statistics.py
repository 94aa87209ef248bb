"""What SQLite's planner is told: complete, there after a migration, and enough to find few rows among many."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from propolis.accounts import sqlite_statistics
from propolis.accounts.scoping import in_account
from propolis.bridge.models import NEWER, Link
from propolis.crm.models import Contact
from propolis.history.models import Change
from tests.people import Crew

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL takes statistics of its own"),
]


def told() -> dict[str, set[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tbl, idx FROM sqlite_stat1")
        found: dict[str, set[str]] = {}
        for table, index in cursor.fetchall():
            found.setdefault(table, set()).add(index)
    return found


def test_every_index_of_every_table_that_fills_up_is_told_of(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tbl_name, name FROM sqlite_schema WHERE type = 'index'")
        there: dict[str, set[str]] = {}
        for table, index in cursor.fetchall():
            there.setdefault(table, set()).add(index)
    assert told() == {table: there[table] for table in sqlite_statistics.MANY}
    sqlite_statistics.install()
    assert told() == {table: there[table] for table in sqlite_statistics.MANY}


def index_of(query: Any) -> str:
    """The index by which the first table is searched."""
    return str(query.explain()).splitlines()[0].split(" INDEX ")[-1].split(" (")[0]


def test_few_rows_are_found_by_what_tells_them_apart(crew: Crew) -> None:
    fifty = list(range(50))
    with in_account(crew.account):
        found = {
            "links of a page of contacts": index_of(Link.objects.filter(contact__in=fifty, state="linked")),
            "links of one company": index_of(Link.objects.filter(company=1).order_by("state", "remote_id")),
            "what waits": index_of(Link.objects.filter(state="review", kind__in=["customer", "contact"])),
            "newer here": index_of(Link.objects.filter(NEWER, state="linked").order_by("kind", "id")),
            "people of a company": index_of(Contact.objects.filter(company=1).order_by("sort_name", "id")),
            "deleted": index_of(Contact.objects.filter(deleted_at__isnull=False, merged_into=None)),
            "by hand": index_of(Change.objects.filter(run=None, at__gt="2026-01-01T00:00Z").order_by("-id")),
        }
    assert found == {
        "links of a page of contacts": "link_of_contact",
        "links of one company": "link_of_company",
        "what waits": "link_by_state",
        "newer here": "link_newer_here",
        "people of a company": "contact_of_company",
        "deleted": "contact_deleted",
        "by hand": "change_by_hand",
    }
