"""Which rows a list or a search shows, in which order; the search index that lags behind writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .model import CUSTOMER_FIELDS, Customer, Kind, digits
from .parameters import Params, integers, text, truthy
from .store import search_text

if TYPE_CHECKING:
    from .sandbox import Sandbox


def in_default_order(box: Sandbox, kind: Kind) -> list[int]:
    table = box.store.table(kind)
    return table.by_id_desc() if box.switches["default_order"] == "id_desc" else table.by_created()


def cut(
    box: Sandbox, kind: Kind, ids: list[int], start: int, stop: int, *, sorted_by_request: bool
) -> list[int]:
    if box.switches["default_order"] == "random_ties" and not sorted_by_request:
        return box.store.table(kind).slice_with_random_ties(ids, start, stop, box.chance)
    return ids[start:stop]


def sorted_customers(box: Sandbox, wanted: str) -> list[int] | None:
    """Ids by `"<field> ASC|DESC"`; None if no such order exists, which is then ignored."""
    name, _, direction = wanted.strip().partition(" ")
    if box.switches["customers_sort"] == "ignored":
        return None
    if direction.strip().upper() not in {"", "ASC", "DESC"}:
        return None
    value = _customer_value(name)
    if value is None:
        return None
    return box.store.customers.by_value(name, value, direction.strip().upper() == "DESC")


def _customer_value(name: str) -> Callable[[Customer], Any] | None:
    if name in {"created_at", "updated_at"}:
        return lambda customer: getattr(customer, name.replace("_at", "_ms"))
    if name == "id":
        return lambda customer: customer.id
    if CUSTOMER_FIELDS.get(name) == "text":
        return lambda customer: None if getattr(customer, name) is None else getattr(customer, name).lower()
    return None


def customer_filter(box: Sandbox, params: Params) -> Callable[[Customer], bool] | None:
    """All conditions of GET /customers as one question about a row; None if every row is wanted."""
    tests: list[Callable[[Customer], bool]] = []
    if not truthy(params.get("include_disabled")):
        tests.append(lambda customer: not customer.disabled)
    for name in ("firstname", "lastname", "business_name"):
        if wanted := text(params.get(name)).lower():
            tests.append(_like(name, wanted))
    if email := text(params.get("email")).lower():
        tests.append(lambda customer: (customer.email or "") == email)
    if (only := integers(params.get("id"))) is not None:
        tests.append(_among(only, True))
    for name in ("not_id", "id_not"):
        if (without := integers(params.get(name))) is not None:
            tests.append(_among(without, False))
    if query := text(params.get("query")):
        found = matching(box, "customers", query)
        tests.append(lambda customer: customer.id in found)
    if (since := since_updated(box, params)) is not None:
        tests.append(lambda customer: customer.updated_ms >= since)
    return _all(tests)


def _all(tests: list[Callable[[Customer], bool]]) -> Callable[[Customer], bool] | None:
    """One test stays itself: a list of ten thousand is asked row by row."""
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda customer: all(test(customer) for test in tests)


def _like(name: str, wanted: str) -> Callable[[Customer], bool]:
    return lambda customer: wanted in (getattr(customer, name) or "").lower()


def _among(ids: Iterable[int], inside: bool) -> Callable[[Customer], bool]:
    wanted = frozenset(ids)
    return lambda customer: (customer.id in wanted) is inside


def since_updated(box: Sandbox, params: Params) -> int | None:
    """Milliseconds, if the switch honours `since_updated_at` and the value is a date or time."""
    wanted = text(params.get("since_updated_at"))
    if not wanted or box.switches["since_updated_at"] == "ignored":
        return None
    try:
        at = datetime.fromisoformat(wanted)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=box.renderer.zone)
    return int(at.timestamp() * 1000)


def matching(box: Sandbox, kind: Kind, query: str) -> set[int]:
    """Ids whose indexed text has every word of the query, or whose numbers have its digits."""
    words, number = query.lower().split(), digits(query)
    behind = _not_yet_indexed(box, kind)
    found = set()
    table = box.store.table(kind)
    for row_id, row in table.rows.items():
        held = table.texts.get(row_id)
        if held is None:
            held = table.texts[row_id] = search_text(row)
        if row_id in behind:
            held = behind[row_id]
            if held is None:
                continue
        if all(word in held for word in words) or (len(number) >= 4 and number in held):
            found.add(row_id)
    return found


def _not_yet_indexed(box: Sandbox, kind: Kind) -> dict[int, str | None]:
    """For rows written within the lag: the text the index still has, None where it has nothing yet."""
    lag_ms = box.switches.number("index_lag") * 1000
    behind: dict[int, str | None] = {}
    if lag_ms:
        since = box.now_ms() - lag_ms
        for at, changed_kind, row_id, before in box.store.changes:
            if changed_kind == kind and at > since:
                behind.setdefault(row_id, before)
    return behind
