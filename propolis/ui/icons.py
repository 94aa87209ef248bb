"""Icons of Lucide as SVG, from the archive its package brings.

Lucide's own tag opens that archive for each icon anew and reads the list of all 1,700, twelve milliseconds of
processor time: of a fresh process's first pages that was a third.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Final
from zipfile import ZipFile

import lucide
from django.forms.utils import flatatt
from django.utils.safestring import SafeString, mark_safe

_ATTRIBUTE: Final = re.compile(r'([\w-]+)="([^"]*)"')


@lru_cache(maxsize=1000)
def drawn(name: str, size: int | None, attributes: tuple[tuple[str, str], ...] = ()) -> SafeString:
    """The icon; `attributes` by their names in templates (aria_hidden). KeyError where Lucide has none so called."""
    text = _archive().read(f"{name}.svg").decode().strip()
    head, _, shape = text.partition(">")
    found = dict(_ATTRIBUTE.findall(head))
    del found["xmlns"]  # inside a page there is none
    if size is not None:
        found |= {"width": str(size), "height": str(size)}
    found |= {key.replace("_", "-"): value for key, value in attributes}
    # The shape is Lucide's own, and flatatt escapes.
    return mark_safe(f"<svg{flatatt(found)}>{shape}")  # noqa: S308


@cache
def _archive() -> ZipFile:
    return ZipFile(BytesIO(files(lucide).joinpath("lucide.zip").read_bytes()))
