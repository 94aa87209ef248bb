"""Every kind of answer ends in its own error, with its own sentence, for reading and for writing."""

from typing import Any

import httpx2
import pytest

from propolis.syncro import (
    BadToken,
    CutOff,
    EmptyAnswer,
    Garbled,
    LeadsOff,
    MissingPermission,
    NoAnswer,
    NotFound,
    NotSyncro,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Resource,
    ServerTrouble,
    Stop,
    SyncroClient,
    SyncroError,
    TooLarge,
    TryLater,
    WebPage,
    WrongAddress,
)
from propolis.syncro.errors import BadAddress, Interrupted, SkipRecord, error_classes
from tests.syncro.fakes import Script, client, ok

NOT_AUTHORIZED = {"error": "Not authorized. Please ask account admin to update your group permissions."}
HTML = "<!DOCTYPE html><html><body>Sign in</body></html>"
CHECK = "Check the subdomain: it is the first part of the address you use to sign in to Syncro."
LATER = "Try again in a few minutes; an import goes on by itself."
SENTENCES = {
    BadToken: "Syncro did not accept the API token. It may have expired or been removed: make a new one in "
    "Syncro (Admin > API Tokens) and save it under Connection.",
    NotSyncro: f"acme.syncromsp.com answers, but not as Syncro does. {CHECK}",
    WrongAddress: f"There is no Syncro at acme.syncromsp.com. {CHECK}",
    LeadsOff: "This Syncro account does not offer Leads. Switch the Leads module on in Syncro "
    "(Admin > Leads - Preferences), then try again.",
    RateLimited: f"Syncro had too many requests from this address (it allows 180 a minute). {LATER}",
    NoAnswer: f"Syncro could not be reached, or did not answer in time. {LATER}",
    WebPage: f"Syncro answered with a web page instead of data: it may be under maintenance. {LATER}",
    CutOff: f"Syncro's answer stopped in the middle. {LATER}",
    EmptyAnswer: f"Syncro's answer was empty. {LATER}",
    Garbled: f"Syncro answered with something unexpected. {LATER}",
    OutcomeUnknown: "No clear answer came from Syncro: what was sent may or may not have arrived. "
    "Look in Syncro before sending it again.",
}


def lacking(permission: str) -> str:
    return (
        f'The API token lacks the permission "{permission}". Make a token with it in Syncro '
        "(Admin > API Tokens) and save it under Connection."
    )


def answered(status: int, **content: Any) -> httpx2.Response:
    return httpx2.Response(status, **content)


def list_customers(syncro: SyncroClient) -> None:
    syncro.page(Resource.CUSTOMERS, 1)


READING = [
    (answered(401, json={"error": "Failed to authenticate account"}), BadToken),
    (answered(401), BadToken),
    (answered(401, html=HTML), BadToken),
    (answered(401, json=NOT_AUTHORIZED), MissingPermission),
    (answered(403, json={"error": "Forbidden"}), MissingPermission),
    (answered(403), MissingPermission),
    (answered(403, html=HTML), NotSyncro),
    (answered(404, html=HTML), WrongAddress),
    (answered(404, json={"message": "Not found"}), WrongAddress),
    (answered(301, headers={"Location": "https://evil.example/"}), NotSyncro),
    (answered(302, html=HTML), NotSyncro),
    (answered(408), NoAnswer),
    (answered(429, text="Retry later\n"), RateLimited),
    (answered(500, json={"error": "oops"}), ServerTrouble),
    (answered(502, html=HTML), ServerTrouble),
    (answered(503, html=HTML), ServerTrouble),
    (answered(504, html="<h1>504 Gateway Time-out</h1>"), ServerTrouble),
    (answered(520), ServerTrouble),
    (answered(200, html=HTML), WebPage),
    (answered(200, content=HTML, headers={"Content-Type": "application/json"}), WebPage),
    (answered(200, text="Disabled"), Garbled),
    (answered(200, content=b""), EmptyAnswer),
    (answered(200, content=b"null"), EmptyAnswer),
    (answered(204), EmptyAnswer),
    (answered(200, content=b'{"customers":[{"id":1},{"i'), CutOff),
    (answered(200, json={"error": "something"}), Garbled),
    (answered(200, json={"customers": None}), Garbled),
    (answered(200, json={"customers": {"id": 1}}), Garbled),
    (answered(200, json=[]), Garbled),
    (answered(200, json={"success": False, "message": "Email is not an email"}), Refused),
    (answered(400, json={"message": ["Vendor is blank"]}), Refused),
    (answered(422, html=HTML), Refused),
    (answered(413, html=HTML), Refused),
]


