"""The token, and other secrets that pass by, appear nowhere: not in errors, logs, repr or tracebacks."""

import logging
import traceback

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propolis.syncro import BadToken, LocalPacer, Refused, Resource, SyncroClient, SyncroError
from propolis.syncro.exchange import Bearer
from propolis.syncro.redaction import excerpt, hide
from tests.syncro.fakes import TOKEN, URL, FreePacer, Notes, Script, client, ok


def everything_said(error: SyncroError) -> str:
    """With the variables of every function of the client that the error passed through."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [repr(frame.locals) for frame in trace.stack if "/propolis/syncro/" in frame.filename]
    assert frames
    contexts = repr([error.__cause__, error.__context__])
    whole = "".join(traceback.format_exception(error))
    return "\n".join([str(error), repr(error), error.detail, repr(error.__dict__), contexts, whole, *frames])


ECHO = f'{{"error":"bad key {TOKEN}","Authorization":"Bearer {TOKEN}"}}'.encode()
MISHAPS = [
    *(httpx2.Response(status, content=ECHO) for status in (200, 302, 400, 401, 403, 404, 422, 429, 500, 504)),
    httpx2.Response(500, html=f"<p>?api_key={TOKEN}&x=1</p>"),
    httpx2.ConnectError(f"cannot reach https://acme.syncromsp.com/?api_key={TOKEN}"),
    httpx2.ReadError(f"reset by {TOKEN}"),
    httpx2.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}'"),
]


@pytest.mark.parametrize("mishap", MISHAPS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("write", [False, True])
def test_no_error_tells_the_token(mishap, write, caplog):
    notes = Notes()
    with caplog.at_level(logging.DEBUG):
        syncro = client(Script(mishap), on_request=notes)
        with pytest.raises(SyncroError) as caught:
            syncro.update_customer(1, {"email": "x"}) if write else syncro.page(Resource.CUSTOMERS, 1)
    assert TOKEN not in everything_said(caught.value)
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(notes.logs)
    for one in (syncro, syncro._asker, syncro._exchange):
        assert TOKEN not in repr(one) + repr(vars(one))


def test_repr_names_the_address_only():
    assert repr(client(Script(ok({})))) == f"<SyncroClient {URL}>"
    assert repr(Bearer(TOKEN)) == "Bearer([hidden])"


@pytest.mark.parametrize("token", ["", "   ", "T1 2", "T1\n2", "Tö", "T1\x00"])
def test_a_token_that_cannot_be_one_is_refused_without_repeating_it(token):
    with pytest.raises(BadToken) as caught:
        SyncroClient(URL, token, pacer=FreePacer())
    assert caught.value.detail == "the token is empty or has characters no token has"


def test_a_token_pasted_with_blanks_around_it_works():
    script = Script(ok({"user_id": 1}))
    SyncroClient(URL, f"  {TOKEN}\n", pacer=LocalPacer(), transport=httpx2.MockTransport(script)).me()
    assert script.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in str(script.requests[0].url)


def test_what_the_operator_reads():
    body = (
        b'{"error":"no","user_token":"3746f72b-9852","params":{"email":"ann@example.com"},'
        b'"url":"http://x/?portal_key=81lcr4&y=1"}'
    )
    answer = httpx2.Response(422, content=body, headers={"X-Request-Id": "abc-1"})
    with pytest.raises(Refused) as caught:
        client(Script(answer)).create_customer({})
    assert caught.value.detail == (
        'POST /customers: 422 request-id=abc-1 {"error":"no","user_token":"[hidden]","params":"[hidden]",'
        '"url":"http://x/?portal_key=[hidden]&y=1"}'
    )


def test_the_detail_stays_short():
    assert len(excerpt(b"x" * 10_000_000, lambda text: text)) == 500
    assert excerpt(b"\xff\xfe", lambda text: text) == "��"


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_token_is_hidden_wherever_it_stands(before, after):
    assert TOKEN not in hide(before + TOKEN + after, TOKEN)


def test_no_cookie_is_kept_and_no_proxy_is_asked(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    script = Script(ok({"user_id": 1}, **{"Set-Cookie": "_session=abc; Path=/"}))
    syncro = client(script)
    syncro.me()
    syncro.me()
    assert [request.headers.get("cookie") for request in script.requests] == [None, None]
    assert syncro._exchange._reading.trust_env is False
    assert syncro._exchange._reading.follow_redirects is False


def test_we_say_who_we_are():
    script = Script(ok({"user_id": 1}))
    client(script).me()
    client(script, user_agent="Propolis at Acme").me()
    assert [request.headers["User-Agent"] for request in script.requests] == [
        "Propolis CRM (self-hosted)",
        "Propolis at Acme",
    ]
