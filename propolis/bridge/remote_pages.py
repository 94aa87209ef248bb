"""Where a Syncro record's own page is."""

from __future__ import annotations

from typing import Final

from propolis.bridge.models import Connection, Link

_PLACES: Final = {
    Link.Kind.CUSTOMER: "customers",
    Link.Kind.PERSON: "customers",
    Link.Kind.CONTACT: "contacts",
    Link.Kind.LEAD: "leads",
}


def remote_href(connection: Connection | None, kind: str, remote_id: int | None) -> str:
    """The address in Syncro itself, "" where it is not known."""
    base = connection.base_url if connection else ""
    scheme, _, rest = base.partition("://")
    host = rest.partition("/")[0]
    return f"{scheme}://{host}/{_PLACES[Link.Kind(kind)]}/{remote_id}" if host and remote_id else ""
