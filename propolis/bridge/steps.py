"""Connection ➡ Users ➡ Companies ➡ Contacts ➡ Opportunities: how far an account is, what a step waits for.

A step opens when the one before it has been read completely, once; it never closes again. Records to look at,
new users and undecided statuses ask for attention and lock nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import Count, Min, Q
from django.utils import timezone

from propolis.bridge.import_words import moment
from propolis.bridge.models import Connection, Link, RemoteUser
from propolis.bridge.statuses import undecided
from propolis.runs.models import Run

# Somebody who imports the next object within this time has just imported the one before.
STALE_AFTER: Final = timedelta(hours=1)


class Step(StrEnum):
    CONNECTION = "connection"
    USERS = "users"
    COMPANIES = "companies"
    CONTACTS = "contacts"
    OPPORTUNITIES = "opportunities"

    @property
    def label(self) -> str:
        return self.value.capitalize()

    @property
    def heading(self) -> str:
        return _HEADINGS[self]

    @property
    def before(self) -> list[Step]:
        order = list(Step)
        return order[: order.index(self)]


_HEADINGS: Final = {
    Step.CONNECTION: "Save credentials",
    Step.USERS: "Map users and invite users",
    Step.COMPANIES: "Import companies",
    Step.CONTACTS: "Import contacts",
    Step.OPPORTUNITIES: "Map and import opportunities",
}
IMPORTED: Final = (Step.COMPANIES, Step.CONTACTS, Step.OPPORTUNITIES)
_LINKS: Final = {
    Link.Kind.CUSTOMER: Step.COMPANIES,
    Link.Kind.CONTACT: Step.CONTACTS,
    Link.Kind.PERSON: Step.CONTACTS,
    Link.Kind.LEAD: Step.OPPORTUNITIES,
}


class StepState(StrEnum):
    DONE = "done"
    CURRENT = "current"
    ATTENTION = "attention"
    LOCKED = "locked"


@dataclass(frozen=True)
class StepView:
    """One step as a page shows it. `line`: how it stands; `waits`: the sentence of a locked one."""

    step: Step
    number: int
    state: StepState
    line: str
    waits: str = ""

    @property
    def label(self) -> str:
        return self.step.label

    @property
    def heading(self) -> str:
        return self.step.heading

    @property
    def url_name(self) -> str:
        return f"bridge:{self.step.value}"

    @property
    def open(self) -> bool:
        return self.state is not StepState.LOCKED


@dataclass(frozen=True)
class Offer:
    """A button: what it says and what it imports, in order."""

    label: str
    objects: tuple[str, ...]


class StepLocked(Exception):
    """A step was asked to work before its turn; `sentence` says what it waits for."""

    code = "bridge.step_locked"

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def require_step(connection: Connection | None, step: Step, *, talks: bool = True) -> Connection:
    """The connection, if the step is open and (unless `talks` is False) Syncro can be asked. `StepLocked`."""
    waits = waits_for(connection, step)
    if waits or connection is None:
        raise StepLocked(waits or _WAITS[Step.CONNECTION])
    if talks and step is not Step.CONNECTION and connection.state != Connection.State.CONNECTED:
        raise StepLocked(
            "Syncro is not connected at present. Save a token that works under Connection first."
        )
    return connection


def waits_for(connection: Connection | None, step: Step) -> str:
    """A sentence; "" where nothing stands in the way."""
    for earlier in step.before:
        if not is_complete(connection, earlier):
            return _WAITS[earlier]
    return ""


_WAITS: Final = {
    Step.CONNECTION: "Waits for Connection: save credentials that work.",
    Step.USERS: "Waits for Users: read them from Syncro.",
    Step.COMPANIES: "Waits for Companies: import them once, completely.",
    Step.CONTACTS: "Waits for Contacts: import them once, completely.",
}


def is_complete(connection: Connection | None, step: Step) -> bool:
    """Read completely at least once."""
    if connection is None:
        return False
    if step is Step.CONNECTION:
        return connection.connected_at is not None
    if step is Step.USERS:
        return connection.users_step == "read"
    return read_at(connection, step) is not None


def read_at(connection: Connection, step: Step) -> datetime | None:
    """When the last complete reading of what the step imports began."""
    found: datetime | None = getattr(connection, f"{step.value}_read_at")
    return found


def stale_before(connection: Connection, step: Step, now: datetime | None = None) -> list[Step]:
    """Earlier imports that should be repeated before this one."""
    limit = (now or timezone.now()) - STALE_AFTER
    earlier = [each for each in IMPORTED if each in step.before]
    return [each for each in earlier if (read := read_at(connection, each)) is None or read < limit]


def offers(connection: Connection, step: Step, now: datetime | None = None) -> list[Offer]:
    """The buttons of an import step, the recommended one first: a stale earlier step is offered with it."""
    stale = stale_before(connection, step, now)
    if not stale:
        return [Offer("Import", (step.value,))]
    first, *rest = [*stale, step]
    label = "".join(f", then {each.value}" for each in rest)
    return [
        Offer(f"Import {first.value}{label}", tuple(each.value for each in [*stale, step])),
        Offer(f"{step.label} only", (step.value,)),
    ]


def steps_of(connection: Connection | None) -> list[StepView]:
    """All five, in order; at most five queries."""
    lines = _lines(connection)
    found = []
    for number, step in enumerate(Step, start=1):
        waits = waits_for(connection, step)
        line, attention = lines.get(step, ("", False))
        if waits:
            state, line = StepState.LOCKED, f"Starts after {step.before[-1].label}"
        elif attention:
            state = StepState.ATTENTION
        elif is_complete(connection, step) and _works(connection, step):
            state = StepState.DONE
        else:
            state = StepState.CURRENT
        found.append(StepView(step, number, state, line, waits))
    return found


def _works(connection: Connection | None, step: Step) -> bool:
    return step is not Step.CONNECTION or (
        connection is not None and connection.state == Connection.State.CONNECTED
    )


_Line = tuple[str, bool]


def _lines(connection: Connection | None) -> dict[Step, _Line]:
    """The live line of each step, and whether it asks for a person."""
    if connection is None:
        return {Step.CONNECTION: ("Not connected yet", False)}
    found = {Step.CONNECTION: _connection_line(connection)}
    if is_complete(connection, Step.CONNECTION):
        found[Step.USERS] = _users_line(connection)
    if is_complete(connection, Step.USERS):
        found.update(_import_lines(connection))
    return found


def _connection_line(connection: Connection) -> _Line:
    address = connection.base_url.partition("//")[2].partition("/")[0]
    return {
        Connection.State.CONNECTED: (f"Connected to {address}", False),
        Connection.State.BROKEN: (
            "The saved token lacks a permission" if connection.lacks else "Syncro refused the saved token",
            True,
        ),
        Connection.State.DISCONNECTED: (f"Disconnected from {address}" if address else "Disconnected", False),
    }.get(Connection.State(connection.state), ("Not connected yet", False))


def _users_line(connection: Connection) -> _Line:
    here = Q(left_at=None)
    told = RemoteUser.objects.filter(connection=connection).aggregate(
        all=Count("pk", filter=here),
        matched=Count("pk", filter=here & Q(membership__isnull=False)),
        unread=Count("pk", filter=here & Q(read_at=None)),
        first=Min("first_seen_at"),
        new=Count(
            "pk",
            filter=here & Q(choice="auto", membership=None, first_seen_at__gte=connection.users_read_at),
        )
        if connection.users_read_at
        else Count("pk", filter=Q(pk=None)),
    )
    if not told["all"]:
        return "Not read yet", False
    if told["unread"] and connection.users_step != "read":
        return f"{told['all'] - told['unread']} of {told['all']} users read", False
    line = f"{told['matched']} of {told['all']} users matched"
    new = told["new"] if connection.users_read_at and told["first"] < connection.users_read_at else 0
    return (f"{line}, {new} new in Syncro", True) if new else (line, False)


def _import_lines(connection: Connection) -> dict[Step, _Line]:
    to_look_at = dict.fromkeys(IMPORTED, 0)
    held = Link.objects.filter(state__in=[Link.State.REVIEW, Link.State.FAILED])
    for kind, count in held.values_list("kind").annotate(Count("pk")):
        to_look_at[_LINKS[Link.Kind(kind)]] += count
    undone = Q(kind="undo", state=Run.State.COMPLETE, undoes__kind="import")
    runs = Run.objects.filter(Q(kind="import") | undone).select_related("undoes")
    run = runs.order_by("-id").first()
    lines = {step: _import_line(connection, step, to_look_at[step], run) for step in IMPORTED}
    waiting = undecided(connection) if is_complete(connection, Step.CONTACTS) else 0
    if waiting:
        noun = "status" if waiting == 1 else "statuses"
        lines[Step.OPPORTUNITIES] = (f"{waiting} {noun} to decide", True)
    return lines


def _import_line(connection: Connection, step: Step, to_look_at: int, run: Run | None) -> _Line:
    if run is not None and step.value in run.options.get("objects", ()) and run.state in _SAID:
        return _SAID[Run.State(run.state)]
    read = read_at(connection, step)
    if read is None:
        return "Not imported yet", False
    if run is not None and _was_read_by(run.undoes, read):
        return f"Undone {moment(run.finished_at)}", False
    if to_look_at:
        return f"Done, {to_look_at:,} to look at", False
    return f"Imported {moment(read)}", False


def _was_read_by(run: Run | None, read: datetime) -> bool:
    """Whether a reading that began then was this import's."""
    if run is None or run.started_at is None or run.finished_at is None:
        return False
    return run.started_at <= read <= run.finished_at


_SAID: Final[dict[Run.State, _Line]] = {
    Run.State.QUEUED: ("Starts in a moment", False),
    Run.State.READING: ("Importing now", False),
    Run.State.APPLYING: ("Importing now", False),
    Run.State.WAITING: ("Waiting for Syncro", False),
    Run.State.PAUSED: ("Paused", True),
    Run.State.PLANNED: ("Preview ready: nothing is imported yet", True),
    Run.State.NEEDS_ATTENTION: ("The import needs a person", True),
    Run.State.INCOMPLETE: ("The last import is incomplete", True),
    Run.State.FAILED: ("The last import failed", True),
}