@pytest.mark.parametrize(("answer", "kind"), READING)
def test_reading_a_list(answer, kind):
    with pytest.raises(SyncroError) as caught:
        list_customers(client(Script(answer)))
    error = caught.value
    assert type(error) is kind
    expected = {
        **SENTENCES,
        MissingPermission: lacking("Customers - List/Search"),
        ServerTrouble: f"Syncro had trouble of its own (error {answer.status_code}). {LATER}",
    }
    if kind is not Refused:
        assert error.sentence == expected[kind]
    assert error.status in (answer.status_code, None)
    assert "GET /customers" in error.detail
    assert str(answer.status_code) in error.detail


UNCLEAR: list[tuple[int, dict[str, Any]]] = [
    (408, {}),
    (500, {"json": {"error": "oops"}}),
    (502, {"html": HTML}),
    (503, {}),
    (504, {"html": HTML}),
    (200, {"html": HTML}),
    (200, {"text": "Disabled"}),
    (200, {"content": b""}),
    (200, {"content": b"null"}),
    (200, {"content": b'{"customer":{"id":1'}),
    (200, {"json": {"customer": {"id": 99}}}),
    (200, {"json": {"customer": {"id": "many"}}}),
    (200, {"json": [1]}),
]
WRITING: list[tuple[httpx2.Response, type[SyncroError]]] = [
    *((answered(status, **content), OutcomeUnknown) for status, content in UNCLEAR),
    (answered(401, json={"error": "Failed to authenticate account"}), BadToken),
    (answered(401, json=NOT_AUTHORIZED), MissingPermission),
    (answered(403), MissingPermission),
    (answered(404, json={"message": "Not found"}), NotFound),
    (answered(404, html=HTML), NotFound),
    (answered(302, html=HTML), NotSyncro),
    (answered(429, text="Retry later\n"), RateLimited),
    (answered(422, json={"success": False, "message": ["Email is not an email"]}), Refused),
    (answered(400, json={"message": ["Email is not an email"]}), Refused),
    (answered(200, json={"success": False, "message": "Email is not an email"}), Refused),
    (answered(200, json={"success": False}), NotFound),
    (answered(200, json={"success": False, "message": "Customer not found"}), NotFound),
    (answered(200, json={"message": "ok"}), NotFound),
    (answered(200, json={"customer": None}), NotFound),
]


@pytest.mark.parametrize(("answer", "kind"), WRITING)
def test_changing_a_customer_is_a_success_only_if_syncro_shows_it(answer, kind):
    script = Script(answer)
    with pytest.raises(SyncroError) as caught:
        client(script).update_customer(12, {"email": "x"})
    assert type(caught.value) is kind
    expected = {
        **SENTENCES,
        MissingPermission: lacking("Customers - Edit"),
        NotFound: "Syncro has no customer 12: it was deleted or merged there, or this token may not see it.",
        Refused: "Syncro refused: Email is not an email.",
    }
    assert caught.value.sentence == expected[kind]
    # Only what surely was not executed is sent again.
    assert len(script.requests) == (4 if kind is RateLimited else 1)


