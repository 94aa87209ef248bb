"""Single records, lookups, writes and the permission check, request by request."""

import json
from typing import Any

import httpx2
import pytest

from propolis.syncro import (
    BadRecord,
    BadToken,
    Contact,
    Customer,
    Garbled,
    Lead,
    NotSyncro,
    OutcomeUnknown,
    PermissionResult,
    PermissionState,
    Settings,
    Tabs,
    UserRef,
)
from propolis.syncro.records import Locale
from tests.syncro.fakes import Handler, Script, client, ok, page_body

NOT_AUTHORIZED = httpx2.Response(
    401, json={"error": "Not authorized. Please ask account admin to update your group permissions."}
)


def sent(script: Script) -> list[tuple[str, Any]]:
    return [
        (line, json.loads(request.content) if request.content else None)
        for line, request in zip(script.lines, script.requests, strict=True)
    ]


def test_bob_sends_a_company_and_exactly_the_fields_he_chose():
    script = Script(ok({"customer": {"id": 7, "business_name": "Brightwater"}}))
    syncro = client(script)
    fields = {"business_name": "Brightwater", "properties": {"Tier": "1"}}
    assert syncro.create_customer(fields) == Customer(id=7, business_name="Brightwater")
    assert syncro.update_customer(7, {"phone": None}).id == 7
    assert sent(script) == [
        ("POST /api/v1/customers", fields),
        ("PUT /api/v1/customers/7", {"phone": None}),
    ]


def test_contacts_come_flat_and_leads_wrapped():
    flat = Script(ok({"id": 3, "name": "Ann", "customer_id": 7}))
    assert client(flat).create_contact({"customer_id": 7, "name": "Ann"}) == Contact(
        id=3, name="Ann", customer_id=7
    )
    assert client(flat).update_contact(3, {"name": "Ann"}).id == 3
    wrapped = Script(ok({"lead": {"id": 4, "status": "New"}}))
    assert client(wrapped).create_lead({"first_name": "Ann"}) == Lead(id=4, status="New")
    assert client(wrapped).update_lead(4, {"status": "Won"}).id == 4
    assert [line for line, _ in sent(flat) + sent(wrapped)] == [
        "POST /api/v1/contacts",
        "PUT /api/v1/contacts/3",
        "POST /api/v1/leads",
        "PUT /api/v1/leads/4",
    ]


def test_a_change_answered_with_another_record_is_not_a_success():
    with pytest.raises(OutcomeUnknown):
        client(Script(ok({"id": 4, "name": "Ann"}))).update_contact(3, {"name": "Ann"})
    with pytest.raises(OutcomeUnknown):
        client(Script(ok({"lead": {"id": 4}}))).update_lead(3, {})


def test_deleting():
    script = Script(ok({"message": "Customer was deleted from the system."}), ok({"success": True}))
    syncro = client(script)
    syncro.delete_customer(5)
    syncro.delete_contact(6)
    client(Script(httpx2.Response(204))).delete_contact(6)
    assert script.lines == ["DELETE /api/v1/customers/5", "DELETE /api/v1/contacts/6"]


def test_many_customers_are_confirmed_in_a_few_requests():
    script = Script(httpx2.Response(200, content=page_body("customers", [{"id": 2}, {"id": 3}], total=2)))
    assert client(script).customers_by_ids([3, 1, 2, 2]) == [Customer(id=2), Customer(id=3)]
    assert script.lines == [
        "GET /api/v1/customers?id%5B%5D=1&id%5B%5D=2&id%5B%5D=3&include_disabled=true&page=1&per_page=100"
    ]
    empty = Script(httpx2.Response(200, content=page_body("customers", [], total=0)))
    assert client(empty).customers_by_ids(range(1, 251)) == []
    assert len(empty.requests) == 3
    assert client(empty).customers_by_ids([]) == []


def test_a_filter_that_is_not_heeded_proves_nothing():
    script = Script(httpx2.Response(200, content=page_body("customers", [{"id": 99}], total=1)))
    with pytest.raises(Garbled):
        client(script).customers_by_ids([1])


def test_the_contacts_of_one_customer():
    rows = [{"id": 1, "customer_id": 7}, {"id": 2, "customer_id": 8}, {"id": None}]
    script = Script(httpx2.Response(200, content=page_body("contacts", rows, size=50, total=3)))
    ann, odd = client(script).contacts_of(7)
    assert ann == Contact(id=1, customer_id=7)
    assert isinstance(odd, BadRecord)
    assert script.lines == ["GET /api/v1/contacts?customer_id=7&page=1"]


