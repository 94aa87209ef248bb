"""Reading whole lists: in order, three requests in flight, and nothing skipped whatever Syncro does."""

import threading
import time
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from propolis.syncro import (
    Garbled,
    Interrupted,
    NoAnswer,
    Page,
    Resource,
    ServerTrouble,
    TooLarge,
)
from propolis.syncro.paging import PageReader
from tests.syncro.fakes import FreePacer, Handler, Notes, Script, Shelf, client, ok, page_body

CUSTOMERS = Resource.CUSTOMERS
WAIT = 5.0


def read(shelf: Handler, resource: Resource = CUSTOMERS, **how: Any) -> list[Page]:
    return list(client(shelf).pages(resource, **how))


def ids_of(pages: list[Page]) -> list[int]:
    return [one for page in pages for one in page.ids]


def numbers(pages: list[Page]) -> list[tuple[int, int, bool]]:
    return [(page.number, page.per_page, page.last) for page in pages]


def test_a_list_of_three_pages():
    shelf = Shelf(list(range(1, 251)))
    pages = read(shelf, params={"include_disabled": "true"})
    assert numbers(pages) == [(1, 100, False), (2, 100, False), (3, 100, True)]
    assert ids_of(pages) == shelf.ids
    assert [(page.count, page.offset, page.total_pages, page.total_entries) for page in pages] == [
        (100, 0, 3, 250),
        (100, 100, 3, 250),
        (50, 200, 3, 250),
    ]
    assert sorted(shelf.asked) == [(1, 100), (2, 100), (3, 100)]


@pytest.mark.parametrize("total_pages", [0, 1])
def test_an_empty_list_is_one_empty_last_page(total_pages):
    meta = {"total_pages": total_pages, "total_entries": 0, "per_page": 100, "page": 1}
    script = Script(ok({"customers": [], "meta": meta}))
    [page] = client(script).pages(CUSTOMERS)
    assert (page.ids, page.last, page.total_entries, len(script.requests)) == ((), True, 0, 1)


def test_without_any_numbers_reading_goes_on_to_the_first_empty_page():
    def handler(request):
        number = int(request.url.params["page"])
        return ok({"leads": [{"id": number}] if number <= 4 else []})

    pages = read(handler, Resource.LEADS)
    assert [(page.ids, page.last) for page in pages] == [
        ((1,), False),
        ((2,), False),
        ((3,), False),
        ((4,), False),
        ((), True),
    ]


def test_parameters_travel_with_every_page_and_lists_as_rails_reads_them():
    script = Script(ok({"leads": [], "meta": {}}))
    list(client(script).pages(Resource.LEADS, {"status_list": "Won,Lost", "users": ["1", "2"]}, per_page=20))
    assert script.lines == [
        "GET /api/v1/leads?status_list=Won%2CLost&users%5B%5D=1&users%5B%5D=2&page=1&per_page=20"
    ]


def test_three_requests_are_in_flight_and_pages_come_in_order():
    """Page 2 is answered only after pages 3 and 4 were asked for; page 5 only starts once one was taken."""
    asked = [threading.Event() for _ in range(9)]

    def hold(number):
        asked[number].set()
        if number == 2:
            assert asked[3].wait(WAIT)
            assert asked[4].wait(WAIT)

    shelf = Shelf(list(range(1, 801)), before=hold)
    pages = client(shelf).pages(CUSTOMERS)
    assert [next(pages).number, next(pages).number] == [1, 2]
    # Two were taken and the reader waits: what is in flight stays three.
    assert asked[4].wait(WAIT)
    assert not asked[6].wait(0.05)
    assert [page.number for page in pages] == [3, 4, 5, 6, 7, 8]


def test_never_more_than_asked_for_in_flight():
    present, most, change = [0], [0], threading.Condition()

    def busy(number):
        with change:
            present[0] += 1
            most[0] = max(most[0], present[0])
            change.notify_all()
            if number > 1:
                change.wait_for(lambda: most[0] >= in_flight, WAIT)
        time.sleep(0.005)
        with change:
            present[0] -= 1

    for in_flight in (1, 3):
        most[0] = 0
        read(Shelf(list(range(1, 2001)), before=busy), in_flight=in_flight)
        assert most[0] == in_flight


def test_a_reader_who_stops_reading_asks_for_no_more():
    shelf = Shelf(list(range(1, 5001)))
    pages = client(shelf).pages(CUSTOMERS)
    next(pages)
    pages.close()
    time.sleep(0.05)
    before = len(shelf.asked)
    time.sleep(0.05)
    assert len(shelf.asked) == before <= 4


