"""Changes of an import as rows for people: the record, what happens to each field and why, the evidence."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from propolis.accounts.addressing import url
from propolis.accounts.models import Account, Membership
from propolis.bridge import mapping
from propolis.bridge.models import Connection, Link
from propolis.bridge.planned import WORDS
from propolis.bridge.remote_pages import remote_href
from propolis.bridge.sentences import sentence
from propolis.crm import cells
from propolis.crm.effects import ICONS, TONES, Effect, short
from propolis.crm.fields import FIELDS, REFERENCES, Shape, label_of
from propolis.crm.models import Company, Contact, Opportunity, OppStatus
from propolis.history.models import Change
from propolis.merge.decide import Why
from propolis.merge.evidence import Rule
from propolis.merge.plan import Word

MODELS: Final[Mapping[str, Any]] = {"company": Company, "contact": Contact, "opportunity": Opportunity}
_SHAPES: Final = {Shape.COMPANY: "company", Shape.CONTACT: "contact"}
_REMOTE: Final = {
    "customer": "Customer",
    "customer_person": "Person on customer",
    "contact": "Contact",
    "lead": "Lead",
}
_WHY: Final = {
    "new": "new here",
    "syncro says": "as in Syncro",
    "known now": "known now",
    "waited for it": "waited for it",
    "with the status": "with the status",
    "blank here": "blank here",
}
# Shown of a new record before "All fields".
_FIRST: Final = ("email", "phone", "mobile", "title", "city", "status", "amount")


@dataclass(frozen=True)
class Match:
    """One of ours that a Syncro record is, or may be: with the evidence."""

    name: str
    href: str
    label: str
    detail: str


@dataclass(frozen=True)
class ChangeRow:
    """One record of an import. `href`: our record's page, "" before there is one. `remote_href`: Syncro's.
    `since`: what happened to it after this import. `raw`: Syncro's answer, for those that failed."""

    change: Change
    name: str
    kind: str
    href: str
    word: str
    slug: str
    tone: str
    icon: str
    remote: str
    remote_href: str
    reason: str
    detail: str
    summary: str
    effects: list[Effect]
    matches: list[Match]
    notes: list[str]
    since: str
    raw: str
    retry: str


def rows_of(account: Account, connection: Connection | None, changes: Sequence[Change]) -> list[ChangeRow]:
    """In the order given; the number of queries does not depend on how many there are."""
    names = Names(account, connection, changes)
    return [names.row(change) for change in changes]


