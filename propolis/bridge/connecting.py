"""Connecting an account to its Syncro: check by reading only, save the token sealed, replace, disconnect.

A page may name a Syncro subdomain only. Any other base URL comes from the server's PROPOLIS_SYNCRO_BASE_URL
or from the command line (`allow_any_url`), so that nobody can point a token at a machine of their choice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from propolis.accounts.models import Account, Membership, audit
from propolis.bridge import vault
from propolis.bridge.models import Connection, Link, RemoteUser, connection_of
from propolis.bridge.pacing import DatabasePacer
from propolis.runs.engine import resume, stop
from propolis.runs.models import Run
from propolis.syncro import (
    BadAddress,
    BadToken,
    Interrupted,
    Me,
    MissingPermission,
    NoAnswer,
    NotSyncro,
    PermissionResult,
    PermissionState,
    RequestLog,
    SyncroClient,
    SyncroError,
    WrongAddress,
    base_url,
    normalise_subdomain,
)
from propolis.syncro.address import checked_base_url
from propolis.syncro.permissions import PROBES, UNPROBED

# Seconds: one request of a person, all of them together; one of an import.
PERSON_TIMEOUT: Final = 10.0
PERSON_WAITS: Final = 25.0
IMPORT_TIMEOUT: Final = 60.0
EMPTY: Final = "Paste the API token that you made in Syncro."
CANNOT_READ: Final = (
    "Not connected: the token lacks a permission needed to import. "
    "Add what is marked below in Syncro, or make a new token, then check again."
)
OTHER_ACCOUNT: Final = (
    "This token belongs to another Syncro account ({theirs}) than the one that was imported ({ours}). "
    "Nothing was changed. Use a token of {ours}, or drop the links to it first."
)
# Order of the permissions on screen, and what each is for.
NEEDED_FOR: Final = {**{probe.name: probe.needed_for for probe in PROBES}, UNPROBED.name: UNPROBED.needed_for}


@dataclass(frozen=True)
class Target:
    """Where to connect to. `label` is "" for a base URL that is not Syncro's own."""

    base_url: str
    label: str = ""
    host: str = ""


@dataclass(frozen=True)
class CheckReport:
    """What a token may do. `code` and `sentence` are "" if Syncro accepted it; then `results` has five."""

    base_url: str
    results: tuple[PermissionResult, ...] = ()
    subdomain: str = ""
    user_id: int | None = None
    user_name: str = ""
    code: str = ""
    sentence: str = ""

    @property
    def reading_ok(self) -> bool:
        """The three permissions an import needs are there: that is *connected*."""
        needed = [result for result in self.results if result.needed_for == "import"]
        return bool(needed) and all(result.state is PermissionState.OK for result in needed)


@dataclass(frozen=True)
class Refusal:
    """Why nothing was saved. `field` is the form field it is about: "address", "token" or ""."""

    code: str
    sentence: str
    field: str = ""
    report: CheckReport | None = None


