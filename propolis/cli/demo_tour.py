"""What the demo says: where things are, how to sign in, and a short tour of what to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from propolis.cli.demo import Killing, Scene
    from propolis.runs.models import Run


def print_opening(scene: Scene) -> None:
    companies, contacts, leads = scene.house.size
    print(
        f"A sample MSP: {companies:,} companies, {contacts:,} contacts and {leads:,} leads in a stand-in for "
        f"Syncro,\nat Syncro's true limit of 180 requests a minute. {scene.before[0]} of the companies and "
        f"{scene.before[1]} of the people are in the CRM already.\n",
        flush=True,
    )


def print_tour(scene: Scene, run: Run, found: dict[str, Any], killing: Killing) -> None:
    """After the import, with the site running."""
    lines = [
        f"\n{found['requests']} requests, {found['seconds']:.0f} s (the article: an hour or more)."
        f" {_refused(found['refused'])}",
        *_killed(killing),
        *_compared(scene, found),
        "",
        f"Open      {scene.house.url}/{scene.account.slug}/",
        f"Sign in   {scene.admin.email_key}   {scene.password}",
        f"Syncro    {scene.house.syncro.control_url}/",
        "",
        "A tour",
        *_stops(scene, run),
        "",
        "Ctrl-C stops everything; nothing of the demo is kept.",
    ]
    print("\n".join(lines), flush=True)


def _refused(refused: int) -> str:
    return "None of them was refused." if not refused else f"{refused} of them were refused and sent again."


def _killed(killing: Killing) -> list[str]:
    if not killing.at_page:
        return []
    again = killing.asked_again
    resent = f" ({again} that were on their way were asked for again)" if again else ""
    return [
        f"At 60 % of the pages its worker was killed (kill -9). {killing.back_after:.0f} s later: "
        f"picked up at page {killing.at_page + 1}, nothing twice{resent}."
    ]


def _compared(scene: Scene, found: dict[str, Any]) -> list[str]:
    if found["disagreements"]:
        return ["Compared with Syncro's own records, this is wrong:", *found["disagreements"][:10]]
    records = sum(len(scene.dump[kind]) for kind in ("customers", "contacts", "leads"))
    return [f"Compared with Syncro's own records: all {records:,} are accounted for, none twice."]


def _stops(scene: Scene, run: Run) -> list[str]:
    from propolis.bridge.models import Link

    site = f"{scene.house.url}/{scene.account.slug}"
    lines = [
        "1  It adds up. The sum of every import, record by record:",
        f"     {site}/settings/integrations/syncro/",
        "   Companies, newest first:",
        f"     {site}/companies/?sort=-created_at",
    ]
    merged = (
        Link.objects.filter(kind=Link.Kind.CUSTOMER, state=Link.State.LINKED, company__created_run=None)
        .order_by("remote_id")
        .first()
    )
    if merged is not None:
        lines += [
            "   A company that was on both sides, with the values that gave way in its history:",
            f"     {site}/companies/{merged.company_id}/",
            "   and the same one in Syncro:",
            f"     {scene.house.syncro.control_url}/records/customers/{merged.remote_id}",
        ]
    return lines
