"""Rows of an import as people read them: the record, what happens to each field, why it waits or stays out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from propolis.accounts.addressing import url
from propolis.accounts.models import Account, Membership
from propolis.crm import cells
from propolis.crm.csv_export import encoded
from propolis.crm.csv_import.deciding import word_of
from propolis.crm.csv_import.planning import ACTIONS
from propolis.crm.csv_import.sentences import row_sentence
from propolis.crm.effects import TONES, Effect, short
from propolis.crm.fields import FIELDS, Kind, Shape, label_of
from propolis.crm.keys import join_name
from propolis.crm.kinds import MODELS
from propolis.crm.models import Company, List
from propolis.history.models import Change
from propolis.merge.plan import Word
from propolis.runs.models import Run

SIZE: Final = 50
_WHY: Final = {
    "syncro newer": "the file is newer",
    "blank here": "blank here",
    "file newer": "the file is newer",
}
_MAIL: Final = {"unsub": "{} will not be mailed: unsubscribed", "bounce": "Mail to {} bounces"}
_NOT_IMPORTED: Final = (Change.Action.REVIEW, Change.Action.LEAVE_OUT, Change.Action.FAIL)


@dataclass(frozen=True)
class Row:
    """`href`: the record's page, "" before there is one. `maybe`: what it may be, with why."""

    change: Change
    name: str
    href: str
    line: int | None
    word: str
    slug: str
    tone: str
    reason: str
    effects: list[Effect]
    maybe: list[tuple[str, str]]
    notes: list[str] = field(default_factory=list)


def changes_of(run: Run, word: Word | None, after: int) -> list[Change]:
    """One page of the run's Changes and one more, in the file's order; `after`: the number of the last seen.

    Without a word everything a person may want to look at first: those that need one, then the rest.
    """
    query = Change.objects.filter(run=run, seq__gt=after)
    if word is not None:
        action = Change.Action.SAME if word is Word.SAME else ACTIONS[word]
        query = query.filter(action=action)
    return list(query.order_by("seq")[: SIZE + 1])


def rows_of(account: Account, run: Run, changes: Sequence[Change]) -> list[Row]:
    """In the order given; a constant number of queries."""
    names = _Names(account, run, changes)
    return [names.row(change) for change in changes]


