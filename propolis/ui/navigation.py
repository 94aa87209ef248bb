"""What stands in the side navigation and in Account settings. Apps register theirs in `AppConfig.ready()`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

# Section key → its heading in the side navigation; None: its items stand alone.
SECTIONS: dict[str, str | None] = {"dashboard": None, "contacts": "Contacts", "opportunities": None}
SETTINGS_GROUPS = ("You", "Workspace", "Data")

Count = Callable[[HttpRequest], int | str | None]


@dataclass(frozen=True)
class Item:
    """One entry. `url_name` takes the account slug unless `of_person`; pages of `belongs` light it too."""

    label: str
    url_name: str
    icon: str
    verb: str | None = None
    count: Count | None = None
    order: int = 0
    of_person: bool = False
    belongs: tuple[str, ...] = ()
    says: str = ""


@dataclass
class Menus:
    nav: dict[str, list[Item]] = field(default_factory=lambda: {key: [] for key in SECTIONS})
    settings: dict[str, list[Item]] = field(default_factory=lambda: {key: [] for key in SETTINGS_GROUPS})


menus = Menus()


def _put(items: list[Item], item: Item) -> None:
    items[:] = sorted(
        [i for i in items if i.url_name != item.url_name] + [item], key=lambda i: (i.order, i.label)
    )


def register_nav(section: str, label: str, url_name: str, icon: str, **more: Any) -> None:
    """An entry of the side navigation.

    section: "dashboard" | "contacts" | "opportunities", KeyError for another; icon: a lucide name; more:
    `verb` (Verb name), `count` (request → number or None, run inside the account: one cheap query), `order`,
    `belongs` (url names whose pages light this entry too, e.g. ("crm:company", "crm:company_edit")).
    """
    _put(menus.nav[section], Item(label, url_name, icon, **more))


def register_settings(group: str, label: str, url_name: str, icon: str, **more: Any) -> None:
    """A page of Account settings. group: "You" | "Workspace" | "Data"; more as above, and `says`: a line for
    the index page, `of_person`: its address takes no account slug."""
    _put(menus.settings[group], Item(label, url_name, icon, **more))
