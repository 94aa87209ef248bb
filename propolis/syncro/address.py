"""Where a Syncro account answers: from what a person pastes to the base URL of its API.

A person gives a *label* (`acme`) and, by pasting a whole address, perhaps one of two hosts. Hosts are
constants, so nobody can point the client, and with it the token, at a machine of their choice.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from propolis.syncro.errors import BadAddress

HOST: Final = "syncromsp.com"
# Accounts older than the present host name; observed in production code, see docs/syncro.
SHIELD_HOST: Final = "shield.syncromsp.com"
HOSTS: Final = (HOST, SHIELD_HOST)
API_PATH: Final = "/api/v1"

_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_LONGEST_LABEL: Final = 63  # RFC 1035


@dataclass(frozen=True)
class Address:
    """One Syncro account: `label` is its subdomain, `host` is one of `HOSTS`."""

    label: str
    host: str = HOST

    def __post_init__(self) -> None:
        if not _is_label(self.label) or self.host not in HOSTS:
            raise BadAddress(given=f"{self.label}.{self.host}")

    def __str__(self) -> str:
        return f"{self.label}.{self.host}"


def normalise_subdomain(text: str) -> Address:
    """`acme`, `acme.syncromsp.com`, `acme.shield.syncromsp.com` or a whole pasted URL of those.

    Raises `BadAddress`, whose sentence says what is expected.
    """
    name = _host_name(text)
    # The longer host first: every shield address also ends in the shorter one.
    for host in (SHIELD_HOST, HOST):
        if name.endswith(f".{host}"):
            return _address(name.removesuffix(f".{host}"), host, text)
    return _address(name, HOST, text)


def base_url(address: Address) -> str:
    """`https://acme.syncromsp.com/api/v1`."""
    return f"https://{address}{API_PATH}"


def checked_base_url(url: str, *, allow_plain_http: bool = False) -> str:
    """The base URL an operator gave, with `/api/v1` added where it names no path.

    Plain http is taken only for this machine's own addresses, or when explicitly allowed. Raises
    `BadAddress`.
    """
    try:
        parts = urlsplit(url.strip())
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise BadAddress(given=url) from None
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        raise BadAddress(given=url)
    plain = parts.scheme == "http" and (allow_plain_http or is_loopback(host))
    if parts.scheme != "https" and not plain:
        raise BadAddress(given=url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or API_PATH}"


def is_loopback(host: str) -> bool:
    """True for `localhost` and the loopback addresses of both IP versions; never looks a name up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(label: str, host: str, given: str) -> Address:
    if not _is_label(label):
        raise BadAddress(given=given)
    return Address(label, host)


def _is_label(label: str) -> bool:
    # "shield" is what is left of the older host's own name.
    return label != "shield" and len(label) <= _LONGEST_LABEL and _LABEL.fullmatch(label) is not None


def _host_name(text: str) -> str:
    given = text.strip().lower()
    try:
        parts = urlsplit(given if "//" in given else f"//{given}")
        # A user name in the address (`https://acme.syncromsp.com@evil.example`) is never what a person
        # pasted.
        if parts.username is not None or parts.scheme not in ("", "http", "https"):
            raise BadAddress(given=text)
        return (parts.hostname or "").rstrip(".")
    except ValueError:
        raise BadAddress(given=text) from None
