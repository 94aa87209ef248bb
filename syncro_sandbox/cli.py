"""`python -m syncro_sandbox`: serve one imitated account until interrupted."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence

from .sandbox import Sandbox
from .seeding import SeedOptions
from .server import Server, running, serve_until
from .switches import SWITCHES, UnknownSwitch


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the base URL and a token, then serves until SIGINT or SIGTERM."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not 0 <= options.port < 2**16:
        parser.error(f"the port must be 0 to 65535, not {options.port}")
    try:
        sandbox = Sandbox(_seed(options), token=options.token, switches=_switches(options))
        server = Server(sandbox, options.host, options.port)
    except (UnknownSwitch, ValueError) as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"cannot serve at {options.host}:{options.port}: {error.strerror}")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    _announce(server, as_json=options.json)
    serve_until(server, stop)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m syncro_sandbox", description="A stand-in for a Syncro server."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900, help="0 picks a free one")
    parser.add_argument("--token", help="the token with every permission (default: made from the seed)")
    parser.add_argument("--companies", type=int, default=SeedOptions.companies)
    parser.add_argument("--contacts", type=int, default=SeedOptions.contacts)
    parser.add_argument("--leads", type=int, default=SeedOptions.leads)
    parser.add_argument("--seed", type=int, default=SeedOptions.seed)
    parser.add_argument("--contacts-without-customer", type=int, help="default: 1 in 250")
    parser.add_argument(
        "--shared-emails", type=int, help="addresses that several contacts have; default: 8 in 100"
    )
    parser.add_argument("--rate-limit", type=int, metavar="PER_MINUTE", help="0 = off")
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")
    parser.add_argument("--json", action="store_true", help="print one JSON line instead of text")
    parser.epilog = "Switches: " + ", ".join(switch.name for switch in SWITCHES)
    return parser


def _seed(options: argparse.Namespace) -> SeedOptions:
    return SeedOptions(
        companies=options.companies,
        contacts=options.contacts,
        leads=options.leads,
        seed=options.seed,
        contacts_without_customer=options.contacts_without_customer,
        shared_emails=options.shared_emails,
    )


def _switches(options: argparse.Namespace) -> dict[str, object]:
    given: dict[str, object] = {}
    for pair in options.switch:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UnknownSwitch(f"--switch needs NAME=VALUE, not {pair!r}")
        given[name] = value
    if options.rate_limit is not None:
        given["rate_limit"] = options.rate_limit
    return given


def _announce(server: Server, *, as_json: bool) -> None:
    served = running(server)
    if as_json:
        facts = {
            "base_url": served.base_url,
            "token": served.token,
            "control_url": served.control_url,
            "pid": os.getpid(),
        }
        print(json.dumps(facts), flush=True)
        return
    box = served.sandbox
    print(f"{served.base_url}\n{served.token}", flush=True)
    print(
        f"{len(box.customers)} customers, {len(box.contacts)} contacts, {len(box.leads)} leads. "
        f"Look at them at {served.control_url}/  Stop with Ctrl-C.",
        file=sys.stderr,
        flush=True,
    )
