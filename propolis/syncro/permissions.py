"""Which permission a Syncro token needs for what, and asking Syncro which ones a token has.

Names as Syncro's token page prints them; from the permission text of each endpoint in the vendor's OpenAPI
file (https://api-docs.syncromsp.com) [A].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from propolis.syncro.errors import BadToken, MissingPermission, NotFound, SyncroError

LIST_CUSTOMERS: Final = "Customers - List/Search"
VIEW_CUSTOMER: Final = "Customers - View Detail"
CREATE_CUSTOMER: Final = "Customers - Create"
EDIT_CUSTOMER: Final = "Customers - Edit"
DELETE_CUSTOMER: Final = "Customers - Delete"
LIST_LEADS: Final = "Leads - List/Search"

# (method, first part of the path, whether one record is named). Where the reference states none: nothing
# here.
_NEEDED: Final[dict[tuple[str, str, bool], str]] = {
    ("GET", "customers", False): LIST_CUSTOMERS,
    ("GET", "customers", True): VIEW_CUSTOMER,
    ("POST", "customers", False): CREATE_CUSTOMER,
    ("PUT", "customers", True): EDIT_CUSTOMER,
    ("DELETE", "customers", True): DELETE_CUSTOMER,
    ("GET", "contacts", False): VIEW_CUSTOMER,
    ("GET", "contacts", True): VIEW_CUSTOMER,
    ("POST", "contacts", False): EDIT_CUSTOMER,
    ("PUT", "contacts", True): EDIT_CUSTOMER,
    ("DELETE", "contacts", True): EDIT_CUSTOMER,
    ("GET", "leads", False): LIST_LEADS,
    ("GET", "leads", True): LIST_LEADS,
    ("GET", "search", False): LIST_CUSTOMERS,
}


def permission_for(method: str, path: str) -> str:
    """The permission a request needs, "" where none is stated. `path` as in `/customers/12`."""
    first, _, rest = path.strip("/").partition("/")
    if (first, rest) == ("customers", "latest"):
        return EDIT_CUSTOMER
    if (first, rest) == ("customers", "autocomplete"):
        return ""
    return _NEEDED.get((method, first, bool(rest)), "")


class PermissionState(Enum):
    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PermissionResult:
    """`needed_for` is "import" or "send"; `detail` is a sentence, "" when all is well."""

    name: str
    state: PermissionState
    detail: str
    needed_for: str


@dataclass(frozen=True)
class Probe:
    """A reading request that tells whether a permission is there."""

    name: str
    needed_for: str
    path: str
    params: dict[str, str]


# /contacts tells about View Detail also in an account without a single customer.
PROBES: Final = (
    Probe(LIST_CUSTOMERS, "import", "/customers", {"per_page": "1"}),
    Probe(VIEW_CUSTOMER, "import", "/contacts", {}),
    Probe(LIST_LEADS, "import", "/leads", {}),
    Probe(EDIT_CUSTOMER, "send", "/customers/latest", {}),
)
UNPROBED: Final = PermissionResult(
    CREATE_CUSTOMER,
    PermissionState.UNKNOWN,
    "Cannot be tested without writing: it is checked when you first send.",
    "send",
)


def probe_all(ask: Callable[[str, dict[str, str]], None]) -> list[PermissionResult]:
    """One result per permission. `ask(path, params)` makes a GET; raises `BadToken`, which is about all of
    them."""
    return [*(_probed(probe, ask) for probe in PROBES), UNPROBED]


def _probed(probe: Probe, ask: Callable[[str, dict[str, str]], None]) -> PermissionResult:
    state, detail = PermissionState.OK, ""
    try:
        ask(probe.path, probe.params)
    except BadToken:
        raise
    except MissingPermission as error:
        state, detail = PermissionState.MISSING, error.sentence
    except NotFound:
        state, detail = PermissionState.UNKNOWN, "Syncro has no customers yet to test this with."
    except SyncroError as error:
        state, detail = PermissionState.UNKNOWN, error.sentence
    return PermissionResult(probe.name, state, detail, probe.needed_for)
