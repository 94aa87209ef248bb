"""Whatever is asked, in whatever form: there is an answer, and what it says is JSON is JSON."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from syncro_sandbox import Sandbox, SeedOptions
from syncro_sandbox.exchange import Request
from syncro_sandbox.fixtures import BRIGHTWATER, CUSTOMERS, HARBOR, OFFICE_MOVE, PRIYA
from syncro_sandbox.model import CONTACT_FIELDS, CUSTOMER_FIELDS, LEAD_FIELDS, LEAD_HIDDEN
from syncro_sandbox.pipeline import respond
from syncro_sandbox.routes import ROUTES
from tests.sandbox.asking import Clock

BOX = Sandbox(SeedOptions(companies=25, contacts=60, leads=20), clock=Clock(), rate_limit=0)
IDS = {"users": 1041, "customers": HARBOR, "contacts": PRIYA, "leads": OFFICE_MOVE}
NAMES = sorted(
    {
        *CUSTOMER_FIELDS,
        *CONTACT_FIELDS,
        *LEAD_FIELDS,
        *LEAD_HIDDEN,
        "phone",
        "mobile",
        "number",
        "label",
        "title",
    }
    | {
        "properties",
        "page",
        "per_page",
        "sort",
        "query",
        "id",
        "not_id",
        "include_disabled",
        "since_updated_at",
    }
    | {"statuses", "status_list", "users", "mailbox_ids", "has_ticket", "api_key"}
)
ODD_FORMS: list[Any] = [0, -1, True, [], {}, [1, "a", None], {"a": {"b": 1}}, 1.5, "", "x" * 300]
ODD_TEXTS = [
    "²",
    "--5",
    "9" * 25,
    "\x00",
    "é@x.y",
    "][",
    "updated_at DESC",
    "notes ASC",
    "2026-01-01",
    "0001-01-01",
]
ODD = st.sampled_from([*ODD_FORMS, *ODD_TEXTS, "9999-12-31T23:59:59+14:00", str(BRIGHTWATER)])
VALUES = st.one_of(
    st.none(), ODD, st.text(max_size=8), st.integers(), st.sampled_from([HARBOR, PRIYA, "Won", "true"])
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
FORM_NAMES = st.one_of(
    st.sampled_from(NAMES), st.text("ab[]", max_size=6), st.sampled_from(["id[]", "properties[a][b]"])
)
FORMS = st.dictionaries(FORM_NAMES, st.text(max_size=8), max_size=5)


@given(route=st.sampled_from(sorted(ROUTES)), fields=FIELDS, form=FORMS, as_json=st.booleans())
def test_anything_is_answered(
    route: tuple[str, str], fields: dict[str, Any], form: dict[str, str], as_json: bool
) -> None:
    method, pattern = route
    own = IDS.get(pattern.split("/")[1], 0)
    path = "/api/v1" + pattern.replace("#", str(own), 1).replace("#", "4294967960")
    sent = json.dumps(fields) if as_json else urlencode(form, errors="replace")
    kind = "application/json" if as_json else "application/x-www-form-urlencoded"
    headers = {"authorization": BOX.token, "content-type": kind}

    reply = respond(BOX, Request(method, path, urlencode(form, errors="replace"), headers, sent.encode()))

    assert reply.status in {200, 400, 401, 404, 422}, reply
    if reply.content_type.startswith("application/json"):
        json.loads(reply.body)
    if method == "DELETE":
        BOX.reset()
    assert set(CUSTOMERS) <= set(BOX.customers.rows)
