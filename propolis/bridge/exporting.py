"""Send to Syncro: one company or one contact, the ticked fields, once. The only way anything is written there.

A press makes a Run of kind `send` and one Change per record, *sending*: the intent is in the database before
anything leaves. The person's own request then works on the run; should it die, the reaper takes the run up. What
is left of a Change says what is certain: `args["at"]` is "intent" while surely nothing was written, "writing" from
just before the POST or PUT on: then Syncro is looked at before anything is sent again.

    sending ─ re-read: as the person saw it? ─ no → skipped, and the dialog comes again
       │ yes
    sending (writing) ─ POST or PUT ─ answer → applied, the Link agreed
       │                            └ refused → failed, with Syncro's words
    unknown ─ look: arrived → applied · surely not → sending again, once · unclear → a person is asked
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from django.db import transaction

from propolis.accounts.addressing import typed_id
from propolis.accounts.models import Membership, audit
from propolis.bridge import connecting
from propolis.bridge.export_check import KIND, Row, slot_of
from propolis.bridge.export_sending import OPEN, Sender
from propolis.bridge.models import Connection, Link, connection_of
from propolis.bridge.remote_pages import remote_href
from propolis.bridge.sentences import SENDING
from propolis.bridge.vault import TokenUnreadable
from propolis.crm.models import Opportunity
from propolis.history.models import Change
from propolis.runs.engine import (
    Continue,
    Finish,
    Job,
    Lease,
    NeedsAttention,
    Step,
    register,
    start_held,
    work,
    work_on,
)
from propolis.runs.models import Run
from propolis.syncro import RequestLog, SyncroClient

Mode = Literal["create", "update", "link", "undo", "delete"]
# A person waits so many seconds for an answer; after that the worker goes on.
PATIENCE: Final = 20.0
State = Change.State


@dataclass(frozen=True, slots=True)
class Part:
    """One record of a press. `ticked`: field → the mark of what the person saw of it (`Line.seen`). `shown`: ids
    of the possible matches the person saw.

    `remote_id`: None where a new one is to be made; `parent`: the Syncro customer of a contact, None where it
    is made in the same press.
    """

    row: Row | Opportunity
    kind: Link.Kind
    mode: Mode
    ticked: Mapping[str, str]
    remote_id: int | None = None
    parent: int | None = None
    shown: Sequence[int] = ()
    undoes: Change | None = None


def press(connection: Connection, about: Row, parts: Sequence[Part], by: Membership | None) -> Run:
    """Sends, and answers the run as far as it has come: ended, or waiting for Syncro or for a person.

    Where another send of this record holds the slot, that run is answered and nothing is sent.
    """
    options = {"row": [_noun(about), about.pk]}
    with transaction.atomic():
        run, lease = start_held(about.account, KIND, options=options, by=by, slot=slot_of(about))
        if lease is not None:
            for number, part in enumerate(parts, start=1):
                _intent(run, number, part, by)
            audit(about.account, by, "syncro.send", run=run.pk, kind=_noun(about), id=about.pk)
    if lease is not None:
        work_on(lease, seconds=PATIENCE)
    run.refresh_from_db()
    return run


def take_up(run: Run) -> Run:
    """Goes on with a send whose process died, if nobody else does; the run as it is then."""
    work(run.pk, seconds=PATIENCE)
    run.refresh_from_db()
    return run


def answer(run: Run, told: str) -> bool:
    """What a person found in Syncro: "absent", or the id of the record it is; False if that is no answer."""
    change = open_changes(run).filter(state=State.UNKNOWN).first()
    wanted = typed_id(told)
    if change is None or not (told == "absent" or wanted):
        return False
    change.args["answer"] = {"id": wanted} if told != "absent" else {"absent": True}
    change.save(update_fields=["args"])
    return True


def question(run: Run) -> dict[str, Any]:
    """What is asked of a person: the record whose outcome is unclear and the ids it may have in Syncro."""
    change = open_changes(run).filter(state=State.UNKNOWN).first()
    connection = connection_of(run.account)
    found = change.args.get("found", []) if change else []
    kind = change.remote_kind if change else Link.Kind.CUSTOMER
    return {
        "change": change,
        "says": SENDING[run.error_code],
        "found": [(each, remote_href(connection, kind, each)) for each in found],
        "noun": {Link.Kind.CONTACT: "contact", Link.Kind.LEAD: "lead"}.get(Link.Kind(kind), "customer"),
    }


def _noun(row: Row | Opportunity) -> str:
    return str(row._meta.model_name)


def _intent(run: Run, number: int, part: Part, by: Membership | None) -> None:
    Change.objects.create(
        account_id=run.account_id,
        run=run,
        seq=number,
        kind=_noun(part.row),
        local_id=part.row.pk,
        remote_kind=part.kind.value,
        remote_id=part.remote_id,
        action=Change.Action.SEND,
        state=State.SENDING,
        args={
            "mode": part.mode,
            "at": "intent",
            "to": {},
            "seen": dict(part.ticked),
            "shown": list(part.shown),
            "parent": part.parent,
        },
        actor=by,
        undoes=part.undoes,
    )


class SendJob(Job):
    kind: ClassVar[str] = KIND

    def __init__(self) -> None:
        # How Syncro is reached; tests put a wire of their own here.
        self.client: Callable[..., SyncroClient] = connecting.client_for

    def step(self, run: Run, lease: Lease) -> Step:
        """One record, as far as it goes."""
        change = open_changes(run).first()
        if change is None:
            return _ended(run)
        connection = connection_of(run.account)
        if connection is None or not connection.token_cipher:
            raise NeedsAttention("propolis.not_connected")
        with self._client(connection, lease) as client:
            Sender(run, lease, connection, client).go(change)
        return Continue()

    def ended(self, run: Run) -> None:
        """Stopped by a person: what surely was not sent is skipped, the rest stays unclear."""
        for change in open_changes(run):
            certain = change.state == State.SENDING and change.args["at"] == "intent"
            change.state = State.SKIPPED if certain else State.FAILED
            change.reason = "send.not_sent" if certain else "send.stopped"
            change.save(update_fields=["state", "reason"])

    def _client(self, connection: Connection, lease: Lease) -> SyncroClient:
        def count(request: RequestLog) -> None:
            lease.spent(requests=1, waited=request.waited)

        patient = connecting.patience()
        try:
            return self.client(
                connection,
                should_stop=lambda: lease.should_stop() or patient(),
                on_request=count,
                priority=True,
            )
        except TokenUnreadable as error:
            raise NeedsAttention(error.code) from error


def open_changes(run: Run) -> Any:
    """What the run still has to do, in order."""
    sends = Change.objects.filter(run=run, action=Change.Action.SEND, state__in=OPEN)
    return sends.select_related("undoes").order_by("seq")


def _ended(run: Run) -> Finish:
    sends = Change.objects.filter(run=run, action=Change.Action.SEND).order_by("seq")
    failed = next((each for each in sends if each.state != State.APPLIED), None)
    if failed is None:
        return Finish(Run.State.COMPLETE)
    state = Run.State.STOPPED if failed.state == State.SKIPPED else Run.State.FAILED
    return Finish(state, failed.reason)


JOB: Final = register(SendJob())