@pytest.mark.parametrize("kept", [1, 4, 7])
def test_reading_resumes_after_any_page_even_at_a_smaller_size(kept):
    shelf = Shelf(list(range(1, 1001)), chokes_above=60)
    first = []
    for page in client(shelf).pages(CUSTOMERS):
        first.append(page)
        if len(first) == kept:
            break
    after = first[-1]
    assert after.per_page == 50
    rest = read(shelf, start=after.number + 1, per_page=after.per_page)
    assert ids_of([*first, *rest]) == shelf.ids


def test_a_504_halves_the_page_and_skips_nothing():
    shelf = Shelf(list(range(1, 331)), chokes_above=30)
    pages = read(shelf)
    assert ids_of(pages) == shelf.ids
    assert {page.per_page for page in pages} == {25}
    # One request each for 100 and 50, then 25 a page.
    assert sorted(shelf.asked)[:3] == [(1, 25), (1, 50), (1, 100)]
    assert len(shelf.asked) == 2 + 14


def test_a_504_in_the_middle_goes_on_behind_the_rows_already_read():
    shelf = Shelf(list(range(1, 951)))

    def sulk(number):
        if number == 4:
            shelf.chokes_above = 60

    shelf.before = sulk
    pages = read(shelf)
    assert ids_of(pages) == shelf.ids
    assert [page.per_page for page in pages] == [100] * 3 + [50] * 13
    assert pages[3].number == 7


@settings(deadline=None, max_examples=60)
@given(
    total=st.integers(0, 700),
    size=st.integers(1, 100),
    chokes=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 99)), max_size=3),
    in_flight=st.integers(1, 4),
    heeds=st.booleans(),
)
def test_whenever_it_chokes_no_customer_is_left_out(total, size, chokes, in_flight, heeds):
    shelf = Shelf(list(range(1, total + 1)), heeds_size=heeds)

    def sulk(_number):
        for at, above in chokes:
            # A server that does not heed the size cannot be helped by a smaller one.
            if heeds and len(shelf.asked) >= at:
                shelf.chokes_above = min(above, shelf.chokes_above or 100)

    shelf.before = sulk
    pages = read(shelf, per_page=size, in_flight=in_flight)
    assert sorted(set(ids_of(pages))) == shelf.ids
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]


def test_a_size_that_is_not_heeded_is_noticed_before_rows_are_skipped():
    """After a halving, page 3 was worked out for 50 rows a page; Syncro goes on with 100."""
    shelf = Shelf(list(range(1, 401)), heeds_size=False)
    choked: list[int] = []

    def sulk(number):
        shelf.chokes_above = 60 if number == 2 and not choked else None
        if number == 2:
            choked.append(number)

    shelf.before = sulk
    pages = read(shelf, in_flight=1)
    assert ids_of(pages) == shelf.ids


def test_sizes_that_never_settle_are_given_up():
    def fetch(number, size, stop):
        return Page(CUSTOMERS, number, 100 + number * 50, 99, 9999, (1,), 1, b"", None, False)

    reader = PageReader(fetch, CUSTOMERS, start=3, per_page=10, in_flight=1, should_stop=None)
    with pytest.raises(Garbled):
        list(reader.pages())


def test_a_timeout_or_an_answer_too_large_also_asks_for_less():
    shelf = Shelf(list(range(1, 101)))

    def handler(request):
        size = int(request.url.params.get("per_page", "100"))
        if size > 50:
            raise httpx2.ReadTimeout("slow", request=request)
        answer = shelf(request)
        if size > 25:
            return httpx2.Response(200, content=answer.content + b" " * 5000)
        return answer

    pages = list(client(handler, max_bytes=4000).pages(CUSTOMERS))
    assert ids_of(pages) == shelf.ids
    assert {page.per_page for page in pages} == {25}


def test_an_answer_too_large_where_less_cannot_be_asked_for_stops():
    script = Script(httpx2.Response(200, content=b"x" * 2_000_001))
    with pytest.raises(TooLarge) as caught:
        list(client(script, max_bytes=2**20).pages(Resource.LEADS))
    assert caught.value.sentence == (
        "An answer from Syncro was larger than 1 MB and was not read. Tell the operator of Propolis: "
        "PROPOLIS_ANSWER_MOST_MB raises the limit."
    )


