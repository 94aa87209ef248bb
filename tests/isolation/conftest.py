"""One world for all these tests: making it takes longer than most of them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from tests.isolation.world import World, open_world

HERE = Path(__file__).parent


@pytest.fixture(scope="package")
def made_world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Committed, since imports work on more than one connection; gone when these tests are done.

    Pages come in a bare frame, and "not there" and "refused" as one sentence: they are asked for thousands of times.
    Nor is each of these said in a log.
    """
    engine = settings.TEMPLATES[0]
    bare = {**engine, "DIRS": [HERE / "templates", *engine["DIRS"]]}
    changed = override_settings(
        DATA_DIR=Path(tmp_path_factory.mktemp("data")),
        PROPOLIS_PACE=60_000.0,
        TEMPLATES=[bare],
        ROOT_URLCONF="tests.isolation.quick",
    )
    with django_db_blocker.unblock(), changed, errors_only(logging.getLogger("django.request")):
        try:
            with open_world() as world:
                yield world
        finally:
            call_command("flush", verbosity=0, interactive=False, allow_cascade=True)


@contextmanager
def errors_only(logger: logging.Logger) -> Iterator[None]:
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@pytest.fixture
def world(made_world: World, db: None) -> World:
    """What a test does to it is taken back."""
    return made_world
