"""The three lists of Syncro we read page by page."""

from __future__ import annotations

from enum import Enum


class Resource(Enum):
    """A list's name in paths and answers; `default_size` is its own page size [A], told by `meta` in each
    answer."""

    CUSTOMERS = "customers"
    CONTACTS = "contacts"
    LEADS = "leads"

    @property
    def default_size(self) -> int:
        return {Resource.CUSTOMERS: 100, Resource.CONTACTS: 50, Resource.LEADS: 25}[self]

    @property
    def one(self) -> str:
        """One of them: the key a single record stands under, and the word in a sentence."""
        return self.value.removesuffix("s")

    @property
    def can_shrink(self) -> bool:
        """Whether smaller pages can be asked for: only /customers heeds `per_page` [B]."""
        return self is Resource.CUSTOMERS