def patience(seconds: float = PERSON_WAITS) -> Callable[[], bool]:
    """A `should_stop` that turns true after so many seconds: for requests a person waits for."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until


def client_for(
    connection: Connection,
    *,
    should_stop: Callable[[], bool] | None = None,
    on_request: Callable[[RequestLog], None] | None = None,
    priority: bool = False,
) -> SyncroClient:
    """A client with the saved token, at the shared pace; the caller closes it. Raises `TokenUnreadable`.

    `priority` is for requests a person waits for: they go first and give up sooner.
    """
    return SyncroClient(
        connection.base_url,
        vault.open_token(connection),
        pacer=DatabasePacer(settings.PROPOLIS_EGRESS, should_stop=should_stop),
        timeout=PERSON_TIMEOUT if priority else IMPORT_TIMEOUT,
        should_stop=should_stop,
        on_request=on_request,
        priority=priority,
        first_pause=settings.PROPOLIS_PAUSE_SECONDS,
        max_bytes=int(settings.PROPOLIS_ANSWER_MOST_MB * 2**20),
    )


def check(base_url: str, token: str) -> CheckReport:
    """Asks Syncro what the token may do, by six reading requests. Never raises for what Syncro answers."""
    enough = patience()
    try:
        pacer = DatabasePacer(settings.PROPOLIS_EGRESS, should_stop=enough)
        with SyncroClient(
            base_url, token, pacer=pacer, timeout=PERSON_TIMEOUT, should_stop=enough, priority=True
        ) as client:
            me = client.me()
            results = tuple(client.check_permissions())
    except SyncroError as error:
        told = as_told(error)
        return CheckReport(base_url, code=told.code, sentence=told.sentence)
    return _report(base_url, me, results)


def as_told(error: SyncroError) -> SyncroError:
    """What a person is told: patience that ran out is an answer that did not come."""
    return NoAnswer() if isinstance(error, Interrupted) else error


def check_saved(connection: Connection, *, by: Membership | None = None) -> CheckReport:
    """As `check`, with the saved token; the row then holds what was found, and what waited for it goes on."""
    try:
        token = vault.open_token(connection)
    except vault.TokenUnreadable as error:
        return CheckReport(connection.base_url, code=error.code, sentence=error.sentence)
    report = check(connection.base_url, token)
    if report.code == BadToken.code:
        token_died(connection, BadToken())
    elif not report.code:
        _keep_findings(connection, report)
        connection.save(update_fields=["permissions", "checked_at", "state", "remote_user_id"])
        if report.reading_ok:
            take_up(connection, by)
    return report


def connect(
    account: Account,
    *,
    address_or_base_url: str,
    token: str,
    by: Membership | None,
    allow_any_url: bool = False,
    drop_links: bool = False,
) -> Connection | Refusal:
    """Checks, and saves only what works: the three reading permissions make an account *connected*.

    Raises nothing for what a person typed or Syncro answered. `drop_links` forgets which records came from
    the Syncro account connected before; without it, connecting to another one is refused.
    """
    try:
        target = target_of(address_or_base_url, allow_any_url=allow_any_url)
    except SyncroError as error:
        return Refusal(error.code, error.sentence, "address")
    if not token.strip():
        return Refusal("bridge.no_token", EMPTY, "token")
    report = check(target.base_url, token)
    refusal = _refusal(connection_of(account), target, report, drop_links=drop_links)
    if refusal is not None:
        return refusal
    connection = _save(account, target, token.strip(), report, by, drop_links=drop_links)
    take_up(connection, by)
    return connection


def replace_token(connection: Connection, *, token: str, by: Membership | None) -> Connection | Refusal:
    """A new token for the same address."""
    if not token.strip():
        return Refusal("bridge.no_token", EMPTY, "token")
    target = Target(connection.base_url, connection.label, connection.host)
    report = check(target.base_url, token)
    refusal = _refusal(connection, target, report, drop_links=False)
    if refusal is not None:
        return refusal
    saved = _save(connection.account, target, token.strip(), report, by, drop_links=False)
    take_up(saved, by)
    return saved


def take_up(connection: Connection, by: Membership | None) -> int:
    """Imports that stopped because Syncro refused the token go on from where they were; how many."""
    stuck = Run.objects.filter(account=connection.account_id, kind="import", state=Run.State.NEEDS_ATTENTION)
    return sum(resume(run, by) for run in stuck)


def disconnect(connection: Connection, *, by: Membership | None) -> None:
    """Forgets the token. Links, mapping and records stay."""
    connection.token_cipher, connection.key_id, connection.last4 = None, "", ""
    connection.state = Connection.State.DISCONNECTED
    with transaction.atomic():
        connection.save(update_fields=["token_cipher", "key_id", "last4", "state"])
        audit(connection.account, by, "syncro.disconnected", connection=connection.pk)


def token_died(connection: Connection, error: SyncroError) -> None:
    """Notes on the row that Syncro refused its token, or a permission; not if it was replaced meanwhile.

    What a token that is refused as a whole was once allowed no longer tells anybody anything.
    """
    permissions = {} if isinstance(error, BadToken) else dict(connection.permissions)
    if isinstance(error, MissingPermission) and error.permission:
        permissions[error.permission] = {"state": PermissionState.MISSING.value, "detail": error.sentence}
    broken = isinstance(error, BadToken) or NEEDED_FOR.get(getattr(error, "permission", "")) == "import"
    changes = {"permissions": permissions, "checked_at": timezone.now()}
    if broken:
        changes["state"] = Connection.State.BROKEN
    mine = Connection.objects.filter(pk=connection.pk, token_cipher=connection.token_cipher)
    if mine.update(**changes):
        for name, value in changes.items():
            setattr(connection, name, value)


def permission_lines(connection: Connection) -> list[PermissionResult]:
    """What the last check found, in the order of the page; [] before the first one."""
    found = connection.permissions
    return [
        PermissionResult(name, PermissionState(found[name]["state"]), found[name]["detail"], needed_for)
        for name, needed_for in NEEDED_FOR.items()
        if name in found
    ]


def target_of(text: str, *, allow_any_url: bool = False) -> Target:
    """Raises `BadAddress`. With PROPOLIS_SYNCRO_BASE_URL set, that is the target whatever a page says."""
    if allow_any_url and "//" in text:
        return _own_target(text)
    if settings.PROPOLIS_SYNCRO_BASE_URL:
        return _own_target(settings.PROPOLIS_SYNCRO_BASE_URL)
    address = normalise_subdomain(text)
    return Target(base_url(address), address.label, address.host)


def shown_address(connection: Connection) -> str:
    """Host (and port) as a person knows them: `acme.syncromsp.com`."""
    return urlsplit(connection.base_url).netloc


def _own_target(url: str) -> Target:
    checked = checked_base_url(url)
    try:
        address = normalise_subdomain(checked)
    except SyncroError:
        return Target(checked)
    return Target(checked, address.label, address.host) if checked == base_url(address) else Target(checked)


def _report(base_url: str, me: Me, results: tuple[PermissionResult, ...]) -> CheckReport:
    return CheckReport(
        base_url,
        results,
        subdomain=me.subdomain if isinstance(me.subdomain, str) else "",
        user_id=me.user_id if isinstance(me.user_id, int) else None,
        user_name=me.user_name if isinstance(me.user_name, str) else "",
    )


def _refusal(
    before: Connection | None, target: Target, report: CheckReport, *, drop_links: bool
) -> Refusal | None:
    if report.code:
        return Refusal(report.code, report.sentence, _FIELD_OF.get(report.code, ""), report)
    if not report.reading_ok:
        return Refusal("bridge.cannot_read", CANNOT_READ, "token", report)
    theirs = _remote_account(target, report)
    if before is not None and not drop_links and _is_another(before, theirs):
        sentence = OTHER_ACCOUNT.format(theirs=theirs, ours=before.remote_account)
        return Refusal("bridge.other_account", sentence, "address", report)
    return None


_FIELD_OF: Final = {
    BadToken.code: "token",
    BadAddress.code: "address",
    WrongAddress.code: "address",
    NotSyncro.code: "address",
}


def _is_another(before: Connection, theirs: str) -> bool:
    other = before.remote_account and before.remote_account.lower() != theirs.lower()
    return bool(other) and Link.objects.filter(connection=before).exists()


def _remote_account(target: Target, report: CheckReport) -> str:
    return (report.subdomain or target.label or urlsplit(target.base_url).netloc)[:100]


def _save(
    account: Account,
    target: Target,
    token: str,
    report: CheckReport,
    by: Membership | None,
    *,
    drop_links: bool,
) -> Connection:
    with transaction.atomic():
        connection = Connection.objects.select_for_update().filter(account=account).first()
        connection = connection or Connection(account=account)
        theirs = _remote_account(target, report)
        if drop_links and connection.pk and _is_another(connection, theirs):
            _forget_other_account(connection, by)
        connection.base_url, connection.label, connection.host = target.base_url, target.label, target.host
        connection.remote_account = theirs
        vault.seal(connection, token)
        _keep_findings(connection, report)
        connection.connected_at, connection.connected_by = timezone.now(), by
        connection.save()
        audit(account, by, "syncro.connected", connection=connection.pk)
    return connection


def _keep_findings(connection: Connection, report: CheckReport) -> None:
    connection.permissions = {
        result.name: {"state": result.state.value, "detail": result.detail} for result in report.results
    }
    connection.state = Connection.State.CONNECTED if report.reading_ok else Connection.State.BROKEN
    connection.remote_user_id = report.user_id
    connection.checked_at = timezone.now()


def _forget_other_account(connection: Connection, by: Membership | None) -> None:
    """Everything that names ids of the Syncro account connected before, half-done imports included."""
    resting = (Run.State.PLANNED, Run.State.PAUSED, Run.State.NEEDS_ATTENTION)
    for run in Run.objects.filter(account=connection.account_id, kind="import", state__in=resting):
        stop(run, by)
    Link.objects.filter(connection=connection).delete()
    RemoteUser.objects.filter(connection=connection).delete()
    connection.users_step = ""
    for name in ("users", "companies", "contacts", "opportunities"):
        setattr(connection, f"{name}_read_at", None)
    connection.watermark = None
