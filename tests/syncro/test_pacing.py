"""Evenly paced, never more than Syncro allows, people first."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propolis.syncro import Interrupted, LocalPacer, PaceRules, PaceState, recovered, reserve, slowed
from propolis.syncro.pacing import priority_lead
from tests.syncro.fakes import FakeClock

RULES = PaceRules.per_minute(150)


def numbers(state: PaceState) -> list[float]:
    return [state.next_at, state.interval, state.cool_until]


def test_a_lone_request_starts_at_once_and_the_next_one_an_interval_later():
    state, first = reserve(PaceState(next_at=90.0), 100.0, RULES)
    state, second = reserve(state, 100.0, RULES)
    assert [first, second] == pytest.approx([0.0, 0.4])
    assert reserve(state, 200.0, RULES)[1] == 0.0


def test_a_person_goes_before_those_who_wait():
    state = PaceState()
    for _ in range(10):
        state, _ = reserve(state, 0.0, RULES)
    state, wait = reserve(state, 0.0, RULES, priority=True)
    assert wait == 0.0
    # The slot was taken from everybody behind.
    assert reserve(state, 0.0, RULES)[1] == pytest.approx(11 * 0.4)


def test_bob_sends_within_seconds_while_four_imports_run_at_full_speed():
    """Five requests of a quarter of a second each, one after the other; twelve others always wait."""
    state, now = PaceState(), 0.0
    for _ in range(12):
        state, _ = reserve(state, now, RULES)
    for _ in range(5):
        state, wait = reserve(state, now, RULES, priority=True)
        now += wait + 0.25
        state, _ = reserve(state, now, RULES)
    assert now == 5 * 0.25


@given(
    st.floats(150, 174),
    st.lists(st.tuples(st.floats(0, 3), st.booleans()), min_size=1, max_size=600),
)
def test_no_minute_ever_holds_more_than_syncro_allows(per_minute, arrivals):
    rules = PaceRules.per_minute(per_minute)
    state, now, starts = PaceState(interval=rules.interval), 0.0, []
    for pause, priority in arrivals:
        now += pause / 20
        state, wait = reserve(state, now, rules, priority=priority)
        assert wait >= 0
        starts.append(now + wait)
    starts.sort()
    busiest = max(sum(1 for other in starts[i:] if other < at + 60) for i, at in enumerate(starts))
    assert busiest <= 180


@given(st.lists(st.floats(0, 1), min_size=2, max_size=100))
def test_without_priority_starts_are_an_interval_apart(pauses):
    state, now, starts = PaceState(), 0.0, []
    for pause in pauses:
        now += pause
        state, wait = reserve(state, now, RULES)
        starts.append(now + wait)
    assert all(later - earlier >= 0.4 - 1e-9 for earlier, later in pairwise(starts))


@pytest.mark.parametrize(
    ("said", "cool"), [(None, 30.0), (7.0, 7.0), (0.0, 0.6), (-5.0, 0.6), (9999.0, 300.0)]
)
def test_after_a_429_nothing_starts_for_a_while_and_then_slower(said, cool):
    state = slowed(PaceState(next_at=100.0), 100.0, RULES, said)
    assert numbers(state) == pytest.approx([100.0, 0.6, 100 + cool])
    state, wait = reserve(state, 100.0, RULES, priority=True)
    assert wait == pytest.approx(cool)


def test_three_refused_together_count_once_a_second_time_doubles_down():
    once = slowed(PaceState(), 100.0, RULES)
    assert slowed(slowed(once, 100.1, RULES), 100.2, RULES) == once
    assert numbers(slowed(once, 100.1, RULES, 60.0)) == pytest.approx([0.0, 0.6, 160.1])
    again = slowed(once, 131.0, RULES)
    assert numbers(again) == pytest.approx([0.0, 0.9, 131 + 45])


def test_the_pace_recovers_slowly_and_never_beyond_the_rules():
    state = slowed(PaceState(), 0.0, RULES)
    answers = 0
    while state.interval > RULES.interval:
        state = recovered(state, RULES)
        answers += 1
    assert (answers, state.interval) == (21, RULES.interval)
    assert recovered(state, RULES) is state


def test_the_faster_we_go_the_less_is_left_over_for_people():
    leads = [round(priority_lead(PaceState(), PaceRules.per_minute(n)) / 0.4) for n in (150, 165, 174, 178)]
    assert leads == [20, 13, 4, 0]


def test_rules_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="interval"):
        PaceRules(interval=0)


def test_one_process_waits_its_turn():
    clock = FakeClock()
    pacer = LocalPacer(clock=clock)
    assert [round(pacer.acquire(), 6) for _ in range(4)] == [0.0, 0.4, 0.4, 0.4]
    pacer.refused(5.0)
    assert pacer.acquire() == pytest.approx(5.0)
    pacer.succeeded()
    assert pacer.state.interval == pytest.approx(0.6 * 0.98)


def test_those_who_waited_through_a_429_do_not_all_start_at_once():
    class Refusing(FakeClock):
        """Somebody else is refused while this one sleeps."""

        def sleep(self, seconds):
            super().sleep(seconds)
            if len(self.slept) == 1:
                pacer.refused(10.0)

    clock = Refusing()
    pacer = LocalPacer(clock=clock)
    pacer.acquire()
    began = clock.now
    starts = []
    for _ in range(3):
        pacer.acquire()
        starts.append(round(clock.now - began, 3))
    # 0.4 s of the slot that became void, 10 s of rest, then the slower pace.
    assert starts == [10.4, 11.0, 11.6]


def test_many_threads_get_a_slot_each():
    clock = FakeClock()
    pacer = LocalPacer(clock=clock)
    threads = [threading.Thread(target=pacer.acquire) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pacer.state.next_at >= 1000.0 + 30 * 0.4 - 1e-6


def test_waiting_ends_when_asked_to_stop():
    clock = FakeClock()
    pacer = LocalPacer(clock=clock, should_stop=lambda: clock.now >= 1002)
    pacer.refused(100.0)
    with pytest.raises(Interrupted):
        pacer.acquire()
    assert clock.now == pytest.approx(1002)
