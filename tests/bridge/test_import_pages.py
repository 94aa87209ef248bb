"""Importing in the browser, told by requests: choose, preview, import, result; refusals; eight presses; who may."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge import import_sums
from propolis.bridge.models import Backup, Connection, Link
from propolis.crm.models import Company
from propolis.crm.rows import fill_company
from propolis.runs.models import Run
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import finish, import_all, ready
from tests.people import Crew, client_of

pytestmark = pytest.mark.django_db(transaction=True)
SEED = SeedOptions(companies=12, contacts=40, leads=10, seed=5, contacts_without_customer=0)
EMPTY = SeedOptions(companies=0, contacts=0, leads=0)
BASE = "/acme/settings/integrations/syncro/"
START = BASE + "imports/start/"


@pytest.fixture
def acme(crew: Crew) -> Iterator[Account]:
    with in_account(crew.account):
        yield crew.account


def words_of(response: Any) -> str:
    """What a person reads of the page itself, in one line."""
    assert response.status_code == 200
    text = response.content.decode().rpartition("<main")[2]
    text = re.sub(r"<(script|style|svg|template).*?</\1>", " ", text, flags=re.S)
    text = re.sub(r"<[^>]*>", " ", text)
    for entity, sign in (("&#x27;", "'"), ("&quot;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return re.sub(r" ([.,:])", r"\1", " ".join(text.split()))


def the_run() -> Run:
    run = Run.objects.order_by("-id").first()
    assert run is not None
    return run


def at(run: Run, what: str = "") -> str:
    return BASE + f"imports/{run.number}/{what}"


def customer(syncro: Running, **values: Any) -> int:
    return int(syncro.sandbox.create("customers", values))


def a_company(account: Account, name: str, **values: Any) -> Company:
    row = fill_company(Company(account=account), {"name": name, **values}, "US")
    row.save()
    return row


class TestAFirstImport:
    def test_it_is_chosen_previewed_imported_and_told(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            choose = words_of(visitor.get(BASE + "companies/"))
            assert (
                "Nothing is written at first. You see every change it would make, then you decide." in choose
            )
            assert "Only reads from Syncro; nothing there can change." in choose
            assert "Show me first" not in choose
            answer = visitor.post(START, {"on": "companies", "objects": "companies"})
            assert (answer.status_code, answer.headers["Location"]) == (302, BASE + "companies/")
            running = words_of(visitor.get(BASE + "companies/"))
            assert "Importing companies Starts in a moment" in running
            assert "You can leave this page: the import goes on by itself." in running
            run = finish(the_run())
            preview = words_of(visitor.get(BASE + "companies/"))
            assert "Preview: nothing is imported yet" in preview
            assert "0 of 12 companies are on both sides" in preview
            assert "Import 12 companies" in preview
            assert Company.objects.count() == 0
            visitor.post(at(run, "confirm/"), {"on": "companies"})
            run = finish(run)
        result = words_of(visitor.get(BASE + "companies/"))
        assert "Complete Syncro has 12 companies. Read 12: 12 New, 0 Failed." in result
        assert "By Alice Moreau" in result
        assert "Contacts – Companies, sorted by date created" in result
        assert "Next: Contacts" in result
        assert (run.state, Company.objects.count()) == (Run.State.COMPLETE, 12)

    def test_the_backup_made_before_is_named(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            import_all(acme, "companies", gate_first_import=True)
            visitor.post(at(the_run(), "stop/"), {"on": "companies"})
        choose = words_of(visitor.get(BASE + "companies/"))
        assert re.search(r"We have made a backup: \d\d:\d\d, verified\.", choose)
        # A time alone would be taken for today's.
        Backup.objects.update(at=datetime(2025, 3, 5, 14, 2, tzinfo=UTC))
        choose = words_of(visitor.get(BASE + "companies/"))
        assert "We have made a backup: 5 Mar 2025, 14:02, verified." in choose
        Connection.objects.update(companies_read_at=datetime(2025, 3, 5, 14, 2, tzinfo=UTC))
        assert "Imported 5 Mar 2025, 14:02" in words_of(visitor.get(BASE))

    def test_an_import_somebody_confirmed_is_not_stopped_by_the_preview_of_another(
        self, acme: Account, visitor: Client
    ) -> None:
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            customer(syncro)
            visitor.post(START, {"objects": "companies", "on": "companies"})
            run = finish(the_run())
            visitor.post(at(run, "confirm/"), {"on": "companies"})
            page = visitor.post(at(run, "stop/"), {"on": "companies", "preview": "1"}, follow=True)
            assert "Somebody confirmed this preview meanwhile. Nothing was stopped" in words_of(page)
            assert finish(run).state == Run.State.COMPLETE

    def test_a_discarded_preview_leaves_nothing_behind(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme, "companies", gate_first_import=True)
            visitor.post(at(run, "stop/"), {"on": "companies"})
        assert "Import companies from Syncro" in words_of(visitor.get(BASE + "companies/"))
        assert "Preview discarded" in words_of(visitor.get(BASE + "imports/"))
        assert "This preview was discarded; nothing was written." in words_of(visitor.get(at(run)))
        assert Company.objects.count() == Link.objects.count() == 0

    def test_an_old_preview_cannot_be_imported_but_made_anew(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme, "companies", gate_first_import=True)
            Run.objects.update(planned_at=timezone.now() - timedelta(hours=25))
            page = words_of(visitor.get(BASE + "companies/"))
            assert "This preview is out of date" in page
            assert "Make a new preview" in page
            visitor.post(at(run, "confirm/"), {"on": "companies"})
            run.refresh_from_db()
            assert (run.state, Company.objects.count()) == (Run.State.PLANNED, 0)
            visitor.post(START, {"on": "companies", "objects": "companies", "show_first": "1"})
            run.refresh_from_db()
            fresh = finish(the_run())
        assert (run.state, fresh.state) == (Run.State.STOPPED, Run.State.PLANNED)


class TestALaterImport:
    def test_it_goes_straight_through_unless_asked_to_show_first(
        self, acme: Account, visitor: Client
    ) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            import_all(acme)
            page = words_of(visitor.get(BASE + "companies/"))
            assert "Import again" in page
            assert "Show me first" in page
            assert (
                "Import all: companies, contacts, opportunities Companies ➡ Contacts ➡ Opportunities" in page
            )
            visitor.post(START, {"on": "companies", "objects": "companies"})
            assert finish(the_run()).state == Run.State.COMPLETE
            visitor.post(START, {"on": "companies", "objects": "companies", "show_first": "1"})
            assert finish(the_run()).state == Run.State.PLANNED

    def test_a_stale_earlier_step_is_offered_first(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            import_all(acme)
            Connection.objects.update(companies_read_at=timezone.now() - timedelta(days=3))
            page = words_of(visitor.get(BASE + "contacts/"))
            assert "Import companies, then contacts Contacts only" in page
            visitor.post(START, {"on": "contacts", "objects": "companies,contacts"})
        assert the_run().options["objects"] == ["companies", "contacts"]

    def test_a_locked_step_starts_nothing(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            visitor.post(START, {"on": "contacts", "objects": "contacts"})
        assert Run.objects.count() == 0


class TestRefusals:
    def test_a_suddenly_empty_syncro_is_confirmed_by_a_tick(self, acme: Account, visitor: Client) -> None:
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            ids = [customer(syncro, business_name=name) for name in ("Kestrel", "Osprey")]
            import_all(acme, "companies")
            for each in ids:
                syncro.sandbox.delete("customers", each)
            Connection.objects.update(watermark=None)
            run = import_all(acme, "companies", "contacts")
            assert run.gate_reason == "suddenly_empty"
            page = words_of(visitor.get(BASE + "companies/"))
            assert "Syncro says it has no companies now, but 2 of yours are linked to it." in page
            assert "Yes, Syncro really has no companies or contacts now." in page
            visitor.post(at(run, "confirm/"), {"on": "companies"})
            run.refresh_from_db()
            assert run.state == Run.State.PLANNED
            visitor.post(at(run, "confirm/"), {"on": "companies", "agree": "1"})
            assert finish(run).state == Run.State.COMPLETE

    def test_too_many_changes_name_their_numbers(self, acme: Account, visitor: Client) -> None:
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            ids = [customer(syncro, business_name=f"Firm {n}", city="Tulsa") for n in range(20)]
            import_all(acme, "companies")
            for each in ids[:7]:
                syncro.sandbox.edit("customers", each, {"city": "Omaha"})
            run = import_all(acme, "companies")
            page = words_of(visitor.get(at(run)))
        assert "This import would change 7 of your 20 linked companies, more than 30 %." in page
        assert "Yes, change 7 companies." in page


class TestTheList:
    @pytest.fixture
    def mixed(self, acme: Account) -> Iterator[Run]:
        """A preview with one of each: 3 new, 1 merged, 1 to review, 1 failed."""
        a_company(acme, "Something Else", website="brightwater.example")
        a_company(acme, "Kestrel Logistics", website="kestrel.example", phone="(503) 555-0100")
        Company.objects.update(edited_at="2020-01-01T00:00:00Z")
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            for name in ("=SUM(A1)", "Alder", "Birch"):
                customer(syncro, business_name=name, city="Tulsa")
            customer(syncro, business_name="Brightwater Dental", email="a@brightwater.example")
            customer(
                syncro, business_name="Kestrel Logistics LLC", email="b@kestrel.example", phone="5035550199"
            )
            odd = customer(syncro, business_name="Odd One")
            syncro.sandbox.distort("customers", odd, {"business_name": {"x": 1}})
            yield import_all(acme, "companies", gate_first_import=True)

    def test_every_number_leads_to_its_records(self, mixed: Run, visitor: Client) -> None:
        page = words_of(visitor.get(BASE + "companies/"))
        assert "Syncro has 6 companies. Read 6: 3 New, 1 Merged, 1 Needs review, 1 Failed." in page
        assert "1 of 6 companies is on both sides" in page
        assert "Needs review 1 Weak evidence 1" in page
        merged = words_of(visitor.get(BASE + "companies/?show=merged"))
        assert "With Kestrel Logistics: Same domain (kestrel.example)" in merged
        assert "Phone (503) 555-0100 → becomes (503) 555-0199 Syncro newer" in merged
        assert "E-mail Empty → becomes b@kestrel.example blank here" in merged
        review = words_of(visitor.get(BASE + "companies/?show=review"))
        assert "Perhaps Something Else: Same domain, but different names (brightwater.example)" in review
        failed = words_of(visitor.get(BASE + "companies/?show=failed"))
        assert "Syncro sent something we cannot read as a record." in failed
        assert '"business_name": { "x": 1 }' in failed

    def test_the_sums_parts_are_links_and_their_sentence_the_counts_own(self, mixed: Run) -> None:
        told = import_sums.sums_of(mixed, "/x/")[0]
        assert told.sentence == "Syncro has 6 companies. Read 6: 3 New, 1 Merged, 1 Needs review, 1 Failed."
        assert [part.href for part in told.parts] == [
            f"/x/?show={word}&of=companies#changes" for word in ("new", "merged", "review", "failed")
        ]

    def test_the_csv_has_every_field_and_no_formula(self, mixed: Run, visitor: Client) -> None:
        answer = visitor.get(at(mixed, "changes.csv"))
        lines = answer.getvalue().decode().splitlines()
        assert lines[0] == "Result,Kind,Name,Syncro id,Reason,Field,Before,After,Why"
        about = f"Merged,Customer,Kestrel Logistics LLC,{merged_customer(mixed)},"
        assert [line for line in lines if line.startswith("Merged")] == [
            f"{about},Name,Kestrel Logistics,Kestrel Logistics LLC,Syncro newer",
            f"{about},E-mail,,b@kestrel.example,blank here",
            f"{about},Phone,(503) 555-0100,(503) 555-0199,Syncro newer",
        ]
        assert sum("'=SUM(A1)" in line for line in lines) == 2
        assert not any(",=" in line for line in lines)
        assert len(visitor.get(at(mixed, "changes.csv?show=failed")).getvalue().decode().splitlines()) == 2

    def test_pages_go_by_key_and_miss_nobody(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SeedOptions(companies=60, contacts=0, leads=0, seed=5)) as syncro:
            ready(acme, syncro)
            run = import_all(acme, "companies", gate_first_import=True)
        seen: list[str] = []
        address, pages = "?show=new", 0
        while address:
            html = visitor.get(at(run) + address).content.decode()
            seen += re.findall(r'/customers/(\d+)"', html)
            found = re.search(r'href="([^"]*)" rel="next"', html)
            address, pages = found[1].replace("&amp;", "&") if found else "", pages + 1
        assert (pages, len(seen), len(set(seen))) == (3, 60, 60)

    def test_what_stands_as_before_is_said_and_its_list_is_no_dead_end(
        self, acme: Account, visitor: Client
    ) -> None:
        a_company(acme, "Something Else", website="brightwater.example")
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            customer(syncro, business_name="Brightwater Dental", email="a@brightwater.example")
            import_all(acme)
            assert "Weak evidence 1" in words_of(visitor.get(BASE + "companies/"))
            run = import_all(acme)
        page = words_of(visitor.get(at(run)))
        assert "Needs review 1 As in an earlier import" in page
        for narrowed in ("?show=review", "?show=review&of=companies"):
            page = words_of(visitor.get(at(run) + narrowed))
            assert "1 more stands as in an earlier import. All as they are now:" in page
            assert "Nothing here" not in page
        assert "Nothing here" in words_of(visitor.get(at(run) + "?show=review&of=contacts"))


def merged_customer(run: Run) -> int:
    return int(run.changes.get(action="merge").remote_id or 0)


class TestEightPresses:
    def test_at_once_start_one_import_and_nobody_sees_an_error(self, acme: Account, crew: Crew) -> None:
        clients = [client_of(crew.alice) for _ in range(8)]
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            together, answers = threading.Barrier(8), list[tuple[int, bool]]()

            def press(client: Client) -> None:
                together.wait()
                answer = client.post(START, {"on": "companies", "objects": "companies"})
                page = client.get(answer.headers["Location"])
                answers.append((page.status_code, "Importing companies" in page.content.decode()))
                connections.close_all()

            threads = [threading.Thread(target=press, args=[client]) for client in clients]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert answers == [(200, True)] * 8
        assert Run.objects.count() == 1

    def test_twice_on_the_preview_imports_once(self, acme: Account, visitor: Client) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme, "companies", gate_first_import=True)
            for _ in range(2):
                assert visitor.post(at(run, "confirm/"), {"on": "companies"}).status_code == 302
            finish(run)
            assert visitor.post(at(run, "confirm/"), {"on": "companies"}).status_code == 302
        assert Company.objects.count() == 12


class TestWhoMay:
    PLACES = ["imports/", "imports/1/", "imports/1/progress/", "imports/1/changes.csv"]
    ACTS = ["start/", "1/pause/", "1/resume/", "1/stop/", "1/confirm/", "1/retry/"]

    @pytest.mark.parametrize("place", PLACES)
    def test_only_admins_of_the_account_look(self, acme: Account, crew: Crew, place: str) -> None:
        assert client_of(crew.bob).get(BASE + place).status_code == 403
        assert client_of(crew.mia).get(BASE + place).status_code == 403
        assert client_of(crew.charlie).get(BASE + place).status_code == 404
        assert client_of(None).get(BASE + place).status_code == 302

    def test_the_sign_of_an_import_is_for_admins(self, acme: Account, crew: Crew) -> None:
        Run.objects.create(account=acme, kind="import", slot="data", state=Run.State.READING, number=1)
        told = {name: client_of(getattr(crew, name)).get(BASE + "imports/pill/") for name in ("alice", "bob")}
        assert (told["alice"].status_code, bool(told["alice"].content)) == (200, True)
        assert (told["bob"].status_code, told["bob"].content) == (200, b"")
        assert client_of(crew.charlie).get(BASE + "imports/pill/").status_code == 404
        assert client_of(None).get(BASE + "imports/pill/").status_code == 302

    @pytest.mark.parametrize("act", ACTS)
    def test_only_admins_of_the_account_act(self, acme: Account, crew: Crew, act: str) -> None:
        assert client_of(crew.bob).post(BASE + "imports/" + act).status_code == 403
        assert client_of(crew.mia).post(BASE + "imports/" + act).status_code == 403
        assert client_of(crew.charlie).post(BASE + "imports/" + act).status_code == 404
        assert client_of(crew.alice).get(BASE + "imports/" + act).status_code == 405

    def test_charlies_own_admin_address_does_not_open_acmes_import(self, acme: Account, crew: Crew) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme, "companies", gate_first_import=True)
        assert client_of(crew.charlie).get(at(run).replace("/acme/", "/umbel/")).status_code == 404
        assert client_of(crew.charlie).post(at(run, "stop/").replace("/acme/", "/umbel/")).status_code == 404
        run.refresh_from_db()
        assert run.state == Run.State.PLANNED
