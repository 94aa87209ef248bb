"""What "Needs review" shows: one held record beside those of ours it may be; how many are left; what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Q

from propolis.accounts.addressing import url
from propolis.accounts.models import Account
from propolis.bridge import mapping
from propolis.bridge.import_rows import MODELS, remote_name
from propolis.bridge.kept_reviews import kept_reviews
from propolis.bridge.models import Connection, Link
from propolis.bridge.placing import WAITS
from propolis.bridge.remote_pages import remote_href
from propolis.bridge.reviewing import KIND, ORDER, UNMAPPED, incoming_of
from propolis.bridge.scene import local_of
from propolis.bridge.sentences import sentence
from propolis.crm import cells, comparing
from propolis.crm.fields import FIELDS, Shape, label_of
from propolis.history.models import Change
from propolis.runs.models import Run

NAMES: Final = {
    Link.Kind.CUSTOMER: "Customer",
    Link.Kind.CONTACT: "Contact",
    Link.Kind.PERSON: "Person on customer",
    Link.Kind.LEAD: "Lead",
}
OURS: Final = {"company": "Company", "contact": "Contact", "opportunity": "Opportunity"}
_EVERYTHING: Final = frozenset({*mapping.COMPANY_TEXTS, *mapping.CONTACT_TEXTS}) - mapping.OFF_BY_DEFAULT
_LISTED: Final = 50


@dataclass(frozen=True)
class Cell:
    """A value of one of ours; `differs` from Syncro's: both sides say something, and not the same."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Line:
    """One field across the page."""

    label: str
    theirs: str
    ours: list[Cell]


@dataclass(frozen=True)
class Candidate:
    """One of ours with the evidence in words. `gone`: why it cannot be chosen any more."""

    pk: int
    name: str
    href: str
    evidence: str
    detail: str
    strong: bool
    facts: str
    gone: str
    chosen: bool


@dataclass(frozen=True)
class Review:
    """One held record as the page shows it. `unmapped`: it waits for the status map. `decided`: in words."""

    link: Link
    name: str
    kind: str
    ours: str
    remote_href: str
    why: str
    updated: datetime | None
    waiting: str
    candidates: list[Candidate]
    lines: list[Line]
    unmapped: bool
    decided: str


@dataclass(frozen=True)
class Left:
    """How many wait for a decision, by kind of ours; leads of unknown statuses apart."""

    companies: int
    contacts: int
    opportunities: int
    unmapped: int

    @property
    def total(self) -> int:
        return self.companies + self.contacts + self.opportunities


@dataclass(frozen=True)
class Decision:
    """One decision made, newest first. `name` "" where what Syncro sent is not kept, `local_href` "" where
    nothing stands for it here."""

    link: Link
    name: str
    kind: str
    word: str
    tone: str
    local: str
    local_href: str
    who: str
    at: datetime | None


def left(connection: Connection) -> Left:
    """One query over an index."""
    held = Link.objects.filter(connection=connection, state=Link.State.REVIEW).order_by()
    counted = held.values_list("kind").annotate(n=Count("pk"), new=Count("pk", filter=Q(reason=UNMAPPED)))
    found = {kind: (n, new) for kind, n, new in counted}
    numbers = {kind: found.get(kind, (0, 0)) for kind in Link.Kind}
    return Left(
        companies=numbers[Link.Kind.CUSTOMER][0],
        contacts=numbers[Link.Kind.CONTACT][0] + numbers[Link.Kind.PERSON][0],
        opportunities=numbers[Link.Kind.LEAD][0] - numbers[Link.Kind.LEAD][1],
        unmapped=numbers[Link.Kind.LEAD][1],
    )


def next_after(connection: Connection, link: Link | None) -> Link | None:
    """The next one to decide: companies first; after the last one the first again."""
    order = list(ORDER)
    held = Link.objects.filter(connection=connection, state=Link.State.REVIEW).exclude(reason=UNMAPPED)
    at = order.index(Link.Kind(link.kind)) if link else 0
    for kind in [*order[at:], *order[: at + 1]]:
        later = held.filter(kind=kind).order_by("pk")
        if link is not None and kind == order[at]:
            found = later.filter(pk__gt=link.pk).first()
            if found is not None:
                return found
            continue
        if (found := later.first()) is not None:
            return found
    return held.order_by("pk").first()


