"""`propolis serve` (the site and a worker, in one command) and `propolis worker`."""

from __future__ import annotations

import errno
import socket
import sys
from typing import Annotated

import typer

from propolis.cli import Sorry, ready

WORKER = [sys.executable, "-m", "propolis.cli", "worker"]


def add_to(app: typer.Typer) -> None:
    app.command("serve")(serve)
    app.command("worker")(worker)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    threads: Annotated[int, typer.Option(min=1, help="Requests answered at the same time.")] = 8,
) -> None:
    """Run the site and one worker until Ctrl-C. Prepares the database on first use."""
    port_must_be_free(host, port)
    ready()
    from propolis.cli.supervisor import Child, supervise

    children = [Child("web", web_command(host, port, threads)), Child("worker", WORKER)]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    raise SystemExit(
        supervise(children, f"Propolis is at http://{shown}:{port} (Ctrl-C stops it)", host, port)
    )


def web_command(host: str, port: int, threads: int = 8) -> list[str]:
    """What serves the site."""
    web = [sys.executable, "-m", "gunicorn", "propolis.wsgi:application", "--bind", f"{host}:{port}"]
    web += ["--threads", str(threads), "--worker-class", "gthread", "--graceful-timeout", "3"]
    return [*web, "--no-control-socket", "--log-level", "warning", "--timeout", "60"]


def worker() -> None:
    """Run one worker until Ctrl-C; any number may run, on any machines that reach the database."""
    ready()
    from propolis.runs.worker import run_worker

    run_worker()


def port_must_be_free(host: str, port: int) -> None:
    """Sorry where something listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            other = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
            raise Sorry(
                f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with {other}."
            ) from None
