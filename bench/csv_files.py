"""CSV files: how fast one is planned and applied, and how little memory a large one takes to send."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from bench.house import SLUG, House, Size, open_house

if TYPE_CHECKING:
    from propolis.runs.models import Run

NOBODY = Size(1, 1, 0)
ROWS, EXPORTED = 20_000, 100_000
HEAD = "First name,Last name,E-mail,Company,Phone,Title,City,State,ZIP\n"


def import_speed(database: str = "sqlite") -> dict[str, Any]:
    """20,000 contacts of 2,000 companies into an empty CRM, then the same file again, then changed."""
    with open_house(NOBODY, database) as house:
        first, again, changed = (_imported(house, title) for title in ("Owner", "Owner", "Director"))
    return {
        "rows": ROWS,
        "rows_a_second": first["a_second"],
        **{f"{name}_seconds": first[name] for name in ("upload", "plan", "apply")},
        "unchanged_rows_a_second": again["a_second"],
        "changed_rows_a_second": changed["a_second"],
        "words": first["words"] | {"again": again["words"], "changed": changed["words"]},
    }


def _imported(house: House, title: str) -> dict[str, Any]:
    from propolis.crm.csv_import import starting
    from propolis.crm.fields import Kind
    from propolis.runs import engine

    spent: dict[str, float] = {}
    began = time.perf_counter()
    run = starting.take_in(
        house.account, people(ROWS, title), name="people.csv", kind=Kind.CONTACT, by=house.alice
    )
    spent["upload"] = time.perf_counter() - began
    began = time.perf_counter()
    starting.choose(run, run.options["guess"], age="today", list_id="", new_list="News")
    _work(run)
    spent["plan"] = time.perf_counter() - began
    began = time.perf_counter()
    engine.confirm(run, house.alice)
    counts = _work(run).counts["contacts"]["counts"]
    spent["apply"] = time.perf_counter() - began
    return {
        "a_second": round(ROWS / (spent["plan"] + spent["apply"])),
        "words": {word: n for word, n in counts.items() if n},
        **{name: round(seconds, 2) for name, seconds in spent.items()},
    }


def _work(run: Run) -> Run:
    from propolis.runs import engine
    from propolis.runs.models import Run

    while engine.work(run.pk).outcome == "slice":
        pass
    return Run.objects.get(pk=run.pk)


def people(count: int, title: str = "Owner") -> bytes:
    """A file of so many contacts, ten to a company."""
    rows = (
        f"Jo{n},Berg{n % 97},jo{n}@firm{n // 10}.example,Firm {n // 10} LLC,(503) 55{n % 10}-{n % 10_000:04},"
        f"{title},Portland,OR,97201\n"
        for n in range(count)
    )
    return (HEAD + "".join(rows)).encode()


def export_memory() -> dict[str, Any]:
    """100,000 contacts on lists, sent by a process of its own: its peak after the first thousand and at the end."""
    with open_house(NOBODY) as house:
        _fill(house)
        command = [sys.executable, "-m", "bench.csv_files"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _fill(house: House) -> None:
    from propolis.crm import lists, rows
    from propolis.crm.models import Contact

    news = lists.create_list(house.account, "News")
    for start in range(0, EXPORTED, 5000):
        made = [Contact(account=house.account) for _ in range(5000)]
        for n, row in enumerate(made, start):
            values = {
                "first": f"Jo{n}",
                "last": "Berg",
                "email": f"jo{n}@firm.example",
                "notes": "note " * 20,
            }
            rows.fill_contact(row, values, "US")
        Contact.objects.bulk_create(made)
    lists.add(news, Contact.objects.values_list("pk", flat=True).iterator(), actor=house.alice)


def _export_child() -> None:
    from propolis.cli import ready

    ready()
    from propolis.accounts.models import Account
    from propolis.accounts.scoping import in_account
    from propolis.crm.csv_export import complete_export
    from propolis.crm.fields import Kind
    from propolis.crm.mailing_export import mailing_export, mailing_sum
    from propolis.crm.models import Contact
    from propolis.crm.paging import Sort

    with in_account(Account.objects.get(slug=SLUG)):
        parts = complete_export(Kind.CONTACT, Contact.objects.all(), Sort("name", "sort_name", False))
        size = len(next(parts)) + len(next(parts))
        first, began = _peak(), time.perf_counter()
        for part in parts:
            size += len(part)
        seconds = time.perf_counter() - began
        mailing = sum(part.count(b"\n") for part in mailing_export(Contact.objects.all()))
        found = {
            "contacts": EXPORTED,
            "megabytes_sent": round(size / (1 << 20), 1),
            "seconds": round(seconds, 1),
            "mb_more_than_after_the_first_1000": round(_peak() - first, 1),
            "mailing_rows": mailing - 1,
            "mailing_sum_says": mailing_sum(Contact.objects.all()).rows,
        }
    print(json.dumps(found))


def _peak() -> float:
    kilobytes = sys.platform != "darwin"
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if kilobytes else 1) / (1 << 20)


if __name__ == "__main__":
    _export_child()
