"""Syncro's users: read once, linked by e-mail, given role types, waited for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from propolis.accounts.models import Account, Membership, User
from propolis.bridge import people
from propolis.bridge.connecting import client_for
from propolis.bridge.models import Connection, RemoteUser
from propolis.bridge.user_rows import roster
from propolis.crm.models import Opportunity, OppStatus
from propolis.history.models import Change
from propolis.syncro import BadToken, EmptyAnswer
from syncro_sandbox import Running
from tests.bridge.house import a_member, a_syncro, connected


def read(connection: Connection) -> people.UsersRead:
    with client_for(connection) as client:
        return people.read_users(connection, client)


def paths(syncro: Running) -> list[str]:
    asked = [str(request["path"]).rpartition("/v1")[2] for request in syncro.sandbox.requests]
    syncro.sandbox.forget_requests()
    return asked


def test_every_user_comes_with_e_mail_and_group_and_nobody_gets_a_sign_in(acme: Account, alice: Membership):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
        users = syncro.sandbox.users
        paths(syncro)
        told = read(connection)
        assert paths(syncro) == ["/users", *(f"/users/{one}" for one in sorted(users))]
        assert told == people.UsersRead(len(users), len(users), 0, 0, 0)
        read(connection)
        assert paths(syncro) == ["/users"]
    rows = RemoteUser.objects.order_by("remote_id").values_list("remote_id", "name", "email_key", "group")
    assert list(rows) == [(u.id, u.full_name, u.email.lower(), u.group) for _, u in sorted(users.items())]
    assert (User.objects.count(), Membership.objects.count()) == (1, 1)
    connection.refresh_from_db()
    assert connection.users_step == "read"


def test_a_day_later_and_after_a_new_name_details_are_asked_again(acme: Account):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
        read(connection)
        one, two = sorted(syncro.sandbox.users)[:2]
        RemoteUser.objects.filter(remote_id=one).update(name="Was called otherwise")
        RemoteUser.objects.filter(remote_id=two).update(read_at=timezone.now() - timedelta(days=2))
        paths(syncro)
        read(connection)
        assert paths(syncro) == ["/users", f"/users/{one}", f"/users/{two}"]


def test_the_same_e_mail_links_by_itself_also_somebody_who_comes_later(acme: Account):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
        first, second = sorted(syncro.sandbox.users)[:2]
        emails = {one: syncro.sandbox.users[one].email.lower() for one in (first, second)}
        bob = a_member(acme, "Bob", "Salesperson", email=emails[first])
        assert read(connection).linked == 1
        dana = Membership(account=acme, name="Dana", email_key=emails[second])
        Membership.objects.bulk_create([dana])
        assert people.relink_by_email(connection) == 1
        assert people.relink_by_email(connection) == 0
    linked = RemoteUser.objects.exclude(membership=None).values_list("remote_id", "membership")
    assert dict(linked) == {first: bob.pk, second: dana.pk}


def test_whoever_is_added_here_later_is_linked_at_once(acme: Account):
    _, (kim, _) = a_reading(acme, "Kim", "Lee")
    person = a_member(acme, "Kim", email=kim.email_key)
    linked = RemoteUser.objects.exclude(membership=None).values_list("pk", "membership")
    assert list(linked) == [(kim.pk, person.pk)]


def test_a_choice_by_hand_outlives_re_reading(acme: Account):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
        read(connection)
        left_out, by_hand = RemoteUser.objects.order_by("remote_id")[:2]
        a_member(acme, "Same", email=left_out.email_key)
        people.leave_out(left_out)
        other = a_member(acme, "Other")
        people.link_by_hand(by_hand, other)
        assert read(connection).linked == 0
    left_out.refresh_from_db()
    by_hand.refresh_from_db()
    assert (left_out.membership, by_hand.membership) == (None, other)
    assert people.link_by_email(left_out) is True


def test_is_this_you_asks_the_person_who_connected_once(acme: Account, alice: Membership):
    bob = a_member(acme, "Bob", "Admin")
    with a_syncro() as syncro:
        connection = connected(acme, syncro, alice)
        read(connection)
        owner = RemoteUser.objects.get(remote_id=syncro.sandbox.owner.id)
    assert people.suggestion(connection, bob) is None
    assert people.suggestion(connection, alice) == owner
    people.link_by_hand(owner, alice)
    assert people.suggestion(connection, alice) is None


def test_who_joins_is_marked_new_who_leaves_is_marked_and_may_come_back(acme: Account):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
        read(connection)
        assert people.new_since_last_time(connection) == set()
        gone = sorted(syncro.sandbox.users)[-1]
        user = syncro.sandbox.users[gone]
        syncro.sandbox.user_leaves(gone)
        new = syncro.sandbox.user_joins("Kim@acme.example", "Kim Newman")
        told = read(connection)
        assert (told.new, told.left) == (1, 1)
        row = RemoteUser.objects.get(remote_id=new)
        assert (people.new_since_last_time(connection), row.email_key) == ({row.pk}, "kim@acme.example")
        assert RemoteUser.objects.get(remote_id=gone).left_at is not None
        syncro.sandbox.store.users[gone] = user
        assert read(connection).left == 0
        assert RemoteUser.objects.get(remote_id=gone).left_at is None
        assert people.new_since_last_time(connection) == set()


def test_a_syncro_without_any_user_is_no_answer_and_nobody_has_left(acme: Account):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
        read(connection)
        syncro.sandbox.store.users.clear()
        with pytest.raises(EmptyAnswer):
            read(connection)
    assert not RemoteUser.objects.exclude(left_at=None).exists()


def test_details_come_in_portions_and_what_was_read_is_kept_when_the_token_dies(acme: Account):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
        count = len(syncro.sandbox.users)
        with client_for(connection) as client:
            assert people.list_users(connection, client).waiting == count
            assert people.read_details(connection, client, at_most=1) == count - 1
            assert connection.users_step == ""
            syncro.sandbox.revoke_token(syncro.token)
            with pytest.raises(BadToken):
                people.read_details(connection, client)
    assert RemoteUser.objects.exclude(read_at=None).count() == 1


def a_reading(acme: Account, *names: str) -> tuple[Connection, list[RemoteUser]]:
    connection = Connection.objects.create(account=acme, users_step="read")
    rows = [
        RemoteUser(
            account=acme,
            connection=connection,
            remote_id=100 + at,
            name=name,
            email_key=f"{name.lower()}@acme.example" if name != "Nomail" else "",
        )
        for at, name in enumerate(names)
    ]
    return connection, RemoteUser.objects.bulk_create(rows)


def test_role_types_make_people_known_but_no_sign_ins(acme: Account, alice: Membership):
    connection, (kim, lee, nomail, me) = a_reading(acme, "Kim", "Lee", "Nomail", "Alice")
    told = people.apply_roles(
        connection,
        {kim.pk: {"Salesperson", "Marketer"}, lee.pk: set(), nomail.pk: {"Marketer"}, me.pk: set()},
        by=alice,
    )
    assert told == people.Applied(
        made=2,
        changed=0,
        attached=0,
        refused=(
            "Syncro has no e-mail address for Nomail. Choose the person by hand.",
            "You cannot take Admin from yourself. Ask another Admin to do it.",
        ),
    )
    members = Membership.objects.order_by("name")
    assert [(m.name, m.state, m.role_types, m.user_id is None) for m in members] == [
        ("Alice", "active", ["Admin"], False),
        ("Kim", "linked", ["Marketer", "Salesperson"], True),
        ("Lee", "linked", [], True),
    ]
    nobodys = people.apply_roles(connection, {me.pk: {"Marketer"}}, by=None)
    assert nobodys.refused == ("Alice is the only Admin who can sign in. Make somebody else an Admin first.",)
    again = people.apply_roles(connection, {lee.pk: {"Admin"}}, by=alice)
    assert (again.made, again.changed) == (0, 1)


def test_a_role_type_that_is_none_changes_nothing(acme: Account, alice: Membership):
    connection, (kim,) = a_reading(acme, "Kim")
    with pytest.raises(ValueError, match="no such role type"):
        people.apply_roles(connection, {kim.pk: {"Owner"}}, by=alice)
    assert Membership.objects.count() == 1


def an_opportunity(acme: Account, name: str, outcome: str = "open", **more: object) -> Opportunity:
    status, _ = OppStatus.objects.get_or_create(account=acme, name=outcome.title(), outcome=outcome)
    return Opportunity.objects.create(account=acme, name=name, status=status, **more)


def test_opportunities_get_the_salesperson_they_waited_for(acme: Account, alice: Membership):
    connection, (kim, lee) = a_reading(acme, "Kim", "Lee")
    bob = a_member(acme, "Bob", "Salesperson")
    waiting = an_opportunity(acme, "Firewall", waits_for_remote_user=kim.remote_id)
    taken = an_opportunity(acme, "Laptops", waits_for_remote_user=kim.remote_id, salesperson=bob)
    other = an_opportunity(acme, "Phones", waits_for_remote_user=lee.remote_id)
    assert people.apply_roles(connection, {kim.pk: {"Marketer"}}, by=alice).attached == 0
    assert people.apply_roles(connection, {kim.pk: {"Salesperson"}}, by=alice).attached == 1
    kim.refresh_from_db()
    for row in (waiting, taken, other):
        row.refresh_from_db()
    assert (waiting.salesperson, waiting.waits_for_remote_user, waiting.rev) == (kim.membership, None, 1)
    assert (taken.salesperson, other.salesperson) == (bob, None)
    assert people.salespeople(connection) == {kim.remote_id: kim.membership_id}
    change = Change.objects.get()
    assert (change.kind, change.local_id, change.actor) == ("opportunity", waiting.pk, alice)
    assert change.fields == {
        "salesperson": [None, kim.membership_id, "salesperson_linked"],
        "waits_for_remote_user": [kim.remote_id, None, "salesperson_linked"],
    }


def test_the_open_opportunities_of_somebody_who_left_are_handed_over(acme: Account, alice: Membership):
    connection, (sam,) = a_reading(acme, "Sam")
    person = a_member(acme, "Sam", "Salesperson", email=sam.email_key)
    people.relink_by_email(connection)
    sam.refresh_from_db()
    waiting = an_opportunity(acme, "Firewall", waits_for_remote_user=sam.remote_id)
    theirs = an_opportunity(acme, "Laptops", salesperson=person)
    won = an_opportunity(acme, "Phones", outcome="won", salesperson=person)
    deleted = an_opportunity(acme, "Old", salesperson=person, deleted_at=timezone.now())
    assert people.open_opportunities_of(sam).count() == 2
    with pytest.raises(ValueError, match="is not a salesperson here"):
        people.hand_over(sam, alice, by=alice)
    bob = a_member(acme, "Bob", "Salesperson")
    assert people.hand_over(sam, bob, by=alice) == 2
    rows = Opportunity.objects.in_bulk([waiting.pk, theirs.pk, won.pk, deleted.pk])
    assert [rows[one.pk].salesperson for one in (waiting, theirs, won, deleted)] == [bob, bob, person, person]
    assert [rows[one.pk].rev for one in (waiting, theirs, won)] == [2, 2, 1]
    assert people.open_opportunities_of(sam).count() == 0


def test_who_was_made_anew_in_syncro_has_not_left_with_the_older_user(acme: Account, alice: Membership):
    connection, (old, new) = a_reading(acme, "Sam", "Samuel")
    person = a_member(acme, "Sam", "Salesperson")
    people.link_by_hand(old, person)
    people.link_by_hand(new, person)
    RemoteUser.objects.filter(pk=old.pk).update(left_at=timezone.now())
    old.refresh_from_db()
    an_opportunity(acme, "Laptops", salesperson=person)
    assert (people.open_opportunities_of(old).count(), people.open_opportunities_of(new).count()) == (0, 1)
    (row,) = roster(connection, alice).left
    assert row.open_opportunities == 0
    RemoteUser.objects.filter(pk=new.pk).update(left_at=timezone.now())
    assert [one.open_opportunities for one in roster(connection, alice).left] == [1, 1]
    assert people.open_opportunities_of(old).count() == 1


def test_a_user_only_opportunities_know_is_on_the_roster_after_the_next_reading(acme: Account):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
        an_opportunity(acme, "Firewall", waits_for_remote_user=987654321)
        told = read(connection)
        assert (told.listed, told.left) == (len(syncro.sandbox.users), 0)
    row = RemoteUser.objects.get(remote_id=987654321)
    assert (row.left_at is None, people.open_opportunities_of(row).count()) == (False, 1)


def test_users_only_leads_know_are_remembered_as_left(acme: Account):
    with a_syncro() as syncro:
        connection = connected(acme, syncro)
        read(connection)
        known = sorted(syncro.sandbox.users)[0]
        with client_for(connection) as client:
            assert people.remember_left(connection, {known, 987654321}, client) == 1
    row = RemoteUser.objects.get(remote_id=987654321)
    assert (row.name, row.left_at is None) == ("Syncro user 987654321", False)
