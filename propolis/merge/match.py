"""Which of our records is theirs?

Asked only where no stored link answers; the candidates are **our unlinked records**, so two of theirs are
never compared with each other and a CRM without records makes everything `New`. Candidates worth passing in
are those that share a domain, phone, e-mail or normalised name with theirs; more do no harm, and their
order never matters.

Companies (both are businesses):
- same domain, compatible names → `Sure(SAME_DOMAIN)`
- same phone, similar names → `Sure(SAME_PHONE)`
- same normalised name, the only one on either side, no other domain, phone or city → `Sure(SAME_NAME)`
- same domain with different names, same phone alone, same e-mail alone, same name alone → weaker evidence

Companies (both are residential, that is persons):
- same e-mail, compatible person names → `Sure(SAME_EMAIL)`
- same phone, similar person names → `Sure(SAME_PHONE)`
- same e-mail with different names, same phone alone → weaker evidence
- same name alone is never a match: weaker evidence if no other e-mail, phone or city contradicts, else
  nothing

A business and a person: same domain, e-mail or phone is weaker evidence, a name is nothing.

Contacts:
- same e-mail, compatible names → `Sure(SAME_EMAIL)`; a role address only if the names agree
- same e-mail, another person (names not compatible; at a role address: not similar) → no match, but noted as
  `New(shares_email_with=…)` if nothing else matches
- a role address where one side has no name → weaker evidence
- same company, same normalised name, at least one without e-mail → `Sure(SAME_COMPANY_AND_NAME)`
- same company, same normalised name, two e-mails → weaker evidence
- a name across companies, or without a company → nothing

One candidate that is sure → `Sure`. Several → the one that agrees in everything the others agree in *and*
in more (facts: domain, e-mail, phone, normalised name, company, city); if there is none such →
`Ambiguous(SEVERAL)`. None sure, some weaker → `Ambiguous(WEAK)`. A sure candidate always outranks weaker
ones.

Afterwards `Claims` finds records of ours that two of theirs claimed: those outcomes become
`Ambiguous(CLAIMED)`.
"""

from collections.abc import Callable, Iterator, Sequence

from propolis.merge.claims import Claims, settle
from propolis.merge.evidence import (
    MOST_SHOWN,
    Ambiguous,
    Doubt,
    Evidence,
    Fact,
    Linked,
    New,
    Outcome,
    Reason,
    Rule,
    Strength,
    Sure,
)
from propolis.merge.names import (
    compatible_names,
    compatible_persons,
    same_words,
    similar_names,
    similar_persons,
)
from propolis.merge.record import CompanyKeys, ContactKeys, Record

__all__ = [
    "Ambiguous",
    "Claims",
    "Doubt",
    "Evidence",
    "Fact",
    "Linked",
    "New",
    "Outcome",
    "Reason",
    "Rule",
    "Strength",
    "Sure",
    "match_company",
    "match_contact",
    "same_person",
    "settle",
]

_WEIGHT = {Fact.DOMAIN: 40, Fact.EMAIL: 35, Fact.PHONE: 30, Fact.NAME: 20, Fact.COMPANY: 15, Fact.CITY: 5}


def match_company(
    theirs: Record, candidates: Sequence[Record], *, name_count_theirs: int, name_count_ours: int
) -> Outcome:
    """`Sure`, `Ambiguous` or `New`; see the module for the rules.

    `name_count_theirs`, `name_count_ours`: how many companies on each side, linked ones included, have
    exactly the normalised name of `theirs`.
    """
    keys = _company_keys(theirs)
    unique = name_count_theirs <= 1 and name_count_ours <= 1
    found = [_company_evidence(keys, _company_keys(each), each.id, unique) for each in _once_each(candidates)]
    return _outcome([evidence for evidence in found if evidence])


def match_contact(theirs: Record, candidates: Sequence[Record]) -> Outcome:
    """`Sure`, `Ambiguous` or `New`; see the module for the rules."""
    keys = _contact_keys(theirs)
    ours = [(each.id, _contact_keys(each)) for each in _once_each(candidates)]
    found = [_contact_evidence(keys, theirs_too, local_id) for local_id, theirs_too in ours]
    others = [local_id for local_id, each in ours if keys.email and each.email == keys.email]
    return _outcome([evidence for evidence in found if evidence], shares_email_with=min(others, default=None))


