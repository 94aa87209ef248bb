"""Which side's value stays, field by field, three-way against what both sides last agreed on.

**One shape.** Everything compared here is in our own shape. The link stores the remote's *raw* values as
last seen (whole name, raw status); the caller maps both the remote's record of now and the link's raw
values with the same mapping before asking. So "theirs changed" is true only if the raw value changed *and*
makes a difference here, "ours changed" is true only if our value is no longer what the raw one stands for,
and a changed mapping alone (a status map, a phone region) never looks like a change made in Syncro.
A raw value that stands for nothing here (a status that is not imported) maps to UNSET.

**Afterwards** the link agrees on what was read, whatever was decided: `agree(agreed_raw, theirs_raw)`. A
kept value then stands as "only Propolis changed" until it is sent or Syncro changes again, and the next
import decides nothing new.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final

from propolis.merge.record import UNSET, Value


class NeverAgreedType(Enum):
    """The type of `NEVER_AGREED`."""

    NEVER_AGREED = "never agreed"

    def __repr__(self) -> str:
        return "NEVER_AGREED"


NEVER_AGREED: Final = NeverAgreedType.NEVER_AGREED
"""There is no agreed value of this field: a first match, or a field that is imported for the first time."""

Normalise = Callable[[str, Value], Value]
"""(field, value) → the value to compare by; must leave its own results as they are."""


class ConflictRule(StrEnum):
    """What decides when a field may go either way; chosen per account and field. See `decide`."""

    MORE_CURRENT = "more current"
    SYNCRO = "syncro"
    PROPOLIS = "propolis"
    ONLY_IF_BLANK = "only if blank"

    def label(self) -> str:
        """For the person who chooses."""
        return _CONFLICT_LABELS[self]


class Action(StrEnum):
    """TAKE writes theirs here · KEEP leaves ours, which differs from theirs · AGREE: the same for the first
    time since the last agreement · NOTHING: neither side changed, or theirs is unknown."""

    TAKE = "take"
    KEEP = "keep"
    AGREE = "agree"
    NOTHING = "nothing"


class Why(StrEnum):
    """The reason of a decision. The values are stable: they are stored in the history of a record."""

    UNCHANGED = "unchanged"
    ABSENT = "absent"
    BOTH_SAME = "both same"
    BLANK_HERE = "blank here"
    BLANK_THERE = "blank there"
    ONLY_SYNCRO = "only syncro"
    ONLY_PROPOLIS = "only propolis"
    SYNCRO_NEWER = "syncro newer"
    PROPOLIS_NEWER = "propolis newer"
    SAME_TIME = "same time"
    NO_TIME = "no time"
    RULE_SYNCRO = "rule syncro"
    RULE_PROPOLIS = "rule propolis"
    RULE_ONLY_IF_BLANK = "rule only if blank"

    def label(self) -> str:
        """For the person reading the preview or the history."""
        return _WHY_LABELS[self]


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one field of ours. `before` and `after` as given, never normalised; equal unless
    TAKE."""

    field: str
    action: Action
    before: Value
    after: Value
    why: Why

    @property
    def newer_here(self) -> bool:
        """We kept a value that differs from theirs: it could be sent to Syncro."""
        return self.action is Action.KEEP


def decide(
    ours: Mapping[str, Value],
    theirs: Mapping[str, Value],
    agreed: Mapping[str, Value] | None,
    *,
    ours_at: datetime | None,
    theirs_at: datetime | None,
    rules: Mapping[str, ConflictRule],
    default_rule: ConflictRule,
    normalise: Normalise,
) -> tuple[Decision, ...]:
    """One decision for every field of `theirs`, in its order.

    `agreed`: the link's values in our shape; None, or a key that is absent or UNSET: never agreed on.
    `ours_at`: our last human edit of a mapped field; `theirs_at`: Syncro's `updated_at`; both aware, None =
    unknown. A key absent from `ours` is a blank, so that a record about to be created can be decided like
    any other.

    | since we last agreed            | more current | Syncro  | Propolis | only if blank ² |
    |---------------------------------|--------------|---------|----------|-----------------|
    | theirs is UNSET (absent)        | nothing      | nothing | nothing  | nothing         |
    | neither changed                 | nothing      | nothing | nothing  | nothing         |
    | only ours changed               | keep         | keep    | keep     | keep            |
    | only theirs changed             | take         | take    | take     | take or keep    |
    | both changed, to the same value | agree        | agree   | agree    | agree           |
    | both changed, differently       | newer side ¹ | take    | keep     | take or keep    |
    | **no agreement yet**            |              |         |          |                 |
    | same value, or both blank       | agree        | agree   | agree    | agree           |
    | ours blank, theirs filled       | take         | take    | take     | take            |
    | ours filled, theirs blank       | keep         | keep    | keep     | keep            |
    | both filled, different          | newer side ¹ | take    | keep     | keep            |

    ¹ take if `theirs_at` is later than `ours_at`; equal, or one of them missing: ours stays, and the reason
      says so.
    ² take if ours is blank, else keep.

    So the rule of a field decides conflicts and leaves one-sided changes alone, but for "only if blank",
    which lets nothing of theirs replace a filled value. Once agreed, clearing a field is a change like any
    other, on both sides; before that, a blank overwrites nothing. Blank: None, "" or white space after
    normalising; False and 0 are values.
    """
    known = agreed or {}
    return tuple(
        decide_field(
            field,
            ours.get(field),
            value,
            known.get(field, NEVER_AGREED),
            ours_at=ours_at,
            theirs_at=theirs_at,
            rule=rules.get(field, default_rule),
            normalise=normalise,
        )
        for field, value in theirs.items()
    )


