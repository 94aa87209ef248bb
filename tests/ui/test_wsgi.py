"""What serves the site has everything loaded before anybody asks."""

import gc
from importlib import reload

from django.urls import clear_url_caches, get_resolver

from propolis import wsgi


def test_views_are_loaded_and_left_alone_by_the_collector() -> None:
    clear_url_caches()
    before = gc.get_freeze_count()
    reload(wsgi)
    assert "url_patterns" in vars(get_resolver())
    assert gc.get_freeze_count() > before
