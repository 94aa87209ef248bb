"""How long a person waits from "Send" to "In Syncro", with a Syncro that takes 250 ms for every answer."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from typing import Any
from urllib.request import Request, urlopen

from bench.house import House, Size, open_house

LATENCY_MS = 250
ROUNDS = 3
# Syncro's own limit is 180; an installation's default pace.
PACE = "150"
SIZE = Size(1500, 3000, 1500)


def send() -> dict[str, Any]:
    """Seconds from the press to the answer, in the process that answers; the worst of some rounds."""
    with open_house(SIZE, PROPOLIS_PACE=PACE) as house:
        _slow(house, LATENCY_MS)
        _mapped(house)
        idle = _rounds(house, pause=5.0)
        worker = subprocess.Popen([sys.executable, "-m", "propolis.cli", "worker"])
        try:
            _import_under_way(house)
            busy = _rounds(house, pause=2.0)
            reading = _still_reading()
        finally:
            worker.kill()
            worker.wait()
    return {
        "latency_ms": LATENCY_MS,
        **{f"idle_{name}": each for name, each in idle.items()},
        **{f"during_an_import_{name}": each for name, each in busy.items()},
        "import_was_still_reading": reading,
    }


def _slow(house: House, milliseconds: int) -> None:
    body = json.dumps({"latency_ms": milliseconds}).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{house.syncro.control_url}/switches", body, headers), timeout=10):
        pass


def _mapped(house: House) -> None:
    """As after the five steps; nothing imported yet."""
    from django.utils import timezone

    from propolis.bridge.statuses import ensure_status_map

    connection = house.connection
    connection.users_step = "read"
    for name in ("users", "companies", "contacts", "opportunities"):
        setattr(connection, f"{name}_read_at", timezone.now())
    connection.save()
    ensure_status_map(connection)


def _import_under_way(house: House) -> None:
    """An import of everything, and its worker has begun to read."""
    from propolis.bridge.importing import OBJECTS, start_import
    from propolis.runs.models import RunPage

    run, _ = start_import(house.account, list(OBJECTS), by=house.alice, gate_first_import=False)
    while RunPage.objects.filter(run=run).count() < 3:
        time.sleep(0.05)


def _still_reading() -> bool:
    from propolis.runs.models import Run

    return Run.objects.filter(kind="import", finished_at=None, phase="reading").exists()


def _rounds(house: House, *, pause: float) -> dict[str, Any]:
    """The slowest creation and the slowest update, in seconds, and the most requests either took."""
    created, updated = [], []
    for at in range(ROUNDS):
        row = _company(house, f"Bench {pause:g} {at} Dental")
        time.sleep(pause)
        created.append(_pressed(house, row))
        _changed(house, row)
        time.sleep(pause)
        updated.append(_pressed(house, row))
    return {
        "create_seconds": round(max(seconds for seconds, _ in created), 2),
        "update_seconds": round(max(seconds for seconds, _ in updated), 2),
        "create_requests": max(requests for _, requests in created),
        "update_requests": max(requests for _, requests in updated),
    }


def _company(house: House, name: str) -> Any:
    from propolis.crm import edit
    from propolis.crm.fields import Kind
    from propolis.crm.models import OppStatus

    word = name.lower().replace(" ", "-").replace(".", "-")
    values = {"name": name, "email": f"info@{word}.example", "phone": "(212) 555-0142"}
    row = edit.create(house.account, Kind.COMPANY, values, actor=house.alice)
    status = OppStatus.objects.get(name="New")
    deal = {"name": "Backup", "company": row.pk, "status": status.pk}
    edit.create(house.account, Kind.OPPORTUNITY, deal, actor=house.alice)
    return row


def _changed(house: House, row: Any) -> None:
    from propolis.crm import edit

    row.refresh_from_db()
    edit.update(house.account, row, {"phone": "(212) 555-0190", "city": "Salem"}, actor=house.alice)


def _pressed(house: House, row: Any) -> tuple[float, int]:
    """Opens the dialog as a person would, then times the press."""
    from django.test import Client

    from propolis.history.models import Change
    from propolis.runs.models import Run

    client = Client(headers={"host": "127.0.0.1"})
    assert house.alice.user is not None
    client.force_login(house.alice.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = f"/{house.account.slug}/companies/{row.pk}/send/"
    page = client.get(address, {"as_company": "new"}).content.decode()
    token, *_ = re.findall(r'name="token" value="([^"]+)"', page)
    ticks = re.findall(r'name="field" value="([^"]+)"', page)
    began = time.monotonic()
    client.post(address, {"token": token, "field": ticks, "as_company": "new"})
    seconds = time.monotonic() - began
    run = Run.objects.filter(kind="send").order_by("-id")[0]
    assert run.state == Run.State.COMPLETE, (run.state, run.error_code)
    assert Change.objects.get(run=run).state == Change.State.APPLIED
    return seconds, run.requests
