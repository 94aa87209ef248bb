"""Why Syncro refused: the eleven shapes of its 422 and 400 answers, flattened.

Source: the vendor's OpenAPI examples (https://api-docs.syncromsp.com) [A], docs/syncro. In short:
messages stand under `message`, `error` or `errors`, as one string, a list, an object by field, or as a bare
object by field; `params` and `record` only echo what was sent and are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

_WRAPPERS: Final = ("errors", "error", "message", "messages")
_ECHOES: Final = frozenset({"params", "record", "success", "status"})
_MOST_MESSAGES: Final = 50
_LONGEST_MESSAGE: Final = 300
_DEEPEST: Final = 5
_CONTROL: Final = re.compile(r"\s?[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+\s?")

# Rails puts the field's name, made readable, in front of a message: "Email is not an email".
_LABELS: Final[Mapping[str, str]] = {
    "Address 2": "address_2",
    "Address": "address",
    "Address1": "address1",
    "Address2": "address2",
    "Business name": "business_name",
    "City": "city",
    "Contact": "contact_id",
    "Customer": "customer_id",
    "Email": "email",
    "First name": "first_name",
    "Firstname": "firstname",
    "Invoice cc emails": "invoice_cc_emails",
    "Last name": "last_name",
    "Lastname": "lastname",
    "Likelihood": "likelihood",
    "Mobile": "mobile",
    "Name": "name",
    "Notes": "notes",
    "Notification email": "notification_email",
    "Number": "number",
    "Opportunity amount dollars": "opportunity_amount_dollars",
    "Phone": "phone",
    "State": "state",
    "Status": "status",
    "Ticket description": "ticket_description",
    "Ticket subject": "ticket_subject",
    "Title": "title",
    "User": "user_id",
    "Zip": "zip",
}
_LABELS_LONGEST_FIRST: Final = sorted(_LABELS, key=len, reverse=True)


class Refusal(NamedTuple):
    """`fields`: messages as Syncro worded them, by field, "" where no field is known. `sentences`: for a
    person."""

    fields: dict[str, list[str]]
    sentences: list[str]


def read_refusal(body: bytes) -> Refusal:
    """Flattens any answer; one that holds no message gives an empty `Refusal`, never an error."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal({}, [])
    return flatten(answer)


def flatten(answer: object) -> Refusal:
    """As `read_refusal`, for an answer already decoded."""
    fields: dict[str, list[str]] = {}
    sentences: list[str] = []
    for named, raw in _said(answer):
        message = _CONTROL.sub(" ", raw[: 2 * _LONGEST_MESSAGE]).strip()[:_LONGEST_MESSAGE]
        field, text = _attributed(named, message)
        if not message or text in sentences or len(sentences) >= _MOST_MESSAGES:
            continue
        fields.setdefault(field, []).append(message)
        sentences.append(text)
    return Refusal(fields, sentences)


def _said(answer: object) -> Iterator[tuple[str, str]]:
    if not isinstance(answer, dict):
        yield from _messages("", answer, _DEEPEST)
        return
    wrapped = [key for key in _WRAPPERS if answer.get(key)]
    if wrapped:
        for key in wrapped:
            yield from _messages("", answer[key], _DEEPEST)
        return
    for field, said in answer.items():
        # A bare map of fields (shape 9): its values are lists. A plain string may be anything, such as data.
        if field not in _ECHOES and isinstance(said, list):
            yield from _messages(str(field), said, _DEEPEST)


def _messages(field: str, said: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(said, str):
        for message in split_messages(said):
            yield field, message
    elif depth and isinstance(said, list):
        for one in said:
            # A list's item is one message, commas and all.
            yield from [(field, one)] if isinstance(one, str) else _messages(field, one, depth - 1)
    elif depth and isinstance(said, dict):
        for key, inner in said.items():
            yield from _messages(f"{field}.{key}" if field else str(key), inner, depth - 1)


def split_messages(joined: str) -> list[str]:
    """Several messages in one string, joined by commas: a new one begins with a capital, outside of
    quotes."""
    parts: list[str] = []
    quoted, start = False, 0
    for found in re.finditer(r'"|,\s*(?=[A-Z])', joined):
        if found.group() == '"':
            quoted = not quoted
        elif not quoted:
            parts.append(joined[start : found.start()])
            start = found.end()
    return [part.strip() for part in [*parts, joined[start:]] if part.strip()]


def _attributed(field: str, message: str) -> tuple[str, str]:
    if field:
        label = field.rpartition(".")[2].replace("_", " ").strip().capitalize()
        whole = message if message.lower().startswith(label.lower()) else f"{label} {message}"
        return field, _sentence(whole)
    for label in _LABELS_LONGEST_FIRST:
        if message.startswith(f"{label} "):
            return _LABELS[label], _sentence(message)
    return "", _sentence(message)


def _sentence(message: str) -> str:
    return message if message.endswith((".", "!", "?")) else f"{message}."
