"""Deciding what an import held for a person: link it to one of ours, create it, or skip it.

At once and changeable. Nothing is downloaded: the Change that said "Needs review" kept what Syncro sent, and
it is planned and applied by the same code as an import. Each decision is a small Run of its own, so that a
preview made before it is stale, it can be looked at, and its effects can be taken back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from propolis.accounts.models import Membership, audit
from propolis.bridge.applying import apply_now
from propolis.bridge.kept_reviews import has_kept_review, kept_reviews
from propolis.bridge.mapping import Incoming
from propolis.bridge.models import Connection, Link
from propolis.bridge.placing import WAITS
from propolis.bridge.plan_companies import CompanyKind
from propolis.bridge.plan_contacts import ContactKind, PersonKind
from propolis.bridge.plan_leads import LeadKind
from propolis.bridge.planned import WORDS, change_for
from propolis.bridge.planning import Kind, created_fields, decided, plan_batch, unlinked
from propolis.bridge.scene import Scene, load_scene, local_of
from propolis.crm.kinds import MODELS
from propolis.history.models import Change
from propolis.history.undo import undo_batch
from propolis.merge.evidence import Reason, Rule, Strength
from propolis.merge.plan import Counts, Word
from propolis.runs.engine import holder
from propolis.runs.models import Run, next_number

Choice = Literal["link", "create", "skip"]
CHOICES: Final[tuple[Choice, ...]] = ("link", "create", "skip")
KIND: Final = "review"
UNMAPPED: Final = "status_unmapped"
NOUNS: Final = {"company": "companies", "contact": "contacts", "opportunity": "opportunities"}
_SAME_KINDS: Final = {
    "company": [Link.Kind.CUSTOMER],
    "contact": [Link.Kind.CONTACT, Link.Kind.PERSON],
    "opportunity": [Link.Kind.LEAD],
}
# In the order in which they hang on each other.
ORDER: Final = (Link.Kind.CUSTOMER, Link.Kind.CONTACT, Link.Kind.PERSON, Link.Kind.LEAD)


class NotDecided(Exception):
    """The decision cannot be taken now; nothing was written. `sentence` says so to the person."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


BUSY: Final = "An import is running; decide when it has finished."
MEANWHILE: Final = "Somebody decided this meanwhile. Nothing was changed; this is how it stands now."
NOT_KEPT: Final = "What Syncro sent is not kept here any more. Import again, then decide."
BY_MAP: Final = "Choose where its status goes on the status map; it comes along then."
NO_CANDIDATE: Final = "Choose which of your records it is."
TAKEN: Final = "That record belongs to another one in Syncro by now. Choose another, or create a new one."
DELETED: Final = "That record was deleted here meanwhile. Choose another, or create a new one."
USED: Final = "The record made here has been used since, so it stays. Merge the two on its page instead."
NOT_STORABLE: Final = "This could not be stored. Correct the record in Syncro, then import again."


@dataclass(frozen=True, slots=True)
class Wish:
    """One decision to apply. `row`: ours, for "link"."""

    link: Link
    review: Change
    choice: Choice
    row: Any | None = None


def decide(link: Link, choice: Choice, by: Membership | None, *, local_id: int | None = None) -> Link:
    """Applies the decision at once and remembers it; the Link as it is afterwards.

    `link`: as the person saw it; NotDecided if it has changed since, an import is at work, or it cannot be.
    `local_id`: which of the candidates, for "link". One decided before is taken back first.
    """
    connection = Connection.objects.get(pk=link.connection_id)
    with _run(connection, by) as run:
        _claim(link)
        review = kept_reviews([link.pk]).get(link.pk)
        if review is None:
            raise NotDecided(NOT_KEPT)
        if review.reason == UNMAPPED and choice != "skip":
            raise NotDecided(BY_MAP)
        if link.choice:
            link = _take_back(link, review, run, by)
        elif link.state != Link.State.REVIEW:
            raise NotDecided(MEANWHILE)
        row = _target(link, review, local_id) if choice == "link" else None
        _apply(connection, run, [Wish(link, review, choice, row)], by)
        audit(run.account, by, "syncro.review", run=run.pk, link=link.pk, choice=choice)
    link.refresh_from_db()
    return link


