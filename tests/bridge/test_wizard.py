"""The five steps as pages: their order and words, enforced on the server, for Admins only."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as db_connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge import steps
from propolis.bridge.models import Connection, Link, RemoteUser, StatusMap
from propolis.bridge.statuses import ensure_status_map
from propolis.bridge.steps import Offer, Step, StepState
from propolis.bridge.user_rows import roster
from propolis.bridge.views_statuses import status_choices
from propolis.crm.models import Opportunity, OppStatus
from propolis.history.models import Change
from propolis.runs.models import Run
from tests.people import Crew, client_of

BASE = "/acme/settings/integrations/syncro/"
PAGES = ["", "connection/", "users/", "companies/", "contacts/", "opportunities/"]
POSTS = [
    "connection/",
    "connection/check/",
    "connection/check-saved/",
    "connection/replace/",
    "connection/disconnect/",
    "users/read/",
    "users/details/",
    "users/roles/",
    "users/invite/",
    "users/me/",
    "users/1/",
    "users/1/hand-over/",
    "users/1/link/",
    "users/1/revoke/",
    "opportunities/statuses/",
]
EARLY = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def acme(crew: Crew):
    with in_account(crew.account):
        yield crew.account


def a_connection(acme: Account, **more: Any) -> Connection:
    """Connected a while ago to a Syncro that nobody asks anything here."""
    given = {
        "base_url": "https://acme.syncromsp.com/api/v1",
        "label": "acme",
        "host": "syncromsp.com",
        "state": "connected",
        "token_cipher": b"sealed",
        "connected_at": EARLY,
        "remote_account": "acme",
    }
    return Connection.objects.create(account=acme, **{**given, **more})


def words_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def standing(connection: Connection | None) -> list[tuple[str, str]]:
    return [(str(view.state), view.line) for view in steps.steps_of(connection)]


def test_at_first_everything_waits_for_the_connection(acme: Account):
    assert standing(None) == [
        ("current", "Not connected yet"),
        ("locked", "Starts after Connection"),
        ("locked", "Starts after Users"),
        ("locked", "Starts after Companies"),
        ("locked", "Starts after Contacts"),
    ]


def test_each_complete_reading_opens_the_next_step_and_what_needs_a_look_locks_nothing(acme: Account):
    connection = a_connection(acme)
    assert standing(connection)[:3] == [
        ("done", "Connected to acme.syncromsp.com"),
        ("current", "Not read yet"),
        ("locked", "Starts after Users"),
    ]
    connection.users_step, connection.users_read_at = "read", EARLY
    for at, seen in enumerate([EARLY - timedelta(days=1), EARLY]):
        RemoteUser.objects.create(
            account=acme, connection=connection, remote_id=at, name="x", first_seen_at=seen, read_at=seen
        )
    connection.companies_read_at = EARLY
    Link.objects.create(account=acme, connection=connection, kind="customer", remote_id=1, state="review")
    Link.objects.create(account=acme, connection=connection, kind="customer", remote_id=2, state="failed")
    assert standing(connection)[1:] == [
        ("attention", "0 of 2 users matched, 1 new in Syncro"),
        ("done", "Done, 2 to look at"),
        ("current", "Not imported yet"),
        ("locked", "Starts after Contacts"),
    ]
    connection.contacts_read_at = connection.opportunities_read_at = EARLY
    ensure_status_map(connection)
    StatusMap.objects.create(account=acme, connection=connection, remote_status="Dreaming")
    assert standing(connection)[3:] == [
        ("done", "Imported 1 Nov, 09:00"),
        ("attention", "1 status to decide"),
    ]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (Run.State.READING, ("current", "Importing now")),
        (Run.State.PLANNED, ("attention", "Preview ready: nothing is imported yet")),
        (Run.State.WAITING, ("current", "Waiting for Syncro")),
        (Run.State.NEEDS_ATTENTION, ("attention", "The import needs a person")),
        (Run.State.COMPLETE, ("current", "Not imported yet")),
    ],
)
def test_a_run_is_told_beside_its_step(acme: Account, state: Run.State, told: tuple[str, str]):
    connection = a_connection(acme, users_step="read", users_read_at=EARLY)
    Run.objects.create(account=acme, number=1, kind="import", state=state, options={"objects": ["companies"]})
    assert standing(connection)[2] == told


def test_a_token_that_died_asks_for_attention_and_imports_are_refused_but_nothing_is_locked(acme: Account):
    connection = a_connection(acme, state="broken", users_step="read", companies_read_at=EARLY)
    assert standing(connection)[0] == ("attention", "Syncro refused the saved token")
    assert [view.state for view in steps.steps_of(connection)[1:4]] != [StepState.LOCKED] * 3
    assert steps.require_step(connection, Step.CONTACTS, talks=False) == connection
    with pytest.raises(steps.StepLocked) as locked:
        steps.require_step(connection, Step.CONTACTS)
    assert locked.value.sentence == (
        "Syncro is not connected at present. Save a token that works under Connection first."
    )


def test_a_connection_that_came_without_an_address_says_only_disconnected(acme: Account):
    assert standing(a_connection(acme, state="disconnected", base_url=""))[0] == ("current", "Disconnected")


def test_a_stale_earlier_step_is_offered_first(acme: Account):
    now = timezone.now()
    fresh, stale = now - timedelta(minutes=5), now - timedelta(hours=2)
    connection = a_connection(acme, companies_read_at=fresh, contacts_read_at=fresh)
    assert steps.offers(connection, Step.COMPANIES, now) == [Offer("Import", ("companies",))]
    assert steps.offers(connection, Step.CONTACTS, now) == [Offer("Import", ("contacts",))]
    connection.companies_read_at = stale
    assert steps.offers(connection, Step.CONTACTS, now) == [
        Offer("Import companies, then contacts", ("companies", "contacts")),
        Offer("Contacts only", ("contacts",)),
    ]
    connection.contacts_read_at = stale
    assert steps.offers(connection, Step.OPPORTUNITIES, now)[0] == Offer(
        "Import companies, then contacts, then opportunities", ("companies", "contacts", "opportunities")
    )


def test_five_pages_with_the_articles_headings(acme: Account, visitor: Client):
    a_connection(acme, users_step="read", companies_read_at=EARLY, contacts_read_at=EARLY)
    headings = [
        "Syncro PSA Integration",
        "Save credentials",
        "Map users and invite users",
        "Import companies",
        "Import contacts",
        "Map and import opportunities",
    ]
    for path, heading in zip(PAGES, headings, strict=True):
        shown = words_of(visitor.get(BASE + path))
        assert f"<h1>{heading}</h1>" in shown
    assert "Connection ➡ Users ➡ Companies ➡ Contacts ➡ Opportunities" in words_of(visitor.get(BASE))


def test_a_locked_page_says_what_it_waits_for_and_its_actions_are_refused(acme: Account, visitor: Client):
    shown = words_of(visitor.get(BASE + "companies/"))
    assert "Waits for Connection: save credentials that work." in shown
    for path in POSTS:
        if path in ("connection/", "connection/check/"):
            continue
        response = visitor.post(BASE + path, follow=True)
        # Invitations need no connection; there is nobody with this number.
        if path not in ("users/1/revoke/", "users/1/link/"):
            assert "Waits for Connection: save credentials that work." in words_of(response), path
    assert not Connection.objects.exists()


def test_the_backup_question_stands_before_the_first_import_and_is_gone_after_it(
    acme: Account, visitor: Client
):
    asks = "⚠️ Important: Whoa! You recommend a backup before turning on the integration? Why?"
    assert asks in words_of(visitor.get(BASE + "connection/"))
    a_connection(acme, users_step="read", companies_read_at=EARLY)
    assert asks not in words_of(visitor.get(BASE + "connection/"))


@pytest.mark.parametrize("path", PAGES)
def test_only_admins_of_the_account_may_look(acme: Account, crew: Crew, path: str):
    assert client_of(crew.bob).get(BASE + path).status_code == 403
    assert client_of(crew.mia).get(BASE + path).status_code == 403
    assert client_of(crew.charlie).get(BASE + path).status_code == 404
    assert client_of(None).get(BASE + path).status_code == 302


@pytest.mark.parametrize("path", POSTS)
def test_only_admins_of_the_account_may_do_anything(acme: Account, crew: Crew, path: str):
    a_connection(acme)
    assert client_of(crew.bob).post(BASE + path).status_code == 403
    assert client_of(crew.charlie).post(BASE + path).status_code == 404


def test_a_reader_of_the_settings_finds_the_integration_there(acme: Account, crew: Crew):
    assert "Syncro PSA Integration" in words_of(client_of(crew.alice).get("/acme/settings/"))
    assert "Syncro PSA Integration" not in words_of(client_of(crew.bob).get("/acme/settings/"))
    assert "Not connected" in words_of(client_of(crew.alice).get("/acme/settings/integrations/"))


def opportunities(acme: Account, connection: Connection, raw: dict[str, Any], status: OppStatus, count: int):
    found = []
    for at in range(count):
        row = Opportunity.objects.create(account=acme, name=f"{raw['status']} {at}", status=status)
        Link.objects.create(
            account=acme,
            connection=connection,
            kind="lead",
            remote_id=row.pk,
            opportunity=row,
            agreed=raw,
        )
        found.append(row)
    return found


def statuses_form(connection: Connection, **changed: str) -> dict[str, str]:
    """Every row as it is, some changed by Syncro's name."""
    form = {}
    for row in ensure_status_map(connection):
        form[f"status-{row.pk}"] = str(row.status_id or "skip")
        if row.remote_status in changed and not row.became_ticket:
            form[f"status-{row.pk}"] = changed[row.remote_status]
    return form


