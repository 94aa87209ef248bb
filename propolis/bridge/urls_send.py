"""Send to Syncro: companies/1/send/ and contacts/1/send/."""

from typing import Any

from django.urls import path

from propolis.bridge import views_send, views_send_undo

_KINDS = {"company": "companies", "contact": "contacts"}


def _paths(kind: str, plural: str) -> list[Any]:
    here = f"{plural}/<int:pk>/send/"
    return [
        path(here, views_send.send, {"kind": kind}, name=f"send_{kind}"),
        path(f"{here}settle/", views_send.settle, {"kind": kind}, name=f"send_{kind}_settle"),
        path(f"{here}undo/<int:change>/", views_send_undo.undo, {"kind": kind}, name=f"send_{kind}_undo"),
    ]


urlpatterns = [each for kind, plural in _KINDS.items() for each in _paths(kind, plural)]
