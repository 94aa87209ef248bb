"""The second phase of an import: over everything that was read, decide what is to happen to each record.

For each record, in this order: what its Link remembers (deleted here, left out, skipped) · nothing changed
in Syncro since we agreed → already the same · changed → decide field by field · unknown → match against our
unlinked records → merged, needs review, or new. Nothing is written but Change rows, state *planned*.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from django.db.models import Exists, Model, OuterRef
from django.utils import timezone

from propolis.bridge.links import GONE_WITH
from propolis.bridge.mapping import Incoming, Values, fingerprint
from propolis.bridge.models import Link
from propolis.bridge.planned import Planned, change_for
from propolis.bridge.scene import LinkRow, Scene
from propolis.merge.decide import Action, ConflictRule, Decision, decide
from propolis.merge.evidence import Ambiguous, New, Outcome, Sure
from propolis.merge.plan import Word
from propolis.syncro.parsing import BadRecord

# Failed: a record that was linked before it could not be read; one that never was has no record of ours.
FOLLOWED = frozenset({Link.State.LINKED, Link.State.GONE, Link.State.HIDDEN, Link.State.FAILED})
REMEMBERED = frozenset({Link.State.DELETED_HERE, Link.State.ERASED, Link.State.SKIPPED})

Effects = dict[str, list[Any]]
_NEW = New()


class Kind(Protocol):
    """What differs between companies, contacts, persons on customer records and opportunities."""

    @property
    def link_kind(self) -> str: ...

    @property
    def rules(self) -> Mapping[str, ConflictRule]: ...

    def begin(self, batch: Sequence[Incoming]) -> None:
        """Looks up what the records of this batch hang on."""

    def values(self, incoming: Incoming, raw: Mapping[str, Any]) -> Values:
        """Our values of a raw record, today's or the agreed one."""

    def left_out(self, incoming: Incoming) -> str:
        """Why a record that is not linked yet stays out, "" if it comes."""

    def rows(self, ids: Sequence[int]) -> Mapping[int, Any]:
        """Our rows by id."""

    def row_values(self, row: Any) -> Values: ...

    def match(self, batch: Sequence[Incoming]) -> Mapping[int, Outcome]:
        """An outcome for each remote id of the batch; those missing are new."""

    def held(self, incoming: Incoming) -> str:
        """Why a new record needs a person before it can come at all, "" if it does not."""

    # Fields that the Change keeps as several.
    composed: ClassVar[frozenset[str]]

    def stored(self, field: str, before: Any, after: Any, why: str) -> Effects:
        """One decided field as the Change keeps it (a whole name becomes first and last)."""

    def extras(
        self, incoming: Incoming, agreed: Mapping[str, Any] | None, row: Any | None
    ) -> tuple[Effects, Any]:
        """Effects beyond the merged fields, and arguments for applying them."""


def plan_batch(scene: Scene, kind: Kind, batch: Sequence[Incoming]) -> Planned:
    """Plans the records of one page; queries per batch are constant."""
    planned = Planned()
    kind.begin(batch)
    links = scene.links(kind.link_kind, [each.remote_id for each in batch])
    changed, unknown = [], []
    for incoming in batch:
        link = links.get(incoming.remote_id)
        word = _settled(link, incoming)
        if word is not None:
            planned.settled(word)
        elif link is not None and link.state in FOLLOWED and link.local_id is not None:
            changed.append((incoming, link))
        else:
            unknown.append((incoming, link))
    _plan_changed(scene, kind, changed, planned)
    _plan_unknown(scene, kind, unknown, planned)
    return planned


def _settled(link: LinkRow | None, incoming: Incoming) -> Word | None:
    """The word of a record with nothing to do, None if it must be looked at."""
    if link is None:
        return None
    if link.state in REMEMBERED or (link.local_id is not None and link.deleted_at is not None):
        return Word.LEFT_OUT
    if link.state == Link.State.SECONDARY:
        return Word.SAME
    if link.state == Link.State.LINKED and (link.remote_hash == incoming.hash or is_stale(link, incoming)):
        return Word.SAME
    return None


