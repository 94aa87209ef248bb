"""The site as the resolver knows it, and what a request to an address of it comes to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Address:
    """`name` with its namespaces, the route itself where it has none; `parts`: what stands in it besides
    the account."""

    name: str
    route: str
    parts: frozenset[str]


def addresses() -> dict[str, Address]:
    """Every address of the site by name."""
    return {each.name: each for each in _below(get_resolver(), "", ())}


def _below(resolver: URLResolver, route: str, spaces: tuple[str, ...]) -> Iterator[Address]:
    for each in resolver.url_patterns:
        here = route + str(each.pattern)
        if isinstance(each, URLPattern):
            name = ":".join((*spaces, each.name)) if each.name else here
            yield Address(name, here, _parts(here))
        else:
            yield from _below(each, here, (*spaces, each.namespace) if each.namespace else spaces)


def _parts(route: str) -> frozenset[str]:
    """Without those the address fixes itself (`kind` of a company's address)."""
    return frozenset(re.findall(r"<(?:\w+:)?(\w+)>", route)) - {"account"}
