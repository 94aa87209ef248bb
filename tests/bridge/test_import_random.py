"""Random accounts: a preview applied equals the same import run directly, and every result's sum adds up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.dumping import canonical_dump
from propolis.merge.plan import Counts
from propolis.runs.models import Run
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro, an_account
from tests.bridge.import_story import go_on, import_all, ready
from tests.bridge.test_undo_random import PICK, SLUGS, THERE, ours_beforehand, there

pytestmark = pytest.mark.django_db(transaction=True)


def begun(syncro: Running, ours: list[int], newer: bool) -> Account:
    """An account connected to this Syncro, with some records of its own that are Syncro's too."""
    account = an_account(next(SLUGS))
    with in_account(account):
        ready(account, syncro)
        ours_beforehand(account, syncro, ours, newer)
    return account


def sums(run: Run, syncro: Running) -> dict[str, int]:
    """Of each object: how many records Syncro has, after the sum was found to add up to what was read."""
    dump = syncro.sandbox.dump()
    found = {}
    for noun, theirs in (("companies", "customers"), ("contacts", "contacts"), ("opportunities", "leads")):
        told: dict[str, Any] = run.counts[noun]
        assert Counts.from_dict(told["counts"]).total == told["read"] + told["persons"], noun
        assert told["read"] == told["stated"] == len(dump[theirs]), noun
        found[noun] = told["read"]
    return found


@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    seed=st.integers(0, 999),
    size=st.tuples(st.integers(1, 6), st.integers(1, 14), st.integers(1, 8)),
    orphans=st.integers(0, 2),
    ours=st.lists(PICK, max_size=4),
    newer=st.booleans(),
    happens=st.lists(st.tuples(THERE, PICK), max_size=8),
)
def test_a_preview_applied_equals_the_same_import_run_directly_and_the_sums_add_up(
    transactional_db: None,
    seed: int,
    size: tuple[int, int, int],
    orphans: int,
    ours: list[int],
    newer: bool,
    happens: list[tuple[str, int]],
) -> None:
    options = SeedOptions(*size, seed=seed, contacts_without_customer=min(orphans, size[1]))
    with a_syncro(options) as syncro:
        previewing, direct = (begun(syncro, ours, newer) for _ in range(2))
        for again in (False, True):
            for number, (what, pick) in enumerate(happens if again else ()):
                there(syncro, what, pick, number)
            with in_account(previewing):
                seen = import_all(previewing, show_first=True)
                shown = {noun: told["counts"] for noun, told in seen.counts.items()}
                first = go_on(seen)
                assert {noun: told["counts"] for noun, told in first.counts.items()} == shown
            with in_account(direct):
                second = import_all(direct)
            assert (first.state, second.state) == (Run.State.COMPLETE, Run.State.COMPLETE)
            assert sums(first, syncro) == sums(second, syncro)
            assert list(canonical_dump(previewing)) == list(canonical_dump(direct))
