"""Fixtures of the engine's tests. Imports stay inside: this file is read before Django is ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.runs.harness import house

if TYPE_CHECKING:
    from propolis.accounts.models import Account
    from tests.runs.toys import Counting, Scripted

__all__ = ["house"]


@pytest.fixture(autouse=True)
def _outside_accounts() -> Iterator[None]:
    from propolis.accounts.scoping import unscoped
    from propolis.runs import leaving

    with unscoped():
        yield
    leaving.stay()


@pytest.fixture
def acme(db: None) -> Account:
    from propolis.accounts.models import Account

    return Account.objects.create(slug="acme", name="Acme")


@pytest.fixture
def toy() -> Iterator[Scripted]:
    from tests.runs.toys import Scripted

    yield from _registered(Scripted())


@pytest.fixture
def counting() -> Iterator[Counting]:
    from tests.runs.toys import Counting

    yield from _registered(Counting())


def _registered(job: Any) -> Iterator[Any]:
    from propolis.runs import jobs

    jobs._jobs.pop(job.kind, None)
    yield jobs.register(job)
    jobs._jobs.pop(job.kind, None)
