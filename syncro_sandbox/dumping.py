"""All the account holds as one JSON-able value, always in the same order: the truth to compare with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .model import JSON, Customer, Kind, Lead, Row

if TYPE_CHECKING:
    from .sandbox import Sandbox


def dump(box: Sandbox) -> dict[str, JSON]:
    """`{"customers": […], "contacts": […], "leads": […], "users": […]}`, each by id."""
    store = box.store
    kinds: tuple[Kind, ...] = ("customers", "contacts", "leads")
    whole: dict[str, JSON] = {
        kind: [record(box, kind, store.table(kind)[row_id]) for row_id in sorted(store.table(kind).rows)]
        for kind in kinds
    }
    whole["users"] = [box.renderer.user(store.users[user_id]) for user_id in sorted(store.users)]
    return whole


def record(box: Sandbox, kind: Kind, row: Row) -> dict[str, JSON]:
    """A record as the API lists it (a customer without its contacts), with phone rows and `hidden` fields."""
    if isinstance(row, Customer):
        customer: dict[str, JSON] = json.loads(box.renderer.customer_bytes(row, []))
        customer.pop("contacts", None)
        customer["phones"] = [box.renderer.phone(phone, row.id) for phone in row.phones]
        return {**customer, "hidden": dict(row.hidden or {})}
    if isinstance(row, Lead):
        hidden = {"business_name": row.business_name, "disabled": row.disabled, **(row.hidden or {})}
        return {**box.renderer.lead(row), "hidden": hidden}
    return box.renderer.contact(box.store.contacts[row.id])
