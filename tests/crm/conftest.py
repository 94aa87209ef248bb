"""One MSP whose account is in scope, and Alice at its pages."""

from collections.abc import Iterator

import pytest
from django.test import Client

from propolis.accounts.scoping import in_account
from tests.crm.people import Msp, make_msp
from tests.people import client_of


@pytest.fixture
def msp(db: None) -> Iterator[Msp]:
    made = make_msp()
    with in_account(made.account):
        yield made


@pytest.fixture
def alice(msp: Msp) -> Client:
    return client_of(msp.alice)


@pytest.fixture
def bob(msp: Msp) -> Client:
    return client_of(msp.bob)