def ask_again(link: Link, by: Membership | None) -> None:
    """A skipped record whose review is not kept, as after a restore, is asked about after the next import.

    `link`: as the person saw it; NotDecided if it has changed since. One whose review is kept is decided anew.
    """
    with transaction.atomic():
        _claim(link)
        if link.state != Link.State.SKIPPED or link.pk in kept_reviews([link.pk]):
            raise NotDecided(MEANWHILE)
        # Which of ours it may be the import says: nothing of before is offered meanwhile.
        link.state, link.reason, link.candidates = Link.State.REVIEW, "", []
        link.choice, link.choice_by, link.choice_at = "", None, None
        link.save(update_fields=["state", "reason", "candidates", "choice", "choice_by", "choice_at"])
        audit(link.account, by, "syncro.review", link=link.pk, choice="ask again")


def strong() -> dict[int, int]:
    """Link id → local id of what "Accept all" would link: one strong candidate, and nobody else's.

    An account has one connection; asked for by it, SQLite would look at every Link of these kinds.
    """
    weak = Link.objects.filter(state=Link.State.REVIEW, kind__in=ORDER[:3], reason=Reason.WEAK)
    held = weak.filter(has_kept_review())
    found: dict[int, int] = {}
    for pk, candidates in held.values_list("pk", "candidates"):
        sure = [each["local_id"] for each in candidates if each["strength"] == Strength.STRONG]
        if len(sure) == 1:
            found[pk] = sure[0]
    claims = Counter(found.values())
    return {pk: local for pk, local in sorted(found.items()) if claims[local] == 1}


def accept_all(connection: Connection, by: Membership | None, links: Iterable[int]) -> int:
    """Links those of `links` that are strong matches still; how many. NotDecided while an import works."""
    with _run(connection, by) as run:
        wanted = strong()
        chosen = {pk: wanted[pk] for pk in links if pk in wanted}
        held = Link.objects.in_bulk(chosen)
        reviews = kept_reviews(chosen)
        wishes = []
        for kind in ORDER:
            some = [link for link in held.values() if link.kind == kind and link.pk in reviews]
            rows = _free(local_of(kind), [chosen[link.pk] for link in some])
            wishes += [
                Wish(link, reviews[link.pk], "link", rows[chosen[link.pk]])
                for link in some
                if chosen[link.pk] in rows
            ]
        _apply(connection, run, wishes, by)
        audit(run.account, by, "syncro.review_all", run=run.pk, links=[wish.link.pk for wish in wishes])
    return len(wishes)


def apply_mapped_status(connection: Connection, by: Membership | None) -> int:
    """Brings the leads in whose status has been mapped since they were held; how many were settled."""
    held = Link.objects.filter(
        connection=connection, state=Link.State.REVIEW, kind=Link.Kind.LEAD, reason=UNMAPPED
    )
    ids = list(held.order_by("pk").values_list("pk", flat=True))
    if not ids:
        return 0
    with _run(connection, by) as run:
        scene = load_scene(run, connection)
        reviews = kept_reviews(ids)
        incoming = [incoming_of(reviews[pk]) for pk in ids if pk in reviews]
        planned = plan_batch(scene, LeadKind(scene), incoming)
        _write(connection, run, planned.changes, by)
    return len(planned.changes)


