"""Which value stays: the truth table row by row, then one property per sentence."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propolis.merge.decide import (
    NEVER_AGREED,
    Action,
    ConflictRule,
    Decision,
    NeverAgreedType,
    Why,
    agree,
    decide,
    decide_field,
)
from propolis.merge.record import UNSET, UnsetType, Value

EARLIER, NOON, LATER = (datetime(2025, 11, 22, hour, tzinfo=UTC) for hour in (11, 12, 13))
MORE_CURRENT, SYNCRO, PROPOLIS, ONLY_IF_BLANK = ConflictRule


def folded(field: str, value: Value) -> Value:
    return value.strip().lower() if isinstance(value, str) else value


def one(
    ours: Value,
    theirs: Value,
    agreed: Value | NeverAgreedType = NEVER_AGREED,
    *,
    ours_at: datetime | None = NOON,
    theirs_at: datetime | None = LATER,
    rule: ConflictRule = MORE_CURRENT,
) -> Decision:
    return decide_field(
        "phone", ours, theirs, agreed, ours_at=ours_at, theirs_at=theirs_at, rule=rule, normalise=folded
    )


T, K, A, N = Action.TAKE, Action.KEEP, Action.AGREE, Action.NOTHING
R = (Why.RULE_SYNCRO, Why.RULE_PROPOLIS, Why.RULE_ONLY_IF_BLANK)

# Name, ours, theirs, agreed, then action and reason under each of the four rules; Syncro is newer.
TABLE = [
    ("absent", "a", UNSET, "a", [(N, Why.ABSENT)] * 4),
    ("absent, ours changed", "b", UNSET, "a", [(N, Why.ABSENT)] * 4),
    ("neither changed", "a", "A ", "a", [(N, Why.UNCHANGED)] * 4),
    ("neither changed, all blank", None, "", " ", [(N, Why.UNCHANGED)] * 4),
    ("only ours changed", "b", "a", "a", [(K, Why.ONLY_PROPOLIS)] * 4),
    ("only ours cleared", "", "a", "a", [(K, Why.ONLY_PROPOLIS)] * 4),
    ("only theirs changed", "a", "b", "a", [(T, Why.ONLY_SYNCRO)] * 3 + [(K, R[2])]),
    ("only theirs cleared", "a", None, "a", [(T, Why.ONLY_SYNCRO)] * 3 + [(K, R[2])]),
    ("only theirs filled", "", "b", "", [(T, Why.ONLY_SYNCRO)] * 3 + [(T, Why.BLANK_HERE)]),
    ("both, same", "b", " B", "a", [(A, Why.BOTH_SAME)] * 4),
    ("both cleared", "", None, "a", [(A, Why.BOTH_SAME)] * 4),
    ("both, differently", "b", "c", "a", [(T, Why.SYNCRO_NEWER), (T, R[0]), (K, R[1]), (K, R[2])]),
    (
        "ours cleared, theirs other",
        "",
        "c",
        "a",
        [(T, Why.SYNCRO_NEWER), (T, R[0]), (K, R[1]), (T, Why.BLANK_HERE)],
    ),
    ("theirs cleared", "b", "", "a", [(T, Why.SYNCRO_NEWER), (T, R[0]), (K, R[1]), (K, R[2])]),
    ("first, same", "a", "A", NEVER_AGREED, [(A, Why.BOTH_SAME)] * 4),
    ("first, both blank", "", None, NEVER_AGREED, [(A, Why.BOTH_SAME)] * 4),
    ("first, ours blank", None, "b", NEVER_AGREED, [(T, Why.BLANK_HERE)] * 4),
    ("first, theirs blank", "a", "", NEVER_AGREED, [(K, Why.BLANK_THERE)] * 4),
    ("first, both filled", "a", "b", NEVER_AGREED, [(T, Why.SYNCRO_NEWER), (T, R[0]), (K, R[1]), (K, R[2])]),
    (
        "first, as far as is known",
        "a",
        "",
        UNSET,
        [(K, Why.BLANK_THERE)] * 4,
    ),
    (
        "first, a no is a value",
        False,
        True,
        NEVER_AGREED,
        [(T, Why.SYNCRO_NEWER), (T, R[0]), (K, R[1]), (K, R[2])],
    ),
    ("first, a zero is a value", 0, None, NEVER_AGREED, [(K, Why.BLANK_THERE)] * 4),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_truth_table(
    ours: Value, theirs: Value, agreed: Value | NeverAgreedType, expected: list[tuple[Action, Why]]
) -> None:
    decisions = [one(ours, theirs, agreed, rule=rule) for rule in ConflictRule]
    assert decisions == [
        Decision("phone", action, ours, theirs if action is T else ours, why) for action, why in expected
    ]
    assert [each.newer_here for each in decisions] == [action is K for action, _ in expected]


@pytest.mark.parametrize(
    ("ours_at", "theirs_at", "expected"),
    [
        (NOON, LATER, (T, Why.SYNCRO_NEWER)),
        (NOON, EARLIER, (K, Why.PROPOLIS_NEWER)),
        (NOON, NOON, (K, Why.SAME_TIME)),
        (NOON, NOON.astimezone(timezone(timedelta(hours=-5))), (K, Why.SAME_TIME)),
        (None, LATER, (K, Why.NO_TIME)),
        (NOON, None, (K, Why.NO_TIME)),
        (None, None, (K, Why.NO_TIME)),
    ],
)
def test_the_more_current_record_wins_and_without_one_ours_stays(
    ours_at: datetime | None, theirs_at: datetime | None, expected: tuple[Action, Why]
) -> None:
    for agreed in ("a", NEVER_AGREED):
        decision = one("b", "c", agreed, ours_at=ours_at, theirs_at=theirs_at)
        assert (decision.action, decision.why) == expected


values = st.sampled_from([None, "", "  ", "a", " A", "b", "c", True, False, 0])
filled = st.sampled_from(["a", " A", "b", "c", True, False, 0])
blanks = st.sampled_from([None, "", "  "])
times = st.sampled_from([None, EARLIER, NOON, LATER])
rules = st.sampled_from(ConflictRule)


settings = st.fixed_dictionaries({"ours_at": times, "theirs_at": times, "rule": rules})
Settings = Mapping[str, object]


def ask(ours: Value, theirs: Value, agreed: Value | NeverAgreedType, how: Settings) -> Decision:
    return one(ours, theirs, agreed, **how)  # type: ignore[arg-type]


@given(values, settings)
def test_neither_changed_since_agreed_nothing(agreed: Value, how: Settings) -> None:
    assert ask(agreed, agreed, agreed, how) == Decision("phone", N, agreed, agreed, Why.UNCHANGED)


@given(values, values, settings)
def test_only_theirs_changed_take(theirs: Value, agreed: Value, how: Settings) -> None:
    if not equal(theirs, agreed) and how["rule"] is not ONLY_IF_BLANK:
        assert ask(agreed, theirs, agreed, how) == Decision("phone", T, agreed, theirs, Why.ONLY_SYNCRO)


@given(values, values, settings)
def test_only_ours_changed_keep_and_offer_to_send(ours: Value, agreed: Value, how: Settings) -> None:
    if not equal(ours, agreed):
        decision = ask(ours, agreed, agreed, how)
        assert decision == Decision("phone", K, ours, ours, Why.ONLY_PROPOLIS)
        assert decision.newer_here


@given(values, values, settings)
def test_both_changed_to_the_same_value_agree(value: Value, agreed: Value, how: Settings) -> None:
    if not equal(value, agreed):
        assert ask(value, value, agreed, how) == Decision("phone", A, value, value, Why.BOTH_SAME)


@given(filled, blanks, settings)
def test_a_blank_never_overwrites_a_value_at_a_first_match(value: Value, blank: Value, how: Settings) -> None:
    kept = ask(value, blank, NEVER_AGREED, how)
    assert kept == Decision("phone", K, value, value, Why.BLANK_THERE)
    taken = ask(blank, value, NEVER_AGREED, how)
    assert taken == Decision("phone", T, blank, value, Why.BLANK_HERE)


@given(filled, blanks, settings)
def test_later_clearing_is_a_change_like_any_other(value: Value, blank: Value, how: Settings) -> None:
    if how["rule"] is not ONLY_IF_BLANK:
        assert ask(value, blank, value, how) == Decision("phone", T, value, blank, Why.ONLY_SYNCRO)
    assert ask(blank, value, value, how) == Decision("phone", K, blank, blank, Why.ONLY_PROPOLIS)


@given(values, values | st.just(NEVER_AGREED), settings)
def test_an_absent_key_never_changes_anything(
    ours: Value, agreed: Value | NeverAgreedType, how: Settings
) -> None:
    assert ask(ours, UNSET, agreed, how) == Decision("phone", N, ours, ours, Why.ABSENT)


@given(values, values, values | st.just(NEVER_AGREED), settings)
def test_only_if_blank_never_replaces_a_value(
    ours: Value, theirs: Value, agreed: Value | NeverAgreedType, how: Settings
) -> None:
    decision = ask(ours, theirs, agreed, {**how, "rule": ONLY_IF_BLANK})
    assert decision.action is not T or is_blank(ours)


@given(values, values, values | st.just(NEVER_AGREED), settings)
def test_a_rule_for_one_side_decides_conflicts_whatever_the_times(
    ours: Value, theirs: Value, agreed: Value | NeverAgreedType, how: Settings
) -> None:
    current, syncro, propolis = (
        ask(ours, theirs, agreed, {**how, "rule": rule}) for rule in [*ConflictRule][:3]
    )
    conflict = {Why.SYNCRO_NEWER, Why.PROPOLIS_NEWER, Why.SAME_TIME, Why.NO_TIME}
    if current.why in conflict:
        assert [(each.action, each.why) for each in (syncro, propolis)] == [(T, R[0]), (K, R[1])]
    else:
        assert syncro == propolis == current


@given(values, values, values | st.just(NEVER_AGREED), settings)
def test_what_stays_is_one_of_the_two_as_given(
    ours: Value, theirs: Value, agreed: Value | NeverAgreedType, how: Settings
) -> None:
    decision = ask(ours, theirs, agreed, how)
    assert decision.before is ours
    assert decision.after is (theirs if decision.action is T else ours)
    assert (decision.action in (T, K)) <= (not equal(ours, theirs))


@given(values, values, values | st.just(NEVER_AGREED), times, times)
def test_the_two_sides_mirror_each_other_but_for_a_tie(
    ours: Value,
    theirs: Value,
    agreed: Value | NeverAgreedType,
    ours_at: datetime | None,
    theirs_at: datetime | None,
) -> None:
    here = one(ours, theirs, agreed, ours_at=ours_at, theirs_at=theirs_at)
    there = one(theirs, ours, agreed, ours_at=theirs_at, theirs_at=ours_at)
    if here.why in (Why.SAME_TIME, Why.NO_TIME):
        assert there == Decision("phone", K, theirs, theirs, here.why)
    else:
        mirrored = {T: K, K: T, A: A, N: N}
        assert there.action is mirrored[here.action]


records = st.dictionaries(st.sampled_from(["name", "phone", "city"]), values, max_size=3)
answers = st.dictionaries(st.sampled_from(["name", "phone", "city"]), values | st.just(UNSET), max_size=3)


@given(records, answers, st.none() | records, settings)
def test_deciding_again_after_applying_changes_nothing_more(
    ours: dict[str, Value], theirs: dict[str, Value], agreed: dict[str, Value] | None, how: Settings
) -> None:
    first = decide_all(ours, theirs, agreed, how)
    applied = {**ours, **{each.field: each.after for each in first}}
    again = decide_all(applied, theirs, agree(agreed, theirs), how)
    settled = {T: N, A: N, N: N, K: K}
    for before, after in zip(first, again, strict=True):
        assert after.action is settled[before.action]
        assert (before.action is K) <= (after.why is Why.ONLY_PROPOLIS)


@given(records, records, st.none() | records, settings)
def test_sending_what_is_newer_here_brings_both_sides_together(
    ours: dict[str, Value], theirs: dict[str, Value], agreed: dict[str, Value] | None, how: Settings
) -> None:
    first = decide_all(ours, theirs, agreed, how)
    here = {**ours, **{each.field: each.after for each in first}}
    there = {**theirs, **{each.field: each.after for each in first if each.newer_here}}
    assert all(equal(here[field], there[field]) for field in theirs)
    last = decide_all(here, there, agree(agree(agreed, theirs), there), how)
    assert [each.action for each in last] == [N] * len(theirs)


def test_a_record_is_decided_field_by_field_in_the_order_of_theirs() -> None:
    decisions = decide(
        {"name": "Brightwater", "phone": "1", "city": "", "notes": "door code", "email": "jo@x.org"},
        {"phone": "2", "city": "Boston", "name": "brightwater", "email": "anna@x.org", "title": UNSET},
        {"phone": "1", "name": "Brightwater", "email": UNSET},
        ours_at=NOON,
        theirs_at=LATER,
        rules={"email": PROPOLIS},
        default_rule=MORE_CURRENT,
        normalise=folded,
    )
    assert decisions == (
        Decision("phone", T, "1", "2", Why.ONLY_SYNCRO),
        Decision("city", T, "", "Boston", Why.BLANK_HERE),
        Decision("name", N, "Brightwater", "Brightwater", Why.UNCHANGED),
        Decision("email", K, "jo@x.org", "jo@x.org", Why.RULE_PROPOLIS),
        Decision("title", N, None, None, Why.ABSENT),
    )


def test_a_record_about_to_be_created_takes_what_is_filled() -> None:
    decisions = decide(
        {}, {"name": "Jo", "phone": ""}, None,
        ours_at=None, theirs_at=LATER, rules={}, default_rule=ONLY_IF_BLANK, normalise=folded,
    )  # fmt: skip
    assert decisions == (
        Decision("name", T, None, "Jo", Why.BLANK_HERE),
        Decision("phone", A, None, None, Why.BOTH_SAME),
    )


def test_the_link_remembers_what_was_read_and_forgets_nothing_that_was_absent() -> None:
    assert agree({"name": "Jo", "phone": "1"}, {"name": "Anna", "phone": UNSET, "city": None}) == {
        "name": "Anna",
        "phone": "1",
        "city": None,
    }
    assert agree(None, {"name": "Jo"}) == {"name": "Jo"}
    assert agree({"status": "New"}, {"status": "Spam", "name": "Jo"}, held={"status"}) == {
        "status": "New",
        "name": "Jo",
    }


def test_every_reason_and_rule_has_a_label_of_its_own() -> None:
    labels = [each.label() for each in (*Why, *ConflictRule)]
    assert len(set(labels)) == len(labels)
    assert [Why.SAME_TIME.label(), Why.ONLY_SYNCRO.label()] == [
        "same time, ours stays",
        "only Syncro changed",
    ]


def test_the_marks_for_unknown_say_what_they_are_and_are_no_values() -> None:
    assert (repr(UNSET), repr(NEVER_AGREED), bool(UNSET), UnsetType("unset")) == (
        "UNSET",
        "NEVER_AGREED",
        False,
        UNSET,
    )


def decide_all(
    ours: Mapping[str, Value],
    theirs: Mapping[str, Value],
    agreed: Mapping[str, Value] | None,
    how: Settings,
) -> tuple[Decision, ...]:
    return decide(
        ours,
        theirs,
        agreed,
        ours_at=how["ours_at"],  # type: ignore[arg-type]
        theirs_at=how["theirs_at"],  # type: ignore[arg-type]
        rules={"phone": how["rule"]},  # type: ignore[dict-item]
        default_rule=MORE_CURRENT,
        normalise=folded,
    )


def is_blank(value: Value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def equal(a: Value, b: Value) -> bool:
    return (is_blank(a) and is_blank(b)) or (is_blank(a) == is_blank(b) and folded("", a) == folded("", b))