def test_changing_the_map_asks_about_opportunities_imported_before(acme: Account, visitor: Client):
    connection = a_connection(acme, users_step="read", companies_read_at=EARLY, contacts_read_at=EARLY)
    ensure_status_map(connection)
    new, won, lost = (OppStatus.objects.get(name=name) for name in ("New", "Won", "Lost"))
    same, moved = opportunities(acme, connection, {"status": "Won", "ticket_id": None}, won, 2)
    ticket = opportunities(acme, connection, {"status": "Won", "ticket_id": 7}, won, 1)[0]
    Opportunity.objects.filter(pk=moved.pk).update(status=new)
    address = BASE + "opportunities/statuses/"
    asked = visitor.post(address, statuses_form(connection, Won=str(lost.pk)))
    shown = words_of(asked)
    assert "Apply to 1 existing opportunity?" in shown
    assert "Won 0" in shown
    row = StatusMap.objects.get(remote_status="Won", became_ticket=False)
    assert (row.status, row.send_back) == (lost, False)
    visitor.post(address, {"apply": "1", "row": f"{row.pk}:{won.pk}"})
    for one in (same, moved, ticket):
        one.refresh_from_db()
    assert (same.status, moved.status, ticket.status) == (lost, new, won)
    assert (same.rev, same.closed_at is None) == (2, False)
    change = Change.objects.get()
    assert change.fields["status"] == [won.pk, lost.pk, "status_map_changed"]