def same_person(person: Record, contact: Record) -> bool:
    """The person named on a customer record is this contact of the same customer.

    Same e-mail with a compatible name; or one of them has no e-mail and their normalised names are the same.
    """
    a, b = _contact_keys(person), _contact_keys(contact)
    if a.email and b.email:
        return a.email == b.email and compatible_persons(a.name, b.name)
    return bool(a.name) and a.name == b.name


def _company_evidence(theirs: CompanyKeys, ours: CompanyKeys, local_id: int, unique: bool) -> Evidence | None:
    agrees, differs = _compare_companies(theirs, ours)
    if theirs.residential != ours.residential:
        rule: Rule | Doubt | None = (
            Doubt.OTHER_KIND if agrees & {Fact.DOMAIN, Fact.EMAIL, Fact.PHONE} else None
        )
    elif theirs.residential:
        rule = _residential_rule(theirs, ours, agrees, differs)
    else:
        rule = _business_rule(theirs, ours, agrees, differs, unique)
    return _evidence(local_id, rule, _company_detail(rule, theirs, ours), agrees, differs)


def _business_rule(
    theirs: CompanyKeys, ours: CompanyKeys, agrees: set[Fact], differs: set[Fact], unique: bool
) -> Rule | Doubt | None:
    named = Fact.NAME in agrees
    if Fact.DOMAIN in agrees and compatible_names(theirs.name, ours.name):
        return Rule.SAME_DOMAIN
    if Fact.PHONE in agrees and similar_names(theirs.name, ours.name):
        return Rule.SAME_PHONE
    contradicted = bool(differs & {Fact.DOMAIN, Fact.PHONE, Fact.CITY})
    if named and unique and not contradicted:
        return Rule.SAME_NAME
    if Fact.DOMAIN in agrees:
        return Doubt.DOMAIN_OTHER_NAME
    if Fact.PHONE in agrees:
        return Doubt.PHONE_ALONE
    if Fact.EMAIL in agrees:
        return Doubt.EMAIL_ALONE
    if named:
        return Doubt.NAME_CONTRADICTED if contradicted else Doubt.NAME_NOT_UNIQUE
    return None


def _residential_rule(
    theirs: CompanyKeys, ours: CompanyKeys, agrees: set[Fact], differs: set[Fact]
) -> Rule | Doubt | None:
    their_name, our_name = _name(theirs), _name(ours)
    if Fact.EMAIL in agrees:
        return Rule.SAME_EMAIL if compatible_persons(their_name, our_name) else Doubt.EMAIL_ALONE
    if Fact.PHONE in agrees:
        return Rule.SAME_PHONE if similar_persons(their_name, our_name) else Doubt.PHONE_ALONE
    if Fact.NAME in agrees and not differs & {Fact.EMAIL, Fact.PHONE, Fact.CITY}:
        return Doubt.NAME_ALONE
    return None


def _contact_evidence(theirs: ContactKeys, ours: ContactKeys, local_id: int) -> Evidence | None:
    agrees, differs = _compare_contacts(theirs, ours)
    rule = _contact_rule(theirs, ours, agrees)
    detail = theirs.email if rule in (Rule.SAME_EMAIL, Doubt.ROLE_ADDRESS) else theirs.name
    return _evidence(local_id, rule, detail, agrees, differs)


def _contact_rule(theirs: ContactKeys, ours: ContactKeys, agrees: set[Fact]) -> Rule | Doubt | None:
    if Fact.EMAIL in agrees:
        if not (theirs.role_address or ours.role_address):
            return Rule.SAME_EMAIL if compatible_persons(theirs.name, ours.name) else None
        if theirs.name == ours.name or similar_persons(theirs.name, ours.name):
            return Rule.SAME_EMAIL
        return None if theirs.name and ours.name else Doubt.ROLE_ADDRESS
    if {Fact.COMPANY, Fact.NAME} <= agrees:
        return Doubt.OTHER_EMAIL if theirs.email and ours.email else Rule.SAME_COMPANY_AND_NAME
    return None


def _outcome(found: list[Evidence], *, shares_email_with: int | None = None) -> Outcome:
    found.sort(key=lambda each: (not isinstance(each.rule, Rule), -each.score, each.local_id))
    sure = [each for each in found if isinstance(each.rule, Rule)]
    best = next((each for each in sure if _outranks(each, sure)), None)
    if best and isinstance(best.rule, Rule):
        return Sure(best.local_id, best.rule, best)
    if found:
        reason = Reason.SEVERAL if sure else Reason.WEAK
        return Ambiguous(tuple(found[:MOST_SHOWN]), reason)
    return New(shares_email_with)


