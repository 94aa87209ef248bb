"""A person's changes: what they write, what they remember, how they are taken back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from propolis.accounts.scoping import ForeignAccount, ScopeMissing, in_account, unscoped
from propolis.crm import edit, lists, mailing, notes
from propolis.crm.assign import assign
from propolis.crm.fields import Kind
from propolis.crm.models import Company, Contact, List, ListMember, Opportunity, Suppression
from propolis.history.door import timeline
from propolis.history.models import Change
from propolis.history.undo import undo
from tests.crm.people import Msp, make_msp

YESTERDAY = timezone.now() - timedelta(days=1)


def company(msp: Msp, name: str = "Brightwater", **values: object) -> Company:
    made = edit.create(msp.account, Kind.COMPANY, {"name": name, **values}, actor=msp.alice)
    assert isinstance(made, Company)
    Company.objects.filter(pk=made.pk).update(edited_at=YESTERDAY)
    return Company.objects.get(pk=made.pk)


def contact(msp: Msp, first: str = "Jo", **values: object) -> Contact:
    made = edit.create(msp.account, Kind.CONTACT, {"first": first, **values}, actor=msp.alice)
    assert isinstance(made, Contact)
    return made


def opportunity(msp: Msp, name: str = "New firewall", **values: object) -> Opportunity:
    given = {"name": name, "status": msp.status("New").pk, **values}
    made = edit.create(msp.account, Kind.OPPORTUNITY, given, actor=msp.bob)
    assert isinstance(made, Opportunity)
    return made


def story(kind: str, pk: int) -> list[tuple[str, str, str]]:
    """action, who, fields of the record's history, oldest first."""
    return [
        (c.action, c.actor.name if c.actor else "", ",".join(sorted(c.fields)))
        for c in reversed(timeline((kind, pk)))
    ]


def test_bob_changes_a_phone_and_it_is_kept_who_did_what(msp: Msp) -> None:
    row = company(msp, phone="(212) 555-0100")
    change = edit.update(msp.account, row, {"phone": "(212) 555-0199"}, actor=msp.bob, rev=row.rev)
    assert change is not None
    assert change.fields == {"phone": ["(212) 555-0100", "(212) 555-0199", ""]}
    saved = Company.objects.get(pk=row.pk)
    assert (saved.phone_key, saved.rev) == ("12125550199", 2)
    assert saved.edited_at > YESTERDAY
    assert story("company", row.pk) == [
        ("create", "Alice Admin", "name,phone"),
        ("update", "Bob Seller", "phone"),
    ]


def test_what_is_not_synced_never_moves_the_merge_clock(msp: Msp) -> None:
    row = company(msp)
    for values in ({"website": "brightwater.example"}, {"next_step": "Call"}, {"salesperson": msp.bob.pk}):
        edit.update(msp.account, row, values, actor=msp.bob)
    notes.add_note(row, "They moved", actor=msp.bob)
    assign(Kind.COMPANY, [row.pk], None, actor=msp.alice)
    assert Company.objects.get(pk=row.pk).edited_at == YESTERDAY


def test_saving_what_is_there_already_writes_nothing(msp: Msp) -> None:
    row = company(msp, phone="(212) 555-0100")
    assert edit.update(msp.account, row, {"phone": "(212) 555-0100"}, actor=msp.bob) is None
    assert Company.objects.get(pk=row.pk).rev == 1
    assert len(story("company", row.pk)) == 1


def test_two_people_at_the_same_record_nothing_is_lost(msp: Msp) -> None:
    row = company(msp, phone="1", city="Portland")
    opened = row.rev
    edit.update(msp.account, Company.objects.get(pk=row.pk), {"phone": "2"}, actor=msp.alice)
    with pytest.raises(edit.ChangedMeanwhile) as caught:
        edit.update(msp.account, Company.objects.get(pk=row.pk), {"phone": "3"}, actor=msp.bob, rev=opened)
    assert [(c.field.label, c.now, c.wanted) for c in caught.value.clashes] == [("Phone", "2", "3")]
    with pytest.raises(edit.ChangedMeanwhile):  # both read before either saved
        edit.update(msp.account, row, {"city": "Salem"}, actor=msp.bob, rev=opened)
    assert (Company.objects.get(pk=row.pk).phone, Company.objects.get(pk=row.pk).city) == ("2", "Portland")


