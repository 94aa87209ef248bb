"""`propolis demo`: a sample MSP imported from a stand-in for Syncro at its true speed, then the site.

`--once --json` imports, compares what arrived with the stand-in's own records and request log, prints one
line and ends.
"""

from __future__ import annotations

import json
import secrets
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from propolis.cli import Sorry, ready
from propolis.cli.demo_house import DemoHouse
from propolis.cli.serve import WORKER

if TYPE_CHECKING:
    from propolis.accounts.models import Account, Membership
    from propolis.bridge.models import Connection
    from propolis.runs.models import Run

SLUG, NAME, ADMIN = "harborpoint", "Harborpoint IT", "alicia@harborpoint-it.example"
OBJECTS = ["companies", "contacts", "opportunities"]
# The worker is killed when so much of the pages has been read.
KILL_AT = 0.6


def add_to(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Import, print the numbers, end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --once: one JSON line.")] = False,
    companies: Annotated[int, typer.Option(min=0, help="Companies of the sample MSP.")] = 500,
    contacts: Annotated[int, typer.Option(min=0, help="Contacts.")] = 5000,
    leads: Annotated[int, typer.Option(min=0, help="Leads, which become opportunities.")] = 500,
    pace: Annotated[float, typer.Option(min=1, help="Requests a minute; Syncro refuses above 180.")] = 170,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the site (default 8000 if it is free).")
    ] = None,
) -> int:
    """Watch a whole MSP being imported from Syncro (a stand-in), then look around. Keeps nothing."""
    if as_json and not once:
        raise Sorry("--json goes with --once.", 2)
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    with DemoHouse(companies, contacts, leads, pace, port) as house:
        if not once:
            house.hurry()
        ready()
        from propolis.accounts.scoping import in_account

        scene = _set(house)
        with in_account(scene.account):
            return _once(scene, as_json, began) if once else _shown(scene)


@dataclass
class Scene:
    """The account before its first import."""

    house: DemoHouse
    account: Account
    admin: Membership
    password: str
    dump: dict[str, Any]
    before: tuple[int, int]


def _set(house: DemoHouse) -> Scene:
    """The account, its Admin, and the records that were there before."""
    from propolis.accounts.founding import create_account, make_admin
    from propolis.accounts.scoping import in_account
    from propolis.demo.records import furnish

    password = f"{secrets.token_hex(3)}-{secrets.token_hex(3)}"
    account = create_account(SLUG, NAME)
    admin, _ = make_admin(account, ADMIN, password, "Alicia Moreno")
    dump = house.syncro.dump()
    with in_account(account):
        before = furnish(account, admin, dump)
    return Scene(house, account, admin, password, dump, (before.companies, before.contacts))


# ---- without a person


def _once(scene: Scene, as_json: bool, began: float) -> int:
    from propolis.cli.imports import Order, told, work_through

    starting = time.monotonic()
    _connect(scene)
    importing = time.monotonic()
    run = work_through(Order(_start(scene), mine=True))
    ended = time.monotonic()
    found = figures(scene, run) | {
        "seconds": round(ended - starting, 1),
        "seconds_importing": round(ended - importing, 1),
        "seconds_in_all": round(ended - began, 1),
    }
    if as_json:
        print(json.dumps(found))
    else:
        told(run)
        print(f"{found['requests']} requests, {found['seconds']:.0f} s (the article: an hour or more)")
    for line in found["disagreements"]:
        print(line, file=sys.stderr)
    return 0 if run.state == "complete" and not found["disagreements"] else 1


def figures(scene: Scene, run: Run) -> dict[str, Any]:
    """What came of it. Records are counted in the database, requests in the log of the other side."""
    from propolis.bridge.import_words import state_badge, totals_of
    from propolis.bridge.models import Link
    from propolis.crm.models import Company, Contact, Opportunity
    from propolis.demo.agreement import disagreements

    log = scene.house.syncro.requests()
    here = {"companies": Company, "contacts": Contact, "opportunities": Opportunity}
    return {
        **{noun: model.objects.filter(deleted_at=None).count() for noun, model in here.items()},
        "links": Link.objects.filter(state=Link.State.LINKED).count(),
        **totals_of(run).to_dict(),
        "requests": len(log),
        "requests_importing": run.requests,
        "refused": sum(entry["status"] == 429 for entry in log),
        "busiest_minute": _busiest_minute([datetime.fromisoformat(entry["at"]).timestamp() for entry in log]),
        "state": run.state,
        "says": state_badge(run).text,
        "why": run.error_code,
        "objects": {noun: _object(run, noun) for noun in OBJECTS},
        "syncro": {kind: len(scene.dump[kind]) for kind in ("customers", "contacts", "leads")},
        "before": {"companies": scene.before[0], "contacts": scene.before[1]},
        "disagreements": disagreements(scene.dump),
    }


