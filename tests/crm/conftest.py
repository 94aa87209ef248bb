"""One MSP whose account is in scope."""

from collections.abc import Iterator

import pytest

from propolis.accounts.scoping import in_account
from tests.crm.people import Msp, make_msp


@pytest.fixture
def msp(db: None) -> Iterator[Msp]:
    made = make_msp()
    with in_account(made.account):
        yield made
