"""What matching says: the facts two records share, the rule or the doubt that follows, and the outcome."""

from dataclasses import dataclass
from enum import StrEnum


class Fact(StrEnum):
    """Something two records may agree or differ in."""

    DOMAIN = "domain"
    EMAIL = "e-mail"
    PHONE = "phone"
    NAME = "name"
    COMPANY = "company"
    CITY = "city"


class Rule(StrEnum):
    """Why a link is sure; stored on the link. The values are stable."""

    STORED = "stored link"
    SAME_DOMAIN = "same domain"
    SAME_PHONE = "same phone"
    SAME_NAME = "same name"
    SAME_EMAIL = "same e-mail"
    SAME_COMPANY_AND_NAME = "same company and name"
    BY_HAND = "by hand"
    CREATED = "created"

    def label(self) -> str:
        """For the person looking at the link."""
        return _RULE_LABELS[self]


class Doubt(StrEnum):
    """Why two records may be one, but nobody can be sure without looking. The values are stable."""

    DOMAIN_OTHER_NAME = "domain, other name"
    PHONE_ALONE = "phone alone"
    EMAIL_ALONE = "e-mail alone"
    NAME_ALONE = "name alone"
    NAME_NOT_UNIQUE = "name not unique"
    NAME_CONTRADICTED = "name contradicted"
    OTHER_KIND = "business and person"
    ROLE_ADDRESS = "role address"
    OTHER_EMAIL = "name, other e-mail"

    def label(self) -> str:
        """For the person who decides the review."""
        return _DOUBT_LABELS[self]


class Strength(StrEnum):
    """STRONG: a rule holds, or at least two facts agree and none differs. Only strong matches may be accepted
    many at a time."""

    STRONG = "strong"
    WEAK = "weak"


class Reason(StrEnum):
    """Why an outcome is `Ambiguous`. The values are stable."""

    SEVERAL = "several"
    WEAK = "weak"
    CLAIMED = "claimed by two"

    def label(self) -> str:
        """For the person who decides the review."""
        return _REASON_LABELS[self]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why one of ours may be theirs.

    `detail`: what the rule or doubt rests on, e.g. the domain or the phone number, in its normalised form.
    `score`: 0 to 100, to put several in order; never decides anything.
    `agrees`, `differs`: the facts both sides state; those only one side states are in neither.
    """

    local_id: int
    rule: Rule | Doubt
    detail: str
    strength: Strength
    score: int
    agrees: tuple[Fact, ...] = ()
    differs: tuple[Fact, ...] = ()

    def as_dict(self) -> dict[str, str | int | list[str]]:
        """Plain and stable, so that two runs that saw the same evidence store the same."""
        return {
            "local_id": self.local_id,
            "rule": self.rule.value,
            "label": self.rule.label(),
            "detail": self.detail,
            "strength": self.strength.value,
            "score": self.score,
            "agrees": [fact.value for fact in self.agrees],
            "differs": [fact.value for fact in self.differs],
        }


@dataclass(frozen=True, slots=True)
class Linked:
    """A stored link answers; made by the caller, since a linked record of ours is never a candidate."""

    local_id: int


@dataclass(frozen=True, slots=True)
class Sure:
    """One record of ours is theirs, by a rule."""

    local_id: int
    rule: Rule
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A person must look. `evidences`: the best `MOST_SHOWN`, strongest first.

    `rivals`: for `Reason.CLAIMED`, the remote ids that claim the record, this one included.
    """

    evidences: tuple[Evidence, ...]
    reason: Reason
    rivals: tuple[int, ...] = ()

    @property
    def acceptable(self) -> int | None:
        """The local id that "accept all strong matches" links; None where only a person can choose."""
        strong = [each.local_id for each in self.evidences if each.strength is Strength.STRONG]
        return strong[0] if self.reason is Reason.WEAK and len(strong) == 1 else None


@dataclass(frozen=True, slots=True)
class New:
    """None of ours is theirs. `shares_email_with`: a local contact with the same e-mail who is another
    person."""

    shares_email_with: int | None = None


Outcome = Linked | Sure | Ambiguous | New

MOST_SHOWN = 10

_RULE_LABELS = {
    Rule.STORED: "Linked before",
    Rule.SAME_DOMAIN: "Same domain",
    Rule.SAME_PHONE: "Same phone and a similar name",
    Rule.SAME_NAME: "Same name, on each side only once",
    Rule.SAME_EMAIL: "Same e-mail",
    Rule.SAME_COMPANY_AND_NAME: "Same company and same name",
    Rule.BY_HAND: "Linked by hand",
    Rule.CREATED: "Came from Syncro",
}
_DOUBT_LABELS = {
    Doubt.DOMAIN_OTHER_NAME: "Same domain, but different names",
    Doubt.PHONE_ALONE: "Same phone, but different names",
    Doubt.EMAIL_ALONE: "Same e-mail, and no more than that",
    Doubt.NAME_ALONE: "Same name, and no more than that",
    Doubt.NAME_NOT_UNIQUE: "Same name, but several have it",
    Doubt.NAME_CONTRADICTED: "Same name, but something else differs",
    Doubt.OTHER_KIND: "One is a business, the other a person",
    Doubt.ROLE_ADDRESS: "Same shared mailbox, and one has no name",
    Doubt.OTHER_EMAIL: "Same company and name, but different e-mails",
}
_REASON_LABELS = {
    Reason.SEVERAL: "Several of ours fit",
    Reason.WEAK: "It may be one of ours",
    Reason.CLAIMED: "Two records in Syncro fit the same one here",
}
