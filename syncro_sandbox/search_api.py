"""/search: hits of several kinds in one list, from an index that may lag behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checks import NOT_AUTHORIZED
from .exchange import Call, Reply, answer
from .finding import matching
from .model import JSON, Customer, Kind, Lead, Row
from .parameters import text
from .tokens import LEADS, LIST

if TYPE_CHECKING:
    from .sandbox import Sandbox

_NEEDS: dict[Kind, str] = {"customers": LIST, "contacts": LIST, "leads": LEADS}
_MOST = 25


def search(box: Sandbox, call: Call) -> Reply:
    query = text(call.params.get("query"))
    results: list[JSON] = []
    for kind, permission in _NEEDS.items():
        if call.token.may(permission):
            results += [_hit(box, kind, row_id) for row_id in _found(box, call, kind, query)]
        elif box.switches["search_without_permission"] == "refuse":
            return answer({"error": NOT_AUTHORIZED}, int(box.switches["permission_status"]))
    return answer({"quick_result": None, "results": results, "error": None})


def _found(box: Sandbox, call: Call, kind: Kind, query: str) -> list[int]:
    if not query:
        return []
    only, table = call.token.only_customer, box.store.table(kind)
    found = sorted(matching(box, kind, query))
    return [row_id for row_id in found if only in (None, _owner(table[row_id]))][:_MOST]


def _owner(row: Row) -> int | None:
    return row.id if isinstance(row, Customer) else getattr(row, "customer_id", None)


def _hit(box: Sandbox, kind: Kind, row_id: int) -> JSON:
    row = box.store.table(kind)[row_id]
    source = {"_id": row_id, "_type": kind[:-1], "_index": kind, "_source": {"table": _source(box, row)}}
    return {"table": source}


def _source(box: Sandbox, row: Row) -> JSON:
    if isinstance(row, Customer):
        return {
            "firstname": row.firstname,
            "lastname": row.lastname,
            "email": row.email,
            "business_name": row.business_name,
            "phones": [box.renderer.phone(phone, row.id) for phone in row.phones],
        }
    names = ("first_name", "last_name", "email", "phone", "mobile", "customer_id", "status", "ticket_subject")
    if not isinstance(row, Lead):
        names = ("name", "email", "phone", "mobile", "customer_id", "vendor_id", "notes", "opt_out")
    return {name: getattr(row, name) for name in names}