def review_of(account: Account, connection: Connection, link: Link) -> Review | None:
    """None where what Syncro sent is not kept any more."""
    change = kept_reviews([link.pk]).get(link.pk)
    if change is None:
        return None
    candidates = change.args.get("candidates", [])
    rows = _rows(change.kind, [each["local_id"] for each in candidates])
    taken = _taken(change.kind, link, list(rows))
    return Review(
        link=link,
        name=remote_name(change) or "Unnamed",
        kind=NAMES[Link.Kind(link.kind)],
        ours=OURS[change.kind],
        remote_href=remote_href(connection, link.kind, link.remote_id),
        why=sentence(change.reason),
        updated=incoming_of(change).updated_at,
        waiting=_waiting(connection, link),
        candidates=[_candidate(account, link, each, rows, taken) for each in candidates],
        lines=_lines(account, change, [rows.get(each["local_id"]) for each in candidates]),
        unmapped=change.reason == UNMAPPED,
        decided=_decided_words(link),
    )


def _rows(kind: str, ids: Sequence[int]) -> dict[int, Any]:
    query = MODELS[kind].objects.filter(pk__in=ids)
    if kind == "contact":
        query = query.select_related("company")
    return {row.pk: row for row in query}


def _taken(kind: str, link: Link, ids: Sequence[int]) -> dict[int, int]:
    """Ours → the other Syncro record that stands for it by now."""
    if not ids:
        return {}
    links = Link.objects.filter(**{f"{kind}__in": ids}, state=Link.State.LINKED).exclude(pk=link.pk)
    return dict(links.values_list(f"{kind}_id", "remote_id"))


def _waiting(connection: Connection, link: Link) -> str:
    """ "3 contacts and 1 opportunity wait for it"."""
    if link.kind != Link.Kind.CUSTOMER:
        return ""
    kinds = (Link.Kind.CONTACT, Link.Kind.PERSON, Link.Kind.LEAD)
    waits = Link.objects.filter(connection=connection, kind__in=kinds, parent_id=link.remote_id, reason=WAITS)
    waits = waits.order_by()
    found = {"contact": 0, "opportunity": 0}
    for kind, count in waits.values_list("kind").annotate(n=Count("pk")):
        found[local_of(kind)] += count
    words = [
        f"{count:,} {one if count == 1 else many}"
        for count, one, many in (
            (found["contact"], "contact", "contacts"),
            (found["opportunity"], "opportunity", "opportunities"),
        )
        if count
    ]
    return f"{' and '.join(words)} wait{'s' if sum(found.values()) == 1 else ''} for it" if words else ""


def _candidate(
    account: Account,
    link: Link,
    evidence: Mapping[str, Any],
    rows: Mapping[int, Any],
    taken: Mapping[int, int],
) -> Candidate:
    pk = evidence["local_id"]
    row = rows.get(pk)
    gone = "" if row is not None and (row.deleted_at is None or row.merged_into_id) else "Deleted since"
    if pk in taken:
        gone = f"Linked to #{taken[pk]} since"
    agrees, differs = ", ".join(evidence["agrees"]), ", ".join(evidence["differs"])
    facts = "; ".join(
        part for part in (f"Agrees: {agrees}" * bool(agrees), f"Differs: {differs}" * bool(differs)) if part
    )
    kind = local_of(link.kind)
    return Candidate(
        pk=pk,
        name=str(row) if row is not None else "Deleted since",
        href=url(account, f"crm:{kind}", pk) if row is not None else "",
        evidence=evidence["label"],
        detail=cells.evidence_words(evidence),
        strong=evidence["strength"] == "strong",
        facts=facts,
        gone=gone,
        chosen=pk == getattr(link, f"{kind}_id"),
    )


def _lines(account: Account, change: Change, rows: Sequence[Any]) -> list[Line]:
    """Every field that somebody says something about."""
    normalise = comparing.normaliser(account.phone_region)
    theirs = _values(change)
    lines = []
    for name, value in theirs.items():
        said = _plain(value)
        ours = [_plain(getattr(row, name, "")) if row is not None else "" for row in rows]
        if {said, *ours} - {"", "No"}:
            field = FIELDS[change.kind].get(name)
            shape = field.shape if field else Shape.TEXT
            compared = [
                Cell(
                    cells.told(shape, text, account),
                    bool(said and text) and normalise(name, said) != normalise(name, text),
                )
                for text in ours
            ]
            lines.append(Line(label_of(change.kind, name), cells.told(shape, said, account), compared))
    if change.kind == "company" and any(getattr(row, "website", "") for row in rows):
        lines.append(Line("Website", "", [Cell(getattr(row, "website", ""), False) for row in rows]))
    if change.kind == "contact" and any(getattr(row, "company", None) for row in rows):
        lines.append(Line("Company", "", [Cell(_plain(getattr(row, "company", "")), False) for row in rows]))
    return lines


