"""The site with short pages for "not there" and "refused": the matrix meets them thousands of times, and what
stands around their sentence is the frame of every other page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from propolis.urls import urlpatterns

__all__ = ["urlpatterns"]


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(str(exception), status=403)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(str(exception), status=404)
