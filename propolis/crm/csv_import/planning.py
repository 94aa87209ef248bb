"""Row by row of the file: what is to happen to each, as planned Changes. Nothing else is written.

A row that was in the file before stays out · one of our own export is known by its id · else the rules of
`propolis.merge.match` against all our records → decide field by field, or new, or a person must look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from propolis.accounts import bulk
from propolis.crm import comparing, keys
from propolis.crm.csv_import import named_lists
from propolis.crm.csv_import.companies import Companies, hash_of
from propolis.crm.csv_import.values import Incoming, Rules, email_of, plain, uid_of
from propolis.crm.fields import Kind
from propolis.crm.kinds import MODELS
from propolis.crm.models import ListMember, Suppression
from propolis.crm.rows import values_of
from propolis.history.models import Change
from propolis.merge.decide import Action, ConflictRule, decide
from propolis.merge.evidence import Ambiguous, New, Outcome, Sure
from propolis.merge.match import match_company, match_contact
from propolis.merge.plan import Counts, Word
from propolis.merge.record import Record
from propolis.runs.models import Run

ACTIONS = {
    Word.NEW: Change.Action.CREATE,
    Word.MERGED: Change.Action.MERGE,
    Word.UPDATED: Change.Action.UPDATE,
    Word.REVIEW: Change.Action.REVIEW,
    Word.LEFT_OUT: Change.Action.LEAVE_OUT,
    Word.FAILED: Change.Action.FAIL,
}
WORDS = {action: word for word, action in ACTIONS.items()} | {Change.Action.SAME: Word.SAME}
KNOWN = "known by its Propolis ID"
_RULES = {"salesperson": ConflictRule.ONLY_IF_BLANK}
_change = bulk.maker(Change)

Effects = dict[str, list[Any]]


@dataclass
class Planned:
    changes: list[Change] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)

    def add(self, word: Word, change: Change | None) -> None:
        """`change` None: a record that needs none."""
        self.counts.add(word)
        if change is not None:
            self.changes.append(change)


class Seen:
    """What the file has had so far: rows that say the same, and our records that a row belongs to."""

    def __init__(self) -> None:
        self.lines: dict[int, int] = {}
        self.owners: dict[int, int] = {}
        self.fresh: dict[str, list[list[int]]] = {"lines": [], "owners": []}

    def recall(self, kept: Mapping[str, list[list[int]]]) -> None:
        self.lines.update((key, line) for key, line in kept["lines"])
        self.owners.update((pk, line) for pk, line in kept["owners"])

    def line_before(self, key: int, line: int) -> int | None:
        """The earlier line that says the same; else this one is remembered."""
        if key in self.lines:
            return self.lines[key]
        self.lines[key] = line
        self.fresh["lines"].append([key, line])
        return None

    def owner_before(self, pk: int, line: int) -> int | None:
        if pk in self.owners:
            return self.owners[pk]
        self.owners[pk] = line
        self.fresh["owners"].append([pk, line])
        return None

    def take_fresh(self) -> dict[str, list[list[int]]]:
        fresh, self.fresh = self.fresh, {"lines": [], "owners": []}
        return fresh


class RowPlanner:
    """Plans pages of rows. `list_id`: the list contacts are put on, None for none."""

    def __init__(self, run: Run, rules: Rules, companies: Companies, list_id: int | None) -> None:
        self.run, self.rules, self.companies, self.list_id = run, rules, companies, list_id
        self.seen = Seen()
        self._model: Any = MODELS[rules.kind]
        self._normalise = comparing.normaliser(rules.region)
        self._listed: set[tuple[int, int]] = set()
        self._told: set[tuple[str, str]] = set()
        self._merged: Set[str] = frozenset()

    def plan(self, rows: Sequence[Incoming]) -> Planned:
        """The rows of one page; a constant number of queries."""
        planned, coming = Planned(), []
        for row in rows:
            if row.odd:
                planned.add(Word.FAILED, self.change(row, Word.FAILED, reason=row.odd))
                continue
            before = self.seen.line_before(self._key(row), row.row.line)
            if before is not None:
                planned.add(
                    Word.LEFT_OUT, self.change(row, Word.LEFT_OUT, reason="csv.same_row", before=before)
                )
            else:
                coming.append(row)
        of_ours = self._known(coming)
        known = {text: mine for text, mine in of_ours.items() if mine.merged_into_id is None}
        self._merged = of_ours.keys() - known.keys()
        outcomes = self.match([row for row in coming if row.record_id not in known])
        wanted = {o.local_id for o in outcomes.values() if isinstance(o, Sure)}
        ours = {row.pk: row for row in known.values()} | self._model.objects.in_bulk(wanted)
        self.look_up_lists(list(ours))
        self.look_up_mailing(coming, ours.values())
        for row in coming:
            mine = known.get(row.record_id)
            self._one(planned, row, outcomes.get(row.row.line, New()), ours, mine)
        planned.changes.sort(key=lambda change: int(change.args["line"]))  # odd rows came first
        return planned

    def _one(
        self, planned: Planned, row: Incoming, outcome: Outcome, ours: Mapping[int, Any], known: Any
    ) -> None:
        if known is not None and known.deleted_at is not None:
            planned.add(Word.LEFT_OUT, self.change(row, Word.LEFT_OUT, reason="csv.deleted_here"))
        elif isinstance(outcome, Ambiguous):
            planned.add(Word.REVIEW, self._review(row, outcome))
        elif known is not None or isinstance(outcome, Sure):
            mine = known if known is not None else ours[outcome.local_id]  # type: ignore[union-attr]
            line = self.seen.owner_before(mine.pk, row.row.line)
            if line is not None:
                planned.add(Word.REVIEW, self._claimed(row, mine, line))
            else:
                planned.add(*self.merged(row, mine, KNOWN if known is not None else str(_rule(outcome))))
        elif row.record_id in self._merged:  # what two were made one of does not come again as two
            planned.add(Word.LEFT_OUT, self.change(row, Word.LEFT_OUT, reason="csv.merged_here"))
        else:
            planned.add(Word.NEW, self.created(row))

    # ---- what becomes of a row

    def created(self, row: Incoming) -> Change:
        fields = {n: [None, v, "new"] for n, v in plain(row.values).items() if v not in ("", None, False)}
        args = self._beside(row)
        place = self.companies.of(row.company)
        if place.local is not None:
            fields["company"] = [None, place.local, "new"]
        elif place.seq is not None:
            args["company"] = place.seq
        if place.unclear:
            args["company_unclear"] = row.company[0] or row.company[1]
        return self.change(row, Word.NEW, fields=fields, **args)

    def merged(self, row: Incoming, mine: Any, rule: str) -> tuple[Word, Change | None]:
        """The word and the Change of a row that is one of ours; no Change where nothing is to be done."""
        fields = self.decided(row, mine)
        args = self._beside(row, mine)
        place = self.companies.of(row.company)
        if place.seq is not None and (mine.company_id is None or row.changed_at > mine.edited_at):
            fields["company"] = [mine.company_id, None, "file newer" if mine.company_id else "blank here"]
            args["company"] = place.seq
        # Not on those it is on already, or was taken off by hand.
        args["put_on"] = [each for each in args.get("put_on", ()) if (each, mine.pk) not in self._listed]
        if not fields and not any(args.get(each) for each in ("stop_mail", "put_on", "new_lists")):
            return Word.SAME, None
        word = Word.MERGED if fields and rule != KNOWN else Word.UPDATED
        return word, self.change(row, word, local_id=mine.pk, fields=fields, rule=rule, **args)

    def decided(self, row: Incoming, mine: Any) -> Effects:
        """Field by field: which value of the file replaces ours."""
        theirs, here = dict(row.values), values_of(mine)
        place = self.companies.of(row.company)
        if place.local is not None:
            theirs["company"] = place.local
        if "name" in theirs and self.rules.kind is Kind.CONTACT:
            del theirs["first"], theirs["last"]
            here["name"] = keys.join_name(mine.first, mine.last)
        decisions = decide(
            here,
            theirs,
            None,
            ours_at=mine.edited_at,
            theirs_at=row.changed_at,
            rules=_RULES,
            default_rule=ConflictRule.MORE_CURRENT,
            normalise=self._normalise,
        )
        effects: Effects = {}
        for each in decisions:
            if each.action is not Action.TAKE:
                continue
            if each.field == "name" and self.rules.kind is Kind.CONTACT:
                parts = {n: [getattr(mine, n), row.values[n], each.why.value] for n in ("first", "last")}
                effects |= {n: effect for n, effect in parts.items() if effect[0] != effect[1]}
            else:
                effects[each.field] = [each.before, each.after, each.why.value]
        return effects

    def _review(self, row: Incoming, outcome: Ambiguous) -> Change:
        candidates = [each.as_dict() for each in outcome.evidences]
        return self.change(row, Word.REVIEW, reason=outcome.reason.value, candidates=candidates)

    def _claimed(self, row: Incoming, mine: Any, line: int) -> Change:
        candidate = {"local_id": mine.pk, "label": "The same record as an earlier line", "detail": ""}
        return self.change(row, Word.REVIEW, reason="csv.claimed", before=line, candidates=[candidate])

    def _beside(self, row: Incoming, mine: Any = None) -> dict[str, Any]:
        """What happens beside the fields: an unsubscribed address, the chosen list and those the row names."""
        args: dict[str, Any] = {}
        # Said of the address in the row, whichever of two the record then has; of ours where the row has none.
        address = email_of(row) or (mine.email_key if mine is not None else "")
        if row.mailing and address and (address, row.mailing) not in self._told:
            args = {"stop_mail": row.mailing, "stop_at": address}
        args |= named_lists.planned(self.run, row.lists)
        if self.list_id:
            args["put_on"] = list(dict.fromkeys([self.list_id, *args.get("put_on", ())]))
        return args

    def change(
        self,
        row: Incoming,
        word: Word,
        *,
        local_id: int | None = None,
        fields: Effects | None = None,
        reason: str = "",
        **args: Any,
    ) -> Change:
        """A planned Change; the row itself is kept with it where a person may want it back."""
        if word in (Word.REVIEW, Word.LEFT_OUT, Word.FAILED):
            args["cells"] = row.row.cells
        args |= {"line": row.row.line, "at": row.changed_at.isoformat()}
        return _change(
            account_id=self.run.account_id,
            run_id=self.run.pk,
            kind=self.rules.kind.value,
            local_id=local_id,
            action=ACTIONS[word].value,
            state=Change.State.PLANNED.value,
            fields=fields or {},
            args=args,
            reason=reason,
        )

    # ---- which of ours

    def _key(self, row: Incoming) -> int:
        """Two rows of the same key are about the same: one record twice in the file."""
        if row.record_id:
            return hash_of(row.record_id)
        values = row.values
        parts = [keys.fold(str(values.get(n) or "")) for n in ("name", "email", "phone", "website", "city")]
        if self.rules.kind is Kind.CONTACT:
            # An e-mail and a name are one person, whatever else the rows say.
            parts = parts[:2] if parts[1] else [*parts[:3], *row.company]
        return hash_of("\x1f".join(parts))

    def _known(self, rows: Sequence[Incoming]) -> dict[str, Any]:
        """Records the file names by the id of our own export."""
        ids = {row.record_id: uid for row in rows if (uid := uid_of(row.record_id))}
        if not ids:
            return {}
        found = {mine.uid: mine for mine in self._model.objects.filter(uid__in=ids.values())}
        return {text: found[uid] for text, uid in ids.items() if uid in found}

    def match(self, rows: Sequence[Incoming]) -> dict[int, Outcome]:
        """An outcome for each line."""
        theirs = [self._record(row) for row in rows]
        alive = self._model.objects.filter(deleted_at__isnull=True, merged_into__isnull=True)
        wanted: list[Any] = [each.keys for each in theirs]
        if self.rules.kind is Kind.CONTACT:
            ours = by_key(comparing.contact_candidates(alive, wanted))
            return {each.id: match_contact(each, near(ours, each)) for each in theirs}
        ours, counts = (
            by_key(comparing.company_candidates(alive, wanted)),
            comparing.name_counts({each.name for each in wanted} - {""}),
        )
        return {
            each.id: match_company(
                each,
                near(ours, each),
                name_count_theirs=1,
                name_count_ours=counts.get(wanted[at].name, 0),
            )
            for at, each in enumerate(theirs)
        }

    def _record(self, row: Incoming) -> Record:
        if self.rules.kind is Kind.CONTACT:
            found: Any = comparing.contact_keys(row.values, self.companies.of(row.company).local)
        else:
            found = comparing.company_keys(row.values, self.rules.region)
        return Record(row.row.line, {}, row.changed_at, found)

    def look_up_mailing(self, rows: Sequence[Incoming], ours: Iterable[Any]) -> None:
        """What is known of their addresses, so that nothing is planned which changes nothing: stopped already, or
        re-subscribed by a person, which no file undoes."""
        said = {email_of(row) for row in rows if row.mailing}
        if not said:
            return
        said |= {mine.email_key for mine in ours} if "" in said else set()
        known = Suppression.objects.filter(email_key__among=said - {""})
        for address, kind, lifted_at in known.values_list("email_key", "kind", "lifted_at"):
            self._told.add((address, kind))
            if kind == Suppression.Kind.UNSUBSCRIBED and lifted_at is None:
                self._told.add((address, Suppression.Kind.BOUNCED.value))

    def look_up_lists(self, ids: Sequence[int]) -> None:
        """Who of these is on a list of this import, or was taken off it by hand."""
        wanted = {each["pk"] for each in self.run.options.get("named_lists", ())} | {self.list_id}
        if wanted := wanted - {None}:
            here = ListMember.objects.filter(list__in=wanted, contact__in=ids)
            self._listed = set(here.values_list("list_id", "contact_id"))


def by_key(ours: Sequence[Record]) -> dict[tuple[str, Any], list[Record]]:
    """Candidates by everything they may be found by, so that each row meets only its own."""
    found: dict[tuple[str, Any], list[Record]] = {}
    for each in ours:
        for key in _found_by(each):
            found.setdefault(key, []).append(each)
    return found


def near(ours: Mapping[tuple[str, Any], list[Record]], theirs: Record) -> list[Record]:
    return [each for key in _found_by(theirs) for each in ours.get(key, ())]


def _found_by(record: Record) -> list[tuple[str, Any]]:
    found: Any = record.keys
    if hasattr(found, "domains"):
        pairs = [("domain", each) for each in found.domains] + [("phone", each) for each in found.phones]
        return [*pairs, ("email", found.email), ("name", found.name)]
    return [("email", found.email), ("name", (found.company, found.name))]


def _rule(outcome: Outcome) -> Any:
    return outcome.rule.value if isinstance(outcome, Sure) else ""