def test_a_status_map_opened_before_takes_back_no_choice_of_somebody_else(acme: Account, visitor: Client):
    connection = a_connection(acme, users_step="read", companies_read_at=EARLY, contacts_read_at=EARLY)
    before = statuses_form(connection)
    shown = {name.replace("status-", "shown-"): value for name, value in before.items()}
    page = visitor.get(BASE + "opportunities/").content.decode()
    assert dict(re.findall(r'name="(shown-\d+)" value="(\w+)"', page)) == shown
    address, lost = BASE + "opportunities/statuses/", OppStatus.objects.get(name="Lost")
    visitor.post(address, shown | statuses_form(connection, Pending="skip"))
    visitor.post(address, shown | before | {"status-" + str(_row("Lead").pk): str(lost.pk)})
    assert (_row("Pending").choice, _row("Lead").status) == ("skip", lost)


def _row(remote: str) -> StatusMap:
    return StatusMap.objects.select_related("status").get(remote_status=remote, became_ticket=False)


def test_a_status_left_out_or_unknown_choices_change_only_what_was_chosen(acme: Account, visitor: Client):
    connection = a_connection(acme, users_step="read", companies_read_at=EARLY, contacts_read_at=EARLY)
    address = BASE + "opportunities/statuses/"
    response = visitor.post(address, statuses_form(connection, Pending="skip", Lead="999999"))
    assert response.status_code == 302
    rows = {row.remote_status: row for row in ensure_status_map(connection) if not row.became_ticket}
    assert (rows["Pending"].choice, rows["Lead"].choice) == ("skip", "map")
    back = StatusMap.objects.filter(send_back=True).values_list("remote_status", flat=True)
    assert sorted(back) == ["In Negotiation", "Lost", "New", "Opportunity", "Waiting on Client", "Won"]


def furnished(acme: Account, users: int) -> Connection:
    connection = a_connection(
        acme, users_step="read", users_read_at=EARLY, companies_read_at=EARLY, contacts_read_at=EARLY
    )
    ensure_status_map(connection)
    for at in range(users):
        RemoteUser.objects.create(
            account=acme,
            connection=connection,
            remote_id=at,
            name=f"User {at}",
            left_at=EARLY if at == 2 else None,
        )
    return connection


@pytest.mark.parametrize("users", [1, 3])
def test_what_the_pages_ask_the_database(
    acme: Account, crew: Crew, users: int, django_assert_num_queries: Any
):
    connection = furnished(acme, users)
    with django_assert_num_queries(4):
        steps.steps_of(connection)
    with django_assert_num_queries({1: 3, 3: 4}[users]):
        roster(connection, crew.alice)
    with django_assert_num_queries(2):
        status_choices(connection)


@pytest.mark.parametrize("path", ["", "connection/", "users/"])
def test_a_page_asks_no_more_for_more_users(acme: Account, visitor: Client, path: str):
    counts = []
    furnished(acme, 1)
    for _ in range(2):
        visitor.get(BASE + path)
        with CaptureQueriesContext(db_connection) as asked:
            visitor.get(BASE + path)
        counts.append(len(asked))
        connection = Connection.objects.get()
        for at in range(10 + 10 * len(counts), 15 + 10 * len(counts)):
            RemoteUser.objects.create(account=acme, connection=connection, remote_id=at, name="Another")
    assert counts[0] == counts[1]