def incoming_of(review: Change) -> Incoming:
    """What Syncro sent, as the import's planning had it."""
    args = review.args
    updated, created = (_instant(args.get(name)) for name in ("updated", "created"))
    return Incoming(
        kind=review.remote_kind,
        remote_id=review.remote_id or 0,
        raw=args["raw"],
        hash=args["hash"],
        updated_at=updated,
        read_at=datetime.fromisoformat(args["read"]),
        parent=args.get("parent"),
        created_at=created,
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def kind_for(scene: Scene, link_kind: str) -> Kind:
    """How records of this kind are planned."""
    kinds: dict[str, Any] = {Link.Kind.LEAD: LeadKind, Link.Kind.PERSON: PersonKind}
    kind = kinds.get(link_kind, ContactKind)
    found: Any = CompanyKind(scene, {}) if link_kind == Link.Kind.CUSTOMER else kind(scene)
    planning: Kind = found
    return planning


# ---- one decision, one run


@contextmanager
def _run(connection: Connection, by: Membership | None) -> Iterator[Run]:
    """A run that holds the account's data for the length of one transaction, and is complete at its end."""
    account = connection.account
    if holder(account) is not None:
        raise NotDecided(BUSY)
    now = timezone.now()
    try:
        with transaction.atomic():
            run = Run(account=account, kind=KIND, slot="data", by=by, started_at=now)
            run.state = Run.State.APPLYING
            run.number = next_number(account)
            _take_slot(run)
            yield run
            run.slot, run.state, run.finished_at = None, Run.State.COMPLETE, timezone.now()
            # A preview made before this is stale: see ImportJob.may_confirm.
            run.phase, run.cursor = "closing", {"phase": "close"}
            run.save()
    except (DatabaseError, ValueError, TypeError) as error:
        raise NotDecided(NOT_STORABLE) from error


def _take_slot(run: Run) -> None:
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        raise NotDecided(BUSY) from None


def _claim(link: Link) -> None:
    """Of two people at the same moment one is told."""
    if not Link.objects.filter(pk=link.pk, rev=link.rev).update(rev=F("rev") + 1):
        raise NotDecided(MEANWHILE)
    link.rev += 1


def _target(link: Link, review: Change, local_id: int | None) -> Any:
    """Our record the person chose, or the one it was merged into."""
    if local_id not in [each["local_id"] for each in review.args.get("candidates", ())]:
        raise NotDecided(NO_CANDIDATE)
    model: Any = MODELS[local_of(link.kind)]
    row = model.objects.filter(pk=local_id).first()
    while row is not None and row.merged_into_id is not None:
        row = model.objects.filter(pk=row.merged_into_id).first()
    if row is None or row.deleted_at is not None:
        raise NotDecided(DELETED)
    if not _free(local_of(link.kind), [row.pk]):
        raise NotDecided(TAKEN)
    return row


def _free(local: str, ids: Sequence[int]) -> Mapping[int, Any]:
    """Those of our records that no Syncro record stands for."""
    if not ids:
        return {}
    found = unlinked(MODELS[local], _SAME_KINDS[local], local).filter(pk__in=ids)
    return {row.pk: row for row in found}


def _apply(connection: Connection, run: Run, wishes: Sequence[Wish], by: Membership | None) -> None:
    scene = load_scene(run, connection)
    changes = []
    for kind_name in ORDER:
        some = [wish for wish in wishes if wish.link.kind == kind_name]
        if some:
            kind = kind_for(scene, kind_name)
            incoming = [incoming_of(wish.review) for wish in some]
            kind.begin(incoming)
            changes += [_planned(scene, kind, *pair) for pair in zip(some, incoming, strict=True)]
    _write(connection, run, changes, by)
    now = timezone.now()
    for choice in CHOICES:
        told: dict[str, Any] = {"choice": choice, "choice_by": by, "choice_at": now}
        if choice == "skip":
            told["state"] = Link.State.SKIPPED
        Link.objects.filter(pk__in=[wish.link.pk for wish in wishes if wish.choice == choice]).update(**told)


def _planned(scene: Scene, kind: Kind, wish: Wish, incoming: Incoming) -> Change:
    link = scene.links(wish.link.kind, [wish.link.remote_id])[wish.link.remote_id]
    if wish.choice == "skip":
        candidates = wish.link.candidates
        return change_for(scene, incoming, Word.LEFT_OUT, link=link, reason="skipped", candidates=candidates)
    extra, args = kind.extras(incoming, None, wish.row)
    if wish.row is None:
        fields = created_fields(kind, incoming) | extra
        args["rule"] = Rule.CREATED.value
        return change_for(scene, incoming, Word.NEW, link=link, fields=fields, **args)
    fields, newer = decided(scene, kind, incoming, wish.row, None)
    evidence = next((e for e in wish.link.candidates if e["local_id"] == wish.row.pk), None)
    args |= {"newer": newer, "rule": Rule.BY_HAND.value} | ({"evidence": evidence} if evidence else {})
    return change_for(
        scene, incoming, Word.MERGED, link=link, local_id=wish.row.pk, fields=fields | extra, **args
    )


def _write(connection: Connection, run: Run, changes: Sequence[Change], by: Membership | None) -> None:
    """Through the import's own applying; the run counts what became what."""
    counts: dict[str, Counts] = {}
    for change in changes:
        change.actor_id = by.pk if by else None
        counts.setdefault(NOUNS[change.kind], Counts()).add(WORDS[Change.Action(change.action)])
    run.options = {"objects": list(counts)}
    run.counts = {
        noun: {"counts": found.to_dict(), "read": found.total, "persons": 0} for noun, found in counts.items()
    }
    run.counts = apply_now(run, connection, changes)


# ---- a decision changed


def _take_back(link: Link, review: Change, run: Run, by: Membership | None) -> Link:
    """What the last decision did is undone, as far as nobody has gone on from it; the Link waits again."""
    local_id = getattr(link, f"{local_of(link.kind)}_id")
    done = Change.objects.filter(
        kind=local_of(link.kind),
        local_id=local_id,
        link_id=link.pk,
        run__kind=KIND,
        state=Change.State.APPLIED,
        action__in=[Change.Action.MERGE, Change.Action.CREATE],
    )
    last = done.order_by("-id").first() if local_id is not None else None
    if last is not None:
        _undo(link, last, run, by)
    found = Link.objects.filter(pk=link.pk).first() or Link(
        pk=link.pk, account_id=link.account_id, connection_id=link.connection_id, kind=link.kind,
        remote_id=link.remote_id, created_at=link.created_at,
    )  # fmt: skip
    _wait_again(found, review)
    found.save()
    return found


def _undo(link: Link, last: Change, run: Run, by: Membership | None) -> None:
    """First those that were attached to it, then itself: a company that has contacts would count as used."""
    others = Change.objects.filter(
        run=last.run, action=Change.Action.UPDATE, state=Change.State.APPLIED
    ).order_by("kind", "-id")
    company = last.local_id if link.kind == Link.Kind.CUSTOMER else None
    attached = [c for c in others if company and c.fields.get("company", (None, None))[1] == company]
    items = undo_batch([*attached, last], actor=by, run=run)
    if last.action == Change.Action.CREATE and not items[-1].can:
        raise NotDecided(USED)
    if not items[-1].can and items[-1].why_not != "Changed since":
        raise NotDecided(f"The two cannot be parted. {items[-1].why_not}.")
    back = [item.change.link_id for item in items[:-1] if item.can and item.change.link_id]
    Link.objects.filter(pk__in=back).update(reason=WAITS, parent_id=link.remote_id, rev=F("rev") + 1)


def _wait_again(link: Link, review: Change) -> None:
    """The Link as the import left it when it held the record."""
    link.state, link.reason, link.rule = Link.State.REVIEW, review.reason, ""
    link.company = link.contact = link.opportunity = None
    link.agreed, link.agreed_at, link.remote_updated_at = {}, None, None
    link.remote_hash, link.candidates = review.args["hash"], review.args.get("candidates", [])
    link.newer_here, link.newer_fields, link.parent_id = False, [], None
    link.choice, link.choice_by, link.choice_at = "", None, None
    link.rev += 1