def test_a_record_deleted_meanwhile_is_not_saved(msp: Msp) -> None:
    row = company(msp)
    edit.delete(Company.objects.get(pk=row.pk), actor=msp.alice)
    with pytest.raises(edit.NotThere):
        edit.update(msp.account, row, {"city": "Salem"}, actor=msp.bob, rev=1)


def test_undoing_an_edit_puts_value_key_and_clock_back(msp: Msp) -> None:
    row = company(msp, phone="(212) 555-0100")
    change = edit.update(msp.account, row, {"phone": "(212) 555-0199"}, actor=msp.bob)
    assert change is not None
    item = undo(change, actor=msp.bob)
    saved = Company.objects.get(pk=row.pk)
    assert (item.can, item.back) == (True, ("phone",))
    assert (saved.phone, saved.phone_key, saved.edited_at) == ("(212) 555-0100", "12125550100", YESTERDAY)
    assert saved.rev == 3


def test_a_deleted_company_comes_back_as_it_was(msp: Msp) -> None:
    row = company(msp)
    change = edit.delete(row, actor=msp.bob)
    assert Company.objects.filter(deleted_at=None).count() == 0
    assert undo(change, actor=msp.bob).can
    back = Company.objects.get(deleted_at=None)
    assert (back.pk, back.name, back.deleted_by) == (row.pk, "Brightwater", None)
    assert undo(change, actor=msp.bob).why_not == "Already taken back"


def test_won_closes_and_reopening_opens(msp: Msp) -> None:
    deal = opportunity(msp)
    assert deal.closed_at is None
    edit.move(msp.account, deal, msp.status("Won"), actor=msp.bob)
    assert Opportunity.objects.get(pk=deal.pk).closed_at is not None
    change = edit.move(msp.account, deal, msp.status("Proposal"), actor=msp.bob)
    assert change is not None
    assert Opportunity.objects.get(pk=deal.pk).closed_at is None
    undo(change, actor=msp.bob)
    again = Opportunity.objects.get(pk=deal.pk)
    assert (again.status.name, again.closed_at is not None) == ("Won", True)


def test_unsubscribing_is_for_the_address_and_outlives_the_contact(msp: Msp) -> None:
    jo = contact(msp, email="Office@Brightwater.example")
    sam = contact(msp, "Sam", email="office@brightwater.example")
    other = contact(msp, "Kim", email="kim@brightwater.example")
    unsubscribed = Suppression.Kind.UNSUBSCRIBED
    assert mailing.suppress(msp.account, "OFFICE@brightwater.example", unsubscribed, actor=msp.bob)
    assert not mailing.suppress(msp.account, "office@brightwater.example", unsubscribed, actor=msp.bob)
    states = {c.first: c.mail_state for c in Contact.objects.all()}
    assert states == {"Jo": "unsubscribed", "Sam": "unsubscribed", "Kim": "subscribed"}
    late = contact(msp, "Lee", email="office@brightwater.example")
    assert late.mail_state == "unsubscribed"
    edit.update(msp.account, other, {"email": "office@brightwater.example"}, actor=msp.bob)
    assert Contact.objects.get(pk=other.pk).mail_state == "unsubscribed"
    assert story("contact", sam.pk)[-1] == ("update", "Bob Seller", "")
    assert undo(timeline(("contact", jo.pk))[0], actor=msp.bob).why_not == (
        "An unsubscribed address stays unsubscribed"
    )


def test_resubscribing_needs_a_reason(msp: Msp) -> None:
    jo = contact(msp, email="jo@brightwater.example")
    mailing.suppress(msp.account, jo.email, Suppression.Kind.BOUNCED, actor=None, source="import")
    with pytest.raises(mailing.ReasonMissing):
        mailing.lift(msp.account, jo.email, actor=msp.alice, reason=" ")
    assert Contact.objects.get().mail_state == "bounced"
    assert mailing.lift(msp.account, jo.email, actor=msp.alice, reason="Asked by phone")
    assert Contact.objects.get().mail_state == "subscribed"
    truth = Suppression.objects.get()
    assert (truth.lifted_by, truth.lifted_reason, truth.source) == (msp.alice, "Asked by phone", "import")


