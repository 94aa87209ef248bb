"""Importing in the browser, told by requests: choose, preview, import, result; who may; pressing eight times."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.runs.models import Run
from syncro_sandbox import SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import finish, ready
from tests.people import Crew, client_of

pytestmark = pytest.mark.django_db(transaction=True)
SEED = SeedOptions(companies=12, contacts=40, leads=10, seed=5, contacts_without_customer=0)
BASE = "/acme/settings/integrations/syncro/"


@pytest.fixture
def acme(crew: Crew):
    with in_account(crew.account):
        yield crew.account


@pytest.fixture
def visitor(crew: Crew) -> Client:
    return client_of(crew.alice)


def words_of(response: Any) -> str:
    """What a person reads, in one line."""
    text = re.sub(r"<(script|style|svg|template).*?</\1>", " ", response.content.decode(), flags=re.S)
    text = re.sub(r"<[^>]*>", " ", text.partition("<main")[2] or text)
    return " ".join(text.replace("&#x27;", "'").replace("&quot;", '"').replace("&amp;", "&").split())


def the_run() -> Run:
    return Run.objects.order_by("-id").first()


def test_a_first_import_from_choosing_to_the_result(acme: Account, visitor: Client) -> None:
    with a_syncro(SEED) as syncro:
        ready(acme, syncro)
        print(words_of(visitor.get(BASE + "companies/")))
        response = visitor.post(BASE + "imports/start/", {"on": "companies", "objects": "companies"})
        assert (response.status_code, response.url) == (302, BASE + "companies/")
        print(words_of(visitor.get(BASE + "companies/")))
        run = finish(the_run())
        print(words_of(visitor.get(BASE + "companies/")))
        print(words_of(visitor.get(BASE + "companies/?show=new")))
        visitor.post(BASE + f"imports/{run.number}/confirm/", {"on": "companies"})
        finish(run)
        print(words_of(visitor.get(BASE + "companies/")))
        print(words_of(visitor.get(BASE + f"imports/{run.number}/?show=new")))
        print(words_of(visitor.get(BASE + "imports/")))
        print(visitor.get(BASE + f"imports/{run.number}/changes.csv?show=new").getvalue().decode()[:900])
