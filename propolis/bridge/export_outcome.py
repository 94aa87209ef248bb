"""What came of a send, in words: for the toast, the record's Syncro card and the pages of an unclear outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from propolis.accounts.addressing import typed_id
from propolis.bridge.export_check import KIND, Row, slot_of
from propolis.bridge.export_fields import keys_of
from propolis.bridge.models import Link, connection_of
from propolis.bridge.remote_pages import remote_href
from propolis.bridge.sentences import sentence
from propolis.crm.fields import label_of
from propolis.history.models import Change
from propolis.runs.engine import holder
from propolis.runs.models import Run

_VERBS = {
    "create": "Created",
    "link": "Linked",
    "update": "Updated",
    "undo": "Put the old values back on",
    "delete": "Deleted",
}
_NOUNS = {Link.Kind.CONTACT: "contact", Link.Kind.LEAD: "lead"}
_ASKING = ("send.several", "send.cannot_tell")


@dataclass(frozen=True)
class Sent:
    """The last thing that was sent of a record. `fields`: their labels. `kept_as`: what Syncro made of them."""

    change: Change
    who: str
    at: datetime
    fields: str
    href: str
    undone: bool
    made: bool


def changes_of(run: Run) -> list[Change]:
    """The sends of a run, in order."""
    return list(Change.objects.filter(run=run, action=Change.Action.SEND).order_by("seq"))


def latest(row: Row) -> Sent | None:
    """The last send of this record that arrived; one query, two if there is one."""
    sends = Change.objects.filter(
        kind=row._meta.model_name,
        local_id=row.pk,
        action=Change.Action.SEND,
        state__in=[Change.State.APPLIED, Change.State.UNDONE],
        undoes=None,
    )
    change = sends.select_related("actor").order_by("-id").first()
    if change is None:
        return None
    href = remote_href(connection_of(row.account), change.remote_kind, change.remote_id)
    undone = change.state == Change.State.UNDONE
    return Sent(
        change,
        str(change.actor or ""),
        change.at,
        labels(change),
        href,
        undone,
        change.args["mode"] == "create",
    )


def labels(change: Change) -> str:
    """In the fields' own order: PostgreSQL's JSON keeps none."""
    order = [*keys_of(Link.Kind(change.remote_kind)), *sorted(change.fields)]
    return ", ".join(label_of(change.kind, name) for name in sorted(change.fields, key=order.index))


def under_way(row: Row) -> Run | None:
    """A send of this record, or of one with the same company, that has not ended."""
    run = holder(row.account, slot_of(row))
    return run if run is not None and run.kind == KIND else None


def of(row: Row, number: str) -> Run | None:
    """The send of this number, if this record is in it."""
    told = Change.objects.filter(kind=row._meta.model_name, local_id=row.pk, action=Change.Action.SEND)
    known = typed_id(number)
    runs = Run.objects.filter(kind=KIND, number=known or 0, pk__in=told.values("run"))
    return runs.first()


def is_asking(run: Run) -> bool:
    """The outcome is unclear and only a person can tell."""
    return run.state == Run.State.NEEDS_ATTENTION and run.error_code in _ASKING


def done_words(changes: Sequence[Change]) -> str:
    """ "Sent to Syncro: Phone, Name." and what is worth knowing about it."""
    told = []
    for change in changes:
        if change.state != Change.State.APPLIED:
            continue
        noun = _NOUNS.get(Link.Kind(change.remote_kind), "customer")
        verb = _VERBS[change.args["mode"]]
        what = change.fields["lead"][1] if noun == "lead" else labels(change)
        told.append(f"{verb} {noun} #{change.remote_id} in Syncro{': ' + what if what else ''}.")
        if change.args.get("found_after"):
            told.append(sentence("send.arrived"))
        told += _kept_as(change)
    return " ".join(told)


def _kept_as(change: Change) -> list[str]:
    of = {theirs: ours for ours, names in keys_of(Link.Kind(change.remote_kind)).items() for theirs in names}
    kept = {
        label_of(change.kind, of.get(key, key)): value
        for key, value in change.args.get("kept_as", {}).items()
    }
    return [
        f'Syncro keeps {label} as "{value}".' if value else f"Syncro did not keep {label}."
        for label, value in kept.items()
    ]


def failed_words(changes: Sequence[Change]) -> str:
    """Why the first record that was not sent was not; "" if all were."""
    for change in changes:
        if change.state == Change.State.APPLIED:
            continue
        if change.args.get("refused") and change.remote_kind != Link.Kind.LEAD:
            return sentence("send.refused")
        said = str(change.args.get("said") or "")
        return said or sentence(change.reason, sentence("send.not_sent"))
    return ""
