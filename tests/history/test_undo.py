"""A whole run taken back: what it made goes unless used, what it overwrote returns unless changed."""

import pytest

from propolis.crm import edit, lists, notes, rows
from propolis.crm.fields import Kind
from propolis.crm.models import Company, Contact, ListMember, Opportunity
from propolis.history.door import NotPlanned, applied, plan, settle
from propolis.history.models import Change
from propolis.history.undo import changes_to_undo, plan_undo, undo_batch
from propolis.runs.models import Run
from tests.crm.people import Msp
from tests.crm.test_edit import company, opportunity


def a_run(msp: Msp, number: int = 1) -> Run:
    return Run.objects.create(account=msp.account, number=number, kind="import")


def made_by(msp: Msp, run: Run, kind: Kind, **values: object) -> Company | Contact:
    made = edit.create(msp.account, kind, values, actor=None, run=run)
    assert isinstance(made, (Company, Contact))
    return made


def overwritten_by(msp: Msp, run: Run, row: Company, **values: object) -> None:
    before = rows.values_of(row)
    rows.fill_company(row, values, "US")
    row.save()
    applied(
        row,
        Change.Action.MERGE,
        {name: [before[name], value, "newer there"] for name, value in values.items()},
        actor=None,
        run=run,
    )


def test_what_an_import_made_goes_and_what_it_overwrote_returns(msp: Msp) -> None:
    ours = company(msp, phone="1", city="Portland")
    run = a_run(msp)
    overwritten_by(msp, run, ours, phone="2", city="Salem")
    new = made_by(msp, run, Kind.COMPANY, name="New one")
    made_by(msp, run, Kind.CONTACT, first="Jo", company=new.pk)
    edit.update(msp.account, Company.objects.get(pk=ours.pk), {"city": "Eugene"}, actor=msp.bob)
    note = notes.add_note(ours, "A person's note", actor=msp.bob)

    preview = [(i.change.action, i.can, i.back, dict(i.kept)) for i in plan_undo(run)]
    done = undo_batch(changes_to_undo(run), actor=msp.alice, run=a_run(msp, 2))
    assert [(i.change.action, i.can, i.back, dict(i.kept)) for i in done] == preview
    assert preview == [
        ("create", True, (), {}),
        ("create", True, (), {}),
        ("merge", True, ("phone",), {"city": "Changed since"}),
    ]
    kept = Company.objects.get(deleted_at=None)
    assert (kept.name, kept.phone, kept.city) == ("Brightwater", "1", "Eugene")
    assert Contact.objects.filter(deleted_at=None).count() == 0
    note.refresh_from_db()
    assert note.deleted_at is None
    assert list(plan_undo(run)) == []


def test_a_record_somebody_used_stays_and_so_does_its_company(msp: Msp) -> None:
    run = a_run(msp)
    firm = made_by(msp, run, Kind.COMPANY, name="Firm")
    jo = made_by(msp, run, Kind.CONTACT, first="Jo", company=firm.pk)
    unused = made_by(msp, run, Kind.CONTACT, first="Sam", company=firm.pk)
    edited = made_by(msp, run, Kind.CONTACT, first="Kim")
    edit.update(msp.account, edited, {"title": "CEO"}, actor=msp.bob)
    lists.add(lists.create_list(msp.account, "News"), [jo.pk], actor=msp.bob)

    done = undo_batch(changes_to_undo(run), actor=msp.alice)
    assert [(i.can, i.why_not) for i in done] == [
        (False, "Changed since"),
        (True, ""),
        (False, "Put on a list by hand"),
        (False, "Has a contact"),
    ]
    assert Contact.objects.filter(deleted_at=None).count() == 2
    assert Contact.objects.get(pk=unused.pk).deleted_by == msp.alice


