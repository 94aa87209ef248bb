"""An import under way: progress in words, pause, resume, stop; what follows; retry; what pages cost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.import_changes import Narrowing, as_csv, listing
from propolis.bridge.import_history import history
from propolis.bridge.import_pages import choose_of, result_of, step_panel
from propolis.bridge.import_progress import look
from propolis.bridge.models import Connection, Link
from propolis.bridge.retrying import failed_records, start_retry
from propolis.bridge.steps import Step
from propolis.crm.models import Company, Contact
from propolis.runs.engine import stop, work
from propolis.runs.models import Run
from propolis.runs.pace import Mark, about, seconds_in_words
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, finish, import_all, ready
from tests.bridge.test_import_pages import BASE, EMPTY, START, at, customer, the_run, words_of
from tests.people import Crew, client_of

pytestmark = pytest.mark.django_db(transaction=True)
SEED = SeedOptions(companies=12, contacts=40, leads=10, seed=5, contacts_without_customer=0)


@pytest.fixture
def acme(crew: Crew) -> Iterator[Account]:
    with in_account(crew.account):
        yield crew.account


def a_run(acme: Account, **values: Any) -> Run:
    """An import as a worker left it; nobody works on it."""
    given = {"state": Run.State.READING, "phase": "reading", "slot": "data", "kind": "import", "number": 1}
    options = {"objects": ["companies", "contacts"], "first": False}
    return Run.objects.create(account=acme, options=options, **given | values)


def polled(
    visitor: Client, run: Run, mark: Mark | str = "", state: str = "working", on: str = "companies"
) -> Any:
    asked = {"on": on, "state": state, "mark": str(mark)}
    return visitor.get(at(run, "progress/"), asked, headers={"hx-request": "true"})


def announced(response: Any) -> str:
    found: dict[str, dict[str, str]] = json.loads(response.headers.get("HX-Trigger", "{}"))
    return found.get("announce", {}).get("text", "")


class TestProgress:
    def test_rate_and_time_left_only_once_they_were_measured(self, acme: Account) -> None:
        told = {"phase": "reading", "noun": "contacts", "done": 100, "total": 1000}
        run = a_run(acme, progress=told)
        first = look(run, now=1000.0)
        assert (first.phase, first.says, first.percent) == ("Reading contacts", "100 of 1,000 contacts", 10)
        assert (first.rate, first.left) == ("", "")
        run.progress = told | {"done": 160}
        assert look(run, first.mark, now=1004.0).left == ""
        later = look(run, first.mark, now=1006.0)
        assert (later.rate, later.left) == ("10 a second", "About 80 s left")
        run.progress = told | {"done": 106}
        slow = look(run, first.mark, now=1060.0)
        assert (slow.rate, slow.left) == ("6 a minute", "About 2 h 29 min left")

    def test_milestones_are_told_once_each(self, acme: Account) -> None:
        run = a_run(acme, progress={"phase": "reading", "noun": "contacts", "done": 0, "total": 100})
        said, mark = [], None
        for done in (0, 10, 26, 27, 60, 80, 99, 100):
            run.progress = run.progress | {"done": done}
            seen = look(run, mark, now=1000.0 + done)
            said.append(seen.announce)
            mark = seen.mark
        told = "Reading contacts"
        assert said == [told, "", f"{told}: 25 %", "", f"{told}: 50 %", f"{told}: 75 %", "", ""]
        assert seen.percent == 100

    def test_a_mark_from_the_address_is_read_with_care(self) -> None:
        assert Mark.parse("reading.contacts~12.5~40~2") == Mark("reading.contacts", 12.5, 40, 2)
        assert [Mark.parse(text) for text in ("", "a~b~c~d", "x~1~2", "<script>")] == [None] * 4

    def test_waits_are_told_with_the_hour(self, acme: Account, visitor: Client) -> None:
        hour = timezone.now().replace(hour=14, minute=5)
        run = a_run(
            acme, state=Run.State.WAITING, next_at=hour, error_code="syncro.rate_limited", error_detail=""
        )
        page = words_of(visitor.get(at(run)))
        assert "Waiting for Syncro until 14:05." in page
        assert "(it allows 180 a minute). The import goes on by itself." in page

    def test_words_of_every_phase(self, acme: Account) -> None:
        run = a_run(acme)
        said = {}
        for phase in ("backup", "reading", "planning", "planned", "applying", "closing"):
            run.phase, run.progress = phase, {"phase": phase, "noun": "contacts", "done": 1, "total": 2}
            said[phase] = look(run).phase
        assert said == {
            "backup": "Backing up",
            "reading": "Reading contacts",
            "planning": "Planning contacts",
            "planned": "Planning",
            "applying": "Importing contacts",
            "closing": "Checking what is gone",
        }

    def test_durations(self) -> None:
        assert [seconds_in_words(s) for s in (0.2, 43, 61, 200, 1205, 3600, 5400)] == [
            *("1 s", "43 s", "1 min 1 s", "3 min 20 s", "20 min", "1 h", "1 h 30 min"),
        ]
        assert [about(s) for s in (3, 40, 44, 200)] == [
            "A few seconds",
            "About 40 s",
            "About 40 s",
            "About 3 min",
        ]

    def test_what_was_done_counts_from_nothing(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme, "companies", gate_first_import=True)
            Run.objects.filter(pk=run.pk).update(state=Run.State.APPLYING, phase="applying", slot="data")
            run.refresh_from_db()
            before = {each.label: each.value for each in look(run).tallies}
            run.progress = {"phase": "applying", "did": {"create": 5}}
            after = {each.label: each.value for each in look(run).tallies}
        assert before == {"New": "0", "Merged": "0", "Updated": "0", "Requests to Syncro": str(run.requests)}
        assert after == before | {"New": "5"}


class TestPolling:
    def test_the_numbers_come_alone_until_the_page_is_another(self, acme: Account, visitor: Client) -> None:
        run = a_run(acme, progress={"phase": "reading", "noun": "contacts", "done": 30, "total": 100})
        answer = polled(visitor, run)
        html = answer.content.decode()
        assert "<main" not in html
        assert 'hx-trigger="every 2s"' in html
        assert announced(answer) == "Reading contacts: 25 %"
        assert "30 % Reading contacts: 30 of 100 contacts" in re.sub(
            r"\s+", " ", re.sub("<[^>]*>", " ", html)
        )
        stop(run, None)
        ended = polled(visitor, run)
        assert (ended.headers["HX-Retarget"], ended.headers["HX-Reselect"]) == ("#main", "#main")
        assert announced(ended).endswith(": Stopped")
        assert "hx-trigger" not in ended.content.decode().rpartition("<main")[2]

    def test_without_htmx_the_address_leads_to_the_page(self, acme: Account, visitor: Client) -> None:
        run = a_run(acme)
        assert visitor.get(at(run, "progress/")).headers["Location"] == at(run)


class TestSteering:
    def test_pause_resume_and_stop_by_plain_forms(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            visitor.post(START, {"on": "companies", "objects": "companies"})
            run = the_run()
            work(run.pk, seconds=0)
            assert (
                visitor.post(at(run, "pause/"), {"on": "companies"}).headers["Location"]
                == BASE + "companies/"
            )
            page = words_of(visitor.get(BASE + "companies/"))
            assert "Paused. Nothing is lost; press Resume to go on from here." in page
            assert work(run.pk).outcome == "busy"
            visitor.post(at(run, "resume/"), {"on": "companies"})
            assert finish(run).state == Run.State.PLANNED
            visitor.post(START, {"on": "companies", "objects": "companies"})
            run = the_run()
            visitor.post(at(run, "stop/"), {"on": "companies"})
            page = words_of(visitor.get(BASE + "companies/"))
        assert "Stopped It was stopped before anything was written." in page
        assert Company.objects.count() == 0

    def test_what_was_done_before_a_stop_stays_and_is_told(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme, "companies", gate_first_import=True)
            visitor.post(at(run, "confirm/"), {"on": "run"})
            work(run.pk, seconds=0)
            work(run.pk, seconds=0)
            visitor.post(at(run, "stop/"), {"on": "run"})
        page = words_of(visitor.get(at(run)))
        assert "It was stopped; what was done is kept: 12 of 12. Press Import to get the rest." in page
        assert "New 12 Not here before" in page
        assert Company.objects.count() == 12

    def test_htmx_gets_the_whole_page_in_its_new_state(self, acme: Account, visitor: Client) -> None:
        run = a_run(acme)
        answer = visitor.post(at(run, "pause/"), {"on": "run"}, headers={"hx-request": "true"})
        assert answer.status_code == 200
        assert answer.headers["HX-Retarget"] == "#main"
        assert announced(answer).endswith(": Paused")
        assert "Resume" in words_of(answer)

    def test_a_dead_token_says_what_to_do(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            syncro.sandbox.revoke_token(syncro.token)
            run = import_all(acme, "companies")
        assert run.state == Run.State.NEEDS_ATTENTION
        page = words_of(visitor.get(BASE + "companies/"))
        assert "Syncro did not accept the API token." in page
        assert "Go to Connection. Once the token works, the import goes on by itself." in page

    def test_an_import_waits_for_a_restore(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            a_run(acme, kind="restore")
            answer = visitor.post(START, {"on": "companies", "objects": "companies"}, follow=True)
        assert (
            "A backup is being restored. Press Import again when that has ended." in answer.content.decode()
        )
        assert "An import can start when that has ended." in words_of(visitor.get(BASE + "companies/"))
        assert Run.objects.count() == 1


class TestThePill:
    def test_it_is_on_every_page_while_work_goes_on_and_for_admins_only(
        self, acme: Account, crew: Crew, visitor: Client
    ) -> None:
        assert 'id="pill"' not in visitor.get("/acme/companies/").content.decode()
        run = a_run(acme, progress={"phase": "reading", "noun": "companies", "done": 1, "total": 2})
        html = visitor.get("/acme/companies/").content.decode()
        assert 'id="pill"' in html
        assert "Importing companies and contacts" in html
        assert "Reading companies" in visitor.get(BASE + "imports/pill/").content.decode()
        assert 'id="pill"' not in client_of(crew.bob).get("/acme/companies/").content.decode()
        stop(run, None)
        assert visitor.get(BASE + "imports/pill/").content == b""


class TestRetry:
    @pytest.fixture
    def syncro(self, acme: Account) -> Iterator[Running]:
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            yield syncro

    def odd(self, syncro: Running, name: str) -> int:
        found = customer(syncro, business_name=name, city="Tulsa")
        syncro.sandbox.distort("customers", found, {"business_name": {"x": 1}})
        return found

    def mend(self, syncro: Running, remote_id: int, name: str) -> None:
        syncro.sandbox.distort("customers", remote_id, {"business_name": name})

    def test_one_record_is_read_again_alone(self, acme: Account, visitor: Client, syncro: Running) -> None:
        customer(syncro, business_name="Kestrel")
        first, second = self.odd(syncro, "Alder"), self.odd(syncro, "Birch")
        run = import_all(acme, "companies")
        assert counts(run, "companies") == {"new": 1, "failed": 2}
        page = words_of(visitor.get(BASE + "companies/"))
        assert "Complete, 2 need you" in page
        assert "Retry all 2" in page
        self.mend(syncro, first, "Alder")
        syncro.sandbox.forget_requests()
        answer = visitor.post(at(run, "retry/"), {"record": f"customer:{first}"})
        again = finish(the_run())
        assert answer.headers["Location"] == at(again)
        assert [each["path"] for each in syncro.sandbox.requests] == [f"/api/v1/customers/{first}"]
        assert (again.state, counts(again, "companies")) == (Run.State.COMPLETE, {"new": 1})
        assert sorted(Company.objects.values_list("name", flat=True)) == ["Alder", "Kestrel"]
        assert failed_records(run) == [["customer", second]]
        page = words_of(visitor.get(at(run, "?show=failed")))
        assert "Imported since" in page
        assert words_of(visitor.get(at(again))).count("Retry of ") >= 1

    def test_all_of_a_cause_and_what_still_fails_says_so(
        self, acme: Account, visitor: Client, syncro: Running
    ) -> None:
        first, second = self.odd(syncro, "Alder"), self.odd(syncro, "Birch")
        run = import_all(acme, "companies")
        self.mend(syncro, first, "Alder")
        visitor.post(at(run, "retry/"), {"reason": "unreadable"})
        again = finish(the_run())
        assert again.options["only"] == [["customer", first], ["customer", second]]
        assert counts(again, "companies") == {"new": 1, "failed": 1}
        assert Link.objects.get(remote_id=second).state == "failed"

    def test_what_syncro_has_no_more_is_left_out(
        self, acme: Account, visitor: Client, syncro: Running
    ) -> None:
        gone = self.odd(syncro, "Alder")
        run = import_all(acme, "companies")
        syncro.sandbox.delete("customers", gone)
        visitor.post(at(run, "retry/"), {"record": f"customer:{gone}"})
        again = finish(the_run())
        assert counts(again, "companies") == {"left_out": 1}
        page = words_of(visitor.get(at(again, "?show=left_out")))
        assert "It is not in Syncro any more, so there is nothing to import." in page

    def test_a_contact_comes_back_to_its_company(self, acme: Account, syncro: Running) -> None:
        firm = customer(syncro, business_name="Kestrel")
        jo = syncro.sandbox.create("contacts", {"customer_id": firm, "name": "Jo Lindqvist"})
        syncro.sandbox.distort("contacts", jo, {"name": {"x": 1}})
        run = import_all(acme, "companies", "contacts")
        assert counts(run, "contacts") == {"failed": 1}
        syncro.sandbox.distort("contacts", jo, {"name": "Jo Lindqvist"})
        again, _ = start_retry(acme, failed_records(run), by=None)
        finish(again)
        found = Contact.objects.select_related("company").get()
        assert (found.name, found.company.name if found.company else "") == ("Jo Lindqvist", "Kestrel")

    def test_a_linked_record_that_was_unreadable_once_stays_the_same_one(
        self, acme: Account, syncro: Running
    ) -> None:
        firm = customer(syncro, firstname="Jo", lastname="Lindqvist")
        import_all(acme, "companies")
        company = Company.objects.get()
        syncro.sandbox.distort("customers", firm, {"lastname": {"x": 1}})
        syncro.sandbox.edit("customers", firm, {"city": "Tulsa"})
        run = import_all(acme, "companies")
        assert counts(run, "companies") == {"failed": 1}
        syncro.sandbox.distort("customers", firm, {"lastname": "Lindqvist"})
        again, _ = start_retry(acme, failed_records(run), by=None)
        finish(again)
        assert [(row.pk, row.city) for row in Company.objects.all()] == [(company.pk, "Tulsa")]

    def test_nothing_left_to_retry_starts_nothing(
        self, acme: Account, visitor: Client, syncro: Running
    ) -> None:
        customer(syncro, business_name="Kestrel")
        run = import_all(acme, "companies")
        answer = visitor.post(at(run, "retry/"), {"reason": "unreadable"}, follow=True)
        assert "There is nothing left to retry" in answer.content.decode()
        assert Run.objects.count() == 1


# What the parts of a page ask the database; its frame and the panels of others add their own.
Ask = Callable[[Account, Connection, Run], object]
QUERIES: dict[str, tuple[int, Ask]] = {
    "choose": (1, lambda acme, here, run: choose_of(here, Step.COMPANIES)),
    "step": (9, lambda acme, here, run: step_panel(acme, here, Step.COMPANIES, {})),
    "result": (5, lambda acme, here, run: result_of(acme, here, run)),
    "samples": (4, lambda acme, here, run: listing(acme, here, run, {}, "")),
    "new": (5, lambda acme, here, run: listing(acme, here, run, {"show": "new", "of": "companies"}, "")),
    "failed": (6, lambda acme, here, run: listing(acme, here, run, {"show": "failed"}, "")),
    "history": (1, lambda acme, here, run: history(acme, {})),
    "csv": (5, lambda acme, here, run: list(as_csv(acme, here, run, Narrowing()))),
}


@pytest.mark.parametrize("size", [12, 30])
@pytest.mark.parametrize("part", QUERIES)
def test_the_number_of_queries_does_not_grow(acme: Account, part: str, size: int) -> None:
    with a_syncro(EMPTY) as syncro:
        here = ready(acme, syncro)
        for n in range(size):
            odd = customer(syncro, business_name=f"Firm {n}")
            if n % 3 == 0:
                syncro.sandbox.distort("customers", odd, {"business_name": {"x": 1}})
        run = import_all(acme, "companies")
    expected, ask = QUERIES[part]
    with CaptureQueriesContext(database) as asked:
        ask(acme, here, run)
    assert len(asked) == expected, "\n".join(query["sql"] for query in asked)
