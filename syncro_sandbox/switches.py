"""The switches: every reading of Syncro that nobody has confirmed is one, so a client can be tried under
each.

A switch has a name, a default and a closed set of values. All can be given at start and changed at run time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone, tzinfo
from re import fullmatch
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Value = str | int | float


class UnknownSwitch(ValueError):
    """The name is no switch, or the value is none of its values. The message says which ones there are."""


@dataclass(frozen=True, slots=True)
class Switch:
    """`choices` are the words allowed; `number` allows any number from 0 up besides (or instead)."""

    name: str
    default: Value
    meaning: str
    choices: tuple[str, ...] = ()
    number: bool = False
    zone: bool = False

    def parse(self, value: object) -> Value:
        """The value as it is kept. Raises UnknownSwitch."""
        text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value).strip()
        if text in self.choices:
            return text
        if self.number and fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
            return float(text) if "." in text else int(text)
        if self.zone:
            zone_named(text)
            return text
        raise UnknownSwitch(f"{self.name} cannot be {text!r}; it is one of {self.values_text()}")

    def values_text(self) -> str:
        words = [repr(word) for word in self.choices]
        if self.number:
            words.append("a number from 0 up")
        if self.zone:
            words.append("a zone name, 'UTC' or an offset such as '+02:00'")
        return ", ".join(words)


def zone_named(name: str) -> tzinfo:
    """`UTC`, an offset such as `+02:00`, or an IANA name. Raises UnknownSwitch."""
    if name == "UTC":
        return UTC
    if offset := fullmatch(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])", name):
        minutes = int(offset[2]) * 60 + int(offset[3])
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownSwitch(f"no time zone is called {name!r}") from error


_YES_NO = ("no", "yes")

SWITCHES: tuple[Switch, ...] = (
    Switch(
        "time_zone", "America/New_York", "the account's zone, seen in the offset of every time", zone=True
    ),
    Switch("leads_scope", "all", "what GET /leads lists when no status is asked for", ("all", "open")),
    Switch("customers_per_page", "honoured", "per_page on /customers, 1 to 100", ("honoured", "ignored")),
    Switch("customers_sort", "honoured", "sort on /customers", ("honoured", "ignored")),
    Switch("contacts_per_page", "ignored", "per_page on /contacts", ("ignored", "honoured")),
    Switch("leads_per_page", "ignored", "per_page on /leads", ("ignored", "honoured")),
    Switch("empty_total_pages", 1, "meta.total_pages of an empty list", number=True),
    Switch(
        "default_order",
        "created",
        "created: created_at ascending, a changed row moves among those of the same instant; "
        "random_ties: rows of the same instant come in another order with every request",
        ("created", "id_desc", "random_ties"),
    ),
    Switch(
        "mutate_while_paging",
        "off",
        "what a technician does to the list between two of its pages",
        ("off", "edit", "insert", "delete", "mixed"),
    ),
    Switch("mutate_limit", 0, "stop changing rows after so many; 0 = never stop", number=True),
    Switch("permission_status", "401", "status of a missing permission", ("401", "403")),
    Switch("auth_failure_body", "json", "body of a refused token", ("json", "empty", "html")),
    Switch(
        "not_found_body", "json", "body of a 404 (contacts always answer JSON)", ("json", "empty", "html")
    ),
    Switch("rate_limit", 180, "requests per window and client address; 0 = off", number=True),
    Switch("rate_window", 60, "seconds of the sliding window", number=True),
    Switch("rate_limit_counts", "address", "whose requests are counted", ("address", "address_and_token")),
    Switch("rate_limit_body", "text", "body of a 429", ("text", "json")),
    Switch("retry_after", "none", "Retry-After of a 429", ("none", "seconds", "date")),
    Switch(
        "trouble",
        "off",
        "what goes wrong with API requests until switched off",
        ("off", "500", "502", "503", "504", "504_after_write", "reset", "lost_reply", "cut", "slow"),
    ),
    Switch("trouble_every", 1, "trouble strikes every n-th request", number=True),
    Switch("gateway_timeout_over", 0, "504 on GET /customers above this per_page; 0 = off", number=True),
    Switch("slow_seconds", 2, "how long a slow body takes", number=True),
    Switch("latency_ms", 0, "wait before every answer", number=True),
    Switch(
        "put_unknown_customer",
        "success_false",
        "PUT to a customer that does not exist",
        ("success_false", "not_found"),
    ),
    Switch(
        "put_unknown_lead", "not_found", "PUT to a lead that does not exist", ("not_found", "success_false")
    ),
    Switch(
        "duplicate_customer_email",
        "refused",
        "a second customer with the same e-mail",
        ("refused", "allowed", "success_false"),
    ),
    Switch("properties_on_put", "merge", "custom fields not sent in a PUT", ("merge", "replace")),
    Switch("contact_touches_customer", "no", "a contact's change moves its customer's updated_at", _YES_NO),
    Switch(
        "contact_fields",
        "documented",
        "documented: extension and opt_out, and a title in a POST, are ignored when written; "
        "all: they are stored",
        ("documented", "all"),
    ),
    Switch(
        "opportunity_fields", "hidden", "amount, likelihood, start date of a lead", ("hidden", "returned")
    ),
    Switch("index_lag", 0, "seconds until a write is found by query and /search", number=True),
    Switch("users_shape", "pairs", "GET /users", ("pairs", "objects")),
    Switch("contact_extra_keys", "present", "processed_phone and its kin", ("present", "absent")),
    Switch(
        "nested_contacts",
        "complete",
        "contacts inside a customer; a number cuts them",
        ("complete",),
        number=True,
    ),
    Switch("since_updated_at", "ignored", "filter on the three lists", ("ignored", "honoured")),
    Switch(
        "search_without_permission",
        "leave_out",
        "/search hits the token may not read",
        ("leave_out", "refuse"),
    ),
    Switch("refusal_shape", "own", "the shape of every 422", ("own", *map(str, range(1, 12)))),
)
BY_NAME: Mapping[str, Switch] = {switch.name: switch for switch in SWITCHES}


class Switches:
    """The present position of every switch."""

    def __init__(self, given: Mapping[str, object] | None = None) -> None:
        self._values: dict[str, Value] = {switch.name: switch.default for switch in SWITCHES}
        for name, value in (given or {}).items():
            self.set(name, value)

    def set(self, name: str, value: object) -> None:
        """Raises UnknownSwitch."""
        if name not in BY_NAME:
            raise UnknownSwitch(f"there is no switch {name!r}; there are {', '.join(BY_NAME)}")
        self._values[name] = BY_NAME[name].parse(value)

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def number(self, name: str) -> float:
        """The value of a switch that holds a number; a word counts as 0."""
        value = self._values[name]
        return 0 if isinstance(value, str) else value

    def as_dict(self) -> dict[str, Value]:
        return dict(self._values)