def decide_field(
    field: str,
    ours: Value,
    theirs: Value,
    agreed: Value | NeverAgreedType,
    *,
    ours_at: datetime | None,
    theirs_at: datetime | None,
    rule: ConflictRule,
    normalise: Normalise,
) -> Decision:
    """The decision for one field; the table is `decide`'s. An `agreed` that is UNSET was never agreed on."""
    if theirs is UNSET:
        return Decision(field, Action.NOTHING, ours, ours, Why.ABSENT)
    here, there = _comparable(field, ours, normalise), _comparable(field, theirs, normalise)
    if isinstance(agreed, NeverAgreedType) or agreed is UNSET:
        action, why = _first_match(here, there, rule, ours_at, theirs_at)
    else:
        action, why = _since_agreed(
            here, there, _comparable(field, agreed, normalise), rule, ours_at, theirs_at
        )
    return Decision(field, action, ours, theirs if action is Action.TAKE else ours, why)


def agree(
    agreed_raw: Mapping[str, Value] | None, theirs_raw: Mapping[str, Value], *, held: Collection[str] = ()
) -> dict[str, Value]:
    """The link's raw values after an import has decided on `theirs_raw`, whatever it decided.

    What was absent from this answer stays as it was; so does what is `held`: raw fields whose value stands
    for nothing here (an unmapped status), so that the next one that does is still a change made in Syncro.
    """
    read = {field: value for field, value in theirs_raw.items() if value is not UNSET and field not in held}
    return {**(agreed_raw or {}), **read}


def _since_agreed(
    here: Value,
    there: Value,
    agreed: Value,
    rule: ConflictRule,
    ours_at: datetime | None,
    theirs_at: datetime | None,
) -> tuple[Action, Why]:
    ours_changed, theirs_changed = here != agreed, there != agreed
    if not theirs_changed:
        return (Action.KEEP, Why.ONLY_PROPOLIS) if ours_changed else (Action.NOTHING, Why.UNCHANGED)
    if here == there:
        return Action.AGREE, Why.BOTH_SAME
    if rule is ConflictRule.ONLY_IF_BLANK:
        return _only_if_blank(here)
    if not ours_changed:
        return Action.TAKE, Why.ONLY_SYNCRO
    return _conflict(rule, ours_at, theirs_at)


def _first_match(
    here: Value, there: Value, rule: ConflictRule, ours_at: datetime | None, theirs_at: datetime | None
) -> tuple[Action, Why]:
    if here == there:
        return Action.AGREE, Why.BOTH_SAME
    if here is None:
        return Action.TAKE, Why.BLANK_HERE
    if there is None:
        return Action.KEEP, Why.BLANK_THERE
    if rule is ConflictRule.ONLY_IF_BLANK:
        return _only_if_blank(here)
    return _conflict(rule, ours_at, theirs_at)


def _only_if_blank(here: Value) -> tuple[Action, Why]:
    return (Action.TAKE, Why.BLANK_HERE) if here is None else (Action.KEEP, Why.RULE_ONLY_IF_BLANK)


def _conflict(rule: ConflictRule, ours_at: datetime | None, theirs_at: datetime | None) -> tuple[Action, Why]:
    if rule is ConflictRule.SYNCRO:
        return Action.TAKE, Why.RULE_SYNCRO
    if rule is ConflictRule.PROPOLIS:
        return Action.KEEP, Why.RULE_PROPOLIS
    if ours_at is None or theirs_at is None:
        return Action.KEEP, Why.NO_TIME
    if theirs_at > ours_at:
        return Action.TAKE, Why.SYNCRO_NEWER
    return Action.KEEP, Why.SAME_TIME if theirs_at == ours_at else Why.PROPOLIS_NEWER


def _comparable(field: str, value: Value, normalise: Normalise) -> Value:
    """The value to compare by; every kind of blank is None."""
    if value is None or value == "" or value is UNSET:
        return None
    compared = normalise(field, value)
    if compared is UNSET or (isinstance(compared, str) and not compared.strip()):
        return None
    return compared


_CONFLICT_LABELS = {
    ConflictRule.MORE_CURRENT: "The more current record",
    ConflictRule.SYNCRO: "Syncro",
    ConflictRule.PROPOLIS: "Propolis",
    ConflictRule.ONLY_IF_BLANK: "Syncro, only if blank here",
}
_WHY_LABELS = {
    Why.UNCHANGED: "nothing changed",
    Why.ABSENT: "not in Syncro's answer",
    Why.BOTH_SAME: "both the same",
    Why.BLANK_HERE: "blank here",
    Why.BLANK_THERE: "blank in Syncro",
    Why.ONLY_SYNCRO: "only Syncro changed",
    Why.ONLY_PROPOLIS: "only Propolis changed",
    Why.SYNCRO_NEWER: "Syncro newer",
    Why.PROPOLIS_NEWER: "Propolis newer",
    Why.SAME_TIME: "same time, ours stays",
    Why.NO_TIME: "time unknown, ours stays",
    Why.RULE_SYNCRO: "rule: Syncro",
    Why.RULE_PROPOLIS: "rule: Propolis",
    Why.RULE_ONLY_IF_BLANK: "rule: only if blank",
}
