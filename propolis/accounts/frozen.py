"""A process that stands still inside a transaction must not hold everybody else: frozen, or its machine gone.

PostgreSQL alone lets go by itself, where it is told to. A SQLite file is only ever used from one machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import CharField, Expression, Func, Value


def letting_go_after(seconds: float) -> Expression:
    """To annotate the query that takes a lock: the transaction is over if we then send nothing for so long."""
    if connection.vendor != "postgresql":
        return Value("")
    name, limit = Value("idle_in_transaction_session_timeout"), Value(str(int(seconds * 1000)))
    return Func(name, limit, Value(True), function="set_config", output_field=CharField())


@contextmanager
def over_within(seconds: float) -> Iterator[None]:
    """For one statement that waits for what we send, such as COPY, which does not count as idle."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
        yield
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
