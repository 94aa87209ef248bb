"""Rows by the thousand come back from the database as the ORM would have written and read them."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from propolis.accounts import bulk
from propolis.accounts.models import Account
from propolis.accounts.scoping import ForeignAccount, ScopeMissing, in_account
from propolis.crm.founding import furnish
from propolis.crm.models import Contact, Opportunity, OppStatus
from propolis.history.models import Change
from tests.people import Crew

EAST = datetime(2026, 3, 29, 3, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
ODD: list[Any] = [
    {},
    [],
    None,
    {"city": "Łódź", "quote": '"\\\n', "nested": [1, 2.5, True, None, {"no": {}}]},
    {"far": 2**70, "1": [[]], "": ""},
]


def shown(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.__dict__.items() if name != "_state"}


def changes(account: Account) -> list[Change]:
    make = bulk.maker(Change)
    return [
        make(
            account_id=account.pk,
            kind="contact",
            action="create",
            seq=n,
            args={"odd": odd},
            link_before=odd,
            at=EAST,
        )
        for n, odd in enumerate(ODD)
    ]


def test_what_was_inserted_is_read_as_the_orm_reads_it(crew: Crew) -> None:
    with in_account(crew.account):
        rows = changes(crew.account)
        bulk.insert(rows)
        mine = bulk.read(Change.objects.order_by("seq"))
        theirs = list(Change.objects.order_by("seq"))
    assert [shown(row) for row in mine] == [shown(row) for row in theirs]
    assert [(row.pk, row.args["odd"], row.link_before) for row in mine] == [
        (row.pk, odd, odd) for row, odd in zip(rows, ODD, strict=True)
    ]
    assert {row.at for row in mine} == {EAST.astimezone(UTC)}


def test_every_kind_of_column_survives_and_a_row_read_can_be_saved(crew: Crew) -> None:
    with in_account(crew.account):
        if not OppStatus.objects.exists():
            furnish(crew.account)
        values = {
            "account_id": crew.account.pk,
            "name": "Switches",
            "status_id": OppStatus.objects.all()[0].pk,
            "amount": Decimal("1200.50"),
            "expected_close": date(2026, 12, 1),
            "edited_at": EAST,
        }
        bulk.insert([bulk.maker(Opportunity)(**values)])
        row = bulk.read(Opportunity.objects.all())[0]
        assert shown(row) == shown(Opportunity.objects.get())
        row.name = "Routers"
        row.save()
        assert Opportunity.objects.get().name == "Routers"


def test_updated_by_id_column_by_column(crew: Crew) -> None:
    with in_account(crew.account):
        rows = changes(crew.account)
        bulk.insert(rows)
        bulk.update(
            Change, ("state", "fields", "at"), [("skipped", {"n": row.seq}, EAST, row.pk) for row in rows[1:]]
        )
        kept = Change.objects.order_by("seq").values_list("state", "fields", "at")
    east = EAST.astimezone(UTC)
    assert list(kept) == [("applied", {}, east), *(("skipped", {"n": n}, east) for n in range(1, len(ODD)))]


def test_values_of_any_kind_are_set_in_one_statement_and_none_is_cut(crew: Crew) -> None:
    with in_account(crew.account):
        if not OppStatus.objects.exists():
            furnish(crew.account)
        status = OppStatus.objects.all()[0].pk
        make = bulk.maker(Opportunity)
        rows = [make(account_id=crew.account.pk, name=n, status_id=status, edited_at=EAST) for n in "ab"]
        bulk.insert(rows)
        names = ("name", "amount", "expected_close", "closed_at", "contact_id", "facts", "uid")
        first: tuple[Any, ...] = (
            '{"\\,}',
            Decimal("1200.50"),
            date(2026, 12, 1),
            EAST,
            None,
            {"far": [2**70, None]},
            uuid.UUID(int=7),
        )
        second: tuple[Any, ...] = ("", None, None, None, None, {}, uuid.UUID(int=8))
        with CaptureQueriesContext(connection) as asked:
            bulk.update(Opportunity, names, [(*first, rows[0].pk), (*second, rows[1].pk)])
        assert list(Opportunity.objects.order_by("id").values_list(*names)) == [first, second]
        if connection.vendor == "postgresql":
            assert len(asked) == 1
            with pytest.raises(DataError):
                bulk.update(Opportunity, ["sort_name"], [("x" * 201, rows[0].pk)])


def test_another_accounts_row_is_neither_written_nor_read(crew: Crew) -> None:
    with in_account(crew.account), pytest.raises(ForeignAccount):
        bulk.insert(changes(crew.elsewhere))
    with in_account(crew.elsewhere):
        bulk.insert(changes(crew.elsewhere))
    with in_account(crew.account):
        assert bulk.read(Change.objects.all()) == []
    with pytest.raises(ScopeMissing):
        bulk.read(Change.objects.all())


def test_among_finds_what_in_finds_with_one_parameter(crew: Crew) -> None:
    with in_account(crew.account):
        make = bulk.maker(Contact)
        rows = [
            make(account_id=crew.account.pk, first=name, name_key=name, created_at=EAST, edited_at=EAST)
            for name in ("a", "b", 'ü"\\')
        ]
        bulk.insert(rows)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            by_id = Contact.objects.filter(pk__among={rows[0].pk, rows[2].pk}).order_by("id")
            by_text = Contact.objects.filter(name_key__among=["b", 'ü"\\', "nobody"]).order_by("id")
            neither = Contact.objects.exclude(name_key__among=["b", "a"])
            assert ([c.first for c in by_id], [c.first for c in by_text], [c.first for c in neither]) == (
                ["a", 'ü"\\'],
                ["b", 'ü"\\'],
                ['ü"\\'],
            )
            assert list(Contact.objects.filter(pk__among=[])) == []
        assert len(asked) == 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is sent whole statements")
def test_who_stands_still_while_sending_a_table_lets_go_of_it(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bulk._table

    def haltingly(model: Any, rows: Any) -> Any:
        names, values = whole(model, rows)

        def sent() -> Iterator[Any]:
            for value in values:
                time.sleep(0.2)
                yield value

        return names, sent()

    monkeypatch.setattr(bulk, "_table", haltingly)
    monkeypatch.setattr(bulk, "FROZEN_SECONDS", 0.5)
    with in_account(crew.account):
        with pytest.raises(OperationalError, match="statement timeout"), transaction.atomic():
            bulk.insert(changes(crew.account))
        monkeypatch.setattr(bulk, "FROZEN_SECONDS", 60)
        bulk.insert(changes(crew.account))
        assert Change.objects.count() == len(ODD)
