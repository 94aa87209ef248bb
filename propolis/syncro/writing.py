"""Creating, changing and deleting in Syncro: one attempt each, and no success that Syncro did not show.

Every method raises `Refused` with Syncro's own messages, `NotFound`, `MissingPermission`, `RateLimited` and
`NoAnswer` (nothing was sent) where surely nothing was executed, and `OutcomeUnknown` everywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from propolis.syncro.asking import Asker
from propolis.syncro.errors import Garbled, NotFound
from propolis.syncro.exchange import Answer, Asked
from propolis.syncro.parsing import load, parse_record
from propolis.syncro.records import Contact, Customer, Lead
from propolis.syncro.resources import Resource

Fields = Mapping[str, object]
_R = TypeVar("_R", Customer, Contact, Lead)


class Writing:
    """The writing half of `SyncroClient`. `fields` are sent exactly as given: Syncro changes no others
    [A]."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    def create_customer(self, fields: Fields) -> Customer:
        return self._create(Customer, Resource.CUSTOMERS, fields)

    def update_customer(self, id: int, fields: Fields) -> Customer:
        return self._update(Customer, Resource.CUSTOMERS, id, fields)

    def delete_customer(self, id: int) -> None:
        self._delete(Resource.CUSTOMERS, id)

    def create_contact(self, fields: Fields) -> Contact:
        """Syncro needs `customer_id`; raises `NotFound` where there is no such customer."""
        customer = f"customer {fields.get('customer_id')}"
        return self._create(Contact, Resource.CONTACTS, fields, what=customer)

    def update_contact(self, id: int, fields: Fields) -> Contact:
        """Syncro's reference calls `name` required here: send it always."""
        return self._update(Contact, Resource.CONTACTS, id, fields)

    def delete_contact(self, id: int) -> None:
        self._delete(Resource.CONTACTS, id)

    def create_lead(self, fields: Fields) -> Lead:
        """A lead cannot be deleted again, and Syncro may notify people of it."""
        return self._create(Lead, Resource.LEADS, fields)

    def update_lead(self, id: int, fields: Fields) -> Lead:
        """Amount, likelihood and hidden notes are taken and not given back: their absence says nothing."""
        return self._update(Lead, Resource.LEADS, id, fields)

    def _create(self, kind: type[_R], resource: Resource, fields: Fields, *, what: str = "") -> _R:
        asked = Asked("POST", f"/{resource.value}", body=fields, what=what)
        return self._asker.ask(asked, lambda answer: parse_record(kind, answer.body, under=resource.one))

    def _update(self, kind: type[_R], resource: Resource, id: int, fields: Fields) -> _R:
        what = f"{resource.one} {int(id)}"
        asked = Asked("PUT", f"/{resource.value}/{int(id)}", body=fields, what=what)
        return self._asker.ask(asked, lambda answer: _the_same(kind, resource, id, what, answer))

    def _get(self, kind: type[_R], resource: Resource, id: int) -> _R:
        asked = Asked("GET", f"/{resource.value}/{int(id)}", what=f"{resource.one} {int(id)}")
        return self._asker.ask(
            asked, lambda answer: parse_record(kind, answer.body, under=resource.one, id=id)
        )

    def _delete(self, resource: Resource, id: int) -> None:
        path, what = f"/{resource.value}/{int(id)}", f"{resource.one} {int(id)}"
        self._asker.ask(Asked("DELETE", path, what=what), lambda answer: None)


def _the_same(kind: type[_R], resource: Resource, id: int, what: str, answer: Answer) -> _R:
    """The record after a PUT: only if it is the one that was asked for."""
    value = load(answer.body)
    # An unknown customer gets 200 and a body without one [B]; contacts come without a wrapper.
    if isinstance(value, dict) and value.get(resource.one) is None and "id" not in value:
        raise NotFound(what=what, detail="200 without the record", status=answer.status)
    record = parse_record(kind, answer.body, under=resource.one)
    if record.id != id:
        raise Garbled(detail=f"{what} was changed, {resource.one} {record.id} came back")
    return record