def is_stale(link: LinkRow | Link, incoming: Incoming) -> bool:
    """Read before both sides agreed, or an older copy than the one agreed on: never applied."""
    if link.agreed_at is not None and incoming.read_at <= link.agreed_at:
        return True
    known, came = link.remote_updated_at, incoming.updated_at
    return known is not None and came is not None and came < known


# ---- linked records that changed in Syncro


def _plan_changed(
    scene: Scene, kind: Kind, changed: Sequence[tuple[Incoming, LinkRow]], planned: Planned
) -> None:
    if not changed:
        return
    rows = kind.rows([link.local_id for _, link in changed if link.local_id is not None])
    agreed = dict(Link.objects.filter(pk__among=[link.id for _, link in changed]).values_list("pk", "agreed"))
    for incoming, link in changed:
        row = rows.get(link.local_id or 0)
        if row is None:
            planned.settled(Word.LEFT_OUT)
            continue
        fields, newer = decided(scene, kind, incoming, row, agreed.get(link.id) or {})
        extra, args = kind.extras(incoming, agreed.get(link.id) or {}, row)
        word = Word.UPDATED if fields or extra else Word.SAME
        planned.add(
            word,
            change_for(
                scene, incoming, word, link=link, local_id=row.pk, fields=fields | extra, newer=newer, **args
            ),
        )


def decided(
    scene: Scene, kind: Kind, incoming: Incoming, row: Any, agreed: Mapping[str, Any] | None
) -> tuple[Effects, list[str]]:
    """Field by field: the effects on our row, and the fields that are newer here."""
    decisions = decide(
        kind.row_values(row),
        kind.values(incoming, incoming.raw),
        kind.values(incoming, agreed) if agreed else None,
        ours_at=row.edited_at,
        theirs_at=incoming.updated_at,
        rules=kind.rules,
        default_rule=scene.default_rule,
        normalise=scene.normalise,
    )
    return _effects(kind, decisions), sorted(each.field for each in decisions if each.newer_here)


def _effects(kind: Kind, decisions: Iterable[Decision]) -> Effects:
    effects: Effects = {}
    for each in decisions:
        if each.action is Action.TAKE:
            effects |= kind.stored(each.field, each.before, each.after, each.why.value)
    return effects


# ---- records without a link yet


def _plan_unknown(
    scene: Scene, kind: Kind, unknown: Sequence[tuple[Incoming, LinkRow | None]], planned: Planned
) -> None:
    coming = []
    for incoming, link in unknown:
        reason = kind.left_out(incoming)
        held = "" if reason else kind.held(incoming)
        if reason:
            _remember(scene, incoming, link, Word.LEFT_OUT, reason, planned)
        elif held:
            _remember(scene, incoming, link, Word.REVIEW, held, planned)
        else:
            coming.append((incoming, link))
    outcomes = kind.match([incoming for incoming, _ in coming])
    rows = kind.rows([o.local_id for o in outcomes.values() if isinstance(o, Sure)])
    for incoming, link in coming:
        _plan_outcome(scene, kind, incoming, link, outcomes.get(incoming.remote_id, _NEW), rows, planned)


def _remember(
    scene: Scene, incoming: Incoming, link: LinkRow | None, word: Word, reason: str, planned: Planned
) -> None:
    """Left out or held again for the same reason: no second Change."""
    state = Link.State.LEFT_OUT if word is Word.LEFT_OUT else Link.State.REVIEW
    if (
        link is not None
        and link.state == state
        and link.reason == reason
        and link.remote_hash == incoming.hash
    ):
        return planned.settled(word)
    return planned.add(word, change_for(scene, incoming, word, link=link, reason=reason))


