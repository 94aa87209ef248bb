"""Companies: one test per sentence of the rules, then the whole on a few stories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propolis.merge.match import (
    Ambiguous,
    Doubt,
    Evidence,
    Fact,
    New,
    Outcome,
    Reason,
    Rule,
    Strength,
    Sure,
    match_company,
)
from propolis.merge.names import compatible_names, compatible_persons, similar_names, similar_persons
from propolis.merge.record import Record
from tests.merge.records import (
    NAMES,
    business,
    businesses,
    changed,
    companies,
    company_keys,
    contact,
    match_one,
    resident,
    residents,
    several,
)

counts = st.tuples(st.integers(1, 2), st.integers(1, 2))


def said(outcome: Outcome) -> tuple[str, ...]:
    """The outcome in short: what it is, and of each evidence the local id and the rule."""
    if isinstance(outcome, Sure):
        return ("sure", f"{outcome.local_id} {outcome.rule}")
    if isinstance(outcome, Ambiguous):
        return (outcome.reason.value, *(f"{each.local_id} {each.rule}" for each in outcome.evidences))
    return ("new",)


EXAMPLES = [
    (
        "same domain, compatible names",
        business(1, "brightwater", "brightwater.com"),
        [business(10, "brightwater dental", "brightwater.com")],
        ("sure", "10 same domain"),
    ),
    (
        "same domain, one of them nameless",
        business(1, "", "brightwater.com"),
        [business(10, "brightwater", "brightwater.com")],
        ("sure", "10 same domain"),
    ),
    (
        "two branches of one group share a domain",
        business(1, "acme chicago", "acme.com"),
        [business(10, "acme boston", "acme.com")],
        ("weak", "10 domain, other name"),
    ),
    (
        "of two branches, the one with the very name",
        business(1, "acme chicago", "acme.com"),
        [business(10, "acme", "acme.com"), business(11, "acme chicago", "acme.com")],
        ("sure", "11 same domain"),
    ),
    (
        "same phone, similar names",
        business(1, "brightwater", phone="15550001"),
        [business(10, "bright water", phone="15550001")],
        ("sure", "10 same phone"),
    ),
    (
        "the building's reception answers one phone for two",
        business(1, "brightwater", phone="15550001"),
        [business(10, "acme", phone="15550001")],
        ("weak", "10 phone alone"),
    ),
    (
        "a phone and no name is a phone alone",
        business(1, "", phone="15550001"),
        [business(10, "acme", phone="15550001")],
        ("weak", "10 phone alone"),
    ),
    (
        "same name, the only one, nothing against it",
        business(1, "brightwater", "brightwater.com", "15550001", "chicago"),
        [business(10, "brightwater")],
        ("sure", "10 same name"),
    ),
    (
        "same name in another city",
        business(1, "brightwater", city="chicago"),
        [business(10, "brightwater", city="boston")],
        ("weak", "10 name contradicted"),
    ),
    (
        "a similar name, and nothing else, is nothing",
        business(1, "brightwater"),
        [business(10, "brightwater dental")],
        ("new",),
    ),
    (
        "one free-mail address, other names",
        business(1, "brightwater", email="anna@gmail.com"),
        [business(10, "acme", email="anna@gmail.com")],
        ("weak", "10 e-mail alone"),
    ),
    (
        "one by its domain, another by its phone",
        business(1, "brightwater", "brightwater.com", "15550001"),
        [
            business(10, "brightwater dental", "brightwater.com"),
            business(11, "bright water", phone="15550001"),
        ],
        ("several", "10 same domain", "11 same phone"),
    ),
    (
        "one agrees in everything another agrees in, and in more",
        business(1, "brightwater", "brightwater.com", "15550001"),
        [
            business(10, "brightwater", "brightwater.com"),
            business(11, "brightwater", "brightwater.com", "15550001"),
        ],
        ("sure", "11 same domain"),
    ),
    (
        "one sure, others only perhaps",
        business(1, "brightwater", "brightwater.com", "15550001"),
        [business(10, "acme", phone="15550001"), business(11, "brightwater", "brightwater.com")],
        ("sure", "11 same domain"),
    ),
    (
        "a person by the e-mail",
        resident(1, "jo lindqvist", "anna@gmail.com"),
        [resident(10, "j lindqvist", "anna@gmail.com")],
        ("sure", "10 same e-mail"),
    ),
    (
        "a couple with one e-mail",
        resident(1, "jo lindqvist", "anna@gmail.com"),
        [resident(10, "anna lindqvist", "anna@gmail.com")],
        ("weak", "10 e-mail alone"),
    ),
    (
        "a person by phone and name",
        resident(1, "jo lindqvist", phone="15550001"),
        [resident(10, "jo lindqvist", phone="15550001")],
        ("sure", "10 same phone"),
    ),
    (
        "a household with one phone",
        resident(1, "jo lindqvist", phone="15550001"),
        [resident(10, "anna lindqvist", phone="15550001")],
        ("weak", "10 phone alone"),
    ),
    (
        "a person by name alone",
        resident(1, "jo lindqvist"),
        [resident(10, "jo lindqvist")],
        ("weak", "10 name alone"),
    ),
    (
        "another person of the same name",
        resident(1, "jo lindqvist", city="chicago"),
        [resident(10, "jo lindqvist", city="boston")],
        ("new",),
    ),
    (
        "a business and a person with one e-mail",
        business(1, "brightwater", email="jo@brightwater.com"),
        [resident(10, "jo lindqvist", "jo@brightwater.com")],
        ("weak", "10 business and person"),
    ),
    (
        "a business and a person with one name",
        business(1, "jo lindqvist"),
        [resident(10, "jo lindqvist")],
        ("new",),
    ),
]


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"), [row[1:] for row in EXAMPLES], ids=[row[0] for row in EXAMPLES]
)
def test_example(theirs: Record, ours: list[Record], expected: tuple[str, ...]) -> None:
    assert said(match_one(theirs, *ours)) == expected


@given(companies, counts)
def test_in_an_empty_crm_everything_is_new(theirs: Record, name_counts: tuple[int, int]) -> None:
    assert match_one(theirs, name_counts=name_counts) == New()


@given(businesses, businesses, counts)
def test_same_domain_with_compatible_names_is_sure(
    a: Record, b: Record, name_counts: tuple[int, int]
) -> None:
    theirs = changed(a, domains=frozenset({"brightwater.com", "acme.com"}))
    ours = changed(b, domains=frozenset({"brightwater.com"}))
    outcome = match_one(theirs, ours, name_counts=name_counts)
    if compatible_names(a.keys.name, b.keys.name):
        assert said(outcome) == ("sure", f"{b.id} same domain")
    else:
        assert said(outcome) == ("weak", f"{b.id} domain, other name")


@given(businesses, businesses, counts)
def test_without_a_common_domain_same_phone_with_a_similar_name_is_sure(
    a: Record, b: Record, name_counts: tuple[int, int]
) -> None:
    theirs = changed(a, phones=frozenset({"15550001", "15550002"}))
    ours = changed(b, phones=frozenset({"15550001"}), domains=frozenset())
    outcome = match_one(theirs, ours, name_counts=name_counts)
    if similar_names(a.keys.name, b.keys.name):
        assert said(outcome) == ("sure", f"{b.id} same phone")
    else:
        assert said(outcome) == ("weak", f"{b.id} phone alone")


@given(businesses, businesses, st.sampled_from([name for name in NAMES if name]), counts)
def test_the_same_name_is_sure_only_if_unique_on_both_sides_and_uncontradicted(
    a: Record, b: Record, name: str, name_counts: tuple[int, int]
) -> None:
    theirs = changed(a, name=name, email="")
    x = company_keys(theirs)
    y = company_keys(b)
    ours = changed(b, name=name, domains=y.domains - x.domains, phones=y.phones - x.phones)
    y = company_keys(ours)
    cities = {x.city, y.city} - {""}
    contradicted = bool((x.domains and y.domains) or (x.phones and y.phones) or len(cities) == 2)
    if contradicted:
        expected: tuple[str, ...] = ("weak", f"{b.id} name contradicted")
    elif name_counts == (1, 1):
        expected = ("sure", f"{b.id} same name")
    else:
        expected = ("weak", f"{b.id} name not unique")
    assert said(match_one(theirs, ours, name_counts=name_counts)) == expected


@given(residents, residents, counts)
def test_a_residential_customer_is_found_by_e_mail_or_by_phone_with_name_never_by_name_alone(
    a: Record, b: Record, name_counts: tuple[int, int]
) -> None:
    x, y = company_keys(a), company_keys(b)
    same_email, same_phone = bool(x.email) and x.email == y.email, bool(x.phones & y.phones)
    sure = (same_email and compatible_persons(x.person, y.person)) or (
        not same_email and same_phone and similar_persons(x.person, y.person)
    )
    assert isinstance(match_one(a, b, name_counts=name_counts), Sure) == sure


@given(businesses, residents, counts)
def test_a_business_and_a_person_are_never_surely_one(
    a: Record, b: Record, name_counts: tuple[int, int]
) -> None:
    x, y = company_keys(a), company_keys(b)
    touch = (x.email and x.email == y.email) or x.phones & y.phones or x.domains & y.domains
    for theirs, ours in ((a, b), (b, a)):
        expected = ("weak", f"{ours.id} business and person") if touch else ("new",)
        assert said(match_one(theirs, ours, name_counts=name_counts)) == expected


@given(companies, several(companies), counts, st.data())
def test_the_order_of_the_candidates_never_matters(
    theirs: Record, ours: list[Record], name_counts: tuple[int, int], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(ours))
    assert match_one(theirs, *ours, name_counts=name_counts) == match_one(
        theirs, *shuffled, *shuffled, name_counts=name_counts
    )


@given(companies, companies, counts)
def test_who_is_theirs_and_who_is_ours_never_matters(
    a: Record, b: Record, name_counts: tuple[int, int]
) -> None:
    there, back = match_one(a, b, name_counts=name_counts), match_one(b, a, name_counts=name_counts)
    assert [word.replace(str(b.id), str(a.id)) for word in said(there)] == list(said(back))


@given(companies, several(companies), counts)
def test_several_sure_candidates_are_ambiguous_unless_one_outranks_all(
    theirs: Record, ours: list[Record], name_counts: tuple[int, int]
) -> None:
    alone = [match_one(theirs, each, name_counts=name_counts) for each in ours]
    sure = [outcome.evidence for outcome in alone if isinstance(outcome, Sure)]
    best = [e for e in sure if all(e is other or set(e.agrees) > set(other.agrees) for other in sure)]
    outcome = match_one(theirs, *ours, name_counts=name_counts)
    if best:
        assert isinstance(outcome, Sure) and outcome.evidence == best[0]
    elif sure:
        assert isinstance(outcome, Ambiguous) and outcome.reason is Reason.SEVERAL
    else:
        assert not isinstance(outcome, Sure)


@given(companies, several(companies), counts)
def test_every_doubt_is_shown_and_nothing_else(
    theirs: Record, ours: list[Record], name_counts: tuple[int, int]
) -> None:
    alone = [match_one(theirs, each, name_counts=name_counts) for each in ours]
    outcome = match_one(theirs, *ours, name_counts=name_counts)
    if not isinstance(outcome, Ambiguous):
        return
    shown = {each.local_id for each in outcome.evidences}
    assert shown == {our.id for our, one in zip(ours, alone, strict=True) if not isinstance(one, New)}
    assert all(
        0 <= each.score <= 100 and not set(each.agrees) & set(each.differs) for each in outcome.evidences
    )


def test_the_evidence_says_what_agrees_and_what_differs() -> None:
    theirs = business(1, "acme chicago", "acme.com", "15550001", "chicago")
    outcome = match_one(theirs, business(10, "acme boston", "acme.com", "15550002", "boston"))
    evidence = Evidence(
        10,
        Doubt.DOMAIN_OTHER_NAME,
        "acme.com",
        Strength.WEAK,
        13,
        (Fact.DOMAIN,),
        (Fact.PHONE, Fact.NAME, Fact.CITY),
    )
    assert outcome == Ambiguous((evidence,), Reason.WEAK)
    assert evidence.as_dict() == {
        "local_id": 10,
        "rule": "domain, other name",
        "label": "Same domain, but different names",
        "detail": "acme.com",
        "strength": "weak",
        "score": 13,
        "agrees": ["domain"],
        "differs": ["phone", "name", "city"],
    }


def test_accept_all_takes_a_strong_match_but_never_chooses_between_two() -> None:
    theirs = business(1, "brightwater", city="chicago")
    one = match_one(theirs, business(10, "brightwater", city="chicago"), name_counts=(2, 1))
    two = match_one(
        theirs,
        business(10, "brightwater", city="chicago"),
        business(11, "brightwater", city="chicago"),
        name_counts=(2, 2),
    )
    weak = match_one(business(1, "brightwater", phone="15550001"), business(10, "acme", phone="15550001"))
    assert [each.acceptable for each in (one, two, weak) if isinstance(each, Ambiguous)] == [10, None, None]


def test_a_hundred_look_alikes_are_not_all_shown() -> None:
    ours = [business(id, f"shop {id}", phone="15550001") for id in range(100, 200)]
    outcome = match_one(business(1, "brightwater", phone="15550001"), *ours)
    assert isinstance(outcome, Ambiguous)
    assert [each.local_id for each in outcome.evidences] == list(range(100, 110))


def test_every_rule_and_doubt_has_a_label_of_its_own() -> None:
    labels = [each.label() for each in (*Rule, *Doubt, *Reason)]
    assert len(set(labels)) == len(labels)
    assert Rule.SAME_DOMAIN.label() == "Same domain"


def test_a_contact_among_companies_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="Record 7 is not a company"):
        match_company(contact(7), [], name_count_theirs=1, name_count_ours=1)
