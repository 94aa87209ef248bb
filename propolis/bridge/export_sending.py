"""One record on its way to Syncro: re-read, write, and after an unclear answer look before anything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from propolis.bridge import connecting, export_leads
from propolis.bridge.export_agreeing import Taken, agree
from propolis.bridge.export_check import link_of
from propolis.bridge.export_fields import (
    Line,
    Record,
    Side,
    body_of,
    differing,
    has_arrived,
    lines,
    notes_hidden,
    raw_of,
)
from propolis.bridge.export_finding import Looked, Sought, contacts_like, customers_like, look_for, moment
from propolis.bridge.export_undo import forget, hangs_on, lines_back
from propolis.bridge.models import Connection, Link
from propolis.bridge.sentences import SENDING
from propolis.crm.kinds import MODELS
from propolis.crm.models import Company, Opportunity
from propolis.history.models import Change
from propolis.runs.engine import Lease, NeedsAttention, TryAgain
from propolis.runs.models import Run
from propolis.syncro import (
    BadToken,
    Lead,
    MissingPermission,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Stop,
    SyncroClient,
    SyncroError,
)

State = Change.State
OPEN: Final = (State.SENDING, State.UNKNOWN)
# So often a record that surely did not arrive is sent again by itself.
MOST_AGAIN: Final = 1


class Sender:
    """Works on one Change under the run's lease; every state it reaches is committed before it goes on."""

    def __init__(self, run: Run, lease: Lease, connection: Connection, client: SyncroClient) -> None:
        self.run, self.lease, self.connection, self.client = run, lease, connection, client

    def go(self, change: Change) -> None:
        """As far as it goes. Raises TryAgain or NeedsAttention only while the outcome is unclear."""
        if change.state == State.UNKNOWN or change.args["at"] == "writing":
            with _Unclear(self.connection):
                self._look(change)
        elif self._waits_in_vain(change):
            self._close(change, State.SKIPPED, "send.waits_for_company")
        else:
            try:
                self._begin(change)
            except OutcomeUnknown:
                self._close(change, State.UNKNOWN, "send.looking")
            except SyncroError as error:
                self._failed(change, error)

    # ---- before

    def _begin(self, change: Change) -> None:
        """Reads Syncro once more; writes only if all is as the person saw it."""
        row = self._row(change)
        if row is None:
            return self._close(change, State.SKIPPED, "send.deleted")
        if change.args["mode"] != "create":
            record = self._get(change)
            raw = raw_of(Link.Kind(change.remote_kind), record)
            if not self._as_seen(change, row, raw):
                return self._close(change, State.SKIPPED, "send.changed")
            if change.args["mode"] == "delete":
                return self._remove(change, record)
            return self._write(change, record, raw)
        looked = self._looked(change, row)
        if not self._as_seen(change, row, {}):
            return self._close(change, State.SKIPPED, "send.changed")
        if {each.remote_id for each in looked.candidates} - set(change.args["shown"]):
            return self._close(change, State.SKIPPED, "send.match")
        change.args |= {"known": list(looked.ids), "since": (looked.at or datetime.now(UTC)).isoformat()}
        return self._write(change, None, {})

    def _looked(self, change: Change, row: Any) -> Looked:
        if isinstance(row, Opportunity):
            return Looked()
        if isinstance(row, Company):
            return customers_like(self.client, self.connection, row)
        parent = change.args["parent"]
        if parent is None:
            # Its customer was made a moment ago: nobody can be there yet.
            change.args["parent"] = self._parent(row)
            return Looked()
        return contacts_like(self.client, self.connection, row, parent)

    def _parent(self, row: Any) -> int:
        link = link_of(row.company)
        assert link is not None
        return int(link.remote_id)

    def _waits_in_vain(self, change: Change) -> bool:
        """What hangs on a record that was to be sent first, and was not."""
        earlier = Change.objects.filter(run=self.run, action=Change.Action.SEND, seq__lt=change.seq)
        return bool(earlier.exclude(state=State.APPLIED).exists())

    def _as_seen(self, change: Change, row: Any, raw: dict[str, Any]) -> bool:
        now = {line.name: line for line in self._lines(change, row, raw)}
        seen: dict[str, str] = change.args["seen"]
        if any(name not in now or now[name].seen != mark for name, mark in seen.items()):
            return False
        change.fields = {name: [now[name].now, now[name].after, "sent"] for name in seen}
        change.args["to"] = {key: value for name in seen for key, value in now[name].to.items()}
        return True

    def _lines(self, change: Change, row: Any, raw: dict[str, Any]) -> list[Line]:
        kind, region = Link.Kind(change.remote_kind), self.run.account.phone_region
        if kind is Link.Kind.LEAD:
            return [export_leads.line_of(self.connection, row)]
        if change.undoes is not None:
            return lines_back(change.undoes, raw, region, self.connection)
        hidden = notes_hidden(self.connection, kind)
        side = Side(kind, region, raw, hide_notes=hidden, creating=not raw)
        return lines(row, side, change.remote_id or 0)

    # ---- the write

    def _remove(self, change: Change, record: Record) -> None:
        """A record that was made from here, if nothing has come to hang on it since."""
        assert change.undoes is not None
        if used := hangs_on(self.client, change.undoes, record):
            change.args["said"] = used
            return self._close(change, State.SKIPPED, "send.used")
        change.args |= {"at": "writing", "writing_at": timezone.now().isoformat()}
        self._close(change, State.SENDING, "")
        remote_id = change.remote_id or 0
        if change.remote_kind == Link.Kind.CONTACT:
            self.client.delete_contact(remote_id)
        else:
            self.client.delete_customer(remote_id)
        return self._removed(change)

    def _removed(self, change: Change) -> None:
        with self.lease.batch() as batch:
            change.args["at"] = "done"
            change.state, change.reason, change.at = State.APPLIED, "undo", timezone.now()
            forget(change)
            change.save()
            batch.save(progress={"phase": "sending", "done": change.seq})

    def _write(self, change: Change, record: Record | None, raw: dict[str, Any]) -> None:
        kind, to = Link.Kind(change.remote_kind), change.args["to"]
        if kind is Link.Kind.LEAD:
            to = change.args["to"] = export_leads.with_ids(self._row(change), to)
        body = body_of(kind, to, record, change.args["parent"])
        change.args |= {
            "at": "writing",
            "writing_at": timezone.now().isoformat(),
            "before": {key: raw.get(key) for key in to},
        }
        if record is not None and not to:
            return self._done(change, record)  # linked, and nothing to change
        self._close(change, State.SENDING, "")
        answer = self._put(kind, change, body) if record is not None else self._post(kind, body)
        if kind is not Link.Kind.LEAD and any(key not in raw_of(kind, answer) for key in to):
            change.remote_id = answer.id
            answer = self._read_back(change, answer)
        return self._done(change, answer)

    def _put(self, kind: Link.Kind, change: Change, body: dict[str, Any]) -> Record:
        remote_id = change.remote_id or 0
        if kind is Link.Kind.CONTACT:
            return self.client.update_contact(remote_id, body)
        return self.client.update_customer(remote_id, body)

    def _post(self, kind: Link.Kind, body: dict[str, Any]) -> Record:
        if kind is Link.Kind.LEAD:
            return self.client.create_lead(body)
        if kind is Link.Kind.CONTACT:
            return self.client.create_contact(body)
        return self.client.create_customer(body)

    def _read_back(self, change: Change, answer: Record) -> Record:
        """The answer left out some of what was sent: what the record holds is asked for once."""
        try:
            return self._get(change)
        except SyncroError:
            return answer

    def _get(self, change: Change) -> Record:
        remote_id = change.remote_id or 0
        if change.remote_kind == Link.Kind.LEAD:
            return self.client.get_lead(remote_id)
        if change.remote_kind == Link.Kind.CONTACT:
            return self.client.get_contact(remote_id)
        return self.client.get_customer(remote_id)

    # ---- after an unclear answer

    def _look(self, change: Change) -> None:
        answered = change.args.pop("answer", None)
        if answered is not None and answered.get("id"):
            change.remote_id = answered["id"]
            return self._arrived(change, self._get(change))
        if change.args["mode"] != "create":
            return self._look_at(change)
        if answered is not None:
            return self._again(change)
        if change.remote_kind == Link.Kind.LEAD:
            found = export_leads.look_for(self.client, self._sought(change))
        else:
            found = look_for(self.client, self.connection, self._sought(change))
        if len(found.exact) == 1:
            return self._arrived(change, found.exact[0])
        if found.exact or found.perhaps or not found.proven:
            several = bool(found.exact or found.perhaps)
            change.args["found"] = [each.id for each in [*found.exact, *found.perhaps]]
            code = "send.several" if several else "send.cannot_tell"
            self._close(change, State.UNKNOWN, code)
            raise NeedsAttention(code)
        self._wait_until_settled(change)
        return self._again(change)

    def _look_at(self, change: Change) -> None:
        """Of an update: the record has the new values, or still the old ones, or neither. A deleted one is gone."""
        try:
            record = self._get(change)
        except NotFound:
            if change.args["mode"] != "delete":
                raise
            return self._removed(change)
        if change.args["mode"] == "delete":
            return self._again(change)
        kind, region = Link.Kind(change.remote_kind), self.run.account.phone_region
        raw = raw_of(kind, record)
        if not differing(kind, change.args["to"], raw, region):
            return self._arrived(change, record)
        before = change.args["before"]
        if all(raw.get(key) == value for key, value in before.items()):
            return self._again(change)
        if has_arrived(kind, change.args["to"], raw, region, before):
            return self._arrived(change, record)
        return self._close(change, State.SKIPPED, "send.changed")

    def _sought(self, change: Change) -> Sought:
        return Sought(
            Link.Kind(change.remote_kind),
            change.args["to"],
            frozenset(change.args["known"]),
            moment(change.args.get("since")),
            self.run.account.phone_region,
            change.local_id or 0,
            change.args["parent"],
        )

    def _wait_until_settled(self, change: Change) -> None:
        """A request that nobody answered may still be at work in Syncro for a while."""
        until = moment(change.args["writing_at"]) + timedelta(seconds=settings.PROPOLIS_SEND_SETTLE_SECONDS)
        left = (until - timezone.now()).total_seconds()
        if left > 0:
            self._close(change, State.UNKNOWN, "send.looking")
            raise TryAgain("send.looking", seconds=left)

    def _again(self, change: Change) -> None:
        """It surely did not arrive: sent again, as if for the first time; not for ever if Syncro keeps silent.

        A process of ours that died before it sent anything is no silence of Syncro's.
        """
        times = int(change.args.get("again", 0)) + (change.state == State.UNKNOWN)
        if times > MOST_AGAIN:
            return self._close(change, State.FAILED, "send.not_there")
        change.args |= {"again": times, "at": "intent"}
        return self._close(change, State.SENDING, "")

    def _arrived(self, change: Change, record: Record) -> None:
        change.args["found_after"] = True
        self._done(change, record)

    # ---- the end

    def _done(self, change: Change, record: Record) -> None:
        kind, region = Link.Kind(change.remote_kind), self.run.account.phone_region
        raw = raw_of(kind, record)
        kept = differing(kind, change.args["to"], raw, region)
        change.args |= {
            "at": "done",
            "kept_as": {key: raw[key] for key in kept},
            "after": {key: raw.get(key) for key in change.args["to"]},
            "updated": record.updated_at.isoformat() if isinstance(record.updated_at, datetime) else None,
        }
        try:
            with self.lease.batch() as batch:
                if isinstance(record, Lead):
                    export_leads.agree(self.run, self.connection, change, record)
                else:
                    agree(self.run, self.connection, change, record)
                reason = "undo" if change.undoes_id else ""
                change.state, change.reason, change.at = State.APPLIED, reason, timezone.now()
                change.save()
                if change.undoes_id:
                    Change.objects.filter(pk=change.undoes_id).update(state=State.UNDONE)
                batch.save(progress={"phase": "sending", "done": change.seq})
        except Taken as taken:
            change.args["said"] = SENDING["send.taken"].format(id=record.id, name=taken.name)
            self._close(change, State.FAILED, "send.taken")

    def _failed(self, change: Change, error: SyncroError) -> None:
        """Surely nothing was executed; what Syncro said is kept for the person."""
        told = connecting.as_told(error)
        change.args["said"] = told.sentence
        if isinstance(error, Refused):
            change.args["refused"] = {"fields": error.fields, "sentences": error.sentences}
        if isinstance(error, BadToken | MissingPermission):
            connecting.token_died(self.connection, error)
        self._close(change, State.FAILED, told.code)

    def _close(self, change: Change, state: Change.State, reason: str) -> None:
        with self.lease.batch() as batch:
            change.state, change.reason = state, reason
            change.save(update_fields=["state", "reason", "fields", "args", "remote_id"])
            batch.save(progress={"phase": "sending", "done": change.seq})

    def _row(self, change: Change) -> Any:
        rows: Any = MODELS[change.kind].objects
        beside = ("company", "contact") if change.kind == "opportunity" else ()
        return rows.select_related("account", *beside).filter(pk=change.local_id, deleted_at=None).first()


class _Unclear:
    """While it is not known whether something arrived, trouble means: look again later, or a person must help."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, BadToken | MissingPermission):
            connecting.token_died(self.connection, error)
        if isinstance(error, RateLimited):
            raise TryAgain(error.code, error.sentence, error.retry_after) from error
        if isinstance(error, Stop | NotFound):
            raise NeedsAttention(error.code, error.sentence) from error
        if isinstance(error, SyncroError):
            told = connecting.as_told(error)
            raise TryAgain(told.code, told.sentence) from error