class Names:
    """Everything the Changes point at, read once."""

    def __init__(self, account: Account, connection: Connection | None, changes: Sequence[Change]) -> None:
        self.account, self.connection = account, connection
        wanted = _wanted(changes)
        self._ours = {
            kind: {row.pk: row for row in MODELS[kind].objects.filter(pk__in=ids)}
            for kind, ids in wanted.items()
            if kind in MODELS and ids
        }
        self._people = _labels(Membership, wanted["person"])
        self._statuses = _labels(OppStatus, wanted["status"])
        self._customers = _customers(connection, wanted["customer"])
        self._links = _states(changes)

    def row(self, change: Change) -> ChangeRow:
        word = WORDS.get(Change.Action(change.action), Word.UPDATED)
        kind = _REMOTE.get(change.remote_kind, change.kind.capitalize())
        ours = self._ours.get(change.kind, {}).get(change.local_id or 0)
        effects = [self._effect(change.kind, name, effect) for name, effect in change.fields.items()]
        return ChangeRow(
            change=change,
            name=remote_name(change) or (str(ours) if ours else "") or f"{kind} without a name",
            kind=kind,
            href=self._href(change.kind, change.local_id),
            word=word.value,
            slug=word.name.lower(),
            tone=TONES.get(word, ""),
            icon=ICONS[word],
            remote=f"#{change.remote_id}" if change.remote_id else "",
            remote_href=remote_href(self.connection, change.remote_kind, change.remote_id)
            if change.remote_kind
            else "",
            reason=sentence(change.reason, change.reason.replace("_", " ").capitalize())
            if change.reason
            else "",
            detail=str(change.args.get("detail", "")),
            summary=self._summary(change),
            effects=[each for each in effects if each.before or each.after],
            matches=self._matches(change),
            notes=self._notes(change),
            since=self._since(change, word),
            raw=_raw(change) if word is Word.FAILED else "",
            retry=self._retry(change, word),
        )

    def _href(self, kind: str, pk: int | None) -> str:
        row = self._ours.get(kind, {}).get(pk or 0)
        return url(self.account, f"crm:{kind}", pk) if row is not None and row.deleted_at is None else ""

    def _effect(self, kind: str, name: str, effect: Sequence[Any]) -> Effect:
        before, after, why = [*effect, "", "", ""][:3]
        known = why in set(Why)
        words = Why(why).label() if known else _WHY.get(str(why), str(why).replace("_", " "))
        shown = (self.shown(kind, name, before), self.shown(kind, name, after))
        return Effect(label_of(kind, name), *cells.apart(shown, before, after), words)

    def shown(self, kind: str, name: str, value: Any) -> str:
        """A field's value as words; "" for blank."""
        if value is None or value in ("", {}, []):
            return ""
        field = FIELDS.get(kind, {}).get(name)
        shape = field.shape if field else Shape.TEXT
        if shape in REFERENCES:
            return self._reference(shape, value)
        if shape is Shape.FACTS and isinstance(value, dict):
            text = ", ".join(f"{key.replace('_', ' ')}: {one}" for key, one in value.items())
        elif shape is Shape.INSTANT:
            # With its year: the same words go into a file.
            text = timezone.localtime(datetime.fromisoformat(str(value))).date().isoformat()
        else:
            text = cells.told(shape, value, self.account)
        return short(text)

    def _reference(self, shape: Shape, value: Any) -> str:
        if shape is Shape.STATUS:
            return self._statuses.get(value, f"#{value}")
        if shape is Shape.PERSON:
            return self._people.get(value, f"#{value}")
        row = self._ours.get(_SHAPES[shape], {}).get(value)
        return str(row) if row is not None else f"#{value}"

    def _summary(self, change: Change) -> str:
        if change.action != Change.Action.CREATE:
            return ""
        told = [
            self.shown(change.kind, name, change.fields[name][1]) for name in _FIRST if name in change.fields
        ]
        company = self._customers.get(change.args.get("parent") or 0, "")
        return " · ".join(each for each in [company, *told[:4]] if each)

    def _matches(self, change: Change) -> list[Match]:
        found = change.args.get("candidates") or (
            [change.args["evidence"]] if "evidence" in change.args else []
        )
        return [
            Match(
                str(self._ours.get(change.kind, {}).get(each.get("local_id"), "Deleted since")),
                self._href(change.kind, each.get("local_id")),
                str(each.get("label", "")),
                cells.evidence_words(each),
            )
            for each in found
        ]

    def _notes(self, change: Change) -> list[str]:
        args, notes = change.args, []
        if args.get("newer"):
            labels = ", ".join(label_of(change.kind, name) for name in args["newer"])
            notes.append(f"Newer here: {labels}")
        if args.get("shares_email_with"):
            other = self._ours.get("contact", {}).get(args["shares_email_with"])
            notes.append(f"Shares e-mail with {other or 'another contact'}")
        if args.get("unsubscribe"):
            notes.append("Opted out in Syncro: unsubscribed here")
        if args.get("changed_meanwhile"):
            labels = ", ".join(label_of(change.kind, name) for name in args["changed_meanwhile"])
            notes.append(f"Changed here meanwhile, so it stays: {labels}")
        if args.get("no_salesperson"):
            notes.append("Came without a salesperson: the Syncro user is not linked to a Salesperson here")
        return notes

    def _since(self, change: Change, word: Word) -> str:
        """What a held, left out or failed record has become meanwhile."""
        if change.state == Change.State.UNDONE:
            return "Taken back"
        state = self._links.get(change.link_id or 0)
        if state is None or word not in _HELD or state in _HELD[word]:
            return ""
        return {"linked": "Imported since", "secondary": "Imported since"}.get(state, Link.State(state).label)

    def _retry(self, change: Change, word: Word) -> str:
        """What "Retry" sends; "" where there is nothing to read again."""
        again = word is Word.FAILED and change.remote_id and change.state != Change.State.PLANNED
        return f"{change.remote_kind}:{change.remote_id}" if again and not self._since(change, word) else ""


