"""A person's changes to companies, contacts and opportunities: each one effect, one Change, one transaction.

Call inside the account's scope. `actor` is who does it; `rev` is the revision the person was looking at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.crm import duplicates, mailing, rows
from propolis.crm.fields import FIELDS, SYNCED, Field, Kind
from propolis.crm.keys import split_name
from propolis.crm.kinds import MODELS
from propolis.crm.models import Company, Contact, Opportunity, OppStatus
from propolis.history.door import applied
from propolis.history.models import Change
from propolis.runs.models import Run

Record = Company | Contact | Opportunity
R = TypeVar("R", Company, Contact, Opportunity)
_KEYS = {
    Kind.COMPANY: rows.COMPANY_COLUMNS,
    Kind.CONTACT: rows.CONTACT_COLUMNS,
    Kind.OPPORTUNITY: rows.OPPORTUNITY_COLUMNS,
}


@dataclass(frozen=True)
class Clash:
    """One field in which the record and what somebody wanted to save differ; plain values."""

    field: Field
    now: Any
    wanted: Any


class ChangedMeanwhile(Exception):
    """Somebody changed the record since it was opened; nothing was saved. `row` is as it is now."""

    def __init__(self, row: Record, clashes: list[Clash]) -> None:
        super().__init__(f"{row._meta.label} {row.pk} was changed meanwhile")
        self.row = row
        self.clashes = clashes


class NotThere(Exception):
    """The record was deleted meanwhile."""


def create(
    account: Account,
    kind: Kind,
    values: Mapping[str, Any],
    *,
    actor: Membership | None,
    run: Run | None = None,
) -> Record:
    """A new record with these plain values; those not given are blank."""
    row = MODELS[kind](account=account, created_run=run)
    rows.fill(row, values, account.phone_region)
    if isinstance(row, Opportunity):
        _close(row, OppStatus.objects.get(pk=row.status_id), row.closed_at)
    with transaction.atomic():
        if isinstance(row, Contact):
            row.mail_state = mailing.state_of(row.email_key)
        row.save()
        row.refresh_from_db(fields=["created_at", "edited_at"])
        given = {name: [None, rows.values_of(row)[name], ""] for name in values if values[name]}
        applied(row, Change.Action.CREATE, given, actor=actor, run=run)
        _look_at(row)
    return row


def _look_at(row: Record) -> None:
    if not isinstance(row, Opportunity):
        duplicates.look_at(row)


def update(
    account: Account,
    row: Record,
    values: Mapping[str, Any],
    *,
    actor: Membership | None,
    rev: int | None = None,
    reason: str = "",
) -> Change | None:
    """Saves what differs; None where nothing does. `row` is the record as just read.

    ChangedMeanwhile if its revision is no longer `rev` and a value would be overwritten that the person has
    not seen. A synced field moves the merge clock.
    """
    kind = rows.kind_of(row)
    before = rows.values_of(row)
    rows.fill(row, values, account.phone_region)
    after = rows.values_of(row)
    fields = {name: [before[name], after[name], ""] for name in after if before[name] != after[name]}
    if not fields:
        return None
    if rev is not None and rev != row.rev:
        raise ChangedMeanwhile(_fresh(row), _clashes(kind, before, fields))
    with transaction.atomic():
        return _write(row, kind, fields, actor, reason)


def _write(
    row: Record, kind: Kind, fields: dict[str, list[Any]], actor: Membership | None, reason: str
) -> Change:
    clock_before = row.edited_at
    args: dict[str, Any] = {}
    if SYNCED[kind] & fields.keys():
        row.edited_at = timezone.now()
        args["edited_at"] = [clock_before.isoformat(), row.edited_at.isoformat()]
    if isinstance(row, Contact) and "email" in fields:
        row.mail_state = mailing.state_of(row.email_key)
    if isinstance(row, Opportunity) and "status" in fields:
        was = row.closed_at
        _close(row, OppStatus.objects.get(pk=row.status_id), None)
        fields["closed_at"] = [rows.plain(was), rows.plain(row.closed_at), ""]
    _save(row, kind, fields)
    if not duplicates.WATCHED.isdisjoint(fields):
        _look_at(row)
    return applied(row, Change.Action.UPDATE, fields, actor=actor, args=args, reason=reason)


def _save(row: Record, kind: Kind, fields: Mapping[str, list[Any]]) -> None:
    """One conditional UPDATE on the revision: of two people at the same moment one is told."""
    columns = {name: getattr(row, _column(kind, name)) for name in _KEYS[kind]}
    columns |= {"edited_at": row.edited_at, "rev": row.rev + 1}
    if isinstance(row, Contact):
        columns["mail_state"] = row.mail_state
    if not MODELS[kind].objects.filter(pk=row.pk, rev=row.rev, deleted_at=None).update(**columns):
        fresh = _fresh(row)
        raise ChangedMeanwhile(fresh, _clashes(kind, rows.values_of(fresh), fields))
    row.rev += 1


def _column(kind: Kind, name: str) -> str:
    field = FIELDS[kind].get(name)
    return field.attribute if field else name


def _fresh(row: Record) -> Record:
    """The record as it is in the database; NotThere if it was deleted."""
    found = MODELS[rows.kind_of(row)].objects.filter(pk=row.pk, deleted_at=None).first()
    if found is None:
        raise NotThere(f"{row._meta.label} {row.pk}")
    return found


def _clashes(kind: Kind, now: Mapping[str, Any], fields: Mapping[str, list[Any]]) -> list[Clash]:
    return [
        Clash(FIELDS[kind][name], now.get(name), effect[1])
        for name, effect in fields.items()
        if now.get(name) != effect[1]
    ]


def _close(row: Opportunity, status: OppStatus, at: datetime | None) -> None:
    """An opportunity is closed from the moment it is won or lost, and open again when it is neither."""
    if status.outcome == OppStatus.Outcome.OPEN:
        row.closed_at = None
    else:
        row.closed_at = at or row.closed_at or timezone.now()


def move(account: Account, row: Opportunity, status: OppStatus, *, actor: Membership | None) -> Change | None:
    """The opportunity in another status; None where it is there already."""
    return update(account, row, {"status": status.pk}, actor=actor)


def delete(row: Record, *, actor: Membership | None) -> Change:
    """Out of sight, to be brought back at any time; what hangs on the record stays as it is."""
    with transaction.atomic():
        _set_deleted(row, timezone.now(), actor)
        return applied(row, Change.Action.DELETE, {}, actor=actor)


def bring_back(row: Record, *, actor: Membership | None) -> Change:
    """A deleted record as it was; of two merged ones use undo instead."""
    with transaction.atomic():
        _set_deleted(row, None, None)
        return applied(row, Change.Action.RESTORE, {}, actor=actor)


def _set_deleted(row: Record, at: datetime | None, by: Membership | None) -> None:
    row.deleted_at, row.deleted_by, row.rev = at, by, row.rev + 1
    row.save(update_fields=["deleted_at", "deleted_by", "rev"])
    _look_at(row)


def is_prospect(row: Opportunity) -> bool:
    """Whether it knows somebody to make a company and a contact from, and has no contact that this would replace."""
    known = row.prospect_name or row.prospect_email or row.prospect_phone
    return bool(known) and (row.contact is None or row.contact.deleted_at is not None)


def settle_prospect(account: Account, row: Opportunity, *, actor: Membership | None) -> Change | None:
    """A company and a contact from what an opportunity knows of its prospect (`is_prospect`); both linked to it."""
    reach = {"email": row.prospect_email, "phone": row.prospect_phone}
    first, last = split_name(row.prospect_name)
    shown = row.prospect_name or row.prospect_email or row.prospect_phone
    with transaction.atomic():
        company = create(account, Kind.COMPANY, {"name": shown, **reach}, actor=actor)
        person = {"first": first, "last": last, "company": company.pk, **reach}
        contact = create(account, Kind.CONTACT, person, actor=actor)
        return update(account, row, {"company": company.pk, "contact": contact.pk}, actor=actor)
