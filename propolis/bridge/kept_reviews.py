"""What an import held for a person, with what Syncro sent then. A restored backup brings Links without it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet

from propolis.history.models import Change


def has_kept_review() -> Exists:
    """Of Links: those with a "Needs review" that is kept."""
    return Exists(_kept().filter(link_id=OuterRef("pk")))


def kept_reviews(links: Iterable[int]) -> dict[int, Change]:
    """The newest "Needs review" of each of these Links."""
    # Sorted here: asked to sort by id, SQLite would walk every Change there is.
    newest = sorted(_kept().filter(link_id__in=list(links)), key=lambda change: change.pk)
    return {change.link_id: change for change in newest if change.link_id is not None}


def _kept() -> QuerySet[Change]:
    # Whatever was brought in since has a record here.
    return Change.objects.filter(
        action=Change.Action.REVIEW, state=Change.State.APPLIED, local_id__isnull=True
    )
