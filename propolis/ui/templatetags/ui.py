"""Tags of the frame: `{% at %}`, `{% panels %}`, `initials`."""

from __future__ import annotations

from itertools import count
from typing import Any

from django import template
from django.forms import BaseForm
from django.utils.safestring import SafeString, mark_safe

from propolis.accounts.addressing import url
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
def verb_words(verb: str) -> str:
    """An audit verb as words: "user.invitation_revoked" → "User: invitation revoked"."""
    about, _, done = verb.partition(".")
    return f"{about.replace('_', ' ').capitalize()}: {done.replace('_', ' ')}" if done else about.capitalize()


@register.filter
def problems(form: BaseForm | None) -> list[tuple[str, str]]:
    """(address of the field or "", sentence) for every error of a form, for the summary at the top."""
    if form is None:
        return []
    found = [("", str(e)) for e in form.non_field_errors()]
    for bound in form:
        found += [(f"#{bound.id_for_label or bound.auto_id}", str(e)) for e in bound.errors]
    return found
