from typing import Any

import pytest

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import in_account
from tests.bridge.house import a_member, an_account


@pytest.fixture(autouse=True)
def brisk(settings: Any) -> None:
    """No story here is about the pace."""
    settings.PROPOLIS_PACE = 60_000.0


@pytest.fixture
def acme(db: None):
    account = an_account()
    with in_account(account):
        yield account


@pytest.fixture
def alice(acme: Account) -> Membership:
    return a_member(acme, "Alice", "Admin")
