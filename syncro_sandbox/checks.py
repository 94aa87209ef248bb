"""What several endpoints ask before they act: is it there, may this token see it, is what was sent valid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from re import fullmatch
from typing import TYPE_CHECKING, NoReturn

from .exchange import Call, Refused, Reply, answer
from .model import JSON, Contact, Customer
from .refusals import shaped

if TYPE_CHECKING:
    from .sandbox import Sandbox

NOT_AUTHORIZED = "Not authorized. Please ask account admin to update your group permissions."
EMAIL = r"[^@\s,;<>\"]+@[^@\s,;<>\".]+(\.[^@\s,;<>\".]+)*"


def not_found(box: Sandbox, *, always_json: bool = False) -> Reply:
    body = "json" if always_json else box.switches["not_found_body"]
    if body == "empty":
        return Reply(404, b"", "text/html")
    if body == "html":
        page = "<html><body><h1>The page you were looking for doesn't exist (404)</h1></body></html>\n"
        return Reply(404, page.encode(), "text/html; charset=utf-8")
    return answer({"message": "Not found"}, 404)


def customer_of(box: Sandbox, call: Call, customer_id: int | None) -> Customer:
    """Raises Refused with 404, also for a Single-Customer User's token and another customer."""
    customer = box.customers.get(customer_id)
    if customer is None or call.token.only_customer not in (None, customer_id):
        raise Refused(not_found(box))
    return customer


def contact_of(box: Sandbox, call: Call, contact_id: int) -> Contact:
    contact = box.contacts.get(contact_id)
    if contact is None or call.token.only_customer not in (None, contact.customer_id):
        raise Refused(not_found(box, always_json=True))
    return contact


def refuse(
    box: Sandbox, shape: int, messages: Sequence[str], params: Mapping[str, JSON], record: JSON = None
) -> NoReturn:
    """422 in this endpoint's own shape, or in the one the `refusal_shape` switch names."""
    chosen = box.switches["refusal_shape"]
    number = shape if chosen == "own" else int(chosen)
    raise Refused(answer(shaped(number, messages, echo(params), record), 422))


def echo(params: Mapping[str, JSON]) -> dict[str, JSON]:
    """What a refusal repeats of what was sent."""
    return {name: value for name, value in params.items() if name != "api_key"}


def is_email(text: str) -> bool:
    return fullmatch(EMAIL, text) is not None


def merged_properties(box: Sandbox, held: Mapping[str, JSON], sent: JSON) -> dict[str, JSON] | None:
    """Custom fields after a PUT; None if none were sent."""
    if not isinstance(sent, dict):
        return None
    return dict(sent) if box.switches["properties_on_put"] == "replace" else {**held, **sent}


def chosen(params: Mapping[str, JSON], names: Iterable[str]) -> dict[str, JSON]:
    """Of what was sent, the values this endpoint knows; the rest is ignored in silence, as Syncro does."""
    return {name: params[name] for name in names if name in params}
