"""`…__among=values`: as `__in`, the whole list as one parameter.

Django writes out a mark per value and looks at each; for the five hundred ids of a batch that takes longer than the
database needs to find them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Lookup


class Among(Lookup[Any]):
    """For numbers and texts. Nothing is among nothing: then no query is made."""

    lookup_name = "among"
    prepare_rhs = False

    def __init__(self, lhs: Any, rhs: Iterable[int | str]) -> None:
        super().__init__(lhs, list(rhs))

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        if not self.rhs:
            raise EmptyResultSet
        column, params = self.process_lhs(compiler, connection)
        if connection.vendor == "sqlite":
            return f"{column} IN (SELECT value FROM json_each(%s))", (*params, json.dumps(self.rhs))  # noqa: S608
        return f"{column} = ANY(%s)", (*params, self.rhs)


def register() -> None:
    Field.register_lookup(Among)
