"""/customers/{id}/phones: the numbers of a customer, newest first, without paging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checks import customer_of, not_found, refuse
from .exchange import Call, Refused, Reply, answer
from .model import TEXT, Customer, Phone, coerced
from .parameters import text
from .refusals import NUMBER_BLANK

if TYPE_CHECKING:
    from .sandbox import Sandbox


def list_phones(box: Sandbox, call: Call) -> Reply:
    customer = customer_of(box, call, call.ids[0])
    return answer({"phones": [box.renderer.phone(phone, customer.id) for phone in reversed(customer.phones)]})


def create_phone(box: Sandbox, call: Call) -> Reply:
    customer = customer_of(box, call, call.ids[0])
    if not text(call.params.get("number")):
        refuse(box, 1, [NUMBER_BLANK], {"customer_id": str(customer.id), **call.params})
    label, extension = (coerced(call.params.get(name), TEXT) for name in ("label", "extension"))
    phone = box.store.add_phone(customer, text(call.params["number"]), label, extension)
    return answer(box.renderer.phone(phone, customer.id))


def change_phone(box: Sandbox, call: Call) -> Reply:
    customer, phone = _phone(box, call)
    if "number" in call.params and not text(call.params["number"]):
        ids = {"customer_id": str(customer.id), "id": str(phone.id)}
        refuse(box, 1, [NUMBER_BLANK], {**ids, **call.params})
    box.store.edit_phone(customer, phone, call.params)
    return answer(box.renderer.phone(phone, customer.id))


def delete_phone(box: Sandbox, call: Call) -> Reply:
    box.store.delete_phone(*_phone(box, call))
    return answer({"success": True})


def _phone(box: Sandbox, call: Call) -> tuple[Customer, Phone]:
    customer = customer_of(box, call, call.ids[0])
    phone = next((phone for phone in customer.phones if phone.id == call.ids[1]), None)
    if phone is None:
        raise Refused(not_found(box))
    return customer, phone
