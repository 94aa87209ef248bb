"""What nobody means to type: every page answers it, none breaks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.isolation.asking import Asker, asker
from tests.isolation.site import addresses
from tests.isolation.table import TABLE
from tests.isolation.test_matrix import url_of
from tests.isolation.world import World

pytestmark = pytest.mark.isolation
HUGE = 10**19
LONG = "n" * 10_000
# As bytes of an address or a form; the third is a lone surrogate as some programs write it, then no UTF-8 at all.
NASTY = [
    b"\0",
    "²".encode(),
    b"\xed\xa0\x80\xff",
    str(HUGE).encode(),
    b"-1",
    f"{LONG} שלום ‮evil‬ 🐝👩‍👩‍👧".encode(),
    b"%' OR 1=1 --\"><script>",
]
# Whatever any page reads from its address.
PARAMETERS = [
    *(
        "q",
        "sort",
        "show",
        "after",
        "before",
        "end",
        "kind",
        "state",
        "salesperson",
        "list",
        "company",
        "contact",
    ),
    *(
        "status",
        "run",
        "with",
        "steps",
        "page",
        "of_list",
        "reason",
        "word",
        "step",
        "person",
        "choice",
        "next",
    ),
    *("likelihood", "amount", "view", "only", "from", "note", "look", "narrowing", "column", "field"),
]
# Some pages that must have been seen looking at their query string: else nothing would be seen any more.
LOOKING = {
    *("crm:companies", "crm:contacts", "crm:opportunities", "crm:board", "crm:list", "crm:search"),
    *("bridge:import_run", "bridge:health_list", "accounts:audit"),
}
TEXTS = [
    LONG,
    "=שלום ‮evil‬ 🐝👩‍👩‍👧 <b>&amp;",
    "nul\0 and a lone \ud800 surrogate",
    " " * 500,
    "9" * 400,
]


@pytest.fixture
def alice(world: World) -> Asker:
    return asker(world.crew.alice)


def pages(method: str) -> list[str]:
    return [name for name in addresses() if TABLE[name].of_account and method in TABLE[name].methods]


def test_no_query_string_breaks_a_page(world: World, alice: Asker) -> None:
    """A page that looks at its query string no more than the refusal of a NUL does is not asked with the others."""
    known, broken, looking = addresses(), {}, set()
    for name in pages("GET"):
        at = url_of(known[name], TABLE[name], "acme", world.ids["acme"])
        refused = alice.ask("GET", f"{at}?{all_of(NASTY[0])}")
        assert refused.status == 400, name
        for value in NASTY[1:]:
            answer = alice.ask("GET", f"{at}?{all_of(value)}")
            if answer.status >= 500:
                broken[name, value[:20]] = answer.status
            if answer.looked <= refused.looked:
                break
            looking.add(name)
    assert broken == {}
    assert looking >= LOOKING


def all_of(value: bytes) -> str:
    """A query string that gives every parameter this value."""
    return "&".join(f"{key}={quote_from_bytes(value)}" for key in PARAMETERS)


TABLES = ["companies", "contacts", "opportunities", "opportunities/board", "lists/{list}", "duplicates"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.sampled_from(TABLES),
    query=st.dictionaries(
        st.sampled_from(PARAMETERS),
        st.one_of(
            st.binary(max_size=12), st.integers().map(lambda n: str(n).encode()), st.sampled_from(NASTY)
        ),
        max_size=5,
    ),
)
def test_tables_answer_any_query_string(
    world: World, alice: Asker, table: str, query: dict[str, bytes]
) -> None:
    asked = "&".join(f"{key}={quote_from_bytes(value)}" for key, value in query.items())
    at = table.format(**world.ids["acme"])
    assert alice.ask("GET", f"/acme/{at}/?{asked}").status in (200, 400, 404)


def test_ids_no_column_holds_are_ids_of_nothing(world: World, alice: Asker) -> None:
    known, found = addresses(), {}
    for name, row in TABLE.items():
        if row.of_account and row.has_ids:
            huge = {key: HUGE * 10 + 9 for key in row.ids.values() if key in world.ids["acme"]}
            for method in row.methods & {"GET", "POST"}:
                found[name, method] = alice.ask(method, url_of(known[name], row, "acme", huge)).status
    assert {cell: status for cell, status in found.items() if status != 404} == {}


FORMS: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "companies/new/",
        {"name": "Odd"},
        ["name", "website", "email", "phone", "address_1", "city", "zip", "notes"],
    ),
    ("contacts/new/", {"first": "Odd"}, ["first", "last", "title", "email", "phone", "extension", "company"]),
    (
        "opportunities/new/",
        {"name": "Odd", "status": "{status}"},
        [
            "name",
            "status",
            "amount",
            "likelihood",
            "expected_close",
            "prospect_name",
            "prospect_email",
            "company",
        ],
    ),
    ("companies/{company}/note/", {"body": "Odd"}, ["body"]),
    ("companies/{company}/next-step/", {"next_step": "Odd"}, ["next_step", "next_step_on", "next_step_by"]),
    ("lists/new/", {"name": "Odd"}, ["name"]),
    ("contacts/{contact}/lists/", {"list": "{list}"}, ["list", "off"]),
    ("contacts/{contact}/mail/", {"subscribe": "1", "reason": "Odd"}, ["reason"]),
    ("tables/contacts/selected/", {"action": "add", "list": "{list}"}, ["action", "list", "id", "narrowing"]),
    ("settings/account/", {"name": "Odd"}, ["name", "time_zone", "currency", "phone_region"]),
    ("settings/users/new/", {"name": "Odd", "email": "odd@x.example"}, ["name", "email"]),
]


@pytest.mark.parametrize(("where", "form", "names"), FORMS, ids=[each[0] for each in FORMS])
def test_forms_take_odd_text_or_say_why_not(
    world: World, alice: Asker, where: str, form: dict[str, Any], names: list[str]
) -> None:
    """Saved (and the page it leads to opens), or shown again with a sentence; never an error page."""
    ids, told = world.ids["acme"], {}
    given = {name: value.format(**ids) for name, value in form.items()}
    for name in names:
        for text in TEXTS:
            sent = {**given, name: text.encode("utf-8", "surrogatepass")}
            answer = alice.ask("POST", f"/acme/{where.format(**ids)}", sent, follow=True)
            if answer.status not in (200, 400, 404):
                told[name, text[:12]] = answer.status
    assert told == {}