def _object(run: Run, noun: str) -> dict[str, Any]:
    numbers = run.counts.get(noun, {})
    return {**numbers.get("counts", {}), **{key: numbers.get(key) for key in ("read", "persons", "stated")}}


def _busiest_minute(times: list[float]) -> int:
    """The most requests that came within any 60 seconds."""
    times, most, start = sorted(times), 0, 0
    for end, at in enumerate(times):
        while at - times[start] >= 60:
            start += 1
        most = max(most, end - start + 1)
    return most


# ---- both


def _connect(scene: Scene) -> Connection:
    """Credentials saved, users read, roles given: what the first two steps of the page do."""
    from propolis.bridge import connecting, people
    from propolis.bridge.models import Connection, RemoteUser

    syncro = scene.house.syncro
    made = connecting.connect(
        scene.account,
        address_or_base_url=syncro.base_url,
        token=syncro.token,
        by=scene.admin,
        allow_any_url=True,
    )
    if not isinstance(made, Connection):
        raise Sorry(made.sentence)
    with connecting.client_for(made) as client:
        people.read_users(made, client)
    sales = RemoteUser.objects.filter(connection=made, group="Sales", left_at=None)
    roles = {row.pk: {"Salesperson"} for row in sales}
    mine = RemoteUser.objects.filter(connection=made, membership=scene.admin).first()
    people.apply_roles(made, roles | ({mine.pk: {"Admin", "Salesperson"}} if mine else {}), by=scene.admin)
    made.mail_leads = "leave"
    made.save(update_fields=["mail_leads"])
    return made


def _start(scene: Scene) -> Run:
    from propolis.bridge.importing import start_import

    return start_import(scene.account, OBJECTS, by=scene.admin, gate_first_import=False)[0]


# ---- with a person


def _shown(scene: Scene) -> int:
    from propolis.cli import demo_tour
    from propolis.cli.imports import told

    demo_tour.print_opening(scene)
    began = time.monotonic()
    _connect(scene)
    run = _start(scene)
    scene.house.start("worker", WORKER)
    killing = Killing(scene, run)
    killing.watch()
    run.refresh_from_db()
    code = told(run)
    found = figures(scene, run) | {"seconds": time.monotonic() - began}
    scene.house.serve()
    demo_tour.print_tour(scene, run, found, killing)
    if code:
        print(f"The import did not end as it should (exit code {code} when you stop the demo).")
    try:
        while True:
            scene.house.look_after()
            time.sleep(0.2)
    except KeyboardInterrupt:
        print("\nStopped. Nothing of the demo is kept.")
    return code


class Killing:
    """Follows the run, kills its worker (kill -9) at 60 % of the pages, and measures what came of it.

    `at_page`: pages kept when it died, 0 if it never came to that. `back_after`: seconds until a worker had
    the run again. `asked_again`: pages that were on their way and had to be asked for once more.
    """

    def __init__(self, scene: Scene, run: Run) -> None:
        self.scene, self.run = scene, run
        _, _, leads = scene.house.size
        self._enough = KILL_AT * (4 + -(-scene.house.size[0] // 100) + -(-leads // 25))
        self.at_page, self.back_after, self._fence, self._killed_at = 0, 0.0, 0, 0.0

    def watch(self) -> None:
        """Returns when the run has ended or rests."""
        from propolis.cli.progress import Watch
        from propolis.runs.engine import follow

        with Watch(self.run):
            for now in follow(self.run, every=0.1):
                self.scene.house.look_after()
                self._look(now)

    def _look(self, now: Run) -> None:
        from propolis.runs.models import RunPage

        if self.at_page:
            if not self.back_after and now.fence > self._fence:
                self.back_after = time.monotonic() - self._killed_at
            return
        if now.phase != "reading" or not now.lease_owner:
            return
        kept = RunPage.objects.filter(run=now).count()
        worker = self.scene.house.children[0].process
        if kept >= self._enough and worker is not None:
            worker.kill()
            worker.wait()
            self.at_page = RunPage.objects.filter(run=now).count()
            self._fence, self._killed_at = now.fence, time.monotonic()

    @property
    def asked_again(self) -> int:
        log = self.scene.house.syncro.requests()
        leads = Counter(json.dumps(each["query"]) for each in log if each["path"].endswith("/leads"))
        return sum(leads.values()) - len(leads)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
