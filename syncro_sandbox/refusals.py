"""The eleven shapes in which Syncro says that a record is not valid (422, one of them 400)."""

from __future__ import annotations

from collections.abc import Sequence

from .model import JSON


def shaped(
    shape: int, messages: Sequence[str], params: dict[str, JSON], record: JSON = None
) -> dict[str, JSON]:
    """The body of shape 1 to 11. `messages` are sentences that begin with the field's name."""
    match shape:
        case 1:
            return {"success": False, "message": list(messages), "params": params}
        case 2:
            return {"success": False, "message": list(messages)}
        case 3:
            return {
                "record": record if record is not None else {**params, "id": None},
                "errors": ",".join(messages),
            }
        case 4:
            return {"errors": ", ".join(messages), "params": {}}
        case 5:
            return {"errors": _by_field(messages)}
        case 6:
            return {"success": False, "errors": list(messages), "params": params}
        case 7:
            return {"error": messages[0]}
        case 8:
            return {"error": list(messages)}
        case 9:
            return dict(_by_field(messages))
        case 10:
            joined = ",".join(messages)
            return {"success": False, "error": joined, "message": joined, "params": params}
        case 11:
            return {"message": ",".join(messages)}
    raise ValueError(f"there are shapes 1 to 11, not {shape}")


def _by_field(messages: Sequence[str]) -> dict[str, list[str]]:
    """`Email is not an email` → `{"email": ["is not an email"]}`."""
    fields: dict[str, list[str]] = {}
    for message in messages:
        name, _, rest = message.partition(" ")
        fields.setdefault(name.lower(), []).append(rest)
    return fields


EMAIL_TAKEN = "Email has already been taken"
EMAIL_BAD = "Email is not an email"
CUSTOMER_BLANK = "Customer can't be blank"
NUMBER_BLANK = "Number can't be blank"
DESCRIPTION_BLANK = "Ticket description can't be blank"
NOTHING_GIVEN = "At least one field is required"


def customer_email_messages(email: str) -> list[str]:
    return [EMAIL_BAD, f'Email Only able to parse up to "{email}"']
