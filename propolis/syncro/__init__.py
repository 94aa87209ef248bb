"""A typed client for Syncro's API. Depends on httpx2, msgspec and the standard library: usable on its own.

    with SyncroClient(base_url(normalise_subdomain("acme")), token, pacer=LocalPacer()) as syncro:
        for page in syncro.pages(Resource.CUSTOMERS):
            for record in parse_page(Resource.CUSTOMERS, page.raw):
                ...

What can go wrong: `errors`. What arrives: `records`.
"""

from __future__ import annotations

from propolis.syncro.address import HOSTS, Address, base_url, normalise_subdomain
from propolis.syncro.asking import RequestLog
from propolis.syncro.client import SyncroClient
from propolis.syncro.errors import (
    BadAddress,
    BadToken,
    CutOff,
    EmptyAnswer,
    Garbled,
    Interrupted,
    LeadsOff,
    MissingPermission,
    NoAnswer,
    NotFound,
    NotSyncro,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ServerTrouble,
    SkipRecord,
    Stop,
    SyncroError,
    TooLarge,
    TryLater,
    WebPage,
    WrongAddress,
)
from propolis.syncro.pacing import (
    SYSTEM_CLOCK,
    Clock,
    LocalPacer,
    Pacer,
    PaceRules,
    PaceState,
    recovered,
    reserve,
    sleep_unless_stopped,
    slowed,
)
from propolis.syncro.paging import Page
from propolis.syncro.parsing import BadRecord, Record, parse_page, parse_record
from propolis.syncro.permissions import PermissionResult, PermissionState
from propolis.syncro.records import (
    UNSET,
    Contact,
    Customer,
    Lead,
    Me,
    Phone,
    SearchHit,
    Settings,
    Tabs,
    UnsetType,
    User,
    UserRef,
)
from propolis.syncro.resources import Resource

__all__ = [
    "HOSTS",
    "SYSTEM_CLOCK",
    "UNSET",
    "Address",
    "BadAddress",
    "BadRecord",
    "BadToken",
    "Clock",
    "Contact",
    "Customer",
    "CutOff",
    "EmptyAnswer",
    "Garbled",
    "Interrupted",
    "Lead",
    "LeadsOff",
    "LocalPacer",
    "Me",
    "MissingPermission",
    "NoAnswer",
    "NotFound",
    "NotSyncro",
    "OutcomeUnknown",
    "PaceRules",
    "PaceState",
    "Pacer",
    "Page",
    "PermissionResult",
    "PermissionState",
    "Phone",
    "RateLimited",
    "Record",
    "Refused",
    "RequestLog",
    "Resource",
    "SearchHit",
    "ServerTrouble",
    "Settings",
    "SkipRecord",
    "Stop",
    "SyncroClient",
    "SyncroError",
    "Tabs",
    "TooLarge",
    "TryLater",
    "UnsetType",
    "User",
    "UserRef",
    "WebPage",
    "WrongAddress",
    "base_url",
    "normalise_subdomain",
    "parse_page",
    "parse_record",
    "recovered",
    "reserve",
    "sleep_unless_stopped",
    "slowed",
]