def test_lookups():
    found = Script(ok({"customers": [{"id": 1, "email": "ann@example.com"}]}))
    assert client(found).autocomplete("ann@") == [Customer(id=1, email="ann@example.com")]
    assert found.lines == ["GET /api/v1/customers/autocomplete?query=ann%40"]
    hits = Script(ok({"quick_result": None, "results": [], "error": None}))
    assert client(hits).search("ann & co") == []
    assert hits.lines == ["GET /api/v1/search?query=ann%20%26%20co"] or hits.lines == [
        "GET /api/v1/search?query=ann+%26+co"
    ]


def test_the_account():
    assert client(Script(ok({"users": [[1, "Joe Doe"]]}))).users() == [UserRef(1, "Joe Doe")]
    assert client(Script(ok({"tabs": {"leads": False}}))).tabs() == Tabs(leads=False)
    settings = client(Script(ok({"locale": {"time_zone": "UTC"}}))).settings()
    assert settings == Settings(locale=Locale(time_zone="UTC"))
    assert client(Script(ok({"user_id": 1, "user_token": "x"}))).me().user_id == 1


PATHS = {
    "/api/v1/me": "me",
    "/api/v1/customers": "Customers - List/Search",
    "/api/v1/contacts": "Customers - View Detail",
    "/api/v1/leads": "Leads - List/Search",
    "/api/v1/customers/latest": "Customers - Edit",
}


def account(answers: dict[str, httpx2.Response] | None = None) -> tuple[Handler, list[str]]:
    asked: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        name = PATHS[request.url.path]
        asked.append(f"{request.method} {request.url.path.removeprefix('/api/v1')}")
        return (answers or {}).get(name) or ok({"user_id": 1})

    return handler, asked


def result(
    name: str, state: PermissionState = PermissionState.OK, detail: str = "", needed_for: str = "import"
) -> PermissionResult:
    return PermissionResult(name, state, detail, needed_for)


CREATE = result(
    "Customers - Create",
    PermissionState.UNKNOWN,
    "Cannot be tested without writing: it is checked when you first send.",
    "send",
)


def test_checking_a_token_reads_only():
    handler, asked = account()
    assert client(handler).check_permissions() == [
        result("Customers - List/Search"),
        result("Customers - View Detail"),
        result("Leads - List/Search"),
        result("Customers - Edit", needed_for="send"),
        CREATE,
    ]
    assert asked == ["GET /me", "GET /customers", "GET /contacts", "GET /leads", "GET /customers/latest"]


def test_each_permission_is_told_by_itself():
    handler, _ = account(
        {
            "me": NOT_AUTHORIZED,
            "Customers - View Detail": NOT_AUTHORIZED,
            "Leads - List/Search": httpx2.Response(404),
            "Customers - Edit": httpx2.Response(404, json={"message": "Not found"}),
            "Customers - List/Search": httpx2.Response(500),
        }
    )
    unknown, missing = PermissionState.UNKNOWN, PermissionState.MISSING
    assert client(handler).check_permissions() == [
        result(
            "Customers - List/Search",
            unknown,
            "Syncro had trouble of its own (error 500). Try again in a few minutes; "
            "an import goes on by itself.",
        ),
        result(
            "Customers - View Detail",
            missing,
            'The API token lacks the permission "Customers - View Detail". Make a token with it in Syncro '
            "(Admin > API Tokens) and save it under Connection.",
        ),
        result(
            "Leads - List/Search",
            unknown,
            "This Syncro account does not offer Leads. Switch the Leads module on in Syncro "
            "(Admin > Leads - Preferences), then try again.",
        ),
        result(
            "Customers - Edit", unknown, "Syncro has no customers yet to test this with.", needed_for="send"
        ),
        CREATE,
    ]


@pytest.mark.parametrize("name", ["me", "Leads - List/Search"])
def test_a_bad_token_is_never_called_a_missing_permission(name):
    handler, _ = account({name: httpx2.Response(401, json={"error": "Failed to authenticate account"})})
    with pytest.raises(BadToken):
        client(handler).check_permissions()


def test_a_web_page_is_not_syncro():
    handler, _ = account({"me": httpx2.Response(200, html="<html>Welcome to nginx")})
    with pytest.raises(NotSyncro):
        client(handler).check_permissions()
