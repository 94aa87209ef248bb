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
    site = f"{scene.house.url}/{scene.account.slug}"
    syncro = f"{site}/settings/integrations/syncro"
    return [
        "1  It adds up. The import with its sum, every record by what became of it:",
        f"     {syncro}/imports/{run.number}/",
        "   The health of your Syncro data, and what waits for you:",
        f"     {syncro}/health/",
        f"     {syncro}/review/",
        *_undo(scene, run, site, f"{syncro}/imports/{run.number}/undo/"),
        *_send(scene, site),
    ]


def _send(scene: Scene, site: str) -> list[str]:
    """The third moment, with a company that is on both sides and may be sent; none if there is no such company."""
    from propolis.bridge.export_check import standing
    from propolis.bridge.models import Link, connection_of
    from propolis.crm.models import Company

    connection = connection_of(scene.account)
    linked = Link.objects.filter(kind=Link.Kind.CUSTOMER, state=Link.State.LINKED, company__deleted_at=None)
    ids = linked.values_list("company", flat=True)
    # Those that were here before have a salesperson's story; Brightwater comes first.
    for company in Company.objects.filter(pk__in=ids, residential=False).order_by("created_at", "pk")[:50]:
        found = standing(company, connection, scene.admin)
        if found.why_not is None and found.link is not None and company.phone:
            return [
                "3  Send while Syncro moves. This company, to be changed (its phone, say) and sent:",
                f"     {site}/companies/{company.pk}/",
                "   and beside it the same customer in Syncro, with two buttons:",
                f"     {scene.house.syncro.control_url}/records/customers/{found.link.remote_id}",
                '   "Change phone in Syncro" while the dialog is open, then press Send: nothing is sent, the dialog',
                '   comes again with the new phone, unticked. Tick it, "Lose the next answer", then press Send:',
                "   Propolis looks, sees that it had arrived, and nothing is sent twice.",
            ]
    return []


def _undo(scene: Scene, run: Run, site: str, undo: str) -> list[str]:
    """The second moment, with a company whose phone the import overwrote; none if there is no such company."""
    from propolis.bridge.models import Link
    from propolis.history.models import Change

    links: dict[int | None, int] = dict(
        Link.objects.filter(kind=Link.Kind.CUSTOMER).values_list("company", "remote_id")
    )
    merged = Change.objects.filter(run=run, kind="company", action=Change.Action.MERGE).order_by("local_id")
    for change in merged:
        before, after, *_ = change.fields.get("phone", ["", ""])
        if before and after and change.local_id in links:
            return [
                "2  Undo ten years' worth. This company was on both sides; the import put Syncro's phone",
                f"   {after} over {before}, with both in its history. Add a note to it:",
                f"     {site}/companies/{change.local_id}/",
                "   then undo the whole import: the phone is back, the note is kept, and there is a receipt:",
                f"     {undo}",
                "   The same company in Syncro:",
                f"     {scene.house.syncro.control_url}/records/customers/{links[change.local_id]}",
            ]
    return []
