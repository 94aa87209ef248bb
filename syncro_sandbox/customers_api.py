"""/customers: list, one, create, change, delete, autocomplete, latest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checks import chosen, customer_of, echo, is_email, merged_properties, not_found, refuse
from .exchange import Call, Reply, answer
from .faults import error_page
from .finding import customer_filter, cut, in_default_order, matching, sorted_customers
from .model import CUSTOMER_FIELDS, CUSTOMER_HIDDEN, JSON, Contact, Customer
from .paging import asked, listed
from .parameters import text
from .refusals import EMAIL_TAKEN, customer_email_messages

if TYPE_CHECKING:
    from .sandbox import Sandbox

_WRITABLE = (*CUSTOMER_FIELDS, *CUSTOMER_HIDDEN, "phone", "mobile", "properties")
_SUGGESTIONS = 25


def nested(box: Sandbox, customer: Customer) -> list[Contact]:
    return [box.contacts[contact_id] for contact_id in box.store.contacts_of.get(customer.id, ())]


def whole(box: Sandbox, customer: Customer) -> bytes:
    return box.renderer.customer_bytes(customer, nested(box, customer))


def one(box: Sandbox, customer: Customer) -> Reply:
    return Reply(200, b'{"customer":' + whole(box, customer) + b"}")


def list_customers(box: Sandbox, call: Call) -> Reply:
    page = asked(box, "customers", call.params)
    if 0 < box.switches.number("gateway_timeout_over") < page.size:
        content_type, body = error_page(504)
        return Reply(504, body, content_type)
    box.between_pages("customers", call.params)
    by_request = sorted_customers(box, text(call.params.get("sort")))
    ids = in_default_order(box, "customers") if by_request is None else by_request
    fits, only = customer_filter(box, call.params), call.token.only_customer
    if only is not None:
        ids = [row_id for row_id in ids if row_id == only]
    if fits is not None:
        rows = box.customers.rows
        ids = [row_id for row_id in ids if fits(rows[row_id])]
    shown = cut(box, "customers", ids, page.start, page.stop, sorted_by_request=by_request is not None)
    return listed(box, "customers", [whole(box, box.customers[row_id]) for row_id in shown], page, len(ids))


def autocomplete(box: Sandbox, call: Call) -> Reply:
    query, only = text(call.params.get("query")), call.token.only_customer
    found = sorted(matching(box, "customers", query)) if query else []
    shown = [box.customers[row_id] for row_id in found if only in (None, row_id)]
    visible = [whole(box, customer) for customer in shown if not customer.disabled]
    return Reply(200, b'{"customers":[' + b",".join(visible[:_SUGGESTIONS]) + b"]}")


def latest(box: Sandbox, call: Call) -> Reply:
    only = call.token.only_customer
    newest = only if only is not None else next(reversed(box.customers.by_created()), None)
    return one(box, customer_of(box, call, newest))


def get_customer(box: Sandbox, call: Call) -> Reply:
    customer = customer_of(box, call, call.ids[0])
    return answer({"customer": box.renderer.customer_detail(customer, nested(box, customer))})


def create_customer(box: Sandbox, call: Call) -> Reply:
    if messages := _complaints(box, call.params, None):
        if messages == [EMAIL_TAKEN] and box.switches["duplicate_customer_email"] == "success_false":
            return answer({"success": False, "message": messages, "params": echo(call.params)})
        refuse(box, 1, messages, call.params)
    fields = chosen(call.params, _WRITABLE)
    return one(box, box.customers[box.create("customers", fields)])


def change_customer(box: Sandbox, call: Call) -> Reply:
    customer = box.customers.get(call.ids[0])
    if customer is None or call.token.only_customer not in (None, customer.id):
        return _unknown(box)
    if messages := _complaints(box, call.params, customer):
        if messages == [EMAIL_TAKEN] and box.switches["duplicate_customer_email"] == "success_false":
            return answer({"success": False, "message": messages})
        refuse(box, 2, messages, call.params)
    fields = chosen(call.params, _WRITABLE)
    fields["properties"] = merged_properties(box, customer.properties, call.params.get("properties"))
    box.edit("customers", customer.id, fields)
    return one(box, customer)


def _unknown(box: Sandbox) -> Reply:
    if box.switches["put_unknown_customer"] == "not_found":
        return not_found(box)
    return answer({"success": False, "message": ["Customer not found"]})


def _complaints(box: Sandbox, params: dict[str, JSON], customer: Customer | None) -> list[str]:
    email = text(params.get("email")).lower()
    if not email:
        return []
    if not is_email(email):
        return customer_email_messages(text(params.get("email")))
    taken = box.store.email_taken(email, customer.id if customer else None)
    return [EMAIL_TAKEN] if taken and box.switches["duplicate_customer_email"] != "allowed" else []


def delete_customer(box: Sandbox, call: Call) -> Reply:
    customer = customer_of(box, call, call.ids[0])
    box.delete("customers", customer.id)
    return answer({"message": "Customer was deleted from the system."})
