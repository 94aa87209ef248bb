"""The implausible stops between plan and apply, shows its numbers, and goes on only when a person says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from propolis.accounts.models import Account
from propolis.accounts.scoping import in_account
from propolis.bridge.models import Link
from propolis.crm import edit
from propolis.crm.models import Company
from propolis.history.models import Change
from propolis.runs.engine import Refused, confirm
from propolis.runs.models import Run
from syncro_sandbox import SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import counts, finish, go_on, import_all, ready
from tests.bridge.test_import import a_customer
from tests.bridge.test_import_pages import words_of
from tests.bridge.undo_story import account_lines
from tests.people import Crew, client_of

pytestmark = pytest.mark.django_db(transaction=True)
MANY = SeedOptions(companies=20, contacts=0, leads=0, seed=5)
EMPTY = SeedOptions(companies=0, contacts=0, leads=0)
BASE = "/acme/settings/integrations/syncro/"


@pytest.fixture
def acme(crew: Crew):
    with in_account(crew.account):
        yield crew.account


def page_of(crew: Crew, run: Run) -> str:
    return words_of(client_of(crew.alice).get(f"{BASE}imports/{run.number}/"))


def test_syncro_suddenly_empty(acme: Account, crew: Crew) -> None:
    with a_syncro(MANY) as syncro:
        ready(acme, syncro)
        import_all(acme, "companies")
        before = account_lines(acme)
        for customer in syncro.sandbox.dump()["customers"]:
            syncro.sandbox.delete("customers", customer["id"])
        run = import_all(acme, "companies", "contacts")
        assert (run.state, run.gate_reason, run.slot) == (Run.State.PLANNED, "suddenly_empty", None)
        assert account_lines(acme) == before
        page = page_of(crew, run)
        assert (
            "Syncro says it has no companies now, but 20 of yours are linked to it. Nothing was changed."
            in page
        )
        assert "Yes, Syncro really has no companies or contacts now." in page
        alice, at = client_of(crew.alice), f"{BASE}imports/{run.number}/confirm/"
        alice.post(at, {"on": "run"})
        assert finish(run).state == Run.State.PLANNED
        alice.post(at, {"on": "run", "agree": "1"})
        assert finish(run).state == Run.State.COMPLETE
    assert Company.objects.filter(deleted_at=None).count() == 20
    assert set(Link.objects.values_list("state", flat=True)) == {"gone"}


def test_far_more_would_change_than_usual(acme: Account, crew: Crew) -> None:
    with a_syncro(MANY) as syncro:
        ready(acme, syncro)
        import_all(acme)
        before = account_lines(acme)
        customers = [each["id"] for each in syncro.sandbox.dump()["customers"]]
        for customer in customers[:6]:
            syncro.sandbox.edit("customers", customer, {"city": "Bend"})
        assert import_all(acme).state == Run.State.COMPLETE  # exactly 30 % passes
        before = account_lines(acme)
        for customer in customers[:7]:
            syncro.sandbox.edit("customers", customer, {"city": "Salem"})
        run = import_all(acme)
        assert (run.state, run.gate_reason) == (Run.State.PLANNED, "too_many_changes")
        assert account_lines(acme) == before
        page = page_of(crew, run)
        assert (
            "This import would change 7 of your 20 linked companies, more than 30 %. Nothing was changed."
            in page
        )
        assert "Yes, change 7 companies." in page
        syncro.sandbox.forget_requests()
        assert go_on(run).state == Run.State.COMPLETE
        downloads = [each["path"] for each in syncro.sandbox.requests if "page" in str(each)]
    assert counts(run, "companies") == {"updated": 7, "same": 13}
    assert Company.objects.filter(city="Salem").count() == 7
    assert downloads == []


def test_a_day_old_preview_is_refused(acme: Account, crew: Crew) -> None:
    with a_syncro(MANY) as syncro:
        ready(acme, syncro)
        run = import_all(acme, "companies", show_first=True)
    Run.objects.filter(pk=run.pk).update(planned_at=timezone.now() - timedelta(hours=24, minutes=1))
    with pytest.raises(Refused) as refused:
        confirm(run, crew.alice)
    assert refused.value.code == "propolis.stale_preview"
    assert "This preview is out of date" in page_of(crew, run)
    assert Company.objects.count() == 0


def test_a_preview_overtaken_by_another_import_is_refused(acme: Account, crew: Crew) -> None:
    with a_syncro(MANY) as syncro:
        ready(acme, syncro)
        run = import_all(acme, "companies", show_first=True)
        import_all(acme, "companies")
    with pytest.raises(Refused):
        confirm(run, crew.alice)
    assert Company.objects.count() == 20


def test_what_people_changed_since_the_preview_stays(acme: Account, crew: Crew) -> None:
    with a_syncro(EMPTY) as syncro:
        ready(acme, syncro)
        customer = a_customer(syncro, business_name="Kestrel", city="Tulsa", phone="5035550100")
        import_all(acme, "companies")
        syncro.sandbox.edit("customers", customer, {"city": "Bend", "phone": "5035550111"})
        run = import_all(acme, "companies", show_first=True)
        edit.update(acme, Company.objects.get(), {"city": "Omaha"}, actor=crew.bob)
        go_on(run)
    row = Company.objects.get()
    assert (row.city, row.phone) == ("Omaha", "5035550111")
    assert Change.objects.get(run=run).args["changed_meanwhile"] == ["city"]


def test_a_page_read_before_a_send_never_undoes_the_send(acme: Account, crew: Crew) -> None:
    """Both sides agree on a new value after the page was read: what the page says waits for the next reading."""
    with a_syncro(EMPTY) as syncro:
        ready(acme, syncro)
        customer = a_customer(syncro, business_name="Kestrel", city="Tulsa")
        import_all(acme, "companies")
        syncro.sandbox.edit("customers", customer, {"city": "Bend"})
        run = import_all(acme, "companies", show_first=True)
        assert counts(run, "companies") == {"updated": 1}
        edit.update(acme, Company.objects.get(), {"city": "Omaha"}, actor=crew.bob)
        syncro.sandbox.edit("customers", customer, {"city": "Omaha"})
        link = Link.objects.get()
        link.agreed, link.agreed_at = {**link.agreed, "city": "Omaha"}, timezone.now()
        link.save()
        go_on(run)
        assert counts(run, "companies") == {"same": 1}
        assert Change.objects.get(run=run).reason == "overtaken"
        again = import_all(acme, "companies")
    assert Company.objects.get().city == "Omaha"
    assert Link.objects.get().agreed["city"] == "Omaha"
    assert counts(again, "companies") == {"same": 1}
