"""The status map follows when a status of opportunities is archived here."""

from __future__ import annotations

from typing import Final

from propolis.bridge.models import StatusMap
from propolis.bridge.statuses import send_each_back_once
from propolis.crm.models import OppStatus
from propolis.crm.panels import StatusUse


class MappedTo:
    """Syncro's statuses that go to one of ours."""

    def says(self, status: OppStatus) -> str:
        names = list(
            StatusMap.objects.filter(status=status, choice=StatusMap.Choice.MAP)
            .order_by("remote_status", "became_ticket")
            .values_list("remote_status", flat=True)
        )
        if not names:
            return ""
        shown = ", ".join(dict.fromkeys(names))
        return f"Leads from Syncro come here: {shown}. They go to the status you choose from now on."

    def moved(self, status: OppStatus, to: OppStatus) -> None:
        mapped = StatusMap.objects.filter(status=status)
        connections = {row.connection for row in mapped.select_related("connection")}
        # One of ours goes back as one of Syncro's only: freed first, then given where it is free.
        mapped.update(status=to, send_back=False)
        for connection in connections:
            send_each_back_once(connection)


status_use: Final[StatusUse] = MappedTo()
