"""The command line: `propolis serve`, `propolis worker`, `propolis createadmin` and the imports.

Each module named in COMMANDS has `add_to(app)`, which adds its commands. Such modules import Django only
inside their functions, after `ready()`, so that `propolis --help` answers at once.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib import import_module
from typing import NoReturn

import typer

COMMANDS = ("serve", "accounts", "connect", "imports", "status", "backups", "undo", "demo")


class Sorry(Exception):
    """A command cannot do what was asked: a sentence for the person at the keyboard, and the exit code."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.sentence, self.code = sentence, code


def main() -> NoReturn:
    """The console command. Exit codes: 0 done · 1 could not · 2 wrongly asked · 130 interrupted."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "propolis.settings")
    try:
        code = build()(standalone_mode=False)
    except Sorry as sorry:
        _say(sorry.sentence)
        sys.exit(sorry.code)
    except typer.Abort:
        _say("Stopped.")
        sys.exit(130)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        show = getattr(error, "show", None)
        if show is None or not hasattr(error, "exit_code"):
            raise
        show()
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def build() -> typer.Typer:
    """The application with every command that is installed."""
    app = typer.Typer(
        name="propolis",
        help="Propolis, a CRM for managed service providers that works two ways with Syncro.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for name in COMMANDS:
        if importlib.util.find_spec(f"propolis.cli.{name}"):
            import_module(f"propolis.cli.{name}").add_to(app)
    return app


def ready() -> None:
    """Sets Django up and brings the database up to date, creating it on first use. Sorry if it is away."""
    from propolis.cli.database import prepare

    prepare()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