_HELD: Final = {
    Word.REVIEW: {"review"},
    Word.FAILED: {"failed"},
    Word.LEFT_OUT: {"left_out", "deleted_here", "skipped", "erased"},
}


def remote_name(change: Change) -> str:
    """The record's name as Syncro has it; "" where nobody can tell."""
    raw = change.args.get("raw") or {}
    if not isinstance(raw, dict):
        return ""
    none: frozenset[str] = frozenset()
    if change.remote_kind == Link.Kind.CUSTOMER:
        return str(mapping.company_values(raw, change.remote_id or 0, none).get("name") or "")
    if change.remote_kind == Link.Kind.PERSON:
        return str(mapping.person_values(raw, none).get("name") or "")
    if change.remote_kind == Link.Kind.CONTACT:
        return str(mapping.contact_values(raw, none).get("name") or raw.get("email") or "")
    if change.remote_kind == Link.Kind.LEAD:
        return str(change.fields.get("name", [None, None])[1] or (mapping.lead_name(raw, "") if raw else ""))
    return ""


def rule_label(rule: str) -> str:
    return Rule(rule).label() if rule in set(Rule) else ""


def _raw(change: Change) -> str:
    text = change.raw or json.dumps(change.args.get("raw") or {}, default=str)
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)[:20_000]
    except ValueError:
        return text[:20_000]


def _wanted(changes: Sequence[Change]) -> dict[str, set[int]]:
    """Ids by what they are ids of: our kinds, "person", "status", "customer"."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for change in changes:
        if change.local_id:
            wanted[change.kind].add(change.local_id)
        for each in [*change.args.get("candidates", ()), change.args.get("evidence") or {}]:
            if each.get("local_id"):
                wanted[change.kind].add(each["local_id"])
        if change.args.get("shares_email_with"):
            wanted["contact"].add(change.args["shares_email_with"])
        if change.action == Change.Action.CREATE and change.args.get("parent"):
            wanted["customer"].add(change.args["parent"])
        for name, effect in change.fields.items():
            _wanted_values(wanted, change.kind, name, effect)
    return wanted


def _wanted_values(wanted: dict[str, set[int]], kind: str, name: str, effect: Sequence[Any]) -> None:
    field = FIELDS.get(kind, {}).get(name)
    if field is None or field.shape not in REFERENCES:
        return
    wanted[field.shape.value] |= {value for value in effect[:2] if isinstance(value, int)}


def _labels(model: Any, ids: Iterable[int]) -> dict[int, str]:
    wanted = list(ids)
    return {row.pk: str(row) for row in model.objects.filter(pk__in=wanted)} if wanted else {}


def _customers(connection: Connection | None, ids: Iterable[int]) -> dict[int, str]:
    """Our company's name by Syncro customer."""
    wanted = list(ids)
    if connection is None or not wanted:
        return {}
    links = Link.objects.filter(connection=connection, kind=Link.Kind.CUSTOMER, remote_id__in=wanted)
    return {remote: name for remote, name in links.values_list("remote_id", "company__name") if name}


def _states(changes: Sequence[Change]) -> dict[int, str]:
    held = (Change.Action.REVIEW, Change.Action.LEAVE_OUT, Change.Action.FAIL)
    ids = [each.link_id for each in changes if each.link_id and each.action in held]
    return dict(Link.objects.filter(pk__in=ids).values_list("pk", "state")) if ids else {}
