"""Messages for answers to htmx requests, which have no page to carry them."""

from __future__ import annotations

import json

from django.http import HttpResponse


def _trigger(response: HttpResponse, name: str, value: object) -> HttpResponse:
    events = json.loads(response.headers.get("HX-Trigger", "{}"))
    response.headers["HX-Trigger"] = json.dumps({**events, name: value})
    return response


def toast(response: HttpResponse, text: str, tone: str = "ok") -> HttpResponse:
    """Shows and announces the text; tone: ok | warn | bad."""
    return _trigger(response, "toast", {"text": text, "tone": tone})


def announce(response: HttpResponse, text: str) -> HttpResponse:
    """Tells a screen reader only, e.g. every 25 % of an import."""
    return _trigger(response, "announce", {"text": text})


def record_changed(response: HttpResponse) -> HttpResponse:
    """Whatever on the page tells of the record asks for itself anew."""
    return _trigger(response, "record-changed", True)


def close_dialog(response: HttpResponse) -> HttpResponse:
    return _trigger(response, "close-dialog", True)
