"""What can be said about templates without rendering them."""

import re
from pathlib import Path

import lucide
import pytest

from propolis.ui.navigation import registry

ROOT = Path(__file__).parents[2] / "propolis"
TEMPLATES = sorted(p for p in ROOT.rglob("*.html") if "templates" in p.parts)
ICON = re.compile(r"""(?:{%\s*lucide\s+|\sicon=)["']([a-z0-9-]+)["']""")
INLINE = re.compile(
    r"""<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|<script(?![^>]*(?:\ssrc=|application/json))"""
)
UNESCAPED = re.compile(r"<c-[\w-]+[^>]*\s:(?:hx-|data-|aria-)")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_template_keeps_the_rules(path: Path) -> None:
    text = path.read_text()
    html = re.sub(r"{%.*?%}", "", text, flags=re.DOTALL)
    assert INLINE.findall(html) == [], "the content policy forbids it"
    assert UNESCAPED.findall(text) == [], "an attribute passed through by `:` is not escaped"
    for name in ICON.findall(text):
        lucide._load_icon(name)


def test_every_registered_icon_exists() -> None:
    items = [i for group in (registry.nav, registry.settings) for entries in group.values() for i in entries]
    for item in items:
        lucide._load_icon(item.icon)
    assert len({i.url_name for i in items}) == len(items)
