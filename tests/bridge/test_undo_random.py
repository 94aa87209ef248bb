"""Random accounts, imports and human edits, then the undo: what nobody touched is as before, all else stays.

The expectation is worked out here from what was there before and what people did, not from the history.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import in_account
from propolis.bridge.links import REMEMBERED
from propolis.bridge.models import Link
from propolis.bridge.undoing import why_not
from propolis.crm import edit, lists, notes, rows
from propolis.crm.fields import Kind
from propolis.crm.kinds import MODELS
from propolis.crm.models import Contact, List, ListMember, OppStatus
from propolis.history.models import Change
from propolis.runs.models import Run
from syncro_sandbox import Running, SeedOptions
from tests.bridge.house import a_member, a_syncro, an_account
from tests.bridge.import_story import go_on, import_all, ready
from tests.bridge.test_import import a_company, a_contact
from tests.bridge.undo_story import account_lines, done, planned, planned_undo

pytestmark = pytest.mark.django_db(transaction=True)
SLUGS = (f"msp-{number}" for number in itertools.count())
Key = tuple[Kind, int]

THERE = st.sampled_from(
    ["phone", "city", "name", "mobile", "move", "status", "subject", "new_contact", "new_customer", "opt_out"]
)
HERE = st.sampled_from(
    ["phone", "city", "name", "note", "opportunity", "delete", "list", "move", "status", "amount"]
)
PICK = st.integers(0, 40)


@dataclass
class People:
    """What people did since the import: fields by record, and records used in any way."""

    values: dict[Key, dict[str, Any]] = field(default_factory=dict)
    used: set[Key] = field(default_factory=set)
    gone: set[Key] = field(default_factory=set)

    def set(self, key: Key, **values: Any) -> None:
        self.values.setdefault(key, {}).update(values)
        self.used.add(key)


def everything() -> dict[Key, dict[str, Any]]:
    """Every record's values by kind and id, with its clock and whether it is out of sight."""
    return {
        (kind, row.pk): {
            **rows.values_of(row),
            "edited_at": row.edited_at,
            "deleted": row.deleted_at is not None,
        }
        for kind in Kind
        for row in MODELS[kind].objects.all()
    }


def links_of() -> dict[int, dict[str, Any]]:
    return {link.pk: {name: getattr(link, name) for name in REMEMBERED} for link in Link.objects.all()}


def ours_beforehand(account: Account, syncro: Running, picks: list[int], newer: bool) -> None:
    """Records of ours that are Syncro's too, with other values: older or newer than there."""
    dump = syncro.sandbox.dump()
    for at in sorted({pick % len(dump["customers"]) for pick in picks}):
        customer = dump["customers"][at]
        company = a_company(
            account,
            customer["business_name"] or "Nobody Ltd",
            email=customer["email"] or "",
            phone="(503) 555-0142",
        )
        contact = next((c for c in dump["contacts"] if c["customer_id"] == customer["id"]), None)
        if contact is not None and contact["email"]:
            first, _, last = contact["name"].partition(" ")
            a_contact(account, first, last, email=contact["email"], city="Elsewhere", company=company)
    at_ = datetime(2030 if newer else 2001, 1, 1, tzinfo=UTC)
    for kind in (Kind.COMPANY, Kind.CONTACT):
        MODELS[kind].objects.update(edited_at=at_)


