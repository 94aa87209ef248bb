"""Every way past the wall that django-scopes alone leaves open, refused."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from propolis.accounts.models import Invitation, Membership
from propolis.accounts.scoping import ForeignAccount, ScopeMissing, in_account, unscoped
from tests.people import Crew

READS: dict[str, Callable[[Any], Any]] = {
    "list": lambda q: list(q.all()),
    "first": lambda q: q.first(),
    "get": lambda q: q.get(pk=1),
    "exists": lambda q: q.exists(),
    "count": lambda q: q.count(),
    "aggregate": lambda q: q.aggregate(),
    "iterator": lambda q: list(q.iterator()),
    "values": lambda q: list(q.values_list("pk")),
    "in_bulk": lambda q: q.in_bulk([1]),
    "update": lambda q: q.update(name="x"),
    "delete": lambda q: q.all().delete(),
    "explicit account": lambda q: q.filter(account_id=1).exists(),
    "cloned": lambda q: q.filter(pk=1).exclude(pk=2).order_by("pk").exists(),
    "union": lambda q: list(q.all().union(q.all())),
}


def person(crew: Crew, of: Any, **more: Any) -> Membership:
    return Membership(account=of, email_key="new@x.example", name="New", **more)


@pytest.mark.parametrize("way", READS)
def test_nothing_is_read_or_changed_without_an_account(crew: Crew, way: str) -> None:
    with pytest.raises(ScopeMissing):
        READS[way](Membership.objects)


def test_nothing_is_written_without_an_account(crew: Crew) -> None:
    new = person(crew, crew.account)
    for write in (
        new.save,
        lambda: Membership.objects.create(account=crew.account, email_key="a", name="a"),
        lambda: Membership.objects.bulk_create([new]),
        lambda: Membership.objects.get_or_create(account=crew.account, email_key="a"),
        lambda: Membership.objects.bulk_update([crew.bob], ["name"]),
        crew.bob.delete,
    ):
        with pytest.raises(ScopeMissing):
            write()
    with unscoped():
        assert Membership.objects.count() == 4


def test_none_is_not_everybody(crew: Crew) -> None:
    nobody: Any = None
    with pytest.raises(ScopeMissing):
        in_account(nobody)


def test_inside_an_account_there_is_no_other(crew: Crew) -> None:
    with in_account(crew.account):
        assert sorted(m.name for m in Membership.objects.all()) == [
            "Alice Moreau",
            "Bob Tanaka",
            "Mia Okafor",
        ]
        assert not Membership.objects.filter(pk=crew.charlie.pk).exists()
        assert not Membership.objects.filter(account=crew.elsewhere).exists()
        assert Membership.objects.filter(pk=crew.charlie.pk).update(name="x") == 0


def test_rows_of_another_account_are_not_written(crew: Crew) -> None:
    with in_account(crew.account):
        foreign = person(crew, crew.elsewhere)
        crew.charlie.name = "Owned"
        for write in (
            foreign.save,
            crew.charlie.save,
            crew.charlie.delete,
            lambda: Membership.objects.bulk_create([foreign]),
            lambda: Membership.objects.bulk_update([crew.charlie], ["name"]),
            lambda: Membership.objects.create(account=crew.elsewhere, email_key="a", name="a"),
            lambda: Membership.objects.filter(pk=crew.bob.pk).update(account=crew.elsewhere),
        ):
            with pytest.raises(ForeignAccount):
                write()
    with unscoped():
        assert sorted(m.name for m in Membership.objects.filter(account=crew.elsewhere)) == ["Charlie Voss"]


def test_an_upsert_by_id_does_not_overwrite_another_accounts_row(crew: Crew) -> None:
    """The row says it is ours but carries the id of Charlie's."""
    trojan = person(crew, crew.account, pk=crew.charlie.pk)
    with in_account(crew.account), pytest.raises(ForeignAccount):
        Membership.objects.bulk_create(
            [trojan], update_conflicts=True, unique_fields=["id"], update_fields=["name"]
        )
    with unscoped():
        assert Membership.objects.get(pk=crew.charlie.pk).name == "Charlie Voss"


def test_a_save_with_a_borrowed_id_does_not_overwrite_another_accounts_row(crew: Crew) -> None:
    trojan = person(crew, crew.account, pk=crew.charlie.pk, uid=crew.charlie.uid)
    with in_account(crew.account):
        with pytest.raises(IntegrityError), transaction.atomic():
            trojan.save()
        with pytest.raises(ForeignAccount):
            trojan.delete()
    with unscoped():
        assert Membership.objects.get(pk=crew.charlie.pk).name == "Charlie Voss"


def test_related_rows_need_an_account_too(crew: Crew) -> None:
    with pytest.raises(ScopeMissing):
        list(crew.alice.invitations.all())
    with in_account(crew.account):
        assert list(crew.alice.invitations.all()) == []
    with unscoped():
        assert Invitation.objects.count() == 0
