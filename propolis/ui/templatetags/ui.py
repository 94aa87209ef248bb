"""Tags of the frame: `{% at %}`, `{% panels %}`, `initials`."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

from django import template
from django.forms import BaseForm
from django.forms.utils import flatatt
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe

from propolis.accounts.addressing import url
from propolis.accounts.audit_log import words
from propolis.ui import icons
from propolis.ui.panels import panels as panels_of

register = template.Library()


@register.simple_tag(takes_context=True)
def at(context: template.Context, name: str, *args: Any, **kwargs: Any) -> str:
    """Address of a page in the current account: `{% at 'crm:company' company.id %}`."""
    return url(context["account"], name, *args, **kwargs)


@register.simple_tag(takes_context=True)
def panels(context: template.Context, place: str, about: Any = None) -> SafeString:
    """What other apps put in this place."""
    request = context.get("request")
    if request is None:
        return mark_safe("")
    # Panels return HTML which their own templates made and escaped.
    return mark_safe("".join(draw(request, about) for draw in panels_of(place)))  # noqa: S308


@register.simple_tag(name="lucide")
def icon(name: str, *, size: int | None = 24, **attributes: object) -> SafeString:
    """An icon, as lucide's own tag has it."""
    return icons.drawn(name, size, tuple((key, str(value)) for key, value in attributes.items()))


@register.simple_tag
def options(groups: list[tuple[str | None, list[dict[str, Any]], int]]) -> SafeString:
    """What stands in a select, as Django's own templates have it. Those include two more for each option: of 490
    time zones, two thirds of the account's page."""
    return mark_safe("".join(_group(name or "", inside) for name, inside, _ in groups))  # noqa: S308


def _group(name: str, inside: list[dict[str, Any]]) -> str:
    drawn = "".join(_option(each["value"], each["label"], each["attrs"]) for each in inside)
    return f'\n<optgroup label="{escape(name)}">{drawn}\n</optgroup>' if name else drawn


def _option(value: Any, label: Any, attrs: dict[str, Any]) -> str:
    return f'\n<option value="{escape(value)}"{flatatt(attrs) if attrs else ""}>{conditional_escape(label)}</option>'


_numbers = count(1)


@register.simple_tag
def unique(wanted: str = "") -> str:
    """The id wanted, else one no other element has. Where htmx swaps, give one: it keeps the focus."""
    return wanted or f"made-{next(_numbers)}"


@register.filter
def initials(name: str | None) -> str:
    """At most two capitals: "Dana Whitfield" → "DW"."""
    words = [w for w in str(name or "").split() if w[0].isalnum()]
    picked = words[:1] + (words[-1:] if len(words) > 1 else [])
    return "".join(w[0] for w in picked).upper() or "?"


@register.filter
def one_stop(sentence: object) -> str:
    """A sentence that ends with "… Co." needs no second full stop; an ellipsis stays, and what is inside a name."""
    text = str(sentence)
    once = re.sub(r"(?<!\.)\.\.(?=[\s<]|$)", ".", text)
    # Safe before, safe after: only a full stop went.
    return mark_safe(once) if isinstance(text, SafeString) else once  # noqa: S308


@register.filter
def verb_words(verb: str) -> str:
    """An audit verb as words: "user.invitation_revoked" → "User: invitation revoked"."""
    return words(verb)


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


@register.filter
def browser_words(agent: str | None) -> str:
    """ "Chrome on Windows" for what a browser calls itself; the beginning of that where it is no known one."""
    text = agent or ""
    browser = next((name for part, name in _BROWSERS if part in text), "")
    system = next((name for part, name in _SYSTEMS if part in text), "")
    return " on ".join(part for part in (browser, system) if part) or text[:60] or "Unknown"


@register.filter
def problems(form: BaseForm | None) -> list[tuple[str, str]]:
    """(address of the field or "", sentence) for every error of a form, for the summary at the top."""
    if form is None:
        return []
    found = [("", str(e)) for e in form.non_field_errors()]
    for bound in form:
        found += [(f"#{bound.id_for_label or bound.auto_id}", str(e)) for e in bound.errors]
    return found
