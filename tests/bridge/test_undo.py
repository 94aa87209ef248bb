"""An import taken back: what it made goes, what it overwrote returns, what people did since stays and is said."""

from __future__ import annotations

import threading

import pytest

from propolis.accounts.models import Account, Audit, Membership
from propolis.bridge.models import Connection, Link
from propolis.bridge.undoing import start_undo, waiting_undo, why_not
from propolis.crm import edit, lists, notes
from propolis.crm.models import Company, Contact, ListMember, Suppression
from propolis.history.models import Change
from propolis.runs.engine import Refused, confirm, job_for, work
from propolis.runs.models import Run, Schedule
from syncro_sandbox import SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, finish, go_on, import_all, ready
from tests.bridge.test_import import a_company, a_contact, a_customer, a_remote_contact
from tests.bridge.undo_story import account_lines, done, planned, planned_undo, undo_all

pytestmark = pytest.mark.django_db(transaction=True)
EMPTY = SeedOptions(companies=0, contacts=0, leads=0)
SEED = SeedOptions(companies=20, contacts=80, leads=20, seed=5, contacts_without_customer=3)


def held(undo: Run) -> list[tuple[str, str]]:
    """What stays, as (kind, why)."""
    rows = Change.objects.filter(run=undo, state=Change.State.HELD).order_by("kind", "reason")
    return list(rows.values_list("kind", "reason"))


