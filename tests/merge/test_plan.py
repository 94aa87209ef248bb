"""Numbers that add up, and plans that are refused."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propolis.merge.decide import Action, Decision, Why
from propolis.merge.match import Ambiguous, Evidence, Linked, New, Outcome, Reason, Rule, Strength, Sure
from propolis.merge.plan import Counts, Limits, Refusal, RefusalCode, Word, implausible, word_for

numbers = st.integers(0, 10**6)
counts = st.builds(Counts, *[numbers] * 7)
words = st.sampled_from(Word)


@given(st.lists(words))
def test_every_record_has_one_word_and_the_sum_is_what_was_read(read: list[Word]) -> None:
    kept = Counts()
    for word in read:
        kept.add(word)
    assert {word: kept.of(word) for word in Word} == {word: read.count(word) for word in Word}
    assert kept.total == len(read)
    assert [kept.adds_up(len(read)), kept.adds_up(len(read) + 1)] == [True, False]


@given(counts, counts)
def test_counts_of_two_parts_are_the_counts_of_the_whole(a: Counts, b: Counts) -> None:
    assert a + b == b + a
    assert (a + b).total == a.total + b.total
    assert a + Counts() == a


@given(counts)
def test_counts_survive_being_stored(some: Counts) -> None:
    assert Counts.from_dict(some.to_dict()) == some
    assert Counts.from_dict({"new": 3}) == Counts(new=3)


def test_an_unknown_word_in_what_was_stored_is_not_swallowed() -> None:
    with pytest.raises(TypeError):
        Counts.from_dict({"nwe": 3})


EXAMPLES = [
    (
        Counts(4881, 97, 0, 320, 6, 8, 0),
        {"noun": "contacts", "stated": 5000, "read": 5000, "persons": 312},
        "Syncro has 5,000 contacts. Read 5,000. + 312 persons on customer records = 5,312: "
        "4,881 New, 97 Merged, 320 Already the same, 6 Needs review, 8 Left out, 0 Failed.",
    ),
    (
        Counts(1939, 371),
        {"noun": "companies", "stated": 2310, "read": 2310},
        "Syncro has 2,310 companies. Read 2,310: 1,939 New, 371 Merged, 0 Failed.",
    ),
    (
        Counts(updated=1, failed=1),
        {"noun": "opportunities", "read": 2},
        "Read 2 opportunities: 1 Updated, 1 Failed.",
    ),
    (
        Counts(new=2),
        {"noun": "contacts", "stated": 1, "read": 1, "persons": 1},
        "Syncro has 1 contact. Read 1. + 1 person on a customer record = 2: 2 New, 0 Failed.",
    ),
    (
        Counts(new=7),
        {"noun": "companies", "stated": 10, "read": 9},
        "Syncro has 10 companies. Read 9: 7 New, 0 Failed. 2 not accounted for.",
    ),
    (
        Counts(new=3),
        {"noun": "companies", "stated": 2, "read": 2},
        "Syncro has 2 companies. Read 2: 3 New, 0 Failed. 1 more than were read.",
    ),
    (
        Counts(),
        {"noun": "companies", "stated": 0, "read": 0},
        "Syncro has 0 companies. Read 0: 0 Failed.",
    ),
]


@pytest.mark.parametrize(("some", "said", "expected"), EXAMPLES)
def test_the_sentence_is_a_sum_a_person_can_check(
    some: Counts, said: dict[str, int | str], expected: str
) -> None:
    assert some.sentence(**said) == expected  # type: ignore[arg-type]


@given(counts, numbers)
def test_every_record_that_has_a_word_is_in_the_sentence(some: Counts, persons: int) -> None:
    sentence = some.sentence("contacts", read=some.total, persons=persons)
    sum_of_words = sentence.rpartition(": ")[2].partition(".")[0]
    assert sum(int(part.split()[0].replace(",", "")) for part in sum_of_words.split(", ")) == some.total


def test_the_headline_counts_what_is_on_both_sides() -> None:
    assert Counts(1939, 371).headline("companies", read=2310) == "371 of 2,310 companies are on both sides"
    assert Counts(0, 1).headline("companies", read=1) == "1 of 1 company is on both sides"


def test_records_that_need_a_person_are_those_in_review_and_those_that_failed() -> None:
    assert Counts(1, 1, 1, 1, review=2, left_out=5, failed=1).need_you == 3


def test_each_outcome_has_its_word() -> None:
    evidence = Evidence(10, Rule.SAME_DOMAIN, "acme.com", Strength.STRONG, 40)
    take = Decision("phone", Action.TAKE, "1", "2", Why.ONLY_SYNCRO)
    keep = Decision("phone", Action.KEEP, "1", "1", Why.ONLY_PROPOLIS)
    outcomes: list[tuple[Outcome, list[Decision]]] = [
        (New(), [take]),
        (Sure(10, Rule.SAME_DOMAIN, evidence), []),
        (Linked(10), [keep, take]),
        (Linked(10), [keep]),
        (Ambiguous((evidence,), Reason.SEVERAL), []),
    ]
    assert [word_for(*each) for each in outcomes] == [
        Word.NEW,
        Word.MERGED,
        Word.UPDATED,
        Word.SAME,
        Word.REVIEW,
    ]
    assert {type(outcome) for outcome, _ in outcomes} == set(get_args(Outcome))


def test_a_suddenly_empty_syncro_is_refused() -> None:
    assert implausible(Counts(), linked=2310, read=0, noun="companies") == Refusal(
        RefusalCode.SUDDENLY_EMPTY,
        2310,
        2310,
        0,
        "Syncro says it has no companies now, but 2,310 of yours are linked to it. Nothing was changed. "
        "Look into Syncro first; if it really is empty, confirm the numbers.",
    )


def test_too_many_changes_are_refused_with_their_numbers() -> None:
    refusal = implausible(Counts(updated=600, same=1610), linked=2310, read=2210, gone=100, noun="companies")
    assert refusal == Refusal(
        RefusalCode.TOO_MANY_CHANGES,
        700,
        2310,
        2210,
        "This import would change 700 of your 2,310 linked companies, more than 30 %. Nothing was changed. "
        "Look at the changes; if they are right, confirm the numbers.",
    )
    assert refusal.share == pytest.approx(0.303, abs=0.001)


@given(numbers, numbers, st.integers(1, 10**6))
def test_more_than_thirty_per_cent_of_at_least_twenty_linked_is_too_much(
    changing: int, linked: int, read: int
) -> None:
    refused = implausible(Counts(updated=changing), linked=linked, read=read, noun="contacts") is not None
    assert refused == (linked >= 20 and changing * 10 > linked * 3)


@given(st.integers(2, 10**5))
def test_exactly_thirty_per_cent_passes_and_one_more_does_not(tens: int) -> None:
    exactly = implausible(Counts(updated=3 * tens), linked=10 * tens, read=1, noun="contacts")
    one_more = implausible(
        Counts(updated=3 * tens, failed=1), gone=1, linked=10 * tens, read=1, noun="contacts"
    )
    assert [exactly is None, one_more is None] == [True, False]


@given(counts, numbers)
def test_a_first_import_is_never_refused_however_much_it_merges(some: Counts, read: int) -> None:
    some.updated = 0
    assert implausible(some, linked=0, read=read, noun="contacts") is None


def test_the_limits_are_the_operators_to_set() -> None:
    half = Limits(share=0.5, floor=4)
    refusals = [
        implausible(Counts(updated=n), linked=linked, read=1, noun="contacts", limits=half)
        for n, linked in ((2, 4), (3, 4), (3, 3))
    ]
    assert [refusal is None for refusal in refusals] == [True, False, True]
