"""A small account for each test, and somebody to ask it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncro_sandbox import Sandbox, SeedOptions
from tests.sandbox.asking import Asker, Clock

SMALL = SeedOptions(companies=45, contacts=160, leads=60)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def box(clock: Clock) -> Sandbox:
    return Sandbox(SMALL, clock=clock, rate_limit=0)


@pytest.fixture
def api(box: Sandbox) -> Iterator[Asker]:
    asker = Asker(box)
    with asker.client:
        yield asker
