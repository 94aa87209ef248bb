"""A CSV import taken back by the same undo as any import, and what people did since kept."""

import re
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from propolis.accounts.scoping import in_account
from propolis.crm import edit, lists, notes
from propolis.crm.models import Company, Contact, List, ListMember, Suppression
from propolis.runs.models import Run
from tests.bridge.import_story import finish, go_on
from tests.bridge.undo_story import done, planned, planned_undo
from tests.crm.csv_story import imported
from tests.crm.people import make_msp
from tests.crm.test_csv_export import client_of
from tests.crm.test_edit import contact


def test_a_csv_import_is_undone(db: None) -> None:
    msp = make_msp()
    with in_account(msp.account):
        yesterday = timezone.now() - timedelta(days=1)
        ada = contact(msp, "Ada", email="ada@firm.example", city="Salem", title="CEO")
        Contact.objects.filter(pk=ada.pk).update(edited_at=yesterday)
        text = (
            "Name,Email,City,Mobile,Company,Unsubscribed\nAda,ada@firm.example,Portland,212 555 0100,Firm One,\n"
            "Bea,bea@firm.example,,,Firm One,yes\nCleo,cleo@firm.example,,,Firm Two,\n"
        )
        run = imported(msp, text, new_list="News")
        cleo = Contact.objects.get(first="Cleo")
        notes.add_note(cleo, "Called her", actor=msp.bob)
        edit.update(msp.account, Contact.objects.get(pk=ada.pk), {"mobile": "212 555 0199"}, actor=msp.bob)
        undo = planned_undo(run, msp.alice)
        assert planned(undo)["removed"] == {"contact": 1, "company": 1}
        undo = go_on(undo)
        assert (undo.state, done(undo)["kept"]) == (
            Run.State.COMPLETE, {"Has a note": 1, "Changed since": 1, "Has a contact": 1},
        )  # fmt: skip
        ada.refresh_from_db()
        assert (ada.city, ada.mobile, ada.company, ada.edited_at > yesterday) == (
            "Salem",
            "212 555 0199",
            None,
            True,
        )
        living = Contact.objects.filter(deleted_at=None).order_by("first").values_list("first", flat=True)
        assert list(living) == ["Ada", "Cleo"]
        assert list(Company.objects.filter(deleted_at=None).values_list("name", flat=True)) == ["Firm Two"]
        assert list(ListMember.objects.filter(contact=ada)) == []
        assert Suppression.objects.get().email_key == "bea@firm.example"
        page = client_of(msp.alice).get(f"/acme/csv-import/{run.number}/").content.decode()
        assert "This import was undone" in page


def test_lists_a_file_named_are_left_again_and_those_made_for_it_go(db: None) -> None:
    msp = make_msp()
    with in_account(msp.account):
        ada = contact(msp, "Ada", email="ada@firm.example")
        lists.create_list(msp.account, "News")
        text = "Name,Email,Lists\nAda,ada@firm.example,News;Golf;Tea\nBea,bea@firm.example,Golf\n"
        run = imported(msp, text, make_lists=True)
        tea = List.objects.get(name="Tea")
        lists.add(tea, [contact(msp, "Cleo").pk], actor=msp.bob)
        assert ListMember.objects.filter(contact=ada).count() == 3
        assert go_on(planned_undo(run, msp.alice)).state == Run.State.COMPLETE
        assert sorted(List.objects.values_list("name", flat=True)) == ["News", "Tea"]
        assert list(ListMember.objects.values_list("list__name", "contact__first")) == [("Tea", "Cleo")]


def test_the_result_offers_the_undo_to_an_admin(db: None) -> None:
    msp = make_msp()
    with in_account(msp.account):
        run = imported(msp, "Name,Email\nAda,ada@firm.example\n")
        alice = client_of(msp.alice)
        page = alice.get(f"/acme/csv-import/{run.number}/").content.decode()
        assert "Undo this import" in page
        undo = alice.get(re.findall(r'href="([^"]*)"[^>]*id="undo-open"', page)[0])
        words = undo.content.decode()
        assert f'href="/acme/csv-import/{run.number}/"' in words and "CSV import of" in words


def test_a_marketer_undoes_his_own_file_and_nobody_elses(db: None) -> None:
    msp = make_msp()
    with in_account(msp.account):
        msp.bob.is_marketer = True
        msp.bob.save()
        mine, hers = (imported(msp, f"Name,Email\n{who},{who}@firm.example\n") for who in ("Ada", "Bea"))
        Run.objects.filter(pk=mine.pk).update(by=msp.bob)
        bob = client_of(msp.bob)
        assert "undo-open" in bob.get(f"/acme/csv-import/{mine.number}/").content.decode()
        page = bob.get(f"/acme/csv-import/{hers.number}/").content.decode()
        assert ("undo-open" in page, "Alice Admin or an Admin can undo this import." in page) == (False, True)
        refused = bob.post(undo_page(hers, "begin/"))
        assert (refused.status_code, Run.objects.filter(kind="undo").count()) == (403, 0)
        assert "Only an Admin can undo what somebody else did." in refused.content.decode()
        bob.post(undo_page(mine, "begin/"))
        undo = finish(Run.objects.get(kind="undo"))
        assert "Undo this import" in bob.get(undo_page(mine)).content.decode()
        bob.post(undo_page(mine, "confirm/"))
        assert (finish(undo).state, undo.by) == (Run.State.COMPLETE, msp.bob)
        names = Contact.objects.filter(deleted_at=None).values_list("first", flat=True)
        assert list(names) == ["Bea"]
        msp.bob.is_marketer = False
        msp.bob.save()
        assert bob.get(undo_page(mine)).status_code == 403


def undo_page(run: Run, what: str = "") -> str:
    return reverse("bridge:undo", args=["acme", run.number]) + what