def _plan_outcome(
    scene: Scene,
    kind: Kind,
    incoming: Incoming,
    link: LinkRow | None,
    outcome: Outcome,
    rows: Mapping[int, Any],
    planned: Planned,
) -> None:
    if isinstance(outcome, Ambiguous):
        return _plan_review(scene, incoming, link, outcome, planned)
    if isinstance(outcome, Sure):
        row = rows[outcome.local_id]
        fields, newer = decided(scene, kind, incoming, row, None)
        extra, args = kind.extras(incoming, None, row)
        args |= {"newer": newer, "rule": outcome.rule.value, "evidence": outcome.evidence.as_dict()}
        change = change_for(
            scene, incoming, Word.MERGED, link=link, local_id=row.pk, fields=fields | extra, **args
        )
        return planned.add(Word.MERGED, change)
    fields = created_fields(kind, incoming)
    extra, args = kind.extras(incoming, None, None)
    shares = outcome.shares_email_with if isinstance(outcome, New) else None
    if shares is not None:
        args["shares_email_with"] = shares
    return planned.add(
        Word.NEW,
        change_for(scene, incoming, Word.NEW, link=link, fields=fields | extra, rule="created", **args),
    )


def created_fields(kind: Kind, incoming: Incoming) -> Effects:
    """The fields of a record that is about to be created, blanks left out."""
    fields: Effects = {}
    for name, value in kind.values(incoming, incoming.raw).items():
        if (not value and value != 0) or value is False:
            continue
        if name in kind.composed:
            fields |= kind.stored(name, None, value, "new")
        else:
            fields[name] = [None, value, "new"]
    return fields


def _plan_review(
    scene: Scene, incoming: Incoming, link: LinkRow | None, outcome: Ambiguous, planned: Planned
) -> None:
    """Held for a person; the same evidence over the same record as last time is not reported again."""
    candidates = [each.as_dict() for each in outcome.evidences]
    known = link is not None and link.state == Link.State.REVIEW and link.remote_hash == incoming.hash
    if link and known and scene.asked.get(link.id) == [each["local_id"] for each in candidates]:
        return planned.settled(Word.REVIEW)
    change = change_for(
        scene,
        incoming,
        Word.REVIEW,
        link=link,
        reason=outcome.reason.value,
        candidates=candidates,
        rivals=list(outcome.rivals),
        acceptable=outcome.acceptable,
    )
    return planned.add(Word.REVIEW, change)


def unlinked(model: type[Model], link_kinds: Sequence[str], local: str) -> Any:
    """Our rows that no Syncro record stands for, or only some that are gone there: the only candidates."""
    taken = Link.objects.filter(
        **{local: OuterRef("pk")},
        kind__in=link_kinds,
        state__in=[*FOLLOWED - {Link.State.GONE}, Link.State.SECONDARY],
    ).exclude(state=Link.State.SECONDARY, reason=GONE_WITH)
    rows = model._default_manager.filter(deleted_at__isnull=True, merged_into__isnull=True)
    return rows.filter(~Exists(taken))


def plan_unreadable(
    scene: Scene, link_kind: str, items: Sequence[Incoming | BadRecord], reason: str
) -> Planned:
    """Records that nobody can make sense of: failed, with the answer as it came; the rest goes on."""
    planned = Planned()
    ids = [item.id if isinstance(item, BadRecord) else item.remote_id for item in items]
    links = scene.links(link_kind, [each for each in ids if each is not None]) if items else {}
    for item in items:
        incoming, raw = _unreadable(link_kind, item)
        link = links.get(incoming.remote_id)
        if link is not None and link.state == Link.State.FAILED and link.remote_hash == incoming.hash:
            planned.settled(Word.FAILED)
            continue
        change = change_for(scene, incoming, Word.FAILED, link=link, reason=reason, raw=raw)
        if not incoming.remote_id:
            change.remote_id = None
        if isinstance(item, BadRecord):
            change.args["detail"] = item.reason
        planned.add(Word.FAILED, change)
    return planned


def _unreadable(link_kind: str, item: Incoming | BadRecord) -> tuple[Incoming, str]:
    if isinstance(item, Incoming):
        return item, json.dumps(item.raw, default=str)
    text = item.raw.decode("utf-8", "replace").replace("\x00", "")
    when = timezone.now()
    return Incoming(link_kind, item.id or 0, {}, fingerprint({}, text), None, when), text[:100_000]
