"""No row points at a row of another account, and on PostgreSQL none could."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from propolis.accounts.composite import TARGETS
from propolis.crm.models import Contact
from tests.isolation.references import crossing, filled, references
from tests.isolation.world import World

pytestmark = pytest.mark.isolation


def test_after_a_whole_story_nothing_points_across(world: World) -> None:
    """Typed, merged, deleted, imported, decided, sent, undone, backed up: in two accounts side by side."""
    assert crossing() == {}
    assert len(filled()) > 0.7 * len(references())


def test_one_that_does_is_found(world: World) -> None:
    if connection.vendor == "postgresql":
        with pytest.raises(IntegrityError), transaction.atomic():
            _cross(world)
    else:
        _cross(world)
        assert crossing() == {"crm.Contact.company": 1}


def _cross(world: World) -> None:
    contact, company = world.ids["acme"]["contact"], world.ids["umbel"]["company"]
    Contact._base_manager.filter(pk=contact).update(company=company)
    if connection.vendor == "postgresql":
        connection.check_constraints()


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no composite foreign keys")
def test_postgresql_refuses_every_one_that_could(world: World) -> None:
    """Each reference to a table that has UNIQUE(account, id) has a foreign key on (account_id, …), and no other."""
    wanted = {
        (f.model._meta.db_table, f.column) for f in references() if f.related_model._meta.label in TARGETS
    }
    assert wanted - _keys(of=2) == set()
    # The id alone says no more, and each key is a look-up for every row at COMMIT.
    assert wanted & _keys(of=1) == set()


def _keys(of: int) -> set[tuple[str, str]]:
    """Table and column of every foreign key over so many columns."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c JOIN pg_attribute a "
            "ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey) "
            "WHERE c.contype = 'f' AND cardinality(c.conkey) = %s AND (%s = 1 OR a.attname <> 'account_id')",
            [of, of],
        )
        return {(table, column) for table, column in cursor.fetchall()}
