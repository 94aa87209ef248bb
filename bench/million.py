"""The CRM's pages with a million contacts on PostgreSQL."""

from __future__ import annotations

from typing import Any

from bench import multiplying, pages
from bench.addresses import of_the_crm
from bench.house import House, Size, imported, open_house

# What a real import brings; everything is then there a hundred times.
SAMPLE = Size(1_000, 10_000, 5_000)
TIMES = 100
WANTED_MS = 150.0


def timings() -> dict[str, Any]:
    """As `pages.timings`, of the CRM's pages, with 1,000,000 contacts of 100,000 companies."""
    with open_house(SAMPLE, "postgres") as house:
        filled(house)
        found = pages.measured(house, of_the_crm(house.account))
        from propolis.crm.models import Company, Contact

        rows = {"companies": Company.objects.count(), "contacts": Contact.objects.count()}
    return {"rows": rows, "over_150_ms": pages.over(found, WANTED_MS), **found}


def filled(house: House) -> None:
    """The sample imported, worked with, looked through for duplicates and multiplied."""
    from propolis.crm import duplicate_search

    pages.staffed(house)
    imported(house)
    pages.worked_with(house.alice)
    pages.carried_to("complete", duplicate_search.search(house.account, by=house.alice)[0])
    pages.merged_there(house.account)
    multiplying.multiply(TIMES)
