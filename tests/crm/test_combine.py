"""Two companies or contacts into one, and apart again."""

import pytest

from propolis.crm import edit, lists, mailing, notes
from propolis.crm.combine import NotTwo, combine, differing, suggested
from propolis.crm.models import Company, Contact, ListMember, Note, Opportunity, Suppression
from propolis.history.undo import undo
from tests.crm.people import Msp
from tests.crm.test_edit import company, contact, opportunity


def test_the_survivor_takes_the_chosen_values_and_all_that_hangs_on_the_other(msp: Msp) -> None:
    stays = company(msp, "Brightwater Dental", phone="1", city="")
    goes = company(msp, "Brightwater", phone="2", city="Portland")
    jo = contact(msp, company=goes.pk)
    deal = opportunity(msp, company=goes.pk)
    note = notes.add_note(goes, "Old client", actor=msp.bob)
    assert [(f.label, a, b) for f, a, b in differing(stays, goes)] == [
        ("Name", "Brightwater Dental", "Brightwater"),
        ("Phone", "1", "2"),
        ("City", "", "Portland"),
    ]
    assert suggested(stays, goes) == {"name": False, "phone": False, "city": True}
    combine(msp.account, stays, goes, {"city": True, "phone": True, "name": False}, actor=msp.bob)
    kept = Company.objects.get(deleted_at=None)
    assert (kept.pk, kept.name, kept.phone, kept.city) == (stays.pk, "Brightwater Dental", "2", "Portland")
    assert Company.objects.get(pk=goes.pk).merged_into == kept
    assert Contact.objects.get(pk=jo.pk).company == kept
    assert Opportunity.objects.get(pk=deal.pk).company == kept
    assert Note.objects.get(pk=note.pk).company == kept


def test_of_two_merges_into_one_another_the_later_is_undone_first(msp: Msp) -> None:
    first, second, third = (company(msp, name) for name in ("First", "Second", "Third"))
    jo = contact(msp, company=third.pk)
    earlier = combine(msp.account, second, third, {}, actor=msp.bob)
    later = combine(msp.account, first, Company.objects.get(pk=second.pk), {}, actor=msp.bob)
    refused = undo(earlier, actor=msp.bob)
    assert (refused.can, refused.why_not) == (False, "Merged into another record since. Undo that first")
    assert Company.objects.get(pk=third.pk).merged_into == second
    for each in (later, earlier):
        assert undo(each, actor=msp.bob).can
    assert Contact.objects.get(pk=jo.pk).company == third


def test_a_merge_is_undone_whole_and_leaves_what_people_did_since(msp: Msp) -> None:
    stays = company(msp, "Brightwater Dental", phone="1")
    goes = company(msp, "Brightwater", phone="2", city="Portland")
    jo, sam = contact(msp, company=goes.pk), contact(msp, "Sam", company=goes.pk)
    clock = stays.edited_at
    change = combine(msp.account, stays, goes, {"city": True, "phone": True}, actor=msp.bob)
    assert Company.objects.get(pk=stays.pk).edited_at == clock
    elsewhere = company(msp, "Elsewhere")
    edit.update(msp.account, Contact.objects.get(pk=sam.pk), {"company": elsewhere.pk}, actor=msp.bob)
    edit.update(msp.account, Company.objects.get(pk=stays.pk), {"phone": "3"}, actor=msp.bob)
    item = undo(change, actor=msp.bob)
    assert (item.can, item.back, item.kept) == (True, ("city",), {"phone": "Changed since"})
    first, second = Company.objects.get(pk=stays.pk), Company.objects.get(pk=goes.pk)
    assert (first.phone, first.city) == ("3", "")
    assert (second.phone, second.city, second.deleted_at, second.merged_into) == ("2", "Portland", None, None)
    assert {c.first: c.company_id for c in Contact.objects.all()} == {"Jo": goes.pk, "Sam": elsewhere.pk}
    assert jo.company_id == goes.pk


def test_merged_contacts_share_lists_but_not_what_was_taken_off(msp: Msp) -> None:
    stays, goes = contact(msp, "Jo"), contact(msp, "Jo", email="jo@brightwater.example")
    news, events = lists.create_list(msp.account, "News"), lists.create_list(msp.account, "Events")
    lists.add(news, [stays.pk, goes.pk], actor=msp.bob)
    lists.remove(news, [stays.pk], actor=msp.bob)
    lists.add(events, [goes.pk], actor=msp.bob)
    mailing.suppress(msp.account, goes.email, Suppression.Kind.UNSUBSCRIBED, actor=msp.bob)
    change = combine(msp.account, stays, goes, {"email": True}, actor=msp.bob)
    survivor = Contact.objects.get(deleted_at=None)
    assert (survivor.email, survivor.mail_state) == ("jo@brightwater.example", "unsubscribed")
    assert {(m.list.name, m.state) for m in ListMember.objects.filter(contact=survivor)} == {
        ("News", "removed"),
        ("Events", "in"),
    }
    undo(change, actor=msp.bob)
    assert [m.list.name for m in lists.of_contact(survivor)] == []
    assert Contact.objects.filter(deleted_at=None).count() == 2


def test_an_address_is_suggested_whole_or_not_at_all(msp: Msp) -> None:
    home = company(msp, "Brightwater", address_1="277 Alder Street", city="Salem")
    other = company(msp, "Bright", address_1="273 Mill Road", address_2="Suite 132", phone="1", city="Salem")
    nowhere, same = (
        company(msp, "Water"),
        company(msp, "B", address_1="277 Alder Street", address_2="Suite 1"),
    )

    def taken(one: Company, two: Company) -> set[str]:
        return {name for name, yes in suggested(one, two).items() if yes}

    assert taken(home, other) == {"phone"}
    assert taken(nowhere, other) == {"phone", "address_1", "address_2", "city"}
    assert taken(home, same) == {"address_2"}


def test_one_record_is_not_two(msp: Msp) -> None:
    row, other = company(msp), company(msp)
    with pytest.raises(NotTwo):
        combine(msp.account, row, row, {}, actor=msp.bob)
    edit.delete(other, actor=msp.bob)
    with pytest.raises(NotTwo):
        combine(msp.account, row, other, {}, actor=msp.bob)