def _values(change: Change) -> mapping.Values:
    raw = change.args["raw"]
    if change.remote_kind == Link.Kind.CUSTOMER:
        return mapping.company_values(raw, change.remote_id or 0, _EVERYTHING)
    if change.remote_kind == Link.Kind.PERSON:
        return mapping.person_values(raw, _EVERYTHING)
    if change.remote_kind == Link.Kind.CONTACT:
        return mapping.contact_values(raw, _EVERYTHING)
    return {"name": mapping.lead_name(raw, ""), "status": str(raw.get("status") or "")}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "" if value is None else str(value)


WORDS: Final = {"link": ("Linked", "brand"), "create": ("Created", "ok"), "skip": ("Skipped", "")}


def _decided_words(link: Link) -> str:
    if link.choice not in WORDS:
        return ""
    who = f" by {link.choice_by}" if link.choice_by else ""
    return f"{WORDS[link.choice][0]}{who}"


def decisions(account: Account, before: int | None = None) -> tuple[list[Decision], int | None]:
    """The decisions that stand, newest first, and where the next page begins; None if that was all."""
    runs = Run.objects.filter(account=account, kind=KIND).order_by("-id")
    if before is not None:
        runs = runs.filter(pk__lt=before)
    some = list(runs.values_list("pk", flat=True)[: _LISTED + 1])
    made = Change.objects.filter(run__in=some[:_LISTED], state=Change.State.APPLIED, undoes=None)
    made = made.exclude(action=Change.Action.UPDATE).exclude(link_id=None).order_by("-run_id", "seq")
    changes = {change.link_id: change for change in reversed(list(made))}
    links = Link.objects.exclude(choice="").select_related("choice_by", "company", "contact", "opportunity")
    standing = links.filter(pk__in=list(changes)).order_by("-choice_at", "pk")
    listed = [_decision(account, link, changes[link.pk]) for link in standing if link.pk in changes]
    return listed, some[_LISTED - 1] if len(some) > _LISTED else None


def restored_skips(account: Account, before: int | None = None) -> tuple[list[Decision], int | None]:
    """Skipped ones of which no decision is kept here: a restored backup brought them. As `decisions`."""
    runs = Run.objects.filter(account=account, kind=KIND)
    kept = Change.objects.filter(run__in=runs, state=Change.State.APPLIED, action=Change.Action.LEAVE_OUT)
    skipped = Link.objects.filter(state=Link.State.SKIPPED).select_related("choice_by").order_by("-pk")
    skipped = skipped.exclude(pk__in=kept.filter(link_id__isnull=False).values("link_id"))
    if before is not None:
        skipped = skipped.filter(pk__lt=before)
    some = list(skipped[: _LISTED + 1])
    reviews = kept_reviews([link.pk for link in some]) if some else {}
    listed = [_decision(account, link, reviews.get(link.pk)) for link in some[:_LISTED]]
    return listed, listed[-1].link.pk if len(some) > _LISTED else None


def _decision(account: Account, link: Link, change: Change | None) -> Decision:
    word, tone = WORDS.get(link.choice, ("", ""))
    row = getattr(link, local_of(link.kind))
    return Decision(
        link=link,
        name=(remote_name(change) or "Unnamed") if change else "",
        kind=NAMES[Link.Kind(link.kind)],
        word=word,
        tone=tone,
        local=str(row) if row else "",
        local_href=url(account, f"crm:{local_of(link.kind)}", row.pk) if row else "",
        who=str(link.choice_by or ""),
        at=link.choice_at,
    )


def strong_rows(account: Account, wanted: Mapping[int, int]) -> list[tuple[str, str, str]]:
    """The first strong matches by name: Syncro's record, ours, the evidence."""
    some = dict(list(wanted.items())[:_LISTED])
    links = Link.objects.in_bulk(some)
    reviews = kept_reviews(some)
    rows: dict[tuple[str, int], Any] = {}
    for kind in {local_of(link.kind) for link in links.values()}:
        ids = [local for pk, local in some.items() if local_of(links[pk].kind) == kind]
        rows |= {(kind, pk): row for pk, row in _rows(kind, ids).items()}
    return list(_strong(some, links, reviews, rows))


def _strong(
    some: Mapping[int, int],
    links: Mapping[int, Link],
    reviews: Mapping[int, Change],
    rows: Mapping[tuple[str, int], Any],
) -> Iterable[tuple[str, str, str]]:
    for pk, local in some.items():
        row = rows.get((local_of(links[pk].kind), local))
        if pk in reviews and row is not None:
            why = next(each for each in links[pk].candidates if each["local_id"] == local)
            yield (
                remote_name(reviews[pk]) or "Unnamed",
                str(row),
                f"{why['label']}: {cells.evidence_words(why)}",
            )
