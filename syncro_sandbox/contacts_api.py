"""/contacts: list, one, create, change, delete. One contact is answered flat, without a wrapper."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .checks import chosen, contact_of, customer_of, is_email, merged_properties, not_found, refuse
from .exchange import Call, Refused, Reply, answer
from .finding import cut, in_default_order, since_updated
from .model import CONTACT_FIELDS, JSON, Contact, coerced, whole_number
from .paging import asked, listed
from .parameters import text
from .refusals import CUSTOMER_BLANK, EMAIL_BAD, NOTHING_GIVEN

if TYPE_CHECKING:
    from .sandbox import Sandbox

_WRITABLE = (*CONTACT_FIELDS, "title", "properties")
# Of those, what the reference does not list: nobody has recorded what becomes of it.
_UNLISTED = {"POST": frozenset({"extension", "opt_out", "title"}), "PUT": frozenset({"extension", "opt_out"})}


def list_contacts(box: Sandbox, call: Call) -> Reply:
    page = asked(box, "contacts", call.params)
    box.between_pages("contacts", call.params)
    ids = _among(box, call)
    if (since := since_updated(box, call.params)) is not None:
        ids = [row_id for row_id in ids if box.contacts[row_id].updated_ms >= since]
    shown = cut(box, "contacts", ids, page.start, page.stop, sorted_by_request=False)
    rows = [box.renderer.contact_bytes(box.contacts[row_id]) for row_id in shown]
    return listed(box, "contacts", rows, page, len(ids))


def _among(box: Sandbox, call: Call) -> list[int]:
    only, wanted = call.token.only_customer, text(call.params.get("customer_id"))
    if only is None and not wanted:
        return in_default_order(box, "contacts")
    customer_id = whole_number(wanted) if wanted else only
    if only not in (None, customer_id):
        return []
    ids = list(box.store.contacts_of.get(customer_id or 0, ()))
    return ids[::-1] if box.switches["default_order"] == "id_desc" else ids


def get_contact(box: Sandbox, call: Call) -> Reply:
    return Reply(200, box.renderer.contact_bytes(contact_of(box, call, call.ids[0])))


def create_contact(box: Sandbox, call: Call) -> Reply:
    if not text(call.params.get("customer_id")):
        refuse(box, 3, [CUSTOMER_BLANK], call.params, _refused_record(box, call.params))
    _customer_named(box, call)
    messages = _complaints(call.params)
    fields = _taken(box, "POST", call.params)
    if not any(text(value) for name, value in fields.items() if name != "customer_id"):
        messages.append(NOTHING_GIVEN)
    if messages:
        refuse(box, 3, messages, call.params, _refused_record(box, call.params))
    contact = box.contacts[box.create("contacts", fields)]
    _touch_customer(box, contact)
    return answer(box.renderer.contact(contact))


def change_contact(box: Sandbox, call: Call) -> Reply:
    contact = contact_of(box, call, call.ids[0])
    messages = _complaints(call.params)
    if "customer_id" in call.params and not text(call.params["customer_id"]):
        messages.append(CUSTOMER_BLANK)
    elif "customer_id" in call.params:
        _customer_named(box, call)
    if messages:
        refuse(box, 3, messages, call.params, box.renderer.contact(contact))
    fields = _taken(box, "PUT", call.params)
    fields["properties"] = merged_properties(box, contact.properties, call.params.get("properties"))
    if box.edit("contacts", contact.id, fields):
        _touch_customer(box, contact)
    return answer(box.renderer.contact(contact))


def delete_contact(box: Sandbox, call: Call) -> Reply:
    contact = contact_of(box, call, call.ids[0])
    box.delete("contacts", contact.id)
    _touch_customer(box, contact)
    return answer({"success": True})


def _taken(box: Sandbox, method: str, params: dict[str, JSON]) -> dict[str, JSON]:
    """Of what was sent, what is stored."""
    unlisted = _UNLISTED[method] if box.switches["contact_fields"] == "documented" else frozenset()
    return chosen(params, (name for name in _WRITABLE if name not in unlisted))


def _customer_named(box: Sandbox, call: Call) -> None:
    try:
        customer_of(box, call, coerced(call.params["customer_id"], "whole"))
    except Refused:
        raise Refused(not_found(box, always_json=True)) from None


def _complaints(params: dict[str, JSON]) -> list[str]:
    email = text(params.get("email"))
    return [EMAIL_BAD] if email and not is_email(email) else []


def _refused_record(box: Sandbox, params: dict[str, JSON]) -> dict[str, JSON]:
    """The record that was not made, as shape 3 shows it."""
    values = {name: coerced(params.get(name), form) for name, form in CONTACT_FIELDS.items()}
    contact = replace(Contact(id=0, created_ms=0, updated_ms=0), **values)
    return box.renderer.contact(contact, refused=True)


def _touch_customer(box: Sandbox, contact: Contact) -> None:
    customer = box.customers.get(contact.customer_id)
    if box.switches["contact_touches_customer"] == "yes" and customer is not None:
        box.store.touch_customer(customer)
