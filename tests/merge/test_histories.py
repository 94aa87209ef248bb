"""Whole histories of one linked record, invented by a machine: edits on both sides, imports, sends, a new
status map. The link keeps raw values, as the real one does; both sides are mapped anew at every import."""

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
    {"New": our_statuses, "Opened": our_statuses, "Won": our_statuses, "Spam": our_statuses | st.just(UNSET)}
)


class OneRecord(RuleBasedStateMachine):
    """`ours` and `theirs` live on; `link` is what the raw record looked like when last read."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = datetime(2025, 11, 22, tzinfo=UTC)
        self.link: dict[str, Value] | None = None

    @initialize(name=texts, phone=texts, status=our_statuses, raw=raw_statuses, status_map=maps)
    def start(self, name: str, phone: str, status: str, raw: str, status_map: dict[str, Value]) -> None:
        self.status_map = status_map
        self.ours: dict[str, Value] = {"name": name, "phone": phone, "status": status}
        self.theirs: dict[str, Value] = {"name": "c", "phone": "", "status": raw}
        self.ours_at = self.theirs_at = self.clock

    @rule(field=st.sampled_from(["name", "phone"]), value=texts)
    def someone_edits_here(self, field: str, value: str) -> None:
        self.ours = {**self.ours, field: value}
        self.ours_at = self.tick()

    @rule(status=our_statuses)
    def someone_moves_the_opportunity_here(self, status: str) -> None:
        self.ours = {**self.ours, "status": status}
        self.ours_at = self.tick()

    @rule(field=st.sampled_from(["name", "phone"]), value=texts)
    def someone_edits_in_syncro(self, field: str, value: str) -> None:
        self.theirs = {**self.theirs, field: value}
        self.theirs_at = self.tick()

    @rule(raw=raw_statuses)
    def syncro_moves_the_lead(self, raw: str) -> None:
        self.theirs = {**self.theirs, "status": raw}
        self.theirs_at = self.tick()

    @rule(status_map=maps)
    def an_admin_changes_the_status_map(self, status_map: dict[str, Value]) -> None:
        self.status_map = status_map

    @rule(conflicts=st.sampled_from(ConflictRule))
    def an_import_runs(self, conflicts: ConflictRule) -> None:
        link, before = self.link, dict(self.ours)
        decisions = self.plan(conflicts)
        taken = {each.field for each in decisions if each.action is Action.TAKE}
        self.apply(decisions)
        assert not self.fields_unchanged_in_syncro(link) & taken
        if conflicts is ConflictRule.PROPOLIS and link is not None:
            assert not {field for field in taken if self.changed_here(field, link, before)}
        if link is None:
            assert not {field for field in taken if equal(self.ours[field], None)}
        assert {each.action for each in self.plan(conflicts)} <= {Action.NOTHING, Action.KEEP}

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
        assert self.link is None or set(FIELDS) - set(self.link) <= {"status"}

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
        held = {field for field, value in self.mapped(self.theirs).items() if value is UNSET}
        self.link = agree(self.link, self.theirs, held=held)
        if any(each.action is Action.TAKE for each in decisions):
            self.ours_at = self.theirs_at

    def mapped(self, raw: dict[str, Value]) -> dict[str, Value]:
        return {**raw, "status": self.status_map[str(raw["status"])]} if "status" in raw else raw

    def fields_unchanged_in_syncro(self, link: dict[str, Value] | None) -> set[str]:
        return {field for field, value in (link or {}).items() if self.theirs[field] == value}

    def changed_here(self, field: str, link: dict[str, Value], before: dict[str, Value]) -> bool:
        agreed = self.mapped(link).get(field, UNSET)
        return agreed is not UNSET and not equal(before[field], agreed)

    def tick(self) -> datetime:
        self.clock += timedelta(seconds=1)
        return self.clock


TestOneRecord = OneRecord.TestCase
TestOneRecord.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
