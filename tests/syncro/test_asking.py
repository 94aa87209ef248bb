"""What is asked again, when, and what never is."""

import socket
from collections.abc import Callable

import httpx2
import pytest

from propolis.syncro import (
    Interrupted,
    LocalPacer,
    NoAnswer,
    OutcomeUnknown,
    RateLimited,
    RequestLog,
    Resource,
    ServerTrouble,
    SyncroClient,
    SyncroError,
    WrongAddress,
)
from tests.syncro.fakes import FakeClock, FreePacer, Notes, Script, client, ok

FINE = ok({"user": {"id": 1}})
TROUBLE = httpx2.Response(500)
FULL = httpx2.Response(429, text="Retry later\n")


@pytest.mark.parametrize(
    "mishap",
    [
        TROUBLE,
        httpx2.Response(503, html="<html>"),
        httpx2.Response(200, html="<html>maintenance"),
        httpx2.Response(200, content=b'{"user":{"id'),
        httpx2.Response(200, content=b"null"),
        httpx2.ConnectError("refused"),
        httpx2.ConnectTimeout("no route"),
        httpx2.ReadTimeout("slow"),
        httpx2.ReadError("reset"),
        httpx2.RemoteProtocolError("cut"),
        FULL,
    ],
    ids=str,
)
def test_reading_survives_three_mishaps_and_not_four(mishap):
    script = Script(mishap, mishap, mishap, FINE)
    assert client(script).user(1).id == 1
    script = Script(mishap, mishap, mishap, mishap, FINE)
    with pytest.raises(SyncroError):
        client(script).user(1)
    assert len(script.requests) == 4


def test_the_pauses_grow_and_are_never_the_same_for_two():
    clock = FakeClock()
    with pytest.raises(ServerTrouble):
        client(Script(TROUBLE), clock=clock).user(1)
    # Slept in slices; between half and the whole of 1 + 2 + 4 seconds.
    assert 3.5 <= clock.now - 1000 <= 7.0


def test_what_cannot_get_better_is_not_asked_again():
    for answer in (httpx2.Response(401), httpx2.Response(403), httpx2.Response(404), httpx2.Response(422)):
        script = Script(answer)
        with pytest.raises(SyncroError):
            client(script).user(1)
        assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "17"}, 17.0),
        ({"Retry-After": " 0 "}, 0.0),
        (
            {"Retry-After": "Sun, 22 Nov 2026 14:01:00 GMT", "Date": "Sun, 22 Nov 2026 14:00:15 GMT"},
            45.0,
        ),
        ({"Retry-After": "Sun, 22 Nov 2026 14:00:00 GMT", "Date": "Sun, 22 Nov 2026 14:00:15 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
    ],
)
def test_the_pacer_hears_how_long_syncro_wants_quiet(headers, seconds):
    pacer = FreePacer()
    client(Script(httpx2.Response(429, headers=headers), FINE), pacer=pacer).user(1)
    assert pacer.told == [("refused", seconds), "succeeded"]


def test_nobody_sleeps_through_an_hour():
    script = Script(httpx2.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimited) as caught:
        client(script).user(1)
    assert (caught.value.retry_after, len(script.requests)) == (3600.0, 1)


def test_a_429_waits_as_the_pacer_says():
    clock = FakeClock()
    notes = Notes()
    pacer = LocalPacer(clock=clock)
    client(
        Script(httpx2.Response(429, headers={"Retry-After": "20"}), FINE),
        clock=clock,
        pacer=pacer,
        on_request=notes,
    ).user(1)
    waited = notes.logs[-1].waited
    assert waited == pytest.approx(20.0)
    assert notes.logs == [
        RequestLog("GET", "/users/1", 429, 0.0, 0.0, 0),
        RequestLog("GET", "/users/1", 200, 0.0, waited, 1),
    ]


def test_a_log_without_an_answer_has_no_status():
    notes = Notes()
    script = Script(httpx2.ReadTimeout("slow"), FINE)
    client(script, on_request=notes).user(1)
    assert [(log.status, log.retry) for log in notes.logs] == [(None, 0), (200, 1)]


@pytest.mark.parametrize(
    "mishap",
    [
        TROUBLE,
        httpx2.Response(504),
        httpx2.Response(200, html="<html>"),
        httpx2.ReadTimeout("slow"),
        httpx2.WriteTimeout("slow"),
        httpx2.ReadError("reset"),
        httpx2.WriteError("reset"),
        httpx2.RemoteProtocolError("cut"),
        httpx2.DecodingError("bad gzip"),
    ],
    ids=str,
)
def test_a_write_whose_bytes_may_have_left_is_never_sent_again(mishap):
    writes: list[Callable[[SyncroClient], object]] = [
        lambda syncro: syncro.create_customer({"firstname": "Ann"}),
        lambda syncro: syncro.update_contact(1, {"name": "Ann"}),
        lambda syncro: syncro.create_lead({"first_name": "Ann"}),
        lambda syncro: syncro.delete_customer(1),
    ]
    for write in writes:
        script = Script(mishap, ok({"customer": {"id": 1}}))
        with pytest.raises(OutcomeUnknown):
            write(client(script))
        assert len(script.requests) == 1


@pytest.mark.parametrize(
    "mishap", [httpx2.ConnectError("refused"), httpx2.ConnectTimeout("no"), httpx2.PoolTimeout("")]
)
def test_a_write_that_never_left_is_known_not_to_have_arrived(mishap):
    script = Script(mishap)
    with pytest.raises(NoAnswer):
        client(script).create_customer({})
    assert len(script.requests) == 1


def test_a_write_refused_for_the_rate_goes_again():
    script = Script(FULL, FULL, ok({"customer": {"id": 9, "firstname": "Ann"}}))
    assert client(script).create_customer({"firstname": "Ann"}).id == 9
    assert len(script.requests) == 3


def test_people_who_wait_go_first():
    pacer = FreePacer()
    syncro = client(Script(ok({"customer": {"id": 1}})), pacer=pacer)
    syncro.get_customer(1)
    syncro.update_customer(1, {})
    client(Script(FINE), pacer=pacer, priority=True).user(1)
    assert pacer.priorities == [False, True, True]


def test_asked_to_stop_before_a_request_and_between_two():
    script = Script(FINE)
    with pytest.raises(Interrupted):
        client(script, should_stop=lambda: True).user(1)
    assert script.requests == []
    clock, trouble = FakeClock(), Script(TROUBLE)
    with pytest.raises(Interrupted):
        client(trouble, clock=clock, should_stop=lambda: clock.now > 1000).user(1)
    assert len(trouble.requests) == 1


def test_nobody_there_is_not_asked_again():
    def handler(request):
        try:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error

    notes = Notes()
    with pytest.raises(WrongAddress):
        client(handler, on_request=notes).page(Resource.LEADS, 1)
    assert len(notes.logs) == 1


def test_a_resolver_in_trouble_is_asked_again():
    def handler(request):
        try:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error

    notes = Notes()
    with pytest.raises(NoAnswer):
        client(handler, on_request=notes).page(Resource.LEADS, 1)
    assert len(notes.logs) == 4
