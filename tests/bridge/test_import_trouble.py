"""What can be wrong with Syncro or with a record: each ends in its own sentence, and the rest is imported."""

from __future__ import annotations

from typing import Any

import pytest

from propolis.accounts.models import Account
from propolis.bridge.connecting import replace_token
from propolis.bridge.models import Connection, Link
from propolis.bridge.sentences import RECORDS, RUNS, run_sentence
from propolis.crm.models import Company, Contact
from propolis.history.models import Change
from propolis.runs.engine import confirm, resume
from propolis.runs.models import Run
from syncro_sandbox import Running, SeedOptions
from syncro_sandbox.tokens import LEADS, READING
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, finish, import_all, ready

pytestmark = pytest.mark.django_db(transaction=True)
SEED = SeedOptions(companies=12, contacts=60, leads=10, seed=5, contacts_without_customer=0)
EMPTY = SeedOptions(companies=0, contacts=0, leads=0)


@pytest.fixture(autouse=True)
def impatient(settings: Any) -> None:
    """A waiting run is due again at once; nothing here is about patience."""
    settings.PROPOLIS_RETRY_SECONDS = [0.0]


def go_on(run: Run) -> Run:
    assert resume(run, None)
    return finish(run)


class TestSyncroItself:
    def test_a_token_that_dies_stops_the_import_and_says_so(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            connection = ready(acme, syncro)
            syncro.sandbox.revoke_token(syncro.token)
            run = import_all(acme)
            assert (run.state, run.slot) == (Run.State.NEEDS_ATTENTION, "data")
            assert run_sentence(run) == (
                "Syncro did not accept the API token. It may have expired or been removed: make a new one in "
                "Syncro (Admin > API Tokens) and save it under Connection."
            )
            assert Connection.objects.get().state == Connection.State.BROKEN
            replace_token(connection, token=syncro.sandbox.add_token(), by=None)
            run = go_on(run)
        assert (run.state, Company.objects.count()) == (Run.State.COMPLETE, 12)

    def test_a_token_without_leads_is_named(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            connection = ready(acme, syncro)
            few = syncro.sandbox.add_token(permissions=set(READING) - {LEADS})
            Connection.objects.update(state="connected")
            from propolis.bridge import vault

            vault.seal(connection, few)
            connection.save()
            run = import_all(acme)
        assert run.state == Run.State.NEEDS_ATTENTION
        assert run.error_code == "syncro.missing_permission"
        assert run_sentence(run).startswith(f'The API token lacks the permission "{LEADS}".')

    @pytest.mark.parametrize(
        ("kind", "code"),
        [("error", "syncro.server_trouble"), ("html", "syncro.web_page"), ("null", "syncro.empty_answer")],
    )
    def test_trouble_that_passes_is_waited_for(self, acme: Account, kind: Any, code: str) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            syncro.sandbox.fault(kind, path="/leads", times=None)
            run = import_all(acme)
            assert (run.state, run.error_code) == (Run.State.WAITING, code)
            assert run_sentence(run) != ""
            assert Company.objects.count() == 0
            syncro.sandbox.clear_faults()
            run = finish(run)
        assert (run.state, Company.objects.count()) == (Run.State.COMPLETE, 12)
        assert counts(run, "companies") == {"new": 12}

    def test_a_page_that_never_comes_is_never_skipped(self, acme: Account) -> None:
        seed = SeedOptions(companies=130, contacts=0, leads=0, seed=5)
        with a_syncro(seed) as syncro:
            ready(acme, syncro)
            syncro.sandbox.fault("error", path="/customers", query={"page": "2"}, times=None, status=502)
            for _ in range(2):
                run = import_all(acme, "companies")
                assert (run.state, run.error_code) == (Run.State.WAITING, "syncro.server_trouble")
            assert Company.objects.count() == 0

    def test_records_that_stay_out_of_reach_make_it_incomplete(self, acme: Account) -> None:
        """Syncro says it has more than it ever lists."""
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            whole = syncro.sandbox.dump()["customers"]
            body = {
                "customers": [],
                "meta": {"total_pages": 1, "total_entries": len(whole), "per_page": 100, "page": 1},
            }
            syncro.sandbox.fault("reply", path="/customers", times=None, status=200, body=body)
            run = import_all(acme, "companies")
        assert (run.state, run.error_code) == (Run.State.INCOMPLETE, "propolis.unread")
        assert run_sentence(run) == RUNS["propolis.unread"]
        assert Connection.objects.get().companies_read_at is None

    def test_suddenly_empty_waits_for_a_person(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            import_all(acme)
            syncro.sandbox.reset(EMPTY)
            token = syncro.sandbox.token
            replace_token(Connection.objects.get(), token=token, by=None)
            only = import_all(acme, "companies")
            assert (only.state, only.gate_reason) == (Run.State.PLANNED, "suddenly_empty")
            run = import_all(acme)
            assert (run.state, run.gate_reason) == (Run.State.PLANNED, "suddenly_empty")
            assert run.counts["refusal"]["sentence"].startswith("Syncro says it has no companies now")
            assert set(Link.objects.filter(kind="customer").values_list("state", flat=True)) == {"linked"}
            assert confirm(run, None)
            run = finish(run)
        assert run.state == Run.State.COMPLETE
        assert set(Link.objects.filter(kind="customer").values_list("state", flat=True)) == {"gone"}
        assert Company.objects.filter(deleted_at=None).count() == 12


class TestSingleRecords:
    def test_a_customer_without_anything_gets_a_name(self, acme: Account) -> None:
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            customer = syncro.sandbox.create("customers", {})
            syncro.sandbox.distort("customers", customer, dict.fromkeys(nothing_but_id(syncro, customer)))
            run = import_all(acme, "companies")
        assert counts(run, "companies") == {"new": 1}
        assert Company.objects.get().name == f"Syncro customer #{customer}"
        assert run.state == Run.State.COMPLETE

    def test_a_contact_of_an_unknown_customer_comes_without_a_company(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            lost = syncro.sandbox.dump()["contacts"][0]["id"]
            syncro.sandbox.distort("contacts", lost, {"customer_id": 999_999_999})
            run = import_all(acme)
        assert run.state == Run.State.COMPLETE
        link = Link.objects.get(kind="contact", remote_id=lost)
        assert link.contact is not None
        assert (link.contact.company, link.reason) == (None, "no_such_customer")
        assert RECORDS[link.reason] == "Its customer was not found in Syncro, so it came without a company."

    def test_one_unreadable_record_is_failed_and_the_rest_comes(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            odd = syncro.sandbox.dump()["customers"][3]["id"]
            syncro.sandbox.distort("customers", odd, {"business_name": {"not": "text"}})
            run = import_all(acme, "companies")
            again = import_all(acme, "companies")
        assert counts(run, "companies") == {"new": 11, "failed": 1} and run.state == Run.State.COMPLETE
        failed = Change.objects.get(run=run, action="fail")
        assert (failed.remote_id, failed.reason) == (odd, "unreadable")
        assert '"not"' in (failed.raw or "")
        assert Change.objects.filter(run=again).count() == 0

    def test_long_and_strange_texts_arrive_whole(self, acme: Account) -> None:
        name = "Ünïcødé مرحبا 🐝 " + "x" * 230
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            customer = syncro.sandbox.create("customers", {"business_name": name})
            syncro.sandbox.create("contacts", {"customer_id": customer, "name": name, "phone": "call me"})
            run = import_all(acme)
        assert run.state == Run.State.COMPLETE
        assert (Company.objects.get().name, Contact.objects.get().name) == (name, name)
        assert Contact.objects.get().phone == "call me"


def nothing_but_id(syncro: Running, customer: int) -> list[str]:
    return [key for key in syncro.sandbox.record("customers", customer) if key not in ("id", "contacts")]
