"""Server time and queries of every page, with 100,000 contacts imported."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.house import House, Size, imported, open_house

SIZE = Size(10_000, 100_000, 5_000)
ROUNDS = 15


def timings() -> dict[str, Any]:
    """Milliseconds from request to answer, in the process that answers: median, 95th percentile, queries."""
    with open_house(SIZE) as house:
        imported(house)
        from django.test import Client

        client = Client(headers={"host": "127.0.0.1"})
        assert house.alice.user is not None
        client.force_login(house.alice.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return {name: _timed(partial(client.get, at)) for name, at in addresses(house).items()}


def addresses(house: House) -> dict[str, str]:
    """Name → address of every page that is measured."""
    from propolis.crm.models import Company, Contact, List, Opportunity
    from propolis.runs.models import Run

    site = f"/{house.account.slug}"
    first = {
        "company": Company.objects.order_by("id").first(),
        "contact": Contact.objects.filter(company__isnull=False).order_by("id").first(),
        "opportunity": Opportunity.objects.order_by("id").first(),
        "list": List.objects.order_by("id").first(),
    }
    key = {name: row.pk for name, row in first.items() if row is not None}
    number = Run.objects.order_by("id").values_list("number", flat=True)[0]
    syncro = f"{site}/settings/integrations/syncro/"
    return {
        "dashboard": f"{site}/",
        "companies": f"{site}/companies/",
        "companies, newest first": f"{site}/companies/?sort=-created_at",
        "contacts": f"{site}/contacts/",
        "contacts, searched": f"{site}/contacts/?q=garcia",
        "opportunities": f"{site}/opportunities/",
        "board": f"{site}/opportunities/board/",
        "lists": f"{site}/lists/",
        "list": f"{site}/lists/{key['list']}/",
        "company": f"{site}/companies/{key['company']}/",
        "contact": f"{site}/contacts/{key['contact']}/",
        "opportunity": f"{site}/opportunities/{key['opportunity']}/",
        "integration": syncro,
        **{step: f"{syncro}{step}/" for step in ("connection", "users")},
        **{f"import {step}": f"{syncro}{step}/" for step in ("companies", "contacts", "opportunities")},
        "imports": f"{syncro}imports/",
        "import result": f"{syncro}imports/{number}/",
        "undo": f"{syncro}imports/{number}/undo/",
        "review": f"{syncro}review/",
        "health": f"{syncro}health/",
        "schedule": f"{syncro}schedule/",
        "backups": f"{site}/settings/backups/",
    }


def _timed(get: Callable[[], Any]) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    answer = get()
    if answer.status_code != 200:
        return {"status": answer.status_code}
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        get()
        took.append((time.perf_counter() - began) * 1000)
    with CaptureQueriesContext(connection) as queries:
        get()
    return {
        "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(statistics.quantiles(took, n=20)[-1], 1),
        "queries": len(queries),
    }