def test_a_refusal_tells_bob_the_field():
    refused = ok({"success": False, "message": ["Email is not an email", "Odd thing"]})
    with pytest.raises(Refused) as caught:
        client(Script(refused)).create_customer({"email": "x"})
    assert (caught.value.fields, caught.value.sentences) == (
        {"email": ["Email is not an email"], "": ["Odd thing"]},
        ["Email is not an email.", "Odd thing."],
    )


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda syncro: syncro.get_customer(5), NotFound),
        (lambda syncro: syncro.get_contact(5), NotFound),
        (lambda syncro: syncro.get_lead(5), NotFound),
        (lambda syncro: syncro.user(5), NotFound),
        (lambda syncro: syncro.create_contact({"customer_id": 5}), NotFound),
        (lambda syncro: syncro.delete_contact(5), NotFound),
        (lambda syncro: syncro.update_lead(5, {}), NotFound),
        (lambda syncro: syncro.page(Resource.LEADS, 1), LeadsOff),
        (lambda syncro: syncro.page(Resource.CONTACTS, 1), WrongAddress),
        (lambda syncro: syncro.users(), WrongAddress),
        (lambda syncro: syncro.me(), WrongAddress),
    ],
)
def test_404_means_gone_for_a_record_and_wrong_for_a_list(ask, kind):
    with pytest.raises(SyncroError) as caught:
        ask(client(Script(answered(404))))
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("ask", "permission"),
    [
        (lambda syncro: syncro.page(Resource.CUSTOMERS, 1), "Customers - List/Search"),
        (lambda syncro: syncro.get_customer(1), "Customers - View Detail"),
        (lambda syncro: syncro.page(Resource.CONTACTS, 1), "Customers - View Detail"),
        (lambda syncro: syncro.get_contact(1), "Customers - View Detail"),
        (lambda syncro: syncro.page(Resource.LEADS, 1), "Leads - List/Search"),
        (lambda syncro: syncro.get_lead(1), "Leads - List/Search"),
        (lambda syncro: syncro.search("x"), "Customers - List/Search"),
        (lambda syncro: syncro.create_customer({}), "Customers - Create"),
        (lambda syncro: syncro.update_customer(1, {}), "Customers - Edit"),
        (lambda syncro: syncro.delete_customer(1), "Customers - Delete"),
        (lambda syncro: syncro.create_contact({}), "Customers - Edit"),
        (lambda syncro: syncro.update_contact(1, {}), "Customers - Edit"),
        (lambda syncro: syncro.delete_contact(1), "Customers - Edit"),
        (lambda syncro: syncro.create_lead({}), ""),
        (lambda syncro: syncro.autocomplete("x"), ""),
        (lambda syncro: syncro.users(), ""),
    ],
)
def test_a_missing_permission_is_named_after_what_was_asked(ask, permission):
    with pytest.raises(MissingPermission) as caught:
        ask(client(Script(answered(401, json=NOT_AUTHORIZED))))
    assert caught.value.permission == permission
    assert caught.value.sentence == (
        lacking(permission)
        if permission
        else "The API token lacks a permission this needs. Make a token with it in Syncro "
        "(Admin > API Tokens) and save it under Connection."
    )


def test_a_web_page_instead_of_me_means_a_wrong_subdomain():
    with pytest.raises(NotSyncro):
        client(Script(answered(200, html=HTML))).me()


def test_an_answer_for_another_record_is_no_answer():
    with pytest.raises(Garbled):
        client(Script(ok({"customer": {"id": 6}}))).get_customer(5)


def test_the_tree_says_what_to_do():
    codes = {kind.code: kind for kind in error_classes()}
    assert len(codes) == len(list(error_classes())) == 18
    assert all(
        kind.__bases__[0] in (Stop, TryLater, SkipRecord, SyncroError, Garbled) for kind in codes.values()
    )
    assert {kind for kind in codes.values() if issubclass(kind, Stop)} == {
        BadAddress,
        WrongAddress,
        NotSyncro,
        BadToken,
        MissingPermission,
        LeadsOff,
        TooLarge,
    }
    assert {kind for kind in codes.values() if issubclass(kind, TryLater)} == {
        RateLimited,
        ServerTrouble,
        NoAnswer,
        Garbled,
        WebPage,
        CutOff,
        EmptyAnswer,
        Interrupted,
    }
    assert {kind for kind in codes.values() if issubclass(kind, SkipRecord)} == {NotFound, Refused}
    assert codes["syncro.outcome_unknown"] is OutcomeUnknown