def test_lists_an_import_put_people_on(msp: Msp) -> None:
    run = a_run(msp)
    general = lists.system_list(msp.account, "syncro_general", "Syncro General")
    people = [edit.create(msp.account, Kind.CONTACT, {"first": n}, actor=msp.bob) for n in ("Jo", "Sam")]
    ListMember.objects.bulk_create(
        ListMember(account=msp.account, list=general, contact_id=person.pk, run=run) for person in people
    )
    for person in people:
        applied(person, Change.Action.MERGE, {}, actor=None, run=run, args={"lists": [general.pk]})
    lists.remove(general, [people[0].pk], actor=msp.bob)
    undo_batch(changes_to_undo(run), actor=msp.alice)
    assert [(m.contact.first, m.state) for m in ListMember.objects.all()] == [("Jo", "removed")]


def test_two_changes_of_one_record_in_a_run_go_back_one_after_the_other(msp: Msp) -> None:
    row = company(msp, phone="1")
    run = a_run(msp)
    overwritten_by(msp, run, row, phone="2")
    overwritten_by(msp, run, row, phone="3")
    undo_batch(changes_to_undo(run), actor=msp.alice)
    assert Company.objects.get().phone == "1"


def test_an_undo_is_in_the_history_itself(msp: Msp) -> None:
    row = company(msp, phone="1")
    run, undoing = a_run(msp), a_run(msp, 2)
    overwritten_by(msp, run, row, phone="2")
    original = Change.objects.get(run=run)
    undo_batch(changes_to_undo(run), actor=msp.alice, run=undoing)
    record = Change.objects.get(run=undoing)
    assert (record.undoes, record.actor, record.action, record.fields) == (
        original,
        msp.alice,
        "update",
        {"phone": ["2", "1", "undone"]},
    )
    original.refresh_from_db()
    assert original.state == "undone"


@pytest.mark.parametrize(
    ("moves", "status", "closed"),
    [((), "New", False), (("Lost",), "Lost", True), (("New", "Won"), "New", False)],
)
def test_the_closing_date_goes_back_exactly_where_the_status_does(
    msp: Msp, moves: tuple[str, ...], status: str, closed: bool
) -> None:
    deal = opportunity(msp)
    run = a_run(msp)
    written = edit.move(msp.account, deal, msp.status("Won"), actor=None)
    assert written is not None and "closed_at" in written.fields
    Change.objects.filter(pk=written.pk).update(run=run)
    for name in moves:
        edit.move(msp.account, Opportunity.objects.get(pk=deal.pk), msp.status(name), actor=msp.bob)
    undo_batch(changes_to_undo(run), actor=msp.alice)
    after = Opportunity.objects.get(pk=deal.pk)
    assert (after.status.name, after.closed_at is not None) == (status, closed)


def test_planned_changes_are_kept_and_settled(msp: Msp) -> None:
    run = a_run(msp)
    planned = [
        Change(account=msp.account, run=run, seq=n, kind="company", action="create", state="planned")
        for n in range(1200)
    ]
    assert plan(planned) == 1200
    ready = list(Change.objects.filter(run=run).order_by("seq")[:2])
    ready[0].state, ready[0].local_id = "applied", 7
    ready[1].state, ready[1].reason = "failed", "name_missing"
    settle(ready)
    found = Change.objects.filter(run=run).order_by("seq").values_list("state", "local_id", "reason")
    assert list(found[:3]) == [
        ("applied", 7, ""),
        ("failed", None, "name_missing"),
        ("planned", None, ""),
    ]
    with pytest.raises(NotPlanned):
        plan([Change(account=msp.account, kind="company", action="create", state="applied")])
    with pytest.raises(NotPlanned):
        plan([Change(account=msp.account, kind="unheard of", action="create", state="planned")])


@pytest.mark.parametrize("size", [1, 3])
def test_undo_asks_the_same_number_of_queries_for_one_and_for_three(
    msp: Msp, size: int, django_assert_num_queries: object
) -> None:
    run = a_run(msp)
    for n in range(size):
        made_by(msp, run, Kind.COMPANY, name=f"Firm {n}")
    with django_assert_num_queries(12):  # type: ignore[operator]
        undo_batch(changes_to_undo(run), actor=msp.alice)
