"""Two MSPs that have one of everything, told apart by one word in every record.

Acme's records say `OURS` somewhere in each text, Umbel's say `THEIRS`; so what leaks is found by looking for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from propolis.accounts import invitations
from propolis.accounts.models import Account, Membership, audit
from propolis.accounts.scoping import in_account
from propolis.bridge.backup_restoring import start_restore
from propolis.bridge.backups import make_backup
from propolis.bridge.models import Connection, Link, RemoteUser
from propolis.bridge.undoing import start_undo
from propolis.crm import edit, hand_jobs, lists, mailing, notes
from propolis.crm.combine import combine
from propolis.crm.csv_import import starting
from propolis.crm.duplicate_search import search
from propolis.crm.fields import Kind
from propolis.crm.models import (
    DEFAULT_STATUSES,
    Company,
    Contact,
    Duplicate,
    List,
    NotDuplicate,
    OppStatus,
    Suppression,
)
from propolis.history.models import Change
from propolis.runs.models import Run
from syncro_sandbox import Running, SeedOptions
from tests.bridge.export_story import sent
from tests.bridge.house import a_syncro
from tests.bridge.import_story import finish, import_all, ready
from tests.bridge.review_story import a_customer, a_lead, someone
from tests.people import Crew, make_crew, make_person

OURS, THEIRS = "Quillfeather", "Thornberry"
EMPTY = SeedOptions(companies=1, contacts=1, leads=1, seed=3)


@dataclass(frozen=True)
class World:
    """`ids`: account slug → what stands in addresses and forms → its id there. `tokens`: what must
    appear nowhere."""

    crew: Crew
    dora: Membership
    noel: Membership
    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)

    @property
    def acme(self) -> Account:
        return self.crew.account

    @property
    def umbel(self) -> Account:
        return self.crew.elsewhere

    def people(self) -> dict[str, Membership | None]:
        """Everybody the matrix sends round: Dora is disabled, Noel has No Types."""
        crew = self.crew
        return {
            "Alice": crew.alice,
            "Bob": crew.bob,
            "Mia": crew.mia,
            "Charlie": crew.charlie,
            "Dora": self.dora,
            "Noel": self.noel,
            "nobody": None,
        }


@contextmanager
def open_world() -> Iterator[World]:
    """The two accounts, each with its Syncro at the other end of the line."""
    crew = make_crew()
    with in_account(crew.account):
        dora = make_person(crew.account, "Dora Reyes", "Admin")
        noel = make_person(crew.account, "Noel Brandt")
        Membership.objects.filter(pk=dora.pk).update(state=Membership.State.DISABLED)
    # Numbers of runs are each account's own: these shall not be Umbel's too.
    Account.objects.filter(pk=crew.account.pk).update(next_run_no=100)
    world = World(crew, dora, noel)
    with a_syncro(EMPTY) as ours, a_syncro(EMPTY) as theirs:
        world.tokens.extend([ours.token, theirs.token])
        for account, syncro, word, by in (
            (crew.account, ours, OURS, crew.alice),
            (crew.elsewhere, theirs, THEIRS, crew.charlie),
        ):
            with in_account(account):
                world.ids[account.slug] = furnish(account, syncro, word, by)
        yield world


def furnish(account: Account, syncro: Running, word: str, by: Membership) -> dict[str, int]:
    """One of everything in the account; what to put for each id in an address or a form."""
    for position, (name, outcome) in enumerate(DEFAULT_STATUSES):
        OppStatus.objects.get_or_create(
            account=account, name=name, defaults={"position": position, "outcome": outcome}
        )
    ids = _records(account, word, by)
    _syncros(syncro, word)
    connection = ready(account, syncro)
    import_all(account)
    ids |= _by_run(account, word, by, ids)
    return ids | _sent(connection, by) | _decided(account, ids, by) | _runs(account, by)


def _records(account: Account, word: str, by: Membership) -> dict[str, int]:
    """What people typed."""
    made: dict[str, Any] = {
        "company": _company(account, f"{word} Dental", by),
        "other_company": _company(account, f"{word} Bakery", by),
        "contact": _contact(account, "Jo", word, by),
        "other_contact": _contact(account, "Sam", word, by),
    }
    merged = _company(account, f"{word} Twin", by)
    combine(account, made["company"], merged, {}, actor=by)
    edit.update(account, made["contact"], {"company": made["company"].pk}, actor=by)
    deal: dict[str, Any] = {
        "name": f"{word} firewall",
        "company": made["company"].pk,
        "contact": made["contact"].pk,
    }
    prospect: dict[str, Any] = {
        "prospect_name": f"Pat {word}",
        "prospect_email": f"pat@{word.lower()}.example",
    }
    made["won"] = OppStatus.objects.get(name="Won")
    made["archived"] = OppStatus.objects.create(
        account=account, name=f"{word} idea", position=90, archived=True
    )
    made["status"] = OppStatus.objects.get(name="Proposal")
    deal["status"] = prospect["status"] = made["status"].pk
    made["opportunity"] = edit.create(account, Kind.OPPORTUNITY, deal, actor=by)
    made["prospect"] = edit.create(account, Kind.OPPORTUNITY, {"name": f"{word} lead", **prospect}, actor=by)
    made["list"] = lists.create_list(account, f"{word} news")
    lists.add(made["list"], [made["contact"].pk], actor=by)
    mailing.suppress(account, made["other_contact"].email, Suppression.Kind.UNSUBSCRIBED, actor=by)
    notes.add_note(made["company"], f"{word} has a dog", actor=by)
    made["change"] = edit.update(account, made["company"], {"city": f"{word}ville"}, actor=by)
    gone = _company(account, f"{word} Gone", by)
    edit.delete(gone, actor=by)
    made["deleted_company"] = gone
    made["member"] = _waiting(account, word, by)
    made["salesperson"] = make_person(
        account, f"Sal {word}", "Salesperson", email=f"sal@{word.lower()}.example"
    )
    audit(account, by, "story.told", about=word)
    return {name: row.pk for name, row in made.items()}


def _company(account: Account, name: str, by: Membership) -> Company:
    domain = name.lower().replace(" ", "-") + ".example"
    values = {"name": name, "website": domain, "email": f"desk@{domain}", "salesperson": by.pk,
              "next_step": f"Call {name}", "next_step_on": "2020-01-01", "next_step_by": by.pk}  # fmt: skip
    row = edit.create(account, Kind.COMPANY, values, actor=by)
    assert isinstance(row, Company)
    return row


def _contact(account: Account, first: str, last: str, by: Membership) -> Contact:
    values = {"first": first, "last": last, "email": f"{first}@{last}.example".lower(), "salesperson": by.pk}
    row = edit.create(account, Kind.CONTACT, values, actor=by)
    assert isinstance(row, Contact)
    return row


def _waiting(account: Account, word: str, by: Membership) -> Membership:
    """Somebody invited who has not come yet."""
    person = Membership.objects.create(
        account=account, name=f"Ines {word}", email_key=f"ines@{word.lower()}.example", is_salesperson=True
    )
    invitations.new_link(person, by)
    return person


def _syncros(syncro: Running, word: str) -> None:
    """Three customers: one sure, one to decide about, one that will be deleted here."""
    low = word.lower()
    sure = a_customer(syncro, f"{word} Dental", email=f"hello@{low}-dental.example")
    doubtful = a_customer(syncro, f"Quite Another {word}", email=f"hello@{low}-bakery.example")
    deleted = a_customer(syncro, f"{word} Paint", email=f"desk@{low}-paint.example")
    someone(syncro, doubtful, f"Kim {word}", email=f"kim@{low}.example")
    someone(syncro, sure, f"Lee {word}", email=f"lee@{low}.example")
    a_lead(syncro, f"{word} printer", customer_id=deleted)


def _by_run(account: Account, word: str, by: Membership, ids: dict[str, int]) -> dict[str, int]:
    """A CSV file at its preview with a row to decide, and records handed over."""
    lines = "First name,Last name,E-mail\n" + "".join(
        f"{first},{word},jo@{word.lower()}.example\n" for first in ("Jo", "J.")
    )
    csv = starting.take_in(account, lines.encode(), name=f"{word}.csv", kind=Kind.CONTACT, by=by)
    starting.choose(csv, csv.options["guess"], age="today", list_id="", new_list="")
    finish(csv)
    row = Change.objects.get(run=csv, action=Change.Action.REVIEW)
    options = {"of": by.pk, "to": ids["salesperson"], "shares": ["contacts"]}
    handed = hand_jobs.at_once(account, hand_jobs.HAND_OVER, options, by=by)
    assert handed is not None
    return {"csv": csv.number, "csv_row": row.pk, "handed": handed.pk}


def _sent(connection: Connection, by: Membership) -> dict[str, int]:
    """A company and a contact of it, both sent to Syncro after the import."""
    dental, lee = Company.objects.get(name__endswith="Dental"), Contact.objects.get(first="Lee")
    account = connection.account
    for row in (dental, lee):
        edit.update(account, row, {"phone": "(212) 555-0123"}, actor=by)
        assert sent(connection, row, by=by).state == Run.State.COMPLETE
    changes = {row.pk: row.kind for row in Change.objects.filter(action=Change.Action.SEND)}
    by_kind = {kind: pk for pk, kind in changes.items()}
    return {"imported": lee.pk, "sent_company": by_kind["company"], "sent_contact": by_kind["contact"]}


def _decided(account: Account, ids: dict[str, int], by: Membership) -> dict[str, int]:
    """Ids of what the import left to people, and of what they remember."""
    review = Link.objects.filter(state=Link.State.REVIEW).first()
    assert review is not None
    paint = Company.objects.get(name__endswith="Paint")
    edit.delete(paint, actor=None)
    Link.objects.filter(company=paint).update(state=Link.State.DELETED_HERE)
    link = Link.objects.get(company=paint)
    remote = RemoteUser.objects.first()
    assert remote is not None
    RemoteUser.objects.filter(pk=remote.pk).update(name=paint.name.replace("Paint", "Technician"))
    general = List.objects.get(system_key="syncro_general")
    kim = Contact.objects.filter(first="Kim").get()
    lists.remove(general, [kim.pk], actor=None)
    finish(search(account, by=by)[0])
    a, b = ids["company"], ids["other_company"]
    pair = Duplicate.objects.create(account=account, kind="company", a=a, b=b, score=90, reasons=[])
    a, b = ids["contact"], ids["other_contact"]
    said = NotDuplicate.objects.create(account=account, kind="contact", a=a, b=b, by=by)
    return {
        "pair": pair.pk,
        "said": said.pk,
        "review": review.pk,
        "link": link.pk,
        "remote_user": remote.pk,
        "off_list": kim.pk,
    }


def _runs(account: Account, by: Membership) -> dict[str, int]:
    """The import, an undo of it at its gate, a backup and a restore at its gate."""
    imported = Run.objects.get(kind="import")
    undo, _ = start_undo(imported, by=by)
    finish(undo)
    backup = make_backup(account, by=by)
    restore, _ = start_restore(account, backup, by=by)
    finish(restore)
    numbers = {"import": imported, "undo": undo, "restore": restore}
    return {"backup": backup.pk} | {name: run.number for name, run in numbers.items()}
