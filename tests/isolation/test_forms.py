"""Ids of another account inside forms and query strings: taken for ids of nothing.

Each form is sent twice: by Alice with ids of her own, which shows that the form does something, and by Charlie,
on his own pages, with hers.
"""

from __future__ import annotations

from typing import Any

import pytest

from propolis.accounts.scoping import in_account
from tests.isolation.asking import asker
from tests.isolation.dump import rows_of
from tests.isolation.references import crossing
from tests.isolation.site import addresses
from tests.isolation.table import TABLE
from tests.isolation.test_matrix import form_of, has, url_of
from tests.isolation.world import OURS, World

pytestmark = pytest.mark.isolation
SYNCRO = "settings/integrations/syncro/"
# address (ids of whose account it is) → form; "{…}": an id of Acme's, whoever sends it.
FORMS: list[tuple[str, dict[str, str]]] = [
    ("contacts/new/", {"first": "Eve", "company": "#{company}"}),
    ("contacts/new/", {"first": "Eve", "salesperson": "{salesperson}"}),
    ("companies/new/", {"name": "Eve", "salesperson": "{salesperson}"}),
    ("contacts/{contact}/field/company/", {"company": "#{other_company}"}),
    ("companies/{company}/field/salesperson/", {"salesperson": "{salesperson}"}),
    ("companies/{company}/next-step/", {"next_step": "Call", "next_step_by": "{salesperson}"}),
    ("opportunities/new/", {"name": "Eve", "status": "{status}"}),
    ("opportunities/{opportunity}/field/contact/", {"contact": "#{other_contact}"}),
    ("opportunities/{opportunity}/move/", {"status": "{won}"}),
    ("contacts/{other_contact}/lists/", {"list": "{list}"}),
    ("companies/{company}/merge/?with={other_company}", {}),
    ("tables/contacts/selected/", {"action": "add", "list": "{list}", "id": "{other_contact}"}),
    ("tables/contacts/selected/", {"action": "assign", "salesperson": "none", "id": "{contact}"}),
    (
        "tables/opportunities/selected/",
        {"action": "assign", "salesperson": "{salesperson}", "id": "{opportunity}"},
    ),
    ("settings/users/invite/", {"person": "{member}"}),
    (f"{SYNCRO}users/{{remote_user}}/", {"choice": "{salesperson}"}),
]


@pytest.mark.parametrize(("where", "form"), FORMS, ids=[f"{at} {' '.join(form)}" for at, form in FORMS])
def test_an_id_of_anothers_in_a_form_is_an_id_of_nothing(
    world: World, where: str, form: dict[str, str]
) -> None:
    theirs, own = world.ids["acme"], world.ids["umbel"]
    sent = {name: value.format(**theirs) for name, value in form.items()}
    alice = asker(world.crew.alice).ask("POST", f"/acme/{where.format(**theirs)}", sent)
    assert (alice.status, bool(alice.wrote)) == (302, True), alice.text
    path, _, query = where.partition("?")
    charlies = f"/umbel/{path.format(**own)}?{query.format(**theirs)}"
    with rows_of(world.acme) as changed:
        answer = asker(world.crew.charlie).ask("POST", charlies, sent, look=crossing)
    assert answer.status < 500
    assert not answer.seen
    assert not has(answer.text, OURS)
    assert changed == []


def test_no_form_and_no_query_reaches_across(world: World) -> None:
    """Everything an address or a form of the site may call an id, sent to every page of Umbel's at once."""
    theirs, own = world.ids["acme"], world.ids["umbel"]
    spray: dict[str, Any] = {name: theirs[key] for names, key in NAMED.items() for name in names.split()} | {
        "first": "Eve",
        "name": "Eve",
        "all": "1",
        "action": "assign",
    }
    charlie, told = asker(world.crew.charlie), {}
    with rows_of(world.acme) as changed:
        for name, address in addresses().items():
            row = TABLE[name]
            for method in row.methods & {"GET", "POST"} if row.of_account else ():
                url = url_of(address, row, "umbel", own)
                form = spray | (form_of(row, method, own) or {})
                answer = charlie.ask(method, url, form, look=crossing)
                if answer.status >= 500 or answer.seen or has(answer.text, OURS):
                    told[name, method] = (answer.status, answer.seen, has(answer.text, OURS))
    assert told == {}
    assert changed == []


NAMED = {
    "company of_company": "company",
    "contact of_contact": "contact",
    "opportunity": "opportunity",
    "salesperson to person next_step_by choice by": "salesperson",
    "list of_list off": "list",
    "status": "status",
    "with id row pk after before": "other_company",
    "run import": "import",
    "link": "review",
    "backup": "backup",
    "field": "company",
}


def test_the_accounts_of_the_world_are_apart(world: World) -> None:
    assert crossing() == {}
    with in_account(world.umbel):
        assert set(world.ids["acme"]) == set(world.ids["umbel"])
