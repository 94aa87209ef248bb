"""Whole histories of one linked record, invented by a machine: edits on both sides, imports, sends, a new status
map. The link keeps raw values, as the real one does, and both sides are mapped anew at every import."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from propolis.merge.decide import Action, ConflictRule, Decision, agree, decide
from propolis.merge.record import UNSET, Value
from tests.merge.test_decide import equal, folded

FIELDS = ("name", "phone", "status")
texts = st.sampled_from(["", "a", "b", "c"])
# Two of Syncro's statuses stand for one of ours, and one is not imported.
raw_statuses = st.sampled_from(["New", "Opened", "Won", "Spam"])
our_statuses = st.sampled_from(["Fresh", "Qualified", "Sold"])
maps = st.fixed_dictionaries(
    {"New": our_statuses, "Opened": our_statuses, "Won": our_statuses, "Spam": st.just(UNSET)}
)


class OneRecord(RuleBasedStateMachine):
    """`ours` and `theirs` live on; `link` is what the raw record looked like when last read."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = datetime(2025, 11, 22, tzinfo=UTC)
        self.link: dict[str, Value] | None = None
        self.seen: dict[str, dict[Value, str]] = {field: {} for field in FIELDS}

    @initialize(name=texts, phone=texts, status=our_statuses, raw=raw_statuses, status_map=maps)
    def start(self, name: str, phone: str, status: str, raw: str, status_map: dict[str, Value]) -> None:
        self.status_map = status_map
        self.ours: dict[str, Value] = {"name": name, "phone": phone, "status": status}
        self.theirs: dict[str, Value] = {"name": "c", "phone": "", "status": raw}
        self.ours_at = self.theirs_at = self.clock
        self.touched_here: set[str] = set(FIELDS)
        self.touched_there: set[str] = set(FIELDS)

    @rule(field=st.sampled_from(["name", "phone"]), value=texts)
    def someone_edits_here(self, field: str, value: str) -> None:
        self.ours = {**self.ours, field: value}
        self.touched_here.add(field)
        self.ours_at = self.tick()

    @rule(status=our_statuses)
    def someone_moves_the_opportunity_here(self, status: str) -> None:
        self.ours = {**self.ours, "status": status}
        self.touched_here.add("status")
        self.ours_at = self.tick()

    @rule(field=st.sampled_from(["name", "phone"]), value=texts)
    def someone_edits_in_syncro(self, field: str, value: str) -> None:
        self.theirs = {**self.theirs, field: value}
        self.touched_there.add(field)
        self.theirs_at = self.tick()

    @rule(raw=raw_statuses)
    def syncro_moves_the_lead(self, raw: str) -> None:
        self.theirs = {**self.theirs, "status": raw}
        self.touched_there.add("status")
        self.theirs_at = self.tick()

    @rule(status_map=maps)
    def an_admin_changes_the_status_map(self, status_map: dict[str, Value]) -> None:
        self.status_map = status_map

    @rule(conflicts=st.sampled_from(ConflictRule))
    def an_import_runs(self, conflicts: ConflictRule) -> None:
        first_match, link_before, before = self.link is None, self.link or {}, dict(self.ours)
        decisions = self.plan(conflicts)
        self.apply(decisions)
        for each in decisions:
            raw_same = self.theirs[each.field] == link_before.get(each.field, UNSET)
            if raw_same or each.field not in self.touched_there:
                assert each.action is not Action.TAKE, "nothing changed in Syncro, yet something was taken"
            if (
                conflicts is ConflictRule.PROPOLIS
                and not first_match
                and self.changed_here(each.field, link_before, before)
            ):
                assert each.action is not Action.TAKE, "an edit made here was lost against the rule"
            if first_match and equal(each.after, None):
                assert equal(before[each.field], None), "a blank overwrote a value at the first match"
        assert all(each.action is not Action.TAKE for each in self.plan(conflicts)), "a second import differs"
        self.touched_here, self.touched_there = set(), set()

    @rule()
    def what_is_newer_here_is_sent(self) -> None:
        if self.link is None:
            return
        kept = [
            each for each in self.plan(ConflictRule.PROPOLIS) if each.newer_here and each.field != "status"
        ]
        sent = {each.field: each.after for each in kept}
        self.theirs = {**self.theirs, **sent}
        self.theirs_at = self.tick() if sent else self.theirs_at
        self.link = agree(self.link, sent)
        again = [each for each in self.plan(ConflictRule.PROPOLIS) if each.field in sent]
        assert [each.action for each in again] == [Action.NOTHING] * len(sent)

    @invariant()
    def a_link_holds_every_field_that_was_read(self) -> None:
        assert self.link is None or set(self.link) == set(FIELDS)

    def plan(self, conflicts: ConflictRule) -> tuple[Decision, ...]:
        return decide(
            self.ours,
            self.mapped(self.theirs),
            None if self.link is None else self.mapped(self.link),
            ours_at=self.ours_at,
            theirs_at=self.theirs_at,
            rules={},
            default_rule=conflicts,
            normalise=folded,
        )

    def apply(self, decisions: tuple[Decision, ...]) -> None:
        self.ours = {**self.ours, **{each.field: each.after for each in decisions}}
        self.link = agree(self.link, self.theirs)
        if any(each.action is Action.TAKE for each in decisions):
            self.ours_at = self.theirs_at

    def mapped(self, raw: dict[str, Value]) -> dict[str, Value]:
        return {**raw, "status": self.status_map[str(raw["status"])]}

    def changed_here(self, field: str, link: dict[str, Value], before: dict[str, Value]) -> bool:
        agreed = self.mapped(link)[field]
        return agreed is not UNSET and not equal(before[field], agreed)

    def tick(self) -> datetime:
        self.clock += timedelta(seconds=1)
        return self.clock


TestOneRecord = OneRecord.TestCase
TestOneRecord.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
