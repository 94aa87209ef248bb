"""How `python -m tests` gives tests out."""

from pathlib import Path

import pytest

from tests.__main__ import passes, saying
from tests.databases import allowed, dealt


def test_the_longest_begin_first_each_in_a_process_of_its_own(request: pytest.FixtureRequest) -> None:
    assert dealt(list("abcdefgh"), 3) == list("adgbehcf")  # type: ignore[arg-type, comparison-overlap]
    assert allowed(request.node) == 0
    request.node.add_marker(pytest.mark.timeout(900))
    assert allowed(request.node) == 900


def test_the_pass_of_killed_workers_reads_every_file_that_has_some() -> None:
    (killing,) = [each for each in passes("x", with_postgres=True) if each.files]
    assert killing.files == saying("mark.kill")
    assert {Path(name).name for name in killing.files} >= {
        "test_import_killed.py",
        "test_celery.py",
        "test_demo.py",
    }