def test_customers_that_choke_even_one_at_a_time_are_given_up_after_retries():
    notes = Notes()
    with pytest.raises(ServerTrouble) as caught:
        list(client(Shelf([1, 2], chokes_above=0), on_request=notes).pages(CUSTOMERS))
    assert caught.value.status == 504
    # 100, 50, 25, 12, 6, 3 once each, then 1 with its retries.
    assert [log.retry for log in notes.logs] == [0] * 6 + [0, 1, 2, 3]


@pytest.mark.parametrize("resource", [Resource.CONTACTS, Resource.LEADS])
def test_lists_that_know_no_size_are_asked_again_instead(resource):
    answer = httpx2.Response(504, html="<h1>504 Gateway Time-out</h1>")
    script = Script(answer, answer, ok({resource.value: [{"id": 1}], "meta": {"total_pages": 1}}))
    [page] = client(script).pages(resource)
    assert (page.ids, len(script.requests)) == ((1,), 3)
    assert {request.url.params.get("per_page") for request in script.requests} == {None}


def test_pages_before_a_failing_one_are_still_handed_over():
    def handler(request):
        number = int(request.url.params["page"])
        if number == 3:
            return httpx2.Response(500)
        return httpx2.Response(
            200, content=page_body("leads", [{"id": number}], number=number, size=1, total=5)
        )

    pages = client(handler).pages(Resource.LEADS)
    assert [next(pages).number, next(pages).number] == [1, 2]
    with pytest.raises(ServerTrouble):
        next(pages)


def test_a_list_that_grows_while_it_is_read_is_read_to_its_new_end():
    shelf = Shelf(list(range(1, 201)))

    def grow(number):
        if number == 2 and len(shelf.ids) == 200:
            shelf.ids.extend(range(201, 451))

    shelf.before = grow
    pages = read(shelf, in_flight=1)
    assert ids_of(pages) == list(range(1, 451))
    assert [page.last for page in pages] == [False, False, False, False, True]


def test_a_list_that_shrinks_while_it_is_read_ends_early_and_says_so():
    shelf = Shelf(list(range(1, 501)))

    def shrink(number):
        if number == 3:
            del shelf.ids[150:]

    shelf.before = shrink
    pages = read(shelf, in_flight=1)
    assert [(page.number, page.count, page.total_entries, page.last) for page in pages] == [
        (1, 100, 500, False),
        (2, 100, 500, False),
        (3, 0, 150, True),
    ]


def test_asked_to_stop_while_an_answer_is_awaited():
    release, stop, left, released = threading.Event(), threading.Event(), threading.Event(), []

    def hold(_number):
        stop.set()
        released.append(release.wait(WAIT))
        left.set()

    syncro = client(Shelf([1], before=hold), should_stop=stop.is_set)
    with pytest.raises(Interrupted):
        list(syncro.pages(CUSTOMERS))
    release.set()
    assert left.wait(WAIT)
    assert released == [True], "it stopped only when the answer was there"


def test_the_servers_clock_comes_with_the_page():
    script = Script(ok({"leads": [], "meta": {}}, Date="Sun, 22 Nov 2026 14:22:03 GMT"))
    page = client(script).page(Resource.LEADS, 1)
    assert page.server_time == datetime(2026, 11, 22, 14, 22, 3, tzinfo=UTC)
    odd = Script(ok({"leads": [], "meta": {}}, Date="soon"))
    assert client(odd).page(Resource.LEADS, 1).server_time is None


def test_a_page_does_not_show_peoples_data():
    script = Script(ok({"leads": [{"id": 1, "email": "ann@example.com"}], "meta": {"total_pages": 1}}))
    assert repr(client(script).page(Resource.LEADS, 1)) == "<Page leads 1 of 1: 1 records>"


@pytest.mark.parametrize("how", [{"start": 0}, {"per_page": 0}, {"in_flight": 0}])
def test_counting_from_nought_is_a_mistake_of_ours(how):
    with pytest.raises(ValueError, match="count from 1"):
        client(Script(ok({}))).pages(CUSTOMERS, **how)


def test_a_failure_of_ours_in_a_thread_reaches_the_reader():
    class BrokenPacer(FreePacer):
        def acquire(self, *, priority: bool = False) -> float:
            raise RuntimeError("database gone")

    syncro = client(Script(ok({})), pacer=BrokenPacer())
    with pytest.raises(RuntimeError, match="database gone"):
        next(syncro.pages(CUSTOMERS))


def test_no_answer_at_all():
    script = Script(httpx2.ConnectError("refused"))
    with pytest.raises(NoAnswer):
        next(client(script).pages(CUSTOMERS))
    assert len(script.requests) == 4
