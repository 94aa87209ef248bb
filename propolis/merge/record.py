"""The neutral shape both sides are turned into before anything is compared.

Nothing here knows how a phone number or a name is normalised: whoever builds a record does that and hands
over the normalised keys beside the values as given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final


class UnsetType(Enum):
    """The type of `UNSET`, an enum so that it survives pickling and `is` narrows it for a type checker."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = UnsetType.UNSET
"""The key was absent from an answer: nothing is known about the field. Never a clearing."""

Value = str | bool | int | None | UnsetType


@dataclass(frozen=True, slots=True)
class CompanyKeys:
    """What a company is recognised by; every text normalised by whoever built it, "" = none.

    `domains`: of the website and of the e-mail address, free-mail already left out.
    `email`: the lower-cased address. `phones`: normalised digits.
    `residential`: a person rather than a business; then `person` is that person's normalised name.
    """

    name: str = ""
    domains: frozenset[str] = frozenset()
    email: str = ""
    phones: frozenset[str] = frozenset()
    city: str = ""
    residential: bool = False
    person: str = ""


@dataclass(frozen=True, slots=True)
class ContactKeys:
    """What a contact is recognised by; every text normalised by whoever built it, "" = none.

    `role_address`: the address belongs to a post, not to a person (info@, office@, billing@).
    `company`: the local id of the company it hangs on; for a remote contact, of the company its customer is
    linked to. None = none, or not decided yet.
    """

    name: str = ""
    email: str = ""
    role_address: bool = False
    company: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One record of either side.

    `id`: local or remote, by the side it came from. `values`: field → value as given, in our fields.
    `updated_at`: aware; Syncro's `updated_at`, or our last human edit of a mapped field; None = unknown.
    """

    id: int
    values: Mapping[str, Value]
    updated_at: datetime | None
    keys: CompanyKeys | ContactKeys