class _Names:
    """Everything the Changes point at, read once."""

    def __init__(self, account: Account, run: Run, changes: Sequence[Change]) -> None:
        self.account, self.run = account, run
        self._ours: dict[str, Mapping[int, Any]] = {}
        for kind in (Kind.COMPANY, Kind.CONTACT):
            ids = {each.local_id for each in changes if each.kind == kind and each.local_id}
            ids |= {c["local_id"] for e in changes if e.kind == kind for c in e.args.get("candidates", ())}
            self._ours[kind] = MODELS[kind].objects.in_bulk(ids) if ids else {}
        self._companies = _names(Company, changes, "company")
        self._people = _names(Membership, changes, "salesperson")
        made = {each.args["company"] for each in changes if each.args.get("company")}
        coming = Change.objects.filter(run=run, seq__in=made) if made else Change.objects.none()
        self._made = {each.seq: each.fields["name"][1] for each in coming}
        wanted = {pk for each in changes for pk in each.args.get("put_on", ())}
        self._lists = dict(List.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}

    def row(self, change: Change) -> Row:
        word, args = word_of(change), change.args
        ours = self._ours[change.kind].get(change.local_id or 0)
        return Row(
            change=change,
            name=str(getattr(ours, "name", "")) or self._told(change) or "A row without a name",
            href=url(self.account, f"crm:{change.kind}", change.local_id) if ours else "",
            line=args.get("line"),
            word=word.value,
            slug=word.name.lower(),
            tone=TONES.get(word, ""),
            reason=row_sentence(change.reason, args) if change.reason else "",
            effects=[e for n, effect in change.fields.items() if (e := self._effect(change, n, effect))],
            maybe=[self._candidate(change.kind, each) for each in args.get("candidates", ())]
            if change.action == Change.Action.REVIEW
            else [],
            notes=self._notes(change),
        )

    def _told(self, change: Change) -> str:
        """What the row itself says who it is about."""
        new = {name: str(effect[1]) for name, effect in change.fields.items() if effect[1]}
        if new:
            whole = join_name(new.get("first", ""), new.get("last", ""))
            return new.get("name") or whole or new.get("email") or new.get("phone") or ""
        chosen, cells = self.run.options.get("columns", {}), change.args.get("cells", [])
        said = {name: cells[at] for name, at in chosen.items() if at < len(cells)}
        whole = join_name(said.get("first", ""), said.get("last", "")) or said.get("full_name", "")
        return said.get("name") or whole or said.get("email") or next((c for c in cells if c), "")

    def _effect(self, change: Change, name: str, effect: Sequence[Any]) -> Effect | None:
        before, after, why = effect
        made = self._made.get(change.args.get("company")) if name == "company" and after is None else None
        now = self._shown(change.kind, name, after) or (f"{made} (new)" if made else "")
        shown = cells.apart((self._shown(change.kind, name, before), now), before, after)
        return Effect(label_of(change.kind, name), *shown, _WHY.get(why, ""))

    def _shown(self, kind: str, name: str, value: Any) -> str:
        if value in (None, ""):
            return ""
        field = FIELDS[kind].get(name)
        if field and field.shape in (Shape.COMPANY, Shape.PERSON):
            names = self._companies if field.shape is Shape.COMPANY else self._people
            return names.get(value, f"#{value}")
        text = cells.told(field.shape if field else Shape.TEXT, value, self.account)
        return short(text)

    def _candidate(self, kind: str, candidate: Mapping[str, Any]) -> tuple[str, str]:
        ours = self._ours[kind].get(candidate["local_id"])
        words = cells.evidence_words(candidate)
        detail = f" ({words})" if words else ""
        return (ours.name if ours else "A record that is gone", f"{candidate['label']}{detail}")

    def _going_on(self, args: Mapping[str, Any]) -> list[str]:
        new = [f"{name} (new)" for name in args.get("new_lists", ())]
        return [*(self._lists[pk] for pk in args.get("put_on", ()) if pk in self._lists), *new]

    def _notes(self, change: Change) -> list[str]:
        args, notes = change.args, []
        if change.action in (Change.Action.CREATE, Change.Action.MERGE, Change.Action.UPDATE):
            notes += [f"Goes on the list {name}" for name in self._going_on(args)]
            notes += [f"There is no list {name} here: left out" for name in args.get("no_lists", ())]
            notes += [_MAIL[args["stop_mail"]].format(args["stop_at"])] if args.get("stop_mail") else []
        if args.get("company_unclear"):
            notes.append(f"Comes without a company: several could be {args['company_unclear']}")
        if (
            change.action == Change.Action.CREATE
            and args.get("company") in self._made
            and "company" not in change.fields
        ):
            notes.append(f"Of {self._made[args['company']]}, which is new too")
        if args.get("changed_meanwhile"):
            labels = ", ".join(label_of(change.kind, name) for name in args["changed_meanwhile"])
            notes.append(f"{labels}: changed here meanwhile, so it stayed")
        return notes


def _names(model: Any, changes: Sequence[Change], name: str) -> dict[int, str]:
    ids = {v for each in changes for v in each.fields.get(name, ())[:2] if isinstance(v, int)}
    return {row.pk: str(row) for row in model.objects.filter(pk__in=ids)} if ids else {}


def problems_csv(run: Run) -> Iterator[bytes]:
    """The rows that were not imported as they stood in the file, each with its line and why: correct it and
    import it again."""
    yield encoded([[*run.options["headings"], "Line", "What happened"]], first=True)
    width = len(run.options["headings"])
    query = Change.objects.filter(run=run, action__in=_NOT_IMPORTED).order_by("seq")
    after = 0
    while some := list(query.filter(seq__gt=after)[:500]):
        yield encoded([*_wide(each.args.get("cells", []), width), str(each.args.get("line", "")), _happened(each)]
                      for each in some)  # fmt: skip
        after = some[-1].seq


def _wide(cells: Sequence[str], width: int) -> list[str]:
    return [*cells[:width], *[""] * (width - len(cells))]


def _happened(change: Change) -> str:
    return f"{word_of(change).value}: {row_sentence(change.reason, change.args)}"