def test_taken_off_a_list_by_hand_is_remembered(msp: Msp) -> None:
    jo = contact(msp)
    newsletter = lists.create_list(msp.account, "Newsletter")
    assert lists.add(newsletter, [jo.pk], actor=None) == 1
    assert lists.remove(newsletter, [jo.pk], actor=msp.bob) == 1
    assert lists.add(newsletter, [jo.pk], actor=None) == 0
    assert ListMember.objects.get().state == "removed"
    assert lists.add(newsletter, [jo.pk], actor=msp.bob) == 1
    edit.delete(contact(msp), actor=msp.bob)
    assert [(each.name, size) for each, size in lists.with_counts()] == [("Newsletter", 1)]


def test_a_word_tells_lists_apart_that_would_not_tell_businesses_apart(msp: Msp) -> None:
    names = ["Prospects", "Prospects CO", "The Prospects", "Prospects +"]
    for name in names:
        lists.create_list(msp.account, name)
    assert [each.name for each, _size in lists.with_counts()] == [*names[:1], "Prospects +", *names[1:3]]


def test_a_list_has_its_name_alone(msp: Msp) -> None:
    first = lists.create_list(msp.account, "Newsletter")
    with pytest.raises(lists.NameTaken):
        lists.create_list(msp.account, " NEWSLETTER ")
    built_in = lists.system_list(msp.account, "syncro_general", "Syncro General")
    assert lists.system_list(msp.account, "syncro_general", "Syncro General") == built_in
    assert lists.system_list(msp.account, "news", "newsletter") == first
    with pytest.raises(lists.BuiltIn):
        lists.change_list(built_in, name="Else", leads=False)
    with pytest.raises(lists.BuiltIn):
        lists.delete_list(built_in)
    lists.change_list(built_in, name="Syncro General", leads=True)
    assert List.objects.get(system_key="syncro_general").leads


def test_assigning_many_writes_one_change_each(msp: Msp) -> None:
    made = [company(msp, f"Company {n}") for n in range(3)]
    ids = [row.pk for row in made]
    assert assign(Kind.COMPANY, ids, msp.bob, actor=msp.alice) == 3
    assert assign(Kind.COMPANY, ids, msp.bob, actor=msp.alice) == 0
    change = timeline(("company", ids[0]))[0]
    assert change.fields == {"salesperson": [None, msp.bob.pk, ""]}
    assert undo(change, actor=msp.alice).can
    assert [c.salesperson for c in Company.objects.order_by("pk")] == [None, msp.bob, msp.bob]


def test_a_note_shows_in_the_history_and_can_be_taken_back(msp: Msp) -> None:
    row = company(msp)
    notes.add_note(row, " Asked for a quote. ", actor=msp.bob)
    with pytest.raises(notes.Empty):
        notes.add_note(row, "  ", actor=msp.bob)
    change = timeline(("company", row.pk))[0]
    assert (change.action, change.args.keys()) == ("note", {"note"})
    undo(change, actor=msp.bob)
    assert Company.objects.get().deleted_at is None
    assert [n.deleted_at is None for n in type(row)._meta.apps.get_model("crm", "Note").objects.all()] == [
        False
    ]


def test_nothing_is_changed_outside_its_account(msp: Msp) -> None:
    row = company(msp)
    other = make_msp("other")
    with in_account(other.account), pytest.raises(edit.NotThere):
        edit.update(other.account, row, {"city": "Salem"}, actor=other.alice)
    with in_account(other.account), pytest.raises(ForeignAccount):
        edit.delete(row, actor=other.alice)
    with in_account(other.account):
        assert assign(Kind.COMPANY, [row.pk], other.bob, actor=other.alice) == 0
    with unscoped():
        assert (Company.objects.get().city, Change.objects.count()) == ("", 1)
    assert ScopeMissing is not None
