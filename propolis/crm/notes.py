"""Notes and logged calls on a record."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from propolis.accounts.models import Membership
from propolis.crm import rows
from propolis.crm.keys import clean
from propolis.crm.models import Company, Contact, Note, Opportunity
from propolis.history.door import applied
from propolis.history.models import Change


class Empty(ValueError):
    """A note without a word."""


def add_note(
    row: Company | Contact | Opportunity,
    body: str,
    *,
    actor: Membership | None,
    kind: Note.Kind = Note.Kind.NOTE,
) -> Note:
    """A note, or a call that took place; Empty if there is nothing in it."""
    text = clean(body).strip()
    if not text:
        raise Empty("Write something first")
    with transaction.atomic():
        note = Note(account_id=row.account_id, kind=kind, body=text, by=actor)
        setattr(note, rows.kind_of(row).value, row)
        note.save()
        applied(row, Change.Action.NOTE, {}, actor=actor, args={"note": note.pk}, reason=kind.value)
    return note


def change_note(note: Note, body: str) -> None:
    """Empty if there is nothing in it."""
    text = clean(body).strip()
    if not text:
        raise Empty("Write something first")
    note.body = text
    note.save(update_fields=["body"])


def delete_note(note: Note) -> None:
    note.deleted_at = timezone.now()
    note.save(update_fields=["deleted_at"])
