"""`propolis createadmin`: the first Admin of an account, and the account itself. `propolis passwordlink`: a way back
in for whoever lost a password or a phone."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from propolis.cli import Sorry, ready


def add_to(app: typer.Typer) -> None:
    app.command("createadmin")(createadmin)
    app.command("passwordlink")(passwordlink)


def createadmin(
    account: Annotated[str, typer.Option(help="The account's name in addresses, e.g. acme.")],
    email: Annotated[str, typer.Option(help="E-mail to sign in with.")],
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    account_name: Annotated[str, typer.Option(help="The account's full name, if it is new.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Make somebody an Admin; makes the account too if there is none of that name."""
    password = _password(password_stdin)
    ready()
    from django.core.exceptions import ValidationError

    try:
        print(_make(account, account_name, email, name, password))
    except ValidationError as error:
        raise Sorry(_sentence(error)) from None


def passwordlink(
    email: Annotated[str, typer.Option(help="E-mail they sign in with.")],
    without_second_step: Annotated[
        bool,
        typer.Option(
            "--without-second-step",
            help="Also take off their authenticator app, passkeys and recovery codes: when those are lost.",
        ),
    ] = False,
) -> None:
    """Print a link at which somebody chooses a new password, once. Hand it on over a way you trust."""
    ready()
    from django.utils import timezone

    from propolis.accounts.helping_in import Nobody, way_in

    try:
        made = way_in(email, without_second_step=without_second_step)
    except Nobody as nobody:
        raise Sorry(str(nobody), 2) from None
    until = timezone.localtime(made.until).strftime("%-d %B %Y, %H:%M %Z")
    print(f"{made.user} chooses a new password here, once, until {until}:")
    print(made.url)
    if made.second_step_was_on:
        print(
            "Their second step is taken off; ask them to set it up again on their profile."
            if without_second_step
            else "They are asked for their second step too. If that is lost: add --without-second-step"
        )


def _make(slug: str, account_name: str, email: str, name: str, password: str) -> str:
    from django.conf import settings
    from django.db import transaction

    from propolis.accounts.founding import create_account, make_admin
    from propolis.accounts.models import Account

    with transaction.atomic():
        account = Account.objects.filter(slug=slug).first()
        new = account is None
        account = account or create_account(slug, account_name)
        member, _ = make_admin(account, email, password, name)
    made = f"The account {slug} is made. " if new else ""
    return f"{made}{member.email_key} is an Admin of it: {settings.PROPOLIS_URL}/{slug}/"


def _password(from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        raise Sorry("Pass the password on standard input, with --password-stdin.", 2)
    if not password:
        raise Sorry("The password on standard input is empty.", 2)
    return password


def _sentence(error: Any) -> str:
    """Every message of a ValidationError, with the option it is about where that is known."""
    if not hasattr(error, "error_dict"):
        return "\n".join(error.messages)
    names = {"slug": "--account", "name": "--account-name", "email": "--email"}
    return "\n".join(
        f"{names.get(field, field)}: {message}"
        for field, messages in error.message_dict.items()
        for message in messages
    )