def there(syncro: Running, what: str, pick: int, number: int) -> None:
    """Something happens in Syncro."""
    box, dump = syncro.sandbox, syncro.sandbox.dump()
    customer = dump["customers"][pick % len(dump["customers"])]["id"]
    contact = dump["contacts"][pick % len(dump["contacts"])]["id"]
    lead = dump["leads"][pick % len(dump["leads"])]["id"]
    phone = f"50355501{number:02}"
    if what in ("phone", "city"):
        box.edit("customers", customer, {what: phone if what == "phone" else f"Town {number}"})
    elif what == "name":
        box.edit("contacts", contact, {"name": f"Renamed Person{number}"})
    elif what == "mobile":
        box.edit("contacts", contact, {"mobile": phone})
    elif what == "opt_out":
        box.edit("contacts", contact, {"opt_out": True})
    elif what == "move":
        box.edit("contacts", contact, {"customer_id": customer})
    elif what == "status":
        box.edit("leads", lead, {"status": "Won"})
    elif what == "subject":
        box.edit("leads", lead, {"ticket_subject": f"Subject {number}"})
    elif what == "new_contact":
        box.create(
            "contacts",
            {"customer_id": customer, "name": f"New Person{number}", "email": f"n{number}@new.example"},
        )
    else:
        made = box.create("customers", {"business_name": f"New Customer {number}"})
        box.create("contacts", {"customer_id": made, "name": f"Their Person{number}"})
        box.edit("contacts", contact, {"customer_id": made})


def here(account: Account, bob: Membership, people: People, what: str, pick: int, number: int) -> None:
    """Somebody works on one living record."""
    kind = {"opportunity": Kind.COMPANY, "list": Kind.CONTACT, "move": Kind.CONTACT}.get(
        what, Kind.OPPORTUNITY if what in ("status", "amount") else (Kind.COMPANY, Kind.CONTACT)[pick % 2]
    )
    living = list(MODELS[kind].objects.filter(deleted_at=None).order_by("pk"))
    if not living:
        return
    row: Any = living[pick % len(living)]
    key = (kind, row.pk)
    wanted: dict[str, Any] | None = {
        "phone": {"phone": f"+1 202 555 01{number:02}"},
        "city": {"city": f"Own town {number}"},
        "name": {"name": f"Own name {number}"} if kind is Kind.COMPANY else {"last": f"Own{number}"},
        "amount": {"amount": f"{number + 1}.00"},
    }.get(what)
    if what == "status":
        wanted = {"status": OppStatus.objects.get(name="Lost").pk}
    elif what == "move":
        others = list(MODELS[Kind.COMPANY].objects.filter(deleted_at=None).order_by("pk"))
        wanted = {"company": others[number % len(others)].pk} if others else None
    if wanted is not None and edit.update(account, row, wanted, actor=bob):
        people.set(key, **wanted)
        if what == "status":
            people.set(key, closed_at=rows.values_of(row)["closed_at"])
    elif what == "note":
        notes.add_note(row, "Called", actor=bob)
        people.used.add(key)
    elif what == "opportunity":
        status = OppStatus.objects.get(name="New").pk
        made = edit.create(
            account, Kind.OPPORTUNITY, {"name": "VPN", "status": status, "company": row.pk}, actor=bob
        )
        people.used |= {key, (Kind.OPPORTUNITY, made.pk)}
        people.values[Kind.OPPORTUNITY, made.pk] = rows.values_of(made)
    elif what == "delete":
        edit.delete(row, actor=bob)
        people.gone.add(key)
        people.used.add(key)
    elif what == "list":
        own, _ = List.objects.get_or_create(account=account, name="Own", name_key="own")
        lists.add(own, [row.pk], actor=bob)
        people.used.add(key)


