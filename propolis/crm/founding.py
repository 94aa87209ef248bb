"""What a new account starts with: the usual statuses of an opportunity."""

from __future__ import annotations

from typing import Any

from propolis.accounts.founding import account_created
from propolis.accounts.models import Account
from propolis.crm.models import DEFAULT_STATUSES, OppStatus


def furnish(account: Account, **_details: Any) -> None:
    """Adds the default opportunity statuses, in their order."""
    OppStatus.objects.bulk_create(
        OppStatus(account=account, name=name, outcome=outcome, position=position)
        for position, (name, outcome) in enumerate(DEFAULT_STATUSES)
    )


def listen() -> None:
    """Furnishes every account as it is founded."""
    account_created.connect(furnish, dispatch_uid="crm.furnish")
