"""Everybody goes everywhere: every address × method × person, against the table of what each may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from propolis.accounts.models import Membership
from propolis.accounts.policy import may
from tests.isolation.asking import Answer, asker, writes
from tests.isolation.site import Address, addresses
from tests.isolation.table import TABLE, Open, Row
from tests.isolation.world import OURS, THEIRS, World

pytestmark = pytest.mark.isolation
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
INSIDERS = ("Alice", "Bob", "Mia")
MISSING = """These addresses have no row in tests/isolation/table.py. Add one for each:
    "name": _row(Verb.…, "GET POST", pk="company"),   who may, with which methods, what stands in the address
and give tests/isolation/world.py a record to put there if it has none yet."""

# Pages that show Alice words of her records: what shows nothing of hers could show a stranger nothing either.
SHOWING = {
    *("crm:companies", "crm:company", "crm:contacts", "crm:contact", "crm:opportunities", "crm:opportunity"),
    *("crm:board", "crm:lists", "crm:list", "accounts:users", "bridge:review", "bridge:import_run"),
}

Cell = tuple[str, str]


def url_of(address: Address, row: Row, slug: str, ids: dict[str, int]) -> str:
    """In the account of the slug, with ids of whose they are."""
    parts: dict[str, Any] = {part: ids.get(name, name) for part, name in row.ids.items()}
    if "/" in address.name:
        return "/" + address.route
    return reverse(address.name, kwargs={"account": slug, **parts} if row.of_account else parts)


def test_every_address_stands_in_the_table() -> None:
    known = addresses()
    assert sorted(set(known) - set(TABLE)) == [], MISSING
    assert sorted(set(TABLE) - set(known)) == [], "These addresses are no more; take their rows away."
    wrong = {name: each.parts for name, each in known.items() if each.parts != set(TABLE[name].ids)}
    assert wrong == {}, "What stands in these addresses is not what their rows say."


@pytest.mark.parametrize("who", ["Alice", "Bob", "Mia", "Charlie", "Dora", "Noel", "nobody"])
def test_each_may_what_the_table_says_and_nothing_else(world: World, who: str) -> None:
    """Addresses of Acme. Charlie is Admin elsewhere, Dora is disabled, Noel has No Types."""
    person = world.people()[who]
    asking, ids, found, shown = asker(person), world.ids["acme"], {}, set()
    for address, row, method in cells(who):
        answer = asking.ask(method, url_of(address, row, "acme", ids), form_of(row, method, ids))
        found[address.name, method] = word(row, method, answer, THEIRS if who in INSIDERS else OURS)
        if method == "GET" and has(answer.text, OURS):
            shown.add(address.name)
    assert differing(found, {cell: expected(*cell, who, person) for cell in found}) == {}
    if who == "Alice":
        assert shown >= SHOWING


def test_another_accounts_ids_lead_nowhere(world: World) -> None:
    """Charlie, Admin of Umbel, puts ids of Acme into addresses of Umbel."""
    asking, found = asker(world.crew.charlie), {}
    theirs, ours = world.ids["acme"], world.ids["umbel"]
    for address, row, method in cells("Charlie"):
        if row.of_account and row.has_ids and method in row.methods:
            url = url_of(address, row, "umbel", theirs)
            answer = asking.ask(method, url, form_of(row, method, ours))
            found[address.name, method] = word(row, method, answer, OURS)
    assert differing(found, dict.fromkeys(found, "not there")) == {}
    assert len(found) > 60


def test_no_form_is_taken_without_its_token(world: World) -> None:
    """What another site could make Alice's browser send is refused before anything reads it."""
    asking, found = asker(world.crew.alice, enforce_csrf_checks=True), {}
    for address, row, method in cells("Alice"):
        if method == "POST" and "POST" in row.methods:
            url = url_of(address, row, "acme", world.ids["acme"])
            answer = asking.ask("POST", url, form_of(row, method, world.ids["acme"]))
            found[address.name] = (answer.status, sorted(answer.wrote))
    assert found == dict.fromkeys(found, (403, []))
    assert len(found) > 60


def test_what_is_written_by_the_way_is_noticed(world: World) -> None:
    with writes() as wrote:
        Membership._base_manager.filter(pk=world.crew.bob.pk).update(name="Bob")
    assert wrote == {"accounts_membership"}


def cells(who: str) -> Iterator[tuple[Address, Row, str]]:
    """What a person has to try. Pages of no account are the same for everybody who is signed in, and Dora and
    Noel are turned away before it matters what they ask for."""
    for name, address in addresses().items():
        row = TABLE[name]
        if row.of_account or who in ("Alice", "Charlie", "nobody"):
            methods = ("GET", "POST") if who in ("Dora", "Noel") else METHODS
            yield from ((address, row, method) for method in methods)


def form_of(row: Row, method: str, ids: dict[str, int]) -> dict[str, Any] | None:
    return {name: ids[key] for name, key in row.form.items()} if method == "POST" and row.form else None


def has(text: str, word: str) -> bool:
    return word.lower() in text.lower()


def expected(name: str, method: str, who: str, person: Membership | None) -> str:
    row = TABLE[name]
    if row.who is Open.ANYBODY:
        return "open" if method in row.methods else "nothing"
    if person is None:
        return "sign in"
    if isinstance(row.who, Open):
        return "open" if method in row.methods else "nothing"
    if who not in INSIDERS:
        return "not there"
    if method not in row.methods:
        return "nothing"
    return "open" if may(person, row.who) else "refused"


def word(row: Row, method: str, answer: Answer, stranger: str) -> str:
    """What an answer comes to, in one word; more words for what must never be."""
    if answer.status >= 500:
        return f"broken: {answer.status}"
    if has(answer.text, stranger) or has(answer.location, stranger):
        return f"shows {stranger}"
    kind = _kind(row, method, answer, outsider=stranger == OURS)
    wrote = ", ".join(sorted(answer.wrote))
    return f"{kind} but wrote {wrote}" if wrote and kind != "open" else kind


def _kind(row: Row, method: str, answer: Answer, *, outsider: bool) -> str:
    served = method in row.methods
    if answer.status == 302 and answer.location.startswith("/auth/login/") and row.who is not Open.ANYBODY:
        return "sign in"
    if not row.of_account:
        return "open" if served else "nothing"
    if not served:
        return "not there" if outsider and answer.status == 404 else "nothing"
    return {403: "refused", 404: "not there", 405: "no such method"}.get(answer.status, "open")


def differing(found: dict[Cell, str], wanted: dict[Cell, str]) -> dict[Cell, str]:
    return {cell: f"{told}, not {wanted[cell]}" for cell, told in found.items() if told != wanted[cell]}