# A failing example is told as it is: making it smaller takes longer than reading it.
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    seed=st.integers(0, 999),
    ours=st.lists(PICK, max_size=4),
    newer=st.booleans(),
    imported_before=st.booleans(),
    happens=st.lists(st.tuples(THERE, PICK), min_size=4, max_size=12),
    since=st.lists(st.tuples(HERE, PICK), max_size=10),
)
def test_what_nobody_touched_is_back_and_all_else_stays(
    transactional_db: None,
    seed: int,
    ours: list[int],
    newer: bool,
    imported_before: bool,
    happens: list[tuple[str, int]],
    since: list[tuple[str, int]],
) -> None:
    account = an_account(next(SLUGS))
    options = SeedOptions(companies=5, contacts=14, leads=5, seed=seed, contacts_without_customer=1)
    with in_account(account), a_syncro(options) as syncro:
        bob = a_member(account, "Bob", "Salesperson")
        ready(account, syncro)
        if imported_before:
            import_all(account)
        ours_beforehand(account, syncro, ours, newer)
        for number, (what, pick) in enumerate(happens):
            there(syncro, what, pick, number)
        before, links, lines = everything(), links_of(), account_lines(account)
        mail = dict(Contact.objects.values_list("pk", "mail_state"))
        on_lists = set(ListMember.objects.values_list("list_id", "contact_id", "state"))
        run = import_all(account)
        people = People()
        for number, (what, pick) in enumerate(since):
            here(account, bob, people, what, pick, number)
        imported = everything()
        if why_not(run):
            return
        undo = go_on(planned_undo(run))
        assert (undo.state, planned(undo)) == ("complete", done(undo))

        after = everything()
        check_what_was_there(before, after, people)
        check_what_was_made(before, imported, after, people)
        if not since:
            # Who was unsubscribed stays so: that is a story of its own.
            for pk, state in mail.items():
                Contact.objects.filter(pk=pk).update(mail_state=state)
            untouched = only_agreed_on(run)
            assert without(account_lines(account), untouched) == without(lines, untouched)
        check_links(links, links_of(), people, written(run))
        mine = {pk for _, pk in before if _ is Kind.CONTACT}
        by_hand = set(ListMember.objects.filter(run=None).values_list("list_id", "contact_id", "state"))
        now = set(ListMember.objects.values_list("list_id", "contact_id", "state"))
        assert {each for each in now if each[1] in mine} == {e for e in on_lists | by_hand if e[1] in mine}


def check_what_was_there(before: dict[Key, Any], after: dict[Key, Any], people: People) -> None:
    """Every field has the value from before the import, or the one a person gave it since."""
    for key, was in before.items():
        expected = {**was, **people.values.get(key, {}), "deleted": was["deleted"] or key in people.gone}
        if key in people.values:
            expected["edited_at"] = after[key]["edited_at"]
        assert after[key] == expected, key


def check_what_was_made(
    before: dict[Key, Any], imported: dict[Key, Any], after: dict[Key, Any], people: People
) -> None:
    """A record that came with the import stays if somebody used it or something that stays hangs on it."""
    hanging = {
        (Kind(name), row[name])
        for (kind, _), row in after.items()
        if not row["deleted"]
        for name in ("company", "contact")
        if row.get(name) is not None
    }
    for key in imported.keys() - before.keys():
        stays = key not in people.gone and (key in people.used or key in hanging)
        assert after[key]["deleted"] is not stays, key
        if stays:
            assert {k: v for k, v in after[key].items() if k != "edited_at"} == {
                k: v for k, v in imported[key].items() if k != "edited_at"
            }


def check_links(
    before: dict[int, Any], after: dict[int, Any], people: People, wrote: set[int | None]
) -> None:
    """Links of records nobody used are as they were; what was only agreed on anew stays agreed."""
    for pk, was in before.items():
        if not _local(was) & people.used:
            names = (
                REMEMBERED
                if pk in wrote
                else ("state", "company_id", "contact_id", "opportunity_id", "reason")
            )
            assert {name: after[pk][name] for name in names} == {name: was[name] for name in names}
    assert all(_local(after[pk]) for pk in after.keys() - before.keys())


def written(run: Run) -> set[int | None]:
    return set(Change.objects.filter(run=run).values_list("link_id", flat=True))


def only_agreed_on(run: Run) -> set[tuple[str, int]]:
    """Links the import wrote no record for, as of an opt-out or a newer date alone: they stay agreed on anew."""
    wrote = [pk for pk in written(run) if pk is not None]
    return set(Link.objects.exclude(pk__in=wrote).values_list("kind", "remote_id"))


def without(lines: list[str], links: set[tuple[str, int]]) -> list[list[Any]]:
    read = [json.loads(line) for line in lines]
    return [line for line in read if line[0] != "link" or (line[1], line[2]) not in links]


def _local(link: dict[str, Any]) -> set[Key]:
    return {(kind, link[f"{kind.value}_id"]) for kind in Kind if link[f"{kind.value}_id"] is not None}
