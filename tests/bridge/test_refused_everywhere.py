"""Every address of setting up and importing, by GET and by POST: Admins of the account only, also by typing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver

from propolis.accounts.scoping import in_account
from propolis.bridge import urls
from propolis.bridge.models import Connection, Link
from propolis.runs.models import Run
from tests.people import Crew, client_of

pytestmark = pytest.mark.django_db
ARGUMENTS: Final = {"<int:pk>": "1", "<int:number>": "1", "<str:key>": "in_sync", "<int:change>": "1"}
# Sending is for Salespeople too, and the sign of work under way for whoever started it; their own stories say who may.
OTHERS: Final = ("send", "import_pill")


def addresses(patterns: Iterable[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Name and address of each page, with some number wherever it wants one."""
    for each in patterns:
        path = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, path)
        elif isinstance(each, URLPattern) and not str(each.name).startswith(OTHERS):
            for wanted, given in ARGUMENTS.items():
                path = path.replace(wanted, given)
            assert "<" not in path, path
            yield str(each.name), f"/acme/{path}"


ALL: Final = dict(addresses(urls.urlpatterns))


NOT_THIS_WAY: Final = 405


def answers(client: Client) -> dict[int, set[str]]:
    """Status → names of the pages that gave it; a page that only takes forms says so to anybody."""
    found: dict[int, set[str]] = {}
    for name, at in ALL.items():
        for answer in (client.get(at), client.post(at)):
            found.setdefault(answer.status_code, set()).add(name)
    found.pop(NOT_THIS_WAY, None)
    return found


def test_all_pages_are_in_the_list() -> None:
    assert len(ALL) == 68


def test_charlie_finds_nothing_and_salespeople_and_marketers_are_refused(crew: Crew) -> None:
    with in_account(crew.account):
        connection = Connection.objects.create(account=crew.account, state="connected")
        Link.objects.create(account=crew.account, connection=connection, kind="customer", remote_id=1)
        Run.objects.create(account=crew.account, kind="import", number=1, state="complete")
    assert answers(client_of(crew.charlie)) == {404: set(ALL)}
    assert answers(client_of(crew.bob)) == {403: set(ALL)}
    assert {client_of(crew.mia).get(ALL[name]).status_code for name in ("syncro", "users", "health")} == {403}
    with in_account(crew.account):
        assert (Run.objects.count(), Connection.objects.get().state) == (1, "connected")
