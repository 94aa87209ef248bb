"""Whatever of what nobody knows about Syncro turns out to be so: the same account arrives, and a second import finds
nothing to do."""

from __future__ import annotations

from typing import Any

import pytest

from propolis.accounts.models import Account
from propolis.bridge.models import Link
from propolis.crm.models import Company, Contact, Opportunity
from propolis.history.models import Change
from propolis.runs.models import Run
from syncro_sandbox import SWITCHES, Running, Sandbox, SeedOptions
from tests.bridge.house import a_syncro
from tests.bridge.import_story import import_all, ready

pytestmark = pytest.mark.django_db(transaction=True)
# More than a page of each list.
SEED = SeedOptions(companies=130, contacts=160, leads=60, seed=8)
READINGS: list[tuple[str, str]] = [
    ("time_zone", "UTC"),
    ("time_zone", "+02:00"),
    ("leads_scope", "open"),
    ("customers_per_page", "ignored"),
    ("customers_sort", "ignored"),
    ("contacts_per_page", "honoured"),
    ("leads_per_page", "honoured"),
    ("empty_total_pages", "0"),
    ("default_order", "id_desc"),
    ("default_order", "random_ties"),
    ("gateway_timeout_over", "40"),
    ("contact_touches_customer", "yes"),
    ("opportunity_fields", "returned"),
    ("users_shape", "objects"),
    ("contact_extra_keys", "absent"),
    ("nested_contacts", "0"),
    ("nested_contacts", "2"),
    ("since_updated_at", "honoured"),
    ("rate_limit_counts", "address_and_token"),
    ("not_found_body", "html"),
]
# What is about writing, refusals and waiting, or moves the account under the reader (tested beside).
ELSEWHERE = {
    "mutate_while_paging", "mutate_limit", "permission_status", "auth_failure_body", "rate_limit", "rate_window",
    "rate_limit_body", "retry_after", "trouble", "trouble_every", "slow_seconds", "latency_ms",
    "put_unknown_customer", "put_unknown_lead", "duplicate_customer_email", "properties_on_put", "contact_fields",
    "index_lag", "search_without_permission", "refusal_shape",
}  # fmt: skip


def test_every_switch_is_tried_here_or_elsewhere() -> None:
    assert {name for name, _ in READINGS} | ELSEWHERE == {switch.name for switch in SWITCHES}


@pytest.mark.parametrize(("switch", "value"), READINGS)
def test_the_same_account_arrives(acme: Account, switch: str, value: str) -> None:
    with a_syncro(SEED, **{switch: value}) as syncro:
        ready(acme, syncro)
        run = import_all(acme)
        again = import_all(acme)
        dump = syncro.sandbox.dump()
    assert (run.state, again.state) == (Run.State.COMPLETE, Run.State.COMPLETE)
    assert Change.objects.filter(run=again).count() == 0
    for kind, rows in (
        ("customer", dump["customers"]),
        ("contact", dump["contacts"]),
        ("lead", dump["leads"]),
    ):
        assert linked(kind) == sorted(row["id"] for row in rows), kind
    assert Company.objects.count() == len(dump["customers"])
    listed = set(Link.objects.filter(kind="contact").values_list("remote_id", "contact__email"))
    assert listed == {(row["id"], row["email"] or "") for row in dump["contacts"]}
    assert Contact.objects.count() >= len(dump["contacts"])
    deals = [row for row in dump["leads"] if row["mailbox_id"] is None]
    assert Opportunity.objects.count() == len(deals)


def linked(kind: Any) -> list[int]:
    return sorted(Link.objects.filter(kind=kind).values_list("remote_id", flat=True))


MOVING = [(mode, limit, "all") for mode in ("edit", "insert", "delete", "mixed") for limit in (2, 0)]


@pytest.mark.parametrize(("mode", "limit", "scope"), [*MOVING, ("delete", 2, "open"), ("delete", 0, "open")])
def test_an_account_that_moves_while_it_is_read_is_never_called_complete_with_something_missing(
    acme: Account, mode: str, limit: int, scope: str
) -> None:
    """`limit`: so many changes in all; 0 goes on for ever. Of a mixture nobody can tell: what is added and what is
    deleted cancel out in Syncro's counts."""
    with a_syncro(SEED, mutate_limit=limit, leads_scope=scope) as syncro:
        ready(acme, syncro)
        there = ids_of(syncro)
        syncro.sandbox.set("mutate_while_paging", mode)
        run = import_all(acme)
        syncro.sandbox.set("mutate_while_paging", "off")
        still = {kind: there[kind] & now for kind, now in ids_of(syncro).items()}
        if run.state == Run.State.COMPLETE:
            assert mode == "mixed" or {kind: still[kind] - set(linked(kind)) for kind in still} == {
                kind: set() for kind in still
            }
        else:
            assert (run.state, run.error_code) == (Run.State.INCOMPLETE, "propolis.unread")
        again = import_all(acme)
        assert again.state == Run.State.COMPLETE
        assert {kind: now - set(linked(kind)) for kind, now in ids_of(syncro).items()} == {
            kind: set() for kind in still
        }


def ids_of(syncro: Running) -> dict[str, set[int]]:
    dump = syncro.sandbox.dump()
    return {kind: {row["id"] for row in dump[f"{kind}s"]} for kind in ("customer", "contact", "lead")}


@pytest.mark.parametrize("scope", ["all", "open"])
def test_a_row_hidden_by_a_deletion_is_found_in_the_same_import(
    acme: Account, monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    """Counts of the last page agree: one was seen and is gone, one is there and was not seen."""
    gone: list[int] = []

    def before_page(box: Sandbox, kind: str, params: dict[str, Any]) -> None:
        """Once the first page is read, one of its leads is deleted: what follows moves up by one."""
        closed = "status_list" in params
        if gone or kind != "leads" or params["page"] != "2" or closed != (scope == "open"):
            return
        gone.append(box.leads.by_created()[0])
        box.delete("leads", gone[0])

    with a_syncro(SEED, leads_scope=scope) as syncro:
        ready(acme, syncro)
        for row in syncro.sandbox.leads.by_created():
            syncro.sandbox.edit("leads", row, status="Won" if scope == "open" else "New")
        monkeypatch.setattr("propolis.bridge.reading.IN_FLIGHT", 1)
        monkeypatch.setattr(syncro.sandbox.shifter, "before_page", before_page)
        run = import_all(acme, "opportunities")
        there = ids_of(syncro)["lead"]
    assert (run.state, len(gone)) == (Run.State.COMPLETE, 1)
    assert there <= set(linked("lead"))
