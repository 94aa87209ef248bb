"""A CSV import in a test, from the file to its end, in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from propolis.accounts.models import Membership
from propolis.crm.csv_import import starting
from propolis.crm.csv_import.pages import sums_of
from propolis.crm.csv_import.sentences import CsvRefused
from propolis.crm.fields import Kind
from propolis.history.models import Change
from propolis.runs import engine
from propolis.runs.models import Run
from tests.crm.people import Msp

PEOPLE = "First name,Last name,E-mail,Company,Phone\n"


def uploaded(msp: Msp, text: str | bytes, *, kind: Kind = Kind.CONTACT, by: Membership | None = None) -> Run:
    raw = text if isinstance(text, bytes) else text.encode()
    return starting.take_in(msp.account, raw, name="people.csv", kind=kind, by=by or msp.alice)


def refusal(msp: Msp, raw: bytes) -> str:
    """The code of the sentence that refuses the file, "" if it was taken in."""
    try:
        uploaded(msp, raw)
    except CsvRefused as refused:
        return refused.code
    return ""


def planned(
    msp: Msp,
    text: str | bytes,
    *,
    kind: Kind = Kind.CONTACT,
    age: str = "today",
    new_list: str = "",
    make_lists: bool = False,
    chosen: list[str] | None = None,
) -> Run:
    """At its preview, with the columns as guessed."""
    run = uploaded(msp, text, kind=kind)
    picked = run.options["guess"] if chosen is None else chosen
    assert starting.choose(run, picked, age=age, list_id="", new_list=new_list, make_lists=make_lists)
    run = worked(run)
    assert (run.state, run.gate_reason, run.slot) == ("planned", "preview", None), run.error_detail
    return run


def worked(run: Run) -> Run:
    while engine.work(run.pk).outcome == "slice":
        pass
    return Run.objects.select_related("account").get(pk=run.pk)


def confirmed(run: Run, by: Membership | None = None) -> Run:
    assert engine.confirm(run, by)
    run = worked(run)
    assert run.state == Run.State.COMPLETE, (run.state, run.error_code, run.error_detail)
    return run


def imported(msp: Msp, text: str | bytes, **more: Any) -> Run:
    return confirmed(planned(msp, text, **more), msp.alice)


def told(run: Run) -> list[str]:
    return sums_of(run)


def effects(run: Run) -> list[tuple[str, str, Mapping[str, list[Any]]]]:
    """kind, action and fields of everything that is planned or done, in order."""
    return [(c.kind, c.action, c.fields) for c in Change.objects.filter(run=run).order_by("seq")]
