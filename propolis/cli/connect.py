"""`propolis connect`: the operator's way to save Syncro credentials, tested as the page tests them; `rotatekeys`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from propolis.cli import Sorry, ready

if TYPE_CHECKING:
    from collections.abc import Sequence

    from propolis.accounts.models import Account
    from propolis.bridge.models import Connection
    from propolis.syncro import PermissionResult

_MARKS = {"ok": "yes    ", "missing": "MISSING", "unknown": "?      "}


def add_to(app: typer.Typer) -> None:
    app.command("connect")(connect)
    app.command("rotatekeys")(rotatekeys)


def connect(
    account: Annotated[str, typer.Option(help="The account's name in addresses, e.g. acme.")],
    base_url: Annotated[
        str, typer.Option(help="Syncro's subdomain, e.g. acme, or a base URL such as the sandbox's.")
    ],
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the API token from standard input.")
    ] = False,
) -> None:
    """Connect an account to its Syncro: test the API token by reading only, save it, read Syncro's users."""
    token = _token(token_stdin)
    ready()
    from propolis.accounts.scoping import in_account

    owner = account_named(account)
    with in_account(owner):
        connection = save_credentials(owner, base_url, token)
        print(read_users(connection))


def rotatekeys() -> None:
    """Seal every saved Syncro token anew: with a new key, or with the first one of PROPOLIS_TOKEN_KEYS."""
    ready()
    from propolis.bridge import vault

    try:
        count, left = vault.rotate(), vault.left_behind()
    except vault.TokenUnreadable as error:
        raise Sorry(error.sentence) from None
    print(f"{count:,} saved Syncro {'token is' if count == 1 else 'tokens are'} sealed anew.")
    if left:
        raise Sorry(
            f"{left:,} could not be read with the keys that are here, and {'is' if left == 1 else 'are'} left as "
            "before. Save a new token under Connection."
        )


def account_named(slug: str) -> Account:
    """The account, whose time zone the command now speaks in; Sorry if there is none of that name."""
    from django.utils import timezone

    from propolis.accounts.middleware import zone_named
    from propolis.accounts.models import Account

    found = Account.objects.filter(slug=slug).first()
    if found is None:
        raise Sorry(
            f"There is no account {slug}. Make it with: propolis createadmin --account {slug} --email …"
        )
    timezone.activate(zone_named(found.time_zone))
    return found


def save_credentials(account: Account, base_url: str, token: str) -> Connection:
    """Prints what the token may do, line by line; Sorry with the reason if nothing was saved."""
    from propolis.bridge import connecting
    from propolis.syncro import PermissionState

    made = connecting.connect(account, address_or_base_url=base_url, token=token, by=None, allow_any_url=True)
    if isinstance(made, connecting.Refusal):
        if made.report is not None:
            _print_permissions(made.report.results, PermissionState.OK)
        raise Sorry(made.sentence)
    _print_permissions(connecting.permission_lines(made), PermissionState.OK)
    print(f"Connected to {connecting.shown_address(made)}. Nothing was written there.")
    return made


def read_users(connection: Connection) -> str:
    """Reads Syncro's users and links them by e-mail; a sentence about them. Sorry if Syncro would not."""
    from propolis.bridge import connecting, people
    from propolis.syncro import SyncroError

    try:
        with connecting.client_for(connection) as client:
            read = people.read_users(connection, client)
    except SyncroError as error:
        raise Sorry(
            f"Connected, but Syncro's users could not be read: {error.sentence} Then run this again."
        ) from None
    return (
        f"{read.listed} {'user' if read.listed == 1 else 'users'} in Syncro, {read.linked} linked by e-mail."
    )


def _print_permissions(results: Sequence[PermissionResult], fine: object) -> None:
    for purpose, heading in (("import", "To import:"), ("send", "To send to Syncro, later:")):
        lines = [result for result in results if result.needed_for == purpose]
        if lines:
            print(heading)
        for result in lines:
            why = "" if result.state is fine else f"  {result.detail}"
            print(f"  {_MARKS[result.state.value]}  {result.name}{why}")


def _token(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().strip()
    if sys.stdin.isatty():
        return str(typer.prompt("Syncro API token", hide_input=True)).strip()
    raise Sorry("Pass the API token on standard input, with --token-stdin.", 2)
