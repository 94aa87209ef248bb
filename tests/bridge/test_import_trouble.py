"""What can be wrong with Syncro or with a record: each ends in its own sentence, and the rest is imported."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.bridge.connecting import check_saved, connect, replace_token
from propolis.bridge.import_words import unproven
from propolis.bridge.models import Connection, Link
from propolis.bridge.sentences import RECORDS, run_sentence, sentence
from propolis.crm.models import Company, Contact
from propolis.history.models import Change
from propolis.runs.engine import confirm
from propolis.runs.models import Run
from syncro_sandbox import Running, SeedOptions
from syncro_sandbox.tokens import LEADS, READING
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, documented, finish, import_all, ready

pytestmark = pytest.mark.django_db(transaction=True)
SEED = SeedOptions(companies=12, contacts=60, leads=10, seed=5, contacts_without_customer=0)
EMPTY = SeedOptions(companies=0, contacts=0, leads=0)
# How an answer goes wrong, and what a person then reads.
PASSING: list[tuple[str, dict[str, Any], str]] = [
    ("error", {}, "syncro.server_trouble"),
    ("error", {"status": 502}, "syncro.server_trouble"),
    ("error", {"status": 503}, "syncro.server_trouble"),
    ("error", {"status": 504}, "syncro.server_trouble"),
    ("html", {}, "syncro.web_page"),
    ("null", {}, "syncro.empty_answer"),
    ("truncated", {}, "syncro.cut_off"),
    ("reply", {"body": {"leads": "none"}}, "syncro.garbled"),
    ("reply", {"body": "Disabled", "content_type": "text/plain"}, "syncro.garbled"),
    ("reset", {}, "syncro.no_answer"),
    ("cut", {}, "syncro.no_answer"),
    ("never", {}, "syncro.no_answer"),
    ("too_many", {"seconds": 0}, "syncro.rate_limited"),
]
OTHER = SeedOptions(companies=2, subdomain="other-msp")


@pytest.fixture(autouse=True)
def impatient(settings: Any) -> None:
    """A waiting run is due again at once; nothing here is about patience."""
    settings.PROPOLIS_RETRY_SECONDS = [0.0]


class TestSyncroItself:
    def test_a_token_that_dies_stops_the_import_and_says_so(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            connection = ready(acme, syncro)
            syncro.sandbox.revoke_token(syncro.token)
            run = import_all(acme)
            assert (run.state, run.slot) == (Run.State.NEEDS_ATTENTION, "data")
            assert run_sentence(run) == documented("syncro.bad_token")
            assert Connection.objects.get().state == Connection.State.BROKEN
            replace_token(connection, token=syncro.sandbox.add_token(), by=None)
            run = finish(run)
        assert (run.state, Company.objects.count()) == (Run.State.COMPLETE, 12)

    def test_a_permission_added_in_syncro_goes_on_when_it_is_checked_again(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            connection = ready(acme, syncro)
            Connection.objects.update(token_cipher=None)
            run = import_all(acme)
            assert run.state == Run.State.NEEDS_ATTENTION
            connection.save(update_fields=["token_cipher"])
            assert check_saved(connection).reading_ok
            run = finish(run)
        assert (run.state, Company.objects.count()) == (Run.State.COMPLETE, 12)

    def test_half_of_another_syncro_account_is_not_gone_on_with(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro, a_syncro(OTHER) as other:
            connection = ready(acme, syncro)
            Link.objects.create(account=acme, connection=connection, kind="customer", remote_id=1)
            syncro.sandbox.revoke_token(syncro.token)
            run = import_all(acme)
            url, token = other.base_url, other.token
            connect(acme, address_or_base_url=url, token=token, by=None, allow_any_url=True, drop_links=True)
            run.refresh_from_db()
        assert (run.state, run.slot) == (Run.State.STOPPED, None)

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
        assert run_sentence(run) == documented("syncro.missing_permission", named=f'the permission "{LEADS}"')

    @pytest.mark.parametrize(("kind", "how", "code"), PASSING, ids=[f"{one[0]}-{one[2]}" for one in PASSING])
    def test_trouble_that_passes_is_waited_for(
        self, acme: Account, monkeypatch: pytest.MonkeyPatch, kind: Any, how: dict[str, Any], code: str
    ) -> None:
        monkeypatch.setattr("propolis.bridge.connecting.IMPORT_TIMEOUT", 0.5)
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            syncro.sandbox.fault(kind, path="/leads", times=None, **how)
            run = import_all(acme)
            assert (run.state, run.error_code) == (Run.State.WAITING, code)
            assert run_sentence(run) == documented(code, number=str(how.get("status", 500)))
            assert Company.objects.count() == 0
            syncro.sandbox.clear_faults()
            run = finish(run)
        assert (run.state, Company.objects.count()) == (Run.State.COMPLETE, 12)
        assert counts(run, "companies") == {"new": 12}

    def test_two_minutes_of_errors_are_waited_out(self, acme: Account, settings: Any) -> None:
        settings.PROPOLIS_RETRY_SECONDS = [30.0, 120.0, 600.0, 3600.0]
        now = time.time()
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            syncro.sandbox.clock = lambda: now
            syncro.sandbox.fault("error", for_seconds=120)
            run, waits = import_all(acme), []
            while run.state == Run.State.WAITING:
                assert run_sentence(run) == documented("syncro.server_trouble", number="500")
                assert run.next_at is not None and Company.objects.count() == 0
                waits.append((run.next_at - timezone.now()).total_seconds())
                now += waits[-1]
                Run.objects.filter(pk=run.pk).update(next_at=timezone.now())
                run = finish(run)
        assert (run.state, counts(run, "companies")) == (Run.State.COMPLETE, {"new": 12})
        assert [wanted * 0.79 < wait < wanted * 1.21 for wait, wanted in zip(waits, (30, 120), strict=True)]

    def test_leads_switched_off_stops_and_names_them(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            gone = {"status": 404, "body": {"message": "Not found"}}
            syncro.sandbox.fault("reply", path="/leads", times=None, **gone)
            run = import_all(acme)
        assert (run.state, run.error_code) == (Run.State.NEEDS_ATTENTION, "syncro.leads_off")
        assert run_sentence(run) == documented("syncro.leads_off")

    def test_the_limit_of_an_answer_can_be_raised_as_its_sentence_says(
        self, acme: Account, settings: Any
    ) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            settings.PROPOLIS_ANSWER_MOST_MB = 1
            syncro.sandbox.fault("reply", path="/leads", body={"leads": [], "more": "x" * 2**21})
            run = import_all(acme)
            assert run.state == Run.State.NEEDS_ATTENTION
            assert run_sentence(run) == documented("syncro.too_large", limit="1 MB")

    def test_a_record_without_a_readable_id_counts_once_however_often_it_is_read(self, acme: Account) -> None:
        """Customers are read once more at the end: a copy of it must stand for no record that was missed."""
        with a_syncro(SeedOptions(companies=4, contacts=3, leads=5, seed=5)) as syncro:
            ready(acme, syncro)
            odd = [syncro.sandbox.create("customers", {"business_name": f"Odd {n}"}) for n in range(2)]
            lead = syncro.sandbox.create("leads", {"ticket_subject": "Odd", "mailbox_id": None})
            for number in odd:
                syncro.sandbox.distort("customers", number, {"id": "?"})
            syncro.sandbox.distort("leads", lead, {"id": "?"})
            for _ in range(2):
                run = import_all(acme)
                assert run.state == Run.State.COMPLETE
                for noun, failed, read in (("companies", 2, 6), ("opportunities", 1, 6)):
                    numbers = run.counts[noun]
                    assert (numbers["counts"]["failed"], numbers["read"]) == (failed, read)
                    assert (sum(numbers["counts"].values()), numbers["stated"]) == (
                        read + numbers["persons"], read,
                    )  # fmt: skip

    @pytest.mark.parametrize("entries", [0, 3])
    def test_totals_that_a_page_itself_contradicts_end_no_reading(self, acme: Account, entries: int) -> None:
        with a_syncro(SeedOptions(companies=2, contacts=2, leads=70, seed=5)) as syncro:
            ready(acme, syncro)
            first = [syncro.sandbox.record("leads", row.id) for row in list(syncro.sandbox.leads)[:25]]
            meta = {"total_pages": 1, "total_entries": entries, "page": 1, "per_page": 25}
            body = {"leads": first, "meta": meta}
            syncro.sandbox.fault("reply", path="/leads", query={"page": "1"}, body=body)
            run = import_all(acme)
        assert (run.state, run.counts["opportunities"]["read"]) == (Run.State.COMPLETE, 70)
        assert sum(counts(run, "opportunities").values()) == 70

    def test_a_page_that_never_comes_is_never_skipped(self, acme: Account) -> None:
        seed = SeedOptions(companies=130, contacts=0, leads=0, seed=5)
        with a_syncro(seed) as syncro:
            ready(acme, syncro)
            syncro.sandbox.fault("error", path="/customers", query={"page": "2"}, times=None, status=502)
            for _ in range(2):
                run = import_all(acme, "companies")
                assert (run.state, run.error_code) == (Run.State.WAITING, "syncro.server_trouble")
                assert run_sentence(run) == documented("syncro.server_trouble", number="502")
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
        assert run_sentence(run) == documented("propolis.unread")
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
            assert sentence(run.gate_reason) == documented("suddenly_empty")
            assert run.counts["refusal"]["sentence"] == (
                "Syncro says it has no companies now, but 12 of yours are linked to it. Nothing was changed. "
                "Look into Syncro first; if it really is empty, confirm the numbers."
            )
            assert set(Link.objects.filter(kind="customer").values_list("state", flat=True)) == {"linked"}
            assert confirm(run, None)
            run = finish(run)
        assert run.state == Run.State.COMPLETE
        assert set(Link.objects.filter(kind="customer").values_list("state", flat=True)) == {"gone"}
        assert Company.objects.filter(deleted_at=None).count() == 12

    def test_more_missing_than_one_import_looks_up_are_told_and_left_to_the_next(self, acme: Account) -> None:
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            box = syncro.sandbox
            box.create("customers", {"business_name": "Stays"})
            many = [box.create("contacts", {"name": f"Person {n}"}) for n in range(53)]
            import_all(acme)
            for each in many[1:]:
                box.delete("contacts", each)
            seen = []
            for _ in range(3):
                run = import_all(acme, "companies", "contacts")
                gone = Link.objects.filter(kind="contact", state="gone").count()
                seen.append((run.state, gone, unproven(run)))
        assert seen == [
            (
                "complete",
                50,
                "Not in Syncro's list any more and not looked up yet: 2 contacts. One import looks up 50 of a kind; "
                "the next ones go on with the rest.",
            ),
            ("complete", 52, ""),
            ("complete", 52, ""),
        ]


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
        assert RECORDS[link.reason] == documented("no_such_customer")

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
        assert RECORDS[failed.reason] == documented("unreadable")
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
