"""Named places in pages which other apps fill, so that the page need not know them.

`register_panel("company.side", draw)` in `AppConfig.ready()`; the page has `{% panels "company.side" it %}`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

# (request, what the page is about or None) → safe HTML, "" for nothing.
Draw = Callable[[HttpRequest, Any], str]

_panels: dict[str, list[tuple[int, Draw]]] = defaultdict(list)


def register_panel(place: str, draw: Draw, order: int = 0) -> None:
    """Fills a place. Of the frame: "frame.head", "frame.pill", "frame.search", "settings.integrations"."""
    if all(known is not draw for _, known in _panels[place]):
        _panels[place].append((order, draw))
        _panels[place].sort(key=lambda pair: pair[0])


def panels(place: str) -> list[Draw]:
    return [draw for _, draw in _panels.get(place, [])]
