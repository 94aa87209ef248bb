"""Contacts: one test per sentence of the rules, and the person on a customer record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propolis.merge.match import (
    Ambiguous,
    Doubt,
    New,
    Reason,
    Rule,
    Sure,
    match_contact,
    same_person,
)
from propolis.merge.names import compatible_persons, similar_persons
from propolis.merge.record import Record
from tests.merge.records import business, changed, contact, contact_keys, contacts, several
from tests.merge.test_match_companies import said

JO = "jo@brightwater.com"
OFFICE = "office@acme.com"

EXAMPLES = [
    (
        "same e-mail",
        contact(1, "jo lindqvist", JO),
        [contact(10, "jo lindqvist", JO)],
        ("sure", "10 same e-mail"),
    ),
    (
        "same e-mail, moved to another company",
        contact(1, "jo lindqvist", JO, company=1),
        [contact(10, "jo lindqvist", JO, company=2)],
        ("sure", "10 same e-mail"),
    ),
    (
        "same e-mail, one has no name",
        contact(1, "", JO),
        [contact(10, "jo lindqvist", JO)],
        ("sure", "10 same e-mail"),
    ),
    (
        "a shared mailbox, same name",
        contact(1, "jo lindqvist", OFFICE, role=True),
        [contact(10, "j lindqvist", OFFICE, role=True)],
        ("sure", "10 same e-mail"),
    ),
    (
        "a shared mailbox that is nobody, on both sides",
        contact(1, "", OFFICE, role=True),
        [contact(10, "", OFFICE, role=True)],
        ("sure", "10 same e-mail"),
    ),
    (
        "a shared mailbox, one has no name",
        contact(1, "", OFFICE, role=True),
        [contact(10, "jo lindqvist", OFFICE, role=True)],
        ("weak", "10 role address"),
    ),
    (
        "same company and name, one has no e-mail",
        contact(1, "jo lindqvist", JO, company=1),
        [contact(10, "jo lindqvist", company=1)],
        ("sure", "10 same company and name"),
    ),
    (
        "same company and name, two e-mails",
        contact(1, "jo lindqvist", JO, company=1),
        [contact(10, "jo lindqvist", "jo@old.com", company=1)],
        ("weak", "10 name, other e-mail"),
    ),
    (
        "same name at two companies",
        contact(1, "jo lindqvist", company=1),
        [contact(10, "jo lindqvist", company=2)],
        ("new",),
    ),
    (
        "same name, and no company is known yet",
        contact(1, "jo lindqvist", company=None),
        [contact(10, "jo lindqvist", company=None)],
        ("new",),
    ),
    (
        "kept twice here: the one at the same company",
        contact(1, "jo lindqvist", JO, company=1),
        [contact(10, "jo lindqvist", JO, company=2), contact(11, "jo lindqvist", JO, company=1)],
        ("sure", "11 same e-mail"),
    ),
    (
        "kept twice here, and both fit",
        contact(1, "jo lindqvist", JO),
        [contact(11, "jo lindqvist", JO), contact(10, "jo lindqvist", JO)],
        ("several", "10 same e-mail", "11 same e-mail"),
    ),
    (
        "one by e-mail, another by company and name",
        contact(1, "jo lindqvist", JO, company=1),
        [contact(10, "j lindqvist", JO), contact(11, "jo lindqvist", company=1)],
        ("several", "10 same e-mail", "11 same company and name"),
    ),
]


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"), [row[1:] for row in EXAMPLES], ids=[row[0] for row in EXAMPLES]
)
def test_example(theirs: Record, ours: list[Record], expected: tuple[str, ...]) -> None:
    assert said(match_contact(theirs, ours)) == expected


@given(contacts)
def test_in_an_empty_crm_every_contact_is_new_whatever_it_shares(theirs: Record) -> None:
    assert match_contact(theirs, []) == New()


@given(contacts, contacts)
def test_same_e_mail_is_one_person_or_noted_as_shared(a: Record, b: Record) -> None:
    theirs, ours = changed(a, email=JO, role_address=False), changed(b, email=JO, role_address=False)
    outcome = match_contact(theirs, [ours])
    if compatible_persons(a.keys.name, b.keys.name):
        assert said(outcome) == ("sure", f"{b.id} same e-mail")
    else:
        assert outcome == New(shares_email_with=b.id)


@given(contacts, contacts)
def test_a_role_address_counts_only_if_the_name_agrees(a: Record, b: Record) -> None:
    theirs, ours = changed(a, email=OFFICE, role_address=True), changed(b, email=OFFICE, role_address=True)
    outcome = match_contact(theirs, [ours])
    if a.keys.name == b.keys.name or similar_persons(a.keys.name, b.keys.name):
        assert said(outcome) == ("sure", f"{b.id} same e-mail")
    elif a.keys.name and b.keys.name:
        assert outcome == New(shares_email_with=b.id)
    else:
        assert said(outcome) == ("weak", f"{b.id} role address")


@given(contacts, contacts, st.sampled_from([1, 2]))
def test_same_company_and_name_is_sure_where_one_side_has_no_e_mail(
    a: Record, b: Record, company: int
) -> None:
    theirs = changed(a, name="priya raman", company=company)
    ours = changed(b, name="priya raman", company=company, email="")
    assert said(match_contact(theirs, [ours])) == ("sure", f"{b.id} same company and name")
    assert said(match_contact(ours, [theirs])) == ("sure", f"{a.id} same company and name")


@given(contacts, contacts)
def test_a_name_never_counts_across_companies(a: Record, b: Record) -> None:
    theirs, ours = changed(a, company=1, email=""), changed(b, company=2)
    assert match_contact(theirs, [ours]) == New()
    assert match_contact(theirs, [changed(ours, company=None)]) == New()


@given(contacts, several(contacts))
def test_another_person_with_the_e_mail_is_noted_only_if_nobody_matches(
    theirs: Record, ours: list[Record]
) -> None:
    outcome = match_contact(theirs, ours)
    if not isinstance(outcome, New):
        return
    email = contact_keys(theirs).email
    sharing = [each.id for each in ours if email and contact_keys(each).email == email]
    assert outcome.shares_email_with == min(sharing, default=None)


@given(contacts, several(contacts), st.data())
def test_the_order_of_the_candidates_never_matters(
    theirs: Record, ours: list[Record], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(ours))
    assert match_contact(theirs, ours) == match_contact(theirs, [*shuffled, *shuffled])


@given(contacts, several(contacts))
def test_several_sure_candidates_are_ambiguous_unless_one_outranks_all(
    theirs: Record, ours: list[Record]
) -> None:
    alone = [match_contact(theirs, [each]) for each in ours]
    sure = [outcome.evidence for outcome in alone if isinstance(outcome, Sure)]
    best = [e for e in sure if all(e is other or set(e.agrees) > set(other.agrees) for other in sure)]
    outcome = match_contact(theirs, ours)
    if best:
        assert isinstance(outcome, Sure) and outcome.evidence == best[0]
    elif sure:
        assert isinstance(outcome, Ambiguous) and outcome.reason is Reason.SEVERAL
    else:
        assert not isinstance(outcome, Sure)


@given(contacts, contacts)
def test_the_person_on_a_customer_record_is_found_by_e_mail_or_else_by_name(a: Record, b: Record) -> None:
    x, y = contact_keys(a), contact_keys(b)
    if x.email and y.email:
        expected = x.email == y.email and compatible_persons(x.name, y.name)
    else:
        expected = bool(x.name) and x.name == y.name
    assert [same_person(a, b), same_person(b, a)] == [expected, expected]


@pytest.mark.parametrize(
    ("person", "other", "expected"),
    [
        (contact(1, "jo lindqvist", JO), contact(2, "j lindqvist", JO), True),
        (contact(1, "jo lindqvist", JO), contact(2, "anna lindqvist", JO), False),
        (contact(1, "jo lindqvist"), contact(2, "jo lindqvist", JO), True),
        (contact(1, "jo lindqvist", "jo@home.org"), contact(2, "jo lindqvist", JO), False),
        (contact(1), contact(2), False),
    ],
)
def test_person_example(person: Record, other: Record, expected: bool) -> None:
    assert same_person(person, other) is expected


def test_the_detail_is_what_the_rule_rests_on() -> None:
    by_email = match_contact(contact(1, "jo", JO), [contact(10, "jo", JO)])
    by_name = match_contact(contact(1, "jo", company=1), [contact(10, "jo", company=1)])
    assert [(o.rule, o.evidence.detail) for o in (by_email, by_name) if isinstance(o, Sure)] == [
        (Rule.SAME_EMAIL, JO),
        (Rule.SAME_COMPANY_AND_NAME, "jo"),
    ]
    doubted = match_contact(contact(1, "", OFFICE, role=True), [contact(10, "jo", OFFICE, role=True)])
    assert isinstance(doubted, Ambiguous)
    assert [(e.rule, e.detail) for e in doubted.evidences] == [(Doubt.ROLE_ADDRESS, OFFICE)]


def test_a_company_among_contacts_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="Record 7 is not a contact"):
        match_contact(business(7), [])