def _outranks(best: Evidence, sure: list[Evidence]) -> bool:
    """Every other sure candidate agrees in less: in nothing that `best` does not agree in, and not in all
    of it."""
    return all(each is best or set(each.agrees) < set(best.agrees) for each in sure)


def _evidence(
    local_id: int, rule: Rule | Doubt | None, detail: str, agrees: set[Fact], differs: set[Fact]
) -> Evidence | None:
    if rule is None:
        return None
    strong = isinstance(rule, Rule) or (len(agrees) >= 2 and not differs)
    score = sum(_WEIGHT[fact] for fact in agrees) - sum(_WEIGHT[fact] for fact in differs) // 2
    return Evidence(
        local_id,
        rule,
        detail,
        Strength.STRONG if strong else Strength.WEAK,
        max(0, min(100, score)),
        tuple(fact for fact in Fact if fact in agrees),
        tuple(fact for fact in Fact if fact in differs),
    )


def _compare_companies(theirs: CompanyKeys, ours: CompanyKeys) -> tuple[set[Fact], set[Fact]]:
    agrees, differs = set[Fact](), set[Fact]()
    for fact, mine, yours in (
        (Fact.DOMAIN, theirs.domains, ours.domains),
        (Fact.PHONE, theirs.phones, ours.phones),
    ):
        if mine and yours:
            (differs if mine.isdisjoint(yours) else agrees).add(fact)
    _compare_texts(Fact.EMAIL, theirs.email, ours.email, agrees, differs)
    _compare_texts(Fact.CITY, theirs.city, ours.city, agrees, differs, same_words)
    compatible = compatible_persons if theirs.residential or ours.residential else compatible_names
    _compare_names(_name(theirs), _name(ours), compatible, agrees, differs)
    return agrees, differs


def _compare_contacts(theirs: ContactKeys, ours: ContactKeys) -> tuple[set[Fact], set[Fact]]:
    agrees, differs = set[Fact](), set[Fact]()
    _compare_texts(Fact.EMAIL, theirs.email, ours.email, agrees, differs)
    if theirs.company is not None and ours.company is not None:
        (agrees if theirs.company == ours.company else differs).add(Fact.COMPANY)
    _compare_names(theirs.name, ours.name, compatible_persons, agrees, differs)
    return agrees, differs


def _compare_texts(
    fact: Fact,
    mine: str,
    yours: str,
    agrees: set[Fact],
    differs: set[Fact],
    same: Callable[[str, str], bool] = str.__eq__,
) -> None:
    if mine and yours:
        (agrees if same(mine, yours) else differs).add(fact)


def _compare_names(
    mine: str, yours: str, compatible: Callable[[str, str], bool], agrees: set[Fact], differs: set[Fact]
) -> None:
    """Only the very same name agrees; only one that is not even compatible differs."""
    if mine and mine == yours:
        agrees.add(Fact.NAME)
    elif not compatible(mine, yours):
        differs.add(Fact.NAME)


def _company_detail(rule: Rule | Doubt | None, theirs: CompanyKeys, ours: CompanyKeys) -> str:
    if rule in (Rule.SAME_DOMAIN, Doubt.DOMAIN_OTHER_NAME):
        shared = sorted(theirs.domains & ours.domains)
    elif rule in (Rule.SAME_PHONE, Doubt.PHONE_ALONE):
        shared = sorted(theirs.phones & ours.phones)
    elif rule in (Rule.SAME_EMAIL, Doubt.EMAIL_ALONE):
        shared = [theirs.email]
    elif rule is Doubt.OTHER_KIND:
        shared = sorted((theirs.domains & ours.domains) | (theirs.phones & ours.phones))
        shared += [theirs.email] if theirs.email == ours.email and theirs.email else []
    else:
        shared = [_name(theirs)]
    return ", ".join(shared)


def _name(keys: CompanyKeys) -> str:
    return keys.person or keys.name if keys.residential else keys.name


def _once_each(candidates: Sequence[Record]) -> Iterator[Record]:
    """A candidate found by its domain and again by its phone counts once."""
    return iter({each.id: each for each in candidates}.values())


def _company_keys(record: Record) -> CompanyKeys:
    if not isinstance(record.keys, CompanyKeys):
        raise TypeError(f"Record {record.id} is not a company")
    return record.keys


def _contact_keys(record: Record) -> ContactKeys:
    if not isinstance(record.keys, ContactKeys):
        raise TypeError(f"Record {record.id} is not a contact")
    return record.keys
