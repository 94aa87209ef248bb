"""One of ours claimed by two of theirs: nobody wins by coming first."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from propolis.merge.claims import _SLOTS
from propolis.merge.match import (
    Ambiguous,
    Claims,
    Doubt,
    Evidence,
    Linked,
    New,
    Outcome,
    Reason,
    Rule,
    Strength,
    Sure,
    match_contact,
    settle,
)
from tests.merge.records import contact


def sure(local_id: int) -> Sure:
    evidence = Evidence(local_id, Rule.SAME_EMAIL, "jo@brightwater.com", Strength.STRONG, 35)
    return Sure(local_id, Rule.SAME_EMAIL, evidence)


def test_two_syncro_contacts_with_one_address_both_wait_for_a_person() -> None:
    ours = [contact(10, "", "jo@brightwater.com")]
    theirs = [
        contact(1, "jo lindqvist", "jo@brightwater.com"),
        contact(2, "anna lindqvist", "jo@brightwater.com"),
    ]
    outcomes = {each.id: match_contact(each, ours) for each in theirs}
    claims = Claims()
    for remote_id, outcome in outcomes.items():
        claims.add(remote_id, outcome)
    contested = claims.contested()
    assert contested == {10: (1, 2)}
    settled = [settle(outcome, contested) for outcome in outcomes.values()]
    assert [
        (o.reason, o.rivals, o.evidences[0].local_id, o.acceptable)
        for o in settled
        if isinstance(o, Ambiguous)
    ] == [
        (Reason.CLAIMED, (1, 2), 10, None),
        (Reason.CLAIMED, (1, 2), 10, None),
    ]


def test_only_sure_outcomes_claim_and_only_they_are_contested() -> None:
    weak = Evidence(10, Doubt.PHONE_ALONE, "15550001", Strength.WEAK, 20)
    others: list[Outcome] = [Linked(10), New(10), Ambiguous((weak,), Reason.WEAK)]
    claims = Claims()
    for remote_id, outcome in enumerate([sure(10), *others]):
        claims.add(remote_id, outcome)
    assert (len(claims), claims.contested()) == (1, {})
    assert [settle(outcome, {10: (1, 2)}) for outcome in others] == others
    assert settle(sure(10), {}) == sure(10)


remote_ids = st.integers(1, 6)
local_ids = st.sampled_from([1, 2, 3, 1 + _SLOTS, 1 + 5 * _SLOTS, 10**15])


@given(st.lists(st.tuples(remote_ids, local_ids)), st.data())
def test_whatever_the_order_and_the_ids_exactly_the_contested_are_found(
    pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    claims = Claims()
    for remote_id, local_id in data.draw(st.permutations(pairs)):
        claims.add(remote_id, sure(local_id))
    by_local = {local: sorted({r for r, its in pairs if its == local}) for _, local in sorted(pairs)}
    assert claims.contested() == {local: tuple(r) for local, r in by_local.items() if len(r) > 1}


def test_a_hundred_thousand_claims_stay_under_ten_megabytes() -> None:
    outcome = sure(1)
    tracemalloc.start()
    try:
        claims = Claims()
        for remote_id in range(100_000):
            claims.add(10**9 + remote_id, Sure(7 * 10**9 + remote_id // 2, outcome.rule, outcome.evidence))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(claims.contested()) == 50_000
    assert held < 10_000_000
