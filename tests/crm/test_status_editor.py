"""The account's own statuses: order, names, outcomes, and where opportunities of an archived one go."""

from __future__ import annotations

import pytest
from django.test import Client

from propolis.accounts.models import Audit
from propolis.bridge.models import Connection, StatusMap
from propolis.bridge.statuses import ensure_status_map
from propolis.crm import edit, statuses
from propolis.crm.models import Opportunity, OppStatus
from propolis.history.models import Change
from propolis.history.undo import undo
from tests.crm.people import Msp
from tests.crm.test_edit import opportunity


def names() -> list[str]:
    return [status.name for status in statuses.offered()]


def test_alice_puts_them_in_her_order(msp: Msp, alice: Client) -> None:
    assert names() == ["New", "Qualified", "Proposal", "Negotiation", "On hold", "Won", "Lost"]
    hold = msp.status("On hold")
    for _ in range(2):
        answer = alice.post(f"/acme/settings/statuses/{hold.pk}/move/", {"up": "1"})
    assert answer.headers["Location"] == f"/acme/settings/statuses/#up-{hold.pk}"
    assert names() == ["New", "Qualified", "On hold", "Proposal", "Negotiation", "Won", "Lost"]
    alice.post(f"/acme/settings/statuses/{msp.status('New').pk}/move/", {"up": "1"})
    assert names()[0] == "New"


def test_alice_adds_and_renames_and_two_never_have_one_name(msp: Msp, alice: Client) -> None:
    alice.post("/acme/settings/statuses/", {"name": " Site  survey ", "outcome": "open"})
    made = OppStatus.objects.get(name="Site survey")
    assert (names()[-1], made.outcome) == ("Site survey", "open")
    refused = alice.post("/acme/settings/statuses/", {"name": "site survey", "outcome": "won"})
    assert (refused.status_code, "There is a status “Site survey” already." in refused.content.decode()) == (
        400,
        True,
    )
    where = f"/acme/settings/statuses/{made.pk}/"
    taken = alice.post(where, {"name": "WON", "outcome": "open"})
    assert "There is a status “Won” already." in taken.content.decode()
    alice.post(where, {"name": "Survey", "outcome": "open"})
    assert names()[-1] == "Survey"
    assert [line.verb for line in Audit.objects.order_by("pk")] == ["status.added", "status.changed"]


def test_what_is_in_a_status_follows_its_outcome(msp: Msp) -> None:
    deal = opportunity(msp)
    new = msp.status("New")
    statuses.change(new, "Signed", "won", actor=msp.alice)
    assert Opportunity.objects.get(pk=deal.pk).closed_at is not None
    statuses.change(new, "Signed", "open", actor=msp.alice)
    assert Opportunity.objects.get(pk=deal.pk).closed_at is None


def test_what_goes_back_into_a_status_is_closed_as_it_counts_now(msp: Msp) -> None:
    deal = opportunity(msp)
    move = edit.move(msp.account, deal, msp.status("Qualified"), actor=msp.alice)
    statuses.change(msp.status("New"), "New", "lost", actor=msp.alice)
    assert move is not None
    undo(move, actor=msp.alice)
    deal = Opportunity.objects.get()
    assert (deal.status.outcome, deal.closed_at is None) == ("lost", False)


def test_opportunities_of_an_archived_status_go_where_alice_says_each_undoable(
    msp: Msp, alice: Client
) -> None:
    first, second = opportunity(msp, "One"), opportunity(msp, "Two")
    gone = opportunity(msp, "Gone")
    edit.delete(gone, actor=msp.bob)
    new, won = msp.status("New"), msp.status("Won")
    where = f"/acme/settings/statuses/{new.pk}/archive/"
    assert "Where do its 2 opportunities go?" in alice.get(where).content.decode()
    refused = alice.post(where, {})
    assert (refused.status_code, Opportunity.objects.filter(status=new).count()) == (400, 3)
    answer = alice.post(where, {"to": str(won.pk)}, follow=True)
    assert "Archived New. 2 opportunities went to Won." in answer.content.decode()
    assert "New" not in names()
    moved = Opportunity.objects.get(pk=first.pk)
    assert (moved.status, moved.closed_at is None) == (won, False)
    change = Change.objects.get(kind="opportunity", local_id=second.pk, action="update")
    assert undo(change, actor=msp.alice).can
    back = Opportunity.objects.get(pk=second.pk)
    assert (back.status, back.closed_at) == (new, None)
    alice.post(f"/acme/settings/statuses/{new.pk}/back/")
    assert names()[-1] == "New"


def test_the_last_of_its_outcome_stays(msp: Msp) -> None:
    with pytest.raises(statuses.Refused, match="“Won” is the only status that counts as Won"):
        statuses.archive(msp.status("Won"), msp.status("New"), actor=msp.alice)
    with pytest.raises(statuses.Refused, match="only status that counts as Lost"):
        statuses.change(msp.status("Lost"), "Lost", "open", actor=msp.alice)


def test_the_syncro_map_follows_an_archived_status(msp: Msp, alice: Client) -> None:
    connection = Connection.objects.create(account=msp.account, label="acme")
    ensure_status_map(connection)
    qualified, proposal = msp.status("Qualified"), msp.status("Proposal")
    where = f"/acme/settings/statuses/{qualified.pk}/archive/"
    said = "Leads from Syncro come here: First Contact, Opportunity, Prospect."
    page = alice.get(where).content.decode()
    assert (said in page, "What stands in for it?" in page) == (True, True)
    assert alice.post(where, {}).status_code == 400
    alice.post(where, {"to": str(proposal.pk)})
    rows = StatusMap.objects.filter(status=proposal).order_by("remote_status")
    assert [(row.remote_status, row.send_back) for row in rows] == [
        ("First Contact", False),
        ("Opportunity", False),
        ("Pending", True),
        ("Prospect", False),
    ]
    assert StatusMap.objects.filter(status=qualified).count() == 0


def test_bob_may_look_at_none_of_it(msp: Msp) -> None:
    client = Client()
    assert msp.bob.user is not None
    client.force_login(msp.bob.user)
    assert client.get("/acme/settings/statuses/").status_code == 403
    assert (
        client.post(f"/acme/settings/statuses/{msp.status('New').pk}/move/", {"up": "1"}).status_code == 403
    )
