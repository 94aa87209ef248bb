"""The Send to Syncro dialog: what a record is in Syncro now and would be after sending, as one person sees it.

Opening reads Syncro and writes nothing. What was seen travels with the form, signed; the press compares it with
Syncro once more. A press asks for nothing but what stands on the form: the ticked fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.core import signing

from propolis.accounts.addressing import typed_id
from propolis.bridge import mapping
from propolis.bridge.export_check import Row, link_of
from propolis.bridge.export_fields import Line, Record, Side, keys_of, lines, notes_hidden, raw_of
from propolis.bridge.export_finding import Candidate, contacts_like, customers_like
from propolis.bridge.exporting import Mode, Part
from propolis.bridge.models import Connection, Link
from propolis.bridge.remote_pages import remote_href
from propolis.crm import comparing
from propolis.crm.kinds import MODELS
from propolis.crm.models import Company, Contact
from propolis.history.models import Change
from propolis.syncro import Customer, SyncroClient

SALT: Final = "bridge.send"
NEW: Final = "new"
PERSON: Final = "person"


@dataclass(frozen=True)
class Shown:
    """One record of the dialog. `asking`: possible matches are to be decided on before there are fields."""

    row: Row
    kind: Link.Kind
    mode: Mode
    lines: list[Line] = field(default_factory=list)
    remote_id: int | None = None
    parent: int | None = None
    candidates: tuple[Candidate, ...] = ()
    asking: bool = False
    href: str = ""
    errors: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def noun(self) -> str:
        return str(self.row._meta.model_name)

    @property
    def changed(self) -> list[Line]:
        return [line for line in self.lines if not line.same]

    @property
    def same(self) -> list[Line]:
        return [line for line in self.lines if line.same]

    @property
    def words(self) -> str:
        """ "Will update customer #20418." """
        what = "contact" if self.kind is Link.Kind.CONTACT else "customer"
        if self.mode == "create":
            return f"Will create a {what}."
        person = "the person on " if self.kind is Link.Kind.PERSON else ""
        linking = "link it to and " if self.mode == "link" else ""
        return f"Will {linking}update {person}{what} #{self.remote_id}."


@dataclass(frozen=True)
class Draft:
    """The whole dialog. `token`: what was seen, for the press."""

    row: Row
    parts: list[Shown]
    error: str = ""

    @property
    def asking(self) -> bool:
        return any(part.asking for part in self.parts)

    @property
    def creating(self) -> bool:
        """There are no old values to put back."""
        return all(part.mode == "create" for part in self.parts)

    @property
    def ticked(self) -> int:
        return sum(line.ticked for part in self.parts for line in part.changed)

    @property
    def possible(self) -> int:
        return sum(len(part.changed) for part in self.parts)

    @property
    def nothing(self) -> bool:
        """Both sides have the same already, and nothing is to be linked or made."""
        return not self.possible and all(part.mode == "update" for part in self.parts)

    @property
    def token(self) -> str:
        told = [
            {
                "row": [part.noun, part.row.pk],
                "kind": part.kind.value,
                "mode": part.mode,
                "remote_id": part.remote_id,
                "parent": part.parent,
                "shown": [each.remote_id for each in part.candidates],
                "seen": {line.name: line.seen for line in part.changed},
                "required": [line.name for line in part.changed if line.required],
            }
            for part in self.parts
        ]
        return signing.dumps(told, salt=SALT, compress=True)


def draft(
    connection: Connection, row: Row, client: SyncroClient, chosen: Mapping[str, str] | None = None
) -> Draft:
    """Reads Syncro and compares. `chosen`: for "company" and "contact" what a person decided about possible
    matches: "new", "person" or a Syncro id. Raises the errors of the client."""
    reader = _Reader(connection, client, chosen or {})
    if isinstance(row, Company):
        return Draft(row, [reader.company(row)])
    return Draft(row, reader.contact(row))


class _Reader:
    def __init__(self, connection: Connection, client: SyncroClient, chosen: Mapping[str, str]) -> None:
        self.connection, self.client, self.chosen = connection, client, chosen

    def company(self, row: Company) -> Shown:
        link = link_of(row)
        if link is not None:
            record = self.client.get_customer(link.remote_id)
            return self._compared(row, Link.Kind.CUSTOMER, "update", link.remote_id, record, link)
        choice = self.chosen.get("company", "")
        if (chosen := typed_id(choice)) is not None:
            record = self.client.get_customer(chosen)
            return self._compared(row, Link.Kind.CUSTOMER, "link", chosen, record)
        looked = customers_like(self.client, self.connection, row)
        return self._new(row, Link.Kind.CUSTOMER, looked.candidates, None, choice)

    def contact(self, row: Contact) -> list[Shown]:
        link = link_of(row)
        if link is not None:
            return [self._linked(row, link)]
        assert row.company is not None
        above = link_of(row.company)
        if above is not None:
            return [self._below(row, above.remote_id)]
        company = self.company(row.company)
        if company.mode == "link" and company.remote_id is not None:
            return [company, self._below(row, company.remote_id)]
        return [company, self._new(row, Link.Kind.CONTACT, (), None, NEW)]

    def _linked(self, row: Contact, link: Link) -> Shown:
        kind = Link.Kind(link.kind)
        get = self.client.get_contact if kind is Link.Kind.CONTACT else self.client.get_customer
        return self._compared(row, kind, "update", link.remote_id, get(link.remote_id), link)

    def _below(self, row: Contact, customer_id: int) -> Shown:
        """A contact of a customer that is there: one of its contacts, the person on its record, or new."""
        choice = self.chosen.get("contact", "")
        if choice == PERSON:
            record: Record = self.client.get_customer(customer_id)
            return self._compared(row, Link.Kind.PERSON, "link", customer_id, record)
        if (chosen := typed_id(choice)) is not None:
            found = self.client.get_contact(chosen)
            return self._compared(row, Link.Kind.CONTACT, "link", chosen, found)
        looked = contacts_like(self.client, self.connection, row, customer_id)
        candidates = looked.candidates
        if choice != NEW:
            candidates += self._person(row, customer_id)
        return self._new(row, Link.Kind.CONTACT, candidates, customer_id, choice)

    def _person(self, row: Contact, customer_id: int) -> tuple[Candidate, ...]:
        """The person named on the customer record, if nobody here is it yet and it may be this contact."""
        taken = Link.objects.filter(kind=Link.Kind.PERSON, remote_id=customer_id, contact__isnull=False)
        if taken.exists():
            return ()
        customer: Customer = self.client.get_customer(customer_id)
        raw = mapping.person_raw(customer)
        values = mapping.person_values(raw, frozenset(mapping.PERSON_TEXTS))
        theirs, ours = comparing.contact_keys(values, None), comparing.contact_row_keys(row)
        if not mapping.has_person(raw) or ours.name != theirs.name:
            return ()
        details = str(values.get("email") or "")
        why = "the person on the customer record, same name"
        return (Candidate(Link.Kind.PERSON, customer_id, str(values["name"]), details, why),)

    def _new(
        self,
        row: Row,
        kind: Link.Kind,
        candidates: tuple[Candidate, ...],
        parent: int | None,
        choice: str,
    ) -> Shown:
        side = Side(kind, self.connection.account.phone_region, creating=True)
        found = lines(row, side, 0)
        asking = bool(candidates) and choice != NEW
        return Shown(row, kind, "create", found, None, parent, candidates, asking)

    def _compared(
        self,
        row: Row,
        kind: Link.Kind,
        mode: Mode,
        remote_id: int,
        record: Record,
        link: Link | None = None,
    ) -> Shown:
        side = Side(
            kind,
            self.connection.account.phone_region,
            raw_of(kind, record),
            agreed=link.agreed if link is not None else {},
            updated_at=record.updated_at or None,
            newer=frozenset(link.newer_fields if link is not None else ()),
            hide_notes=notes_hidden(self.connection, kind),
        )
        href = remote_href(self.connection, kind, remote_id)
        return Shown(row, kind, mode, lines(row, side, remote_id), remote_id, href=href)


# ---- the press


class NotReadable(Exception):
    """The form is not one of ours, or about another record."""


def parts_of(row: Row, token: str, wanted: list[str]) -> list[Part]:
    """What a person asked for: `wanted` has "company.phone" for each tick. Raises `NotReadable`."""
    try:
        told: list[dict[str, Any]] = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise NotReadable from None
    rows: dict[tuple[str, int | None], Any] = {(str(row._meta.model_name), row.pk): row}
    if isinstance(row, Contact):
        rows["company", row.company_id] = row.company
    return [_part(rows, each, wanted) for each in told]


def _part(rows: Mapping[Any, Any], told: dict[str, Any], wanted: list[str]) -> Part:
    noun, pk = told["row"]
    if (noun, pk) not in rows:
        raise NotReadable
    names = {name.partition(".")[2] for name in wanted if name.partition(".")[0] == noun}
    ticked = {n: seen for n, seen in told["seen"].items() if n in names or n in told["required"]}
    return Part(
        row=rows[noun, pk],
        kind=Link.Kind(told["kind"]),
        mode=told["mode"],
        ticked=ticked,
        remote_id=told["remote_id"],
        parent=told["parent"],
        shown=told["shown"],
    )


def is_empty(parts: list[Part]) -> bool:
    """Nothing was ticked and nothing is to be linked or made."""
    return not any(part.ticked or part.mode != "update" for part in parts)


def with_ticks(shown: Draft, wanted: list[str], token: str) -> Draft:
    """The dialog again, with the ticks as the person had left them. One that changed on both sides since is unticked:
    who ticked it had not seen that."""
    seen = {
        f"{told['row'][0]}.{name}": mark
        for told in signing.loads(token, salt=SALT)
        for name, mark in told["seen"].items()
    }

    def again(name: str, line: Line) -> Line:
        as_seen = line.seen == seen.get(name, line.seen)
        return replace(line, ticked=line.required or (name in wanted and (as_seen or line.ticked)))

    parts = [
        replace(part, lines=[again(f"{part.noun}.{line.name}", line) for line in part.lines])
        for part in shown.parts
    ]
    return replace(shown, parts=parts)


def with_refusals(shown: Draft, changes: list[Change]) -> Draft:
    """Syncro's words beside the fields they are about; those about none of the shown ones on top."""
    refused = {change.kind: change for change in changes if change.args.get("refused")}
    parts, loose = [], []
    for part in shown.parts:
        change = refused.get(part.noun)
        if change is None:
            parts.append(part)
            continue
        of = {theirs: ours for ours, names in keys_of(part.kind).items() for theirs in names}
        errors: dict[str, list[str]] = {}
        listed = {line.name for line in part.changed}
        for key, messages in change.args["refused"]["fields"].items():
            name = of.get(key, "")
            if name in listed:
                errors.setdefault(name, []).extend(messages)
            else:
                loose.extend(messages)
        parts.append(replace(part, errors=errors))
    return replace(shown, parts=parts, error=" ".join([shown.error, *loose]).strip())


def rows_of(noun: str, pk: int) -> Any:
    """The record a send is about; None where it is gone."""
    related = ("account", "company") if noun == "contact" else ("account",)
    return MODELS[noun].objects.select_related(*related).filter(pk=pk).first()
