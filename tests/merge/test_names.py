"""Names: read the tables, they are the definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propolis.merge.names import (
    compatible_names,
    compatible_persons,
    same_words,
    similar_names,
    similar_persons,
)

SIMILAR, COMPATIBLE, OTHER = "similar", "compatible", "other"

BUSINESSES = [
    ("brightwater dental", "brightwater dental", SIMILAR),
    ("brightwater dental", "dental brightwater", SIMILAR),
    ("bright water", "brightwater", SIMILAR),
    ("The Brightwater Co., Inc.", "brightwater", SIMILAR),
    ("café münchen", "cafe munchen", SIMILAR),
    ("o'brien roofing", "obrien roofing", SIMILAR),
    ("jansen bakery", "janssen bakery", SIMILAR),
    ("brightwater", "brigthwater", SIMILAR),
    ("brightwater", "brightwater dental", SIMILAR),
    ("brightwater dental", "brightwater dental clinic ohio", SIMILAR),
    ("brightwater", "brightwater dental clinic ohio", COMPATIBLE),
    ("dental", "brightwater dental", COMPATIBLE),
    ("kps", "kline plumbing services", COMPATIBLE),
    ("subway", "subway 12", SIMILAR),
    ("", "brightwater", COMPATIBLE),
    ("", "", COMPATIBLE),
    ("subway 12", "subway 13", OTHER),
    ("east clinic", "west clinic", OTHER),
    ("north dental", "south dental", OTHER),
    ("acme chicago", "acme boston", OTHER),
    ("bright", "wright", OTHER),
    ("mark roofing", "mary roofing", OTHER),
    ("unit4a storage", "unit4b storage", OTHER),
    ("brightwater dental", "lakeside dental", OTHER),
    ("brightwater", "acme", OTHER),
]

PERSONS = [
    ("jo lindqvist", "jo lindqvist", SIMILAR),
    ("jo lindqvist", "lindqvist jo", SIMILAR),
    ("Dr. Jo Lindqvist", "jo lindqvist", SIMILAR),
    ("j lindqvist", "jo lindqvist", SIMILAR),
    ("jo l", "jo lindqvist", SIMILAR),
    ("mary jane watson", "mary watson", SIMILAR),
    ("mary j watson", "mary jane watson", SIMILAR),
    ("bob smith", "robert smith", SIMILAR),
    ("rob smith", "robert smith", SIMILAR),
    ("jo", "jo", SIMILAR),
    ("lindqvist", "jo lindqvist", COMPATIBLE),
    ("jo", "jo lindqvist", COMPATIBLE),
    ("", "jo lindqvist", COMPATIBLE),
    ("", "", COMPATIBLE),
    ("jo lindqvist", "anna lindqvist", OTHER),
    ("john smith", "john smithson", OTHER),
    ("john a smith", "john b smith", OTHER),
    ("j smith", "j s", OTHER),
    ("jo lindqvist", "priya raman", OTHER),
]


def businesses_are(a: str, b: str) -> str:
    return SIMILAR if similar_names(a, b) else COMPATIBLE if compatible_names(a, b) else OTHER


def persons_are(a: str, b: str) -> str:
    return SIMILAR if similar_persons(a, b) else COMPATIBLE if compatible_persons(a, b) else OTHER


@pytest.mark.parametrize(("a", "b", "expected"), BUSINESSES)
def test_two_business_names(a: str, b: str, expected: str) -> None:
    assert (businesses_are(a, b), businesses_are(b, a)) == (expected, expected)


@pytest.mark.parametrize(("a", "b", "expected"), PERSONS)
def test_two_person_names(a: str, b: str, expected: str) -> None:
    assert (persons_are(a, b), persons_are(b, a)) == (expected, expected)


WORDS = "the acme dental bright water brightwater store 12 13 jansen janssen j jo bob robert"
words = st.sampled_from(WORDS.split())
names = st.lists(words, max_size=4).map(" ".join) | st.text(max_size=12)


@given(names, names)
def test_which_name_comes_first_never_matters(a: str, b: str) -> None:
    assert businesses_are(a, b) == businesses_are(b, a)
    assert persons_are(a, b) == persons_are(b, a)


@given(names, names)
def test_similar_names_are_compatible(a: str, b: str) -> None:
    assert compatible_names(a, b) or not similar_names(a, b)
    assert compatible_persons(a, b) or not similar_persons(a, b)


@given(names)
def test_a_name_is_similar_to_itself_and_a_missing_one_to_none(a: str) -> None:
    assert [similar_names(a, a), similar_persons(a, a)] == [bool(a), bool(a)]
    assert [similar_names(a, ""), similar_persons(a, "")] == [False, False]
    assert [compatible_names(a, ""), compatible_persons(a, "")] == [True, True]


def test_a_city_is_the_same_whatever_its_capitals_and_accents() -> None:
    assert same_words("St. Louis", "st louis")
    assert same_words("ZÜRICH", "zurich")
    assert not same_words("chicago", "boston")
