"""Sync health: how many records are in sync, newer here, held, left out, failed, gone; and what Syncro's data lacks.

Numbers come from indexes alone (Link by state, Link by newer_here); a list is one page or a stream of CSV lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, QuerySet

from propolis.accounts.addressing import typed_id, url
from propolis.accounts.models import Account
from propolis.bridge.import_rows import remote_name
from propolis.bridge.models import NEWER, Connection, Link
from propolis.bridge.placing import UNKNOWN_CUSTOMER, WAITS
from propolis.bridge.remote_pages import remote_href
from propolis.bridge.scene import local_of
from propolis.bridge.sentences import sentence
from propolis.crm import paging
from propolis.crm.fields import label_of
from propolis.crm.models import Company, Contact
from propolis.history.models import Change

State = Link.State
# Beyond so many held or left-out records their names are not looked up.
NAMED_UP_TO: Final = 5000
_BATCH: Final = 500
# What Syncro's data lacks is counted up to this; one more than that means "more".
COUNTED: Final = 1000
_OUT: Final = (State.LEFT_OUT, State.SKIPPED, State.DELETED_HERE, State.ERASED)
_ACTIONS: Final = (Change.Action.REVIEW, Change.Action.LEAVE_OUT, Change.Action.FAIL)


@dataclass(frozen=True)
class Tally:
    """One number of Sync health; `key` names its list."""

    key: str
    label: str
    says: str
    count: int


@dataclass(frozen=True)
class Row:
    """One record of a list: ours and Syncro's, and what there is to say. `retry`: names a failed one in the
    form that reads it again; `raw`: what Syncro sent."""

    name: str
    kind: str
    href: str
    remote: str
    remote_href: str
    says: str
    retry: str = ""
    raw: str = ""


@dataclass(frozen=True)
class Cause:
    """Records that failed for one reason."""

    reason: str
    sentence: str
    count: int


# ---- counters

_STATES: Final[Mapping[str, tuple[Link.State, ...]]] = {
    "in_sync": (State.LINKED,),
    "review": (State.REVIEW,),
    "left_out": _OUT,
    "failed": (State.FAILED,),
    "gone": (State.GONE, State.HIDDEN),
}

LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "in_sync": ("In sync", "Both sides agree"),
    "newer": ("Newer here", "Changed here since both sides agreed"),
    "review": ("Needs review", "Wait for your decision"),
    "left_out": ("Left out", "Not imported, with the reason"),
    "failed": ("Failed", "Could not be imported"),
    "gone": ("Not in Syncro any more", "Deleted or hidden there; nothing is deleted here"),
    "waiting": ("Waiting for company", "Came before their company"),
}


def counters(connection: Connection, keys: Iterable[str] = tuple(LABELS)) -> list[Tally]:
    """Those of `keys`, in their order; three queries, each over an index. An account has one connection.

    Nearly all Links are in sync or left out: where those numbers are not shown, they are not counted.
    """
    wanted = set(keys)
    states = [state for key in wanted for state in _STATES.get(key, ())]
    told = Link.objects.filter(state__in=states).order_by().values_list("state").annotate(n=Count("pk"))
    by_state: Counter[str] = Counter(dict(told))
    newer = _links("newer", connection).count()
    numbers = {key: sum(by_state[state] for state in states) for key, states in _STATES.items()}
    numbers |= {"newer": newer, "in_sync": numbers["in_sync"] - newer}
    if "waiting" in wanted:
        numbers["waiting"] = _links("waiting", connection).count()
    return [Tally(key, label, says, numbers[key]) for key, (label, says) in LABELS.items() if key in wanted]


def _links(key: str, connection: Connection) -> QuerySet[Link]:
    """The Links behind a counter; KeyError for one that is not."""
    links = Link.objects.all()
    made: dict[str, Callable[[], QuerySet[Link]]] = {
        "in_sync": lambda: links.filter(state=State.LINKED, newer_here=False),
        "newer": lambda: links.filter(NEWER, state=State.LINKED),
        "review": lambda: links.filter(state=State.REVIEW),
        "left_out": lambda: links.filter(state__in=_OUT),
        "failed": lambda: links.filter(state=State.FAILED),
        "gone": lambda: links.filter(state__in=(State.GONE, State.HIDDEN)),
        "waiting": lambda: waiting(links, [connection.pk]),
    }
    return made[key]()


def waiting(links: QuerySet[Link], connections: list[int]) -> QuerySet[Link]:
    """Those whose record came before its company; only they carry what they wait for, under their connection."""
    kinds = (Link.Kind.CONTACT, Link.Kind.PERSON, Link.Kind.LEAD)
    here = links.filter(connection__in=connections)
    return here.filter(kind__in=kinds, parent_id__gt=0, reason__in=(WAITS, UNKNOWN_CUSTOMER))


def causes(connection: Connection) -> list[Cause]:
    """What failed, by cause, most first."""
    failed = _links("failed", connection).order_by()
    told = failed.values_list("reason").annotate(n=Count("pk"))
    found = [Cause(reason, sentence(reason, "These could not be imported."), n) for reason, n in told]
    return sorted(found, key=lambda cause: (-cause.count, cause.reason))


def failed_only(connection: Connection, reason: str = "", record: str = "") -> list[list[Any]]:
    """[link kind, Syncro id] to read again: all, those of one cause, or one (its `Row.retry`)."""
    failed = _links("failed", connection)
    if reason:
        failed = failed.filter(reason=reason)
    if record:
        kind, _, remote_id = record.partition(":")
        failed = failed.filter(kind=kind, remote_id=typed_id(remote_id) or 0)
    order = [Link.Kind.CUSTOMER, Link.Kind.CONTACT, Link.Kind.PERSON, Link.Kind.LEAD]
    rows = sorted(failed.values_list("kind", "remote_id"), key=lambda r: (order.index(Link.Kind(r[0])), r[1]))
    return [[kind, remote_id] for kind, remote_id in rows]


# ---- "Health of your Syncro data"

DATA_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "without_email": ("Contacts without e-mail", "Nobody can write to them, and they match by name only"),
    "shared_emails": ("Shared e-mails", "Several contacts have the same address"),
    "look_alikes": ("Look-alike customers", "Several companies from Syncro have the same name"),
    "kept_out": ("E-mails kept out of the pipeline", "Leads that are e-mails to your mailbox"),
}


def data_health() -> list[Tally]:
    """The four numbers about what Syncro holds; one query each, exact up to `COUNTED`."""
    return [Tally(key, label, says, _counted(key)) for key, (label, says) in DATA_LABELS.items()]


def _counted(key: str) -> int:
    """How many, one more than `COUNTED` for more."""
    if key == "shared_emails":
        # Address by address along the index: half the work of asking for each contact whether another has its.
        shared = _living(Contact, "email_key").values("email_key").annotate(n=Count("pk")).filter(n__gt=1)
        contacts: int = sum(shared.values_list("n", flat=True)[: COUNTED // 2 + 1])
        return min(contacts, COUNTED + 1)
    return _data(key).order_by().values("pk")[: COUNTED + 1].count()


def _data(key: str) -> QuerySet[Any]:
    made: dict[str, Callable[[], QuerySet[Any]]] = {
        "without_email": _without_email,
        "shared_emails": _shared_emails,
        "look_alikes": _look_alikes,
        "kept_out": lambda: Link.objects.filter(
            state=State.LEFT_OUT, kind=Link.Kind.LEAD, reason="mail_lead"
        ),
    }
    return made[key]()


def _alive(model: Any) -> QuerySet[Any]:
    found: QuerySet[Any] = model.objects.filter(deleted_at=None)
    return found


def _from_syncro(query: QuerySet[Any], local: str) -> QuerySet[Any]:
    return query.filter(Exists(Link.objects.filter(**{local: OuterRef("pk")}, state=State.LINKED)))


def _without_email() -> QuerySet[Any]:
    return _from_syncro(_alive(Contact).filter(email_key=""), "contact")


def _shared_emails() -> QuerySet[Any]:
    return _repeated(Contact, "email_key")


def _look_alikes() -> QuerySet[Any]:
    return _from_syncro(_repeated(Company, "name_key"), "company")


def _repeated(model: Any, key: str) -> QuerySet[Any]:
    """Living rows whose key another living one has; the key's index knows who lives, and gives the first of them
    without having seen all."""
    others = _alive(model).filter(**{key: OuterRef(key)}).exclude(pk=OuterRef("pk"))
    return _living(model, key).filter(Exists(others))


def _living(model: Any, key: str) -> QuerySet[Any]:
    """Those that have the key, in no order."""
    return _alive(model).filter(**{f"{key}__gt": ""}).order_by()


# ---- lists

_SORTS: Final = {
    "without_email": paging.Sort("order", "sort_name", down=False),
    "shared_emails": paging.Sort("order", "email_key", down=False),
    "look_alikes": paging.Sort("order", "name_key", down=False),
}
_BY_KIND: Final = paging.Sort("order", "kind", down=False)


@dataclass(frozen=True)
class Listed:
    """One page of a list."""

    key: str
    title: str
    says: str
    rows: list[Row]
    page: paging.Page


def is_list(key: str) -> bool:
    return key in LABELS or key in DATA_LABELS


def listed(account: Account, connection: Connection, key: str, params: Mapping[str, str]) -> Listed:
    """A page of the records behind a number; KeyError for an unknown one."""
    title, says = {**LABELS, **DATA_LABELS}[key]
    query, sort = _query(key, connection), _SORTS.get(key, _BY_KIND)
    kept = {name: value for name, value in params.items() if name in ("after", "before", "end", "reason")}
    if key == "failed" and "reason" in kept:
        query = query.filter(reason=kept["reason"])
    page = paging.page(query, sort, kept)
    return Listed(key, title, says, list(_rows(account, connection, key, page.rows)), page)


def _query(key: str, connection: Connection) -> QuerySet[Any]:
    if key in LABELS or key == "kept_out":
        links = _links(key, connection) if key in LABELS else _data(key)
        return links.select_related("company", "contact", "opportunity")
    return _data(key)


def _rows(account: Account, connection: Connection, key: str, found: list[Any]) -> Iterator[Row]:
    if found and isinstance(found[0], Link):
        names = _names(key, connection, found)
        raws = _raws(found) if key == "failed" else {}
        return (_link_row(account, connection, link, names, raws.get(link.pk, "")) for link in found)
    local = "company" if key == "look_alikes" else "contact"
    ids = {
        row[0]: row[1:]
        for row in Link.objects.filter(**{f"{local}__in": [row.pk for row in found]}, state=State.LINKED)
        .order_by("-kind")
        .values_list(f"{local}_id", "kind", "remote_id")
    }
    return (_own_row(account, connection, local, row, ids.get(row.pk)) for row in found)


def _names(key: str, connection: Connection, links: list[Link]) -> dict[int, str]:
    """What Syncro calls records that have none here."""
    nameless = [link.pk for link in links if getattr(link, local_of(link.kind)) is None]
    if not nameless or (
        key in ("left_out", "kept_out") and paging.counted(_query(key, connection)) > NAMED_UP_TO
    ):
        return {}
    told = Change.objects.filter(
        kind__in={local_of(link.kind) for link in links},
        local_id__isnull=True,
        state=Change.State.APPLIED,
        action__in=_ACTIONS,
        link_id__in=nameless,
    )
    # Sorted here: asked to sort by id, SQLite would walk every Change there is.
    newest = sorted(
        told.only("link_id", "remote_kind", "remote_id", "fields", "args"), key=lambda one: one.pk
    )
    return {change.link_id: remote_name(change) for change in newest if change.link_id}


_KINDS: Final = {"customer": "Customer", "customer_person": "Person", "contact": "Contact", "lead": "Lead"}


def _raws(links: list[Link]) -> dict[int, str]:
    """What Syncro sent of those that failed, as far as it was kept."""
    told = Change.objects.filter(
        kind__in={local_of(link.kind) for link in links},
        local_id__isnull=True,
        action=Change.Action.FAIL,
        link_id__in=[link.pk for link in links],
    )
    newest = sorted(told.values_list("pk", "link_id", "raw"))
    return {link: raw[:20_000] for _, link, raw in newest if link and raw}


def _link_row(
    account: Account, connection: Connection, link: Link, names: Mapping[int, str], raw: str = ""
) -> Row:
    kind = local_of(link.kind)
    row = getattr(link, kind)
    return Row(
        name=str(row)
        if row is not None
        else names.get(link.pk, "") or f"{_KINDS[link.kind]} #{link.remote_id}",
        kind=_KINDS[link.kind],
        href=url(account, f"crm:{kind}", row.pk) if row is not None and row.deleted_at is None else "",
        remote=f"#{link.remote_id}",
        remote_href=remote_href(connection, link.kind, link.remote_id),
        says=_link_says(link, kind),
        retry=f"{link.kind}:{link.remote_id}" if link.state == State.FAILED else "",
        raw=raw,
    )


def _link_says(link: Link, kind: str) -> str:
    if link.newer_here and link.state == State.LINKED:
        return ", ".join(label_of(kind, name) for name in link.newer_fields)
    if link.reason:
        return sentence(link.reason, link.reason.replace("_", " ").capitalize())
    return "" if link.state == State.LINKED else State(link.state).label


def _own_row(
    account: Account, connection: Connection, local: str, row: Any, linked: tuple[str, int] | None
) -> Row:
    kind, remote_id = linked or ("contact", None)
    return Row(
        name=str(row),
        kind=local.capitalize(),
        href=url(account, f"crm:{local}", row.pk),
        remote=f"#{remote_id}" if remote_id else "",
        remote_href=remote_href(connection, kind, remote_id),
        says=row.email or row.phone,
    )


def as_rows(account: Account, connection: Connection, key: str) -> Iterator[Row]:
    """All of a list, a batch at a time, for CSV."""
    at: dict[str, str] = {}
    while True:
        here = paging.page(_query(key, connection), _SORTS.get(key, _BY_KIND), at, _BATCH)
        yield from _rows(account, connection, key, here.rows)
        if not here.next:
            return
        at = {"after": str(here.rows[-1].pk)}
