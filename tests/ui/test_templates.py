"""What can be said about templates without rendering them."""

import re
from pathlib import Path
from xml.etree.ElementTree import canonicalize

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates as Plain
from django.forms.renderers import get_default_renderer
from lucide.templatetags import lucide

from propolis.ui import icons
from propolis.ui.navigation import menus
from propolis.ui.templatetags.ui import one_stop

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
        icons.drawn(name, 16)


def test_every_registered_icon_exists() -> None:
    items = [i for group in (menus.nav, menus.settings) for entries in group.values() for i in entries]
    for item in items:
        icons.drawn(item.icon, 16)
    assert len({i.url_name for i in items}) == len(items)


@pytest.mark.parametrize(
    ("size", "attributes"),
    [
        (24, {}),
        (None, {}),
        (17, {"aria_hidden": "true"}),
        (15, {"stroke_width": "3", "class": 'a "b" & <c>'}),
    ],
)
def test_an_icon_is_as_lucide_itself_draws_it(size: int | None, attributes: dict[str, str]) -> None:
    for name in ("check", "heart-pulse"):
        ours = icons.drawn(name, size, tuple(attributes.items()))
        assert canonicalize(ours) == canonicalize(lucide.lucide(name, size=size, **attributes))
    with pytest.raises(KeyError):
        icons.drawn("no-such-icon", 16)


@pytest.mark.parametrize("widget", [forms.Select, forms.SelectMultiple])
def test_a_select_is_as_django_itself_draws_it(widget: type[forms.Select]) -> None:
    choices = [("", "None <yet>"), (7, 'Se"ven'), ("Group & co.", [(8, "Eight"), (10_000, "Many")])]
    drawn = widget(attrs={"required": True, "hidden": False, "class": "wide"})
    drawn.choices = choices
    ours, djangos = (
        drawn.render("which", ["8"], {"id": "w"}, renderer) for renderer in (get_default_renderer(), Plain())
    )
    assert ours.split() == djangos.split()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Deleted Alder & Co..", "Deleted Alder & Co."),
        ("Deleted Alder & Co.. Bring it back.", "Deleted Alder & Co. Bring it back."),
        ("Reading a..b.csv…", "Reading a..b.csv…"),
        ("Wait...", "Wait..."),
    ],
)
def test_one_full_stop_is_enough(said: str, shown: str) -> None:
    assert one_stop(said) == shown
