"""The status map: defaults that make sense, statuses nobody has heard of held and not lost."""

from __future__ import annotations

from typing import Any

from propolis.accounts.models import Account
from propolis.bridge.models import Connection, StatusMap
from propolis.bridge.statuses import (
    Mapped,
    Skip,
    StatusMapper,
    Unmapped,
    ensure_status_map,
    mapping_complete,
    remember_counts,
    undecided,
)
from propolis.crm.models import OppStatus


def a_connection(acme: Account) -> Connection:
    return Connection.objects.create(account=acme)


def test_the_defaults_cover_every_documented_status_and_each_of_ours_goes_back_as_one(acme: Account):
    rows = ensure_status_map(a_connection(acme))
    assert [(r.remote_status, r.became_ticket, str(r.status), r.send_back) for r in rows] == [
        ("New", False, "New", True),
        ("Lead", False, "New", False),
        ("First Contact", False, "Qualified", False),
        ("Opportunity", False, "Qualified", True),
        ("Prospect", False, "Qualified", False),
        ("Waiting on Client", False, "On hold", True),
        ("In Negotiation", False, "Negotiation", True),
        ("Pending", False, "Proposal", True),
        ("Won", False, "Won", True),
        ("Won", True, "Won", False),
        ("Lost", False, "Lost", True),
    ]


def test_making_the_map_again_changes_nothing_that_a_person_chose(acme: Account):
    connection = a_connection(acme)
    ensure_status_map(connection)
    StatusMap.objects.filter(remote_status="Lead").update(choice="skip", status=None)
    StatusMap.objects.filter(remote_status="Pending").delete()
    rows = {row.remote_status: row for row in ensure_status_map(connection) if not row.became_ticket}
    assert (rows["Lead"].choice, str(rows["Pending"].status), rows["Pending"].send_back) == (
        "skip",
        "Proposal",
        True,
    )
    assert OppStatus.objects.count() == 7


def test_find_answers_for_every_kind_of_lead_from_one_query(acme: Account, django_assert_num_queries: Any):
    connection = a_connection(acme)
    ensure_status_map(connection)
    lost = OppStatus.objects.get(name="Lost")
    StatusMap.objects.filter(remote_status="Won", became_ticket=True).update(status=lost)
    StatusMap.objects.filter(remote_status="Lead").update(choice="skip")
    with django_assert_num_queries(1):
        mapper = StatusMapper(connection)
        assert mapper.find("Won", 7) == Mapped(lost)
        assert mapper.find("won ", None) == mapper.find("Won", None) != mapper.find("Won", 7)
        assert mapper.find("Lost", 7) == Mapped(lost)
        assert mapper.find("Lead", None) == Skip()
        assert mapper.find("Dreaming", None) == Unmapped()


def test_a_status_nobody_heard_of_gets_one_undecided_row_and_undoes_no_mapping(acme: Account):
    connection = a_connection(acme)
    assert mapping_complete(connection) is True
    mapper = StatusMapper(connection)
    assert mapper.remember_new(["Dreaming", "Dreaming ", "Won", ""]) == ["", "Dreaming"]
    assert StatusMapper(connection).remember_new({"Dreaming", ""}) == []
    assert undecided(connection) == 2
    assert mapping_complete(connection) is True
    assert [row.remote_status for row in ensure_status_map(connection)[-2:]] == ["", "Dreaming"]


def test_a_status_of_ours_that_was_removed_holds_its_leads(acme: Account):
    connection = a_connection(acme)
    ensure_status_map(connection)
    StatusMap.objects.filter(remote_status="Pending").update(status=None)
    assert StatusMapper(connection).find("Pending", None) == Unmapped()
    assert undecided(connection) == 1


def test_counts_of_the_last_read_replace_those_before(acme: Account):
    connection = a_connection(acme)
    ensure_status_map(connection)
    remember_counts(connection, {("New", False): 3, ("Won", True): 2})
    remember_counts(connection, {("New", False): 4})
    assert list(StatusMap.objects.exclude(seen=0).values_list("remote_status", "seen")) == [("New", 4)]