class TestAWholeImport:
    def test_an_empty_account_is_empty_again_and_importing_again_makes_everything_anew(
        self, acme: Account, alice: Membership
    ) -> None:
        before = account_lines(acme)
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme)
            there = account_lines(acme)
            undo = undo_all(run, alice)
            after, left = account_lines(acme), Link.objects.count()
            assert [finish(each).state for each in [import_all(acme)]] == ["complete"]
            again = account_lines(acme)
        assert after == before
        assert left == 0
        assert planned(undo) == done(undo)
        assert sum(done(undo)["removed"].values()) == len(
            [each for each in there if '"link"' not in each[:8]]
        ) - (ListMember.objects.filter(run=Run.objects.order_by("-id").first()).count())
        assert again == there

    def test_a_second_import_goes_back_to_the_first(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            import_all(acme)
            before = account_lines(acme)
            dump = syncro.sandbox.dump()
            for customer in dump["customers"][:5]:
                syncro.sandbox.edit("customers", customer["id"], {"phone": "5035550177", "city": "Bend"})
            for contact in dump["contacts"][:7]:
                syncro.sandbox.edit("contacts", contact["id"], {"mobile": "5035550188"})
            lead = next(each for each in dump["leads"] if each["mailbox_id"] is None)
            syncro.sandbox.edit("leads", lead["id"], {"status": "Won"})
            a_remote_contact(
                syncro, dump["customers"][0]["id"], name="New Person", email="new@person.example"
            )
            run = import_all(acme)
            changed = account_lines(acme)
            undo = undo_all(run)
            after = account_lines(acme)
            again = import_all(acme)
        assert after == before
        assert done(undo)["restored"]["company"] == 5
        assert done(undo)["removed"] == {"contact": 1}
        assert {noun: counts(again, noun) for noun in again.options["objects"]} == {
            noun: counts(run, noun) for noun in run.options["objects"]
        }
        assert account_lines(acme) == changed


class TestMerges:
    def test_our_values_come_back_and_the_link_goes(self, acme: Account, alice: Membership) -> None:
        ours = a_company(acme, "Brightwater Dental", website="brightwater.example", phone="(503) 555-0100")
        Company.objects.update(edited_at="2020-01-01T00:00:00Z")
        person = a_contact(acme, "Priya", "Raman", email="priya@brightwater.example", company=ours)
        before = account_lines(acme)
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            customer = a_customer(
                syncro,
                business_name="Brightwater Dental Group",
                email="a@brightwater.example",
                phone="5035550199",
            )
            a_remote_contact(
                syncro, customer, name="Priya Raman", email="priya@brightwater.example", title="CFO"
            )
            run = import_all(acme)
            assert (counts(run, "companies"), counts(run, "contacts")) == ({"merged": 1}, {"merged": 1})
            assert ListMember.objects.get().contact == person
            undo = undo_all(run, alice)
            again = import_all(acme)
        ours.refresh_from_db()
        assert done(undo) == {
            "separated": {"company": 1, "contact": 1},
            "fields": done(undo)["fields"],
        }
        assert counts(again, "companies") == {"merged": 1}
        assert account_lines(acme) != before
        undo_all(again)
        assert account_lines(acme) == before

    def test_a_person_on_a_customer_record_stands_for_itself_again(self, acme: Account) -> None:
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            customer = a_customer(
                syncro,
                business_name="Kestrel",
                firstname="Jo",
                lastname="Lindqvist",
                email="jo@kestrel.example",
            )
            import_all(acme)
            before = account_lines(acme)
            a_remote_contact(syncro, customer, name="Jo Lindqvist", email="jo@kestrel.example")
            run = import_all(acme)
            assert dict(Link.objects.filter(contact__isnull=False).values_list("kind", "state")) == {
                "contact": "linked",
                "customer_person": "secondary",
            }
            undo_all(run)
        assert account_lines(acme) == before

    def test_who_waited_for_a_company_waits_again(self, acme: Account) -> None:
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            a_company(acme, "Something Else", website="brightwater.example")
            customer = a_customer(syncro, business_name="Brightwater Dental", email="a@brightwater.example")
            a_remote_contact(syncro, customer, name="Priya Raman", email="priya@brightwater.example")
            import_all(acme)
            before = account_lines(acme)
            Company.objects.update(website="", domain="")
            syncro.sandbox.edit("customers", customer, {"city": "Bend"})
            run = import_all(acme)
            assert counts(run, "companies") == {"new": 1}
            assert str(Contact.objects.get().company) == "Brightwater Dental"
            undo = undo_all(run)
            Company.objects.filter(deleted_at=None).update(
                website="brightwater.example", domain="brightwater.example"
            )
        assert planned(undo) == done(undo)
        assert done(undo)["removed"] == {"company": 1}
        assert account_lines(acme) == before
        assert Link.objects.get(kind="contact").reason == "waits_for_company"


class TestWhatPeopleDidSince:
    def test_used_records_stay_with_their_company_and_the_rest_goes(
        self, acme: Account, alice: Membership
    ) -> None:
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            for name in ("Kestrel", "Osprey", "Heron", "Merlin"):
                customer = a_customer(syncro, business_name=name)
                a_remote_contact(syncro, customer, name=f"Jo {name}", email=f"jo@{name}.example")
            run = import_all(acme)
            of = {each.last: each for each in Contact.objects.all()}
            edit.update(acme, of["Kestrel"], {"title": "CEO"}, actor=alice)
            notes.add_note(of["Osprey"], "Likes tea", actor=alice)
            lists.add(lists.create_list(acme, "Friends"), [of["Heron"].pk], actor=alice)
            undo = undo_all(run, alice)
        assert planned(undo) == done(undo)
        assert done(undo) == {
            "removed": {"contact": 1, "company": 1},
            "kept": {"Has a contact": 3, "Changed since": 1, "Has a note": 1, "Put on a list by hand": 1},
        }
        assert sorted(Company.objects.filter(deleted_at=None).values_list("name", flat=True)) == [
            "Heron",
            "Kestrel",
            "Osprey",
        ]
        assert held(undo) == [
            *[("company", "Has a contact")] * 3,
            ("contact", "Changed since"),
            ("contact", "Has a note"),
            ("contact", "Put on a list by hand"),
        ]
        assert Link.objects.count() == 6

    def test_a_value_changed_since_stays_and_the_others_return(
        self, acme: Account, alice: Membership
    ) -> None:
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Kestrel", city="Tulsa", phone="5035550100")
            import_all(acme, "companies")
            syncro.sandbox.edit(
                "customers", customer, {"city": "Bend", "phone": "5035550111", "zip": "97701"}
            )
            run = import_all(acme)
            edit.update(acme, Company.objects.get(), {"city": "Omaha"}, actor=alice)
            undo = undo_all(run, alice)
            row = Company.objects.get()
            assert (row.city, row.phone, row.zip) == ("Omaha", "5035550100", "")
            import_all(acme)
        assert done(undo) == {
            "restored": {"company": 1},
            "fields": {"company.phone": 1, "company.zip": 1},
            "kept": {"Changed since": 1},
        }
        row.refresh_from_db()
        # The next import brings the undone values again; the city was changed here, and only here.
        assert (row.city, row.phone, row.zip) == ("Omaha", "5035550111", "97701")

    def test_a_newer_import_of_the_same_record_is_undone_first(self, acme: Account) -> None:
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Kestrel", city="Tulsa")
            first = import_all(acme, "companies")
            syncro.sandbox.edit("customers", customer, {"city": "Bend"})
            second = import_all(acme)
            undo = undo_all(first)
            assert done(undo) == {"kept": {"Changed by a newer import: undo that one first": 1}}
            assert Company.objects.get().city == "Bend"
            undo_all(second)
            assert Company.objects.get().city == "Tulsa"

    def test_nobody_is_subscribed_again(self, acme: Account) -> None:
        ours = a_contact(acme, "Somebody", "Else", email="JO@kestrel.example")
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            customer = a_customer(syncro, business_name="Kestrel")
            a_remote_contact(syncro, customer, name="Jo Lindqvist", email="jo@kestrel.example", opt_out=True)
            undo_all(import_all(acme))
        ours.refresh_from_db()
        assert (ours.mail_state, Suppression.objects.get().email_key) == (
            "unsubscribed",
            "jo@kestrel.example",
        )

    def test_questions_nobody_answered_are_withdrawn(self, acme: Account) -> None:
        a_company(acme, "Something Else", website="brightwater.example")
        before = account_lines(acme)
        with a_syncro(EMPTY) as syncro:
            ready(acme, syncro)
            a_customer(syncro, business_name="Brightwater Dental", email="a@brightwater.example")
            run = import_all(acme, "companies")
            undo = undo_all(run)
        assert done(undo) == {"held": {"review": 1}}
        assert account_lines(acme) == before


class TestTheUndoAsARun:
    def test_nothing_is_written_before_it_is_confirmed(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme)
            before = account_lines(acme)
            undo = planned_undo(run)
            assert account_lines(acme) == before
            assert start_undo(run, by=None) == (undo, False)
            assert waiting_undo(run) == undo

    def test_it_is_not_offered_twice_nor_of_an_undo(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme)
            undo = undo_all(run)
            nothing = import_all(acme, "companies", gate_first_import=True, show_first=True)
        assert why_not(run) == "This import has been undone. To have it again, import again."
        assert why_not(undo) == "Only an import can be undone here."
        assert why_not(nothing).startswith("This import has not ended yet.")

    def test_a_preview_overtaken_by_another_import_is_refused(self, acme: Account) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme)
            undo = planned_undo(run)
            import_all(acme, "companies")
            with pytest.raises(Refused) as refused:
                confirm(undo, None)
            _, started = start_undo(run, by=None)
        assert (refused.value.code, started) == ("propolis.stale_undo", True)
        undo.refresh_from_db()
        assert undo.state == Run.State.STOPPED

    def test_cut_off_at_every_step_it_ends_the_same(
        self, acme: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from propolis.bridge import undoing

        before = account_lines(acme)
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme)
        monkeypatch.setattr(undoing, "BATCH", 30)
        undo, _ = start_undo(run, by=None)
        slices = 0
        while work(undo.pk, seconds=0).outcome == "slice":
            slices += 1
            if slices == 2:
                # Another process takes it up: it remembers nothing.
                monkeypatch.setattr(job_for("undo"), "_here", threading.local())
        assert confirm(undo, None)
        while work(undo.pk, seconds=0).outcome == "slice":
            slices += 1
        undo.refresh_from_db()
        assert (undo.state, slices > 8) == (Run.State.COMPLETE, True)
        assert planned(undo) == done(undo)
        assert account_lines(acme) == before

    def test_the_schedule_goes_off_with_it_and_it_is_in_the_audit(
        self, acme: Account, alice: Membership
    ) -> None:
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme)
            Schedule.objects.create(account=acme, kind="import", enabled=True, by=alice)
            undo = undo_all(run, alice)
        schedule = Schedule.objects.get()
        assert (schedule.enabled, schedule.off_because) == (False, "An import was undone")
        line = Audit.objects.get(verb="import.undo")
        assert (line.actor, line.objects_ids) == (alice, {"run": run.pk, "undo": undo.pk})
        assert Connection.objects.get().watermark is None

    def test_a_stopped_import_gives_back_what_it_had_done(self, acme: Account) -> None:
        before = account_lines(acme)
        with a_syncro(SEED) as syncro:
            ready(acme, syncro)
            run = import_all(acme, "companies", "contacts", show_first=True)
            go_on(run)
            Run.objects.filter(pk=run.pk).update(state=Run.State.STOPPED)
            run.refresh_from_db()
            undo_all(run)
        assert account_lines(acme) == before
