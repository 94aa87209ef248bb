"""An environment that cannot be right: each mistake has its sentence, and nothing is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import Said, Shell
from tests.runs.harness import House

pytestmark = pytest.mark.slow


def asked(folder: Path, syncro, **environment: str) -> Said:
    shell = Shell(House(folder, None), syncro)
    shell.house.env.update(environment)
    return shell.propolis("status", "--account", "acme")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PROPOLIS_PACE": "fast"}, "PROPOLIS_PACE must be a number, not “fast”."),
        ({"PROPOLIS_RETRY_SECONDS": "30 soon"}, "PROPOLIS_RETRY_SECONDS must be a number, not “soon”."),
        ({"PROPOLIS_CSV_MOST_MB": "all"}, "PROPOLIS_CSV_MOST_MB must be a number, not “all”."),
        ({"PROPOLIS_BACKUPS_KEEP": "-1"}, "PROPOLIS_BACKUPS_KEEP must be 0 or more, not “-1”."),
        ({"PROPOLIS_PACE": "0"}, "PROPOLIS_PACE must be 1 or more, not “0”."),
        ({"PROPOLIS_BACKUPS_KEEP": "nan"}, "PROPOLIS_BACKUPS_KEEP must be a number, not “nan”."),
        (
            {"PROPOLIS_LOG_LEVEL": "loud"},
            "PROPOLIS_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not “LOUD”.",
        ),
        (
            {"DATABASE_URL": "nonsense"},
            "DATABASE_URL must begin with postgres:// (or be left out, for SQLite).",
        ),
        (
            {"PROPOLIS_DATA_DIR": "/proc/nowhere"},
            "Propolis cannot keep its data in /proc/nowhere: No such file or directory. Name another folder in "
            "PROPOLIS_DATA_DIR.",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path, one_syncro, environment, sentence):
    said = asked(tmp_path, one_syncro, **environment)
    assert (said.code, said.out, said.err) == (1, [], [sentence])
    assert not (tmp_path / "propolis.sqlite3").exists()


def test_a_setting_left_empty_is_as_if_it_were_not_there(tmp_path, one_syncro):
    names = ("PACE", "RETRY_SECONDS", "CSV_MOST_MB", "ANSWER_MOST_MB", "LOG_LEVEL", "TASKS_BACKEND")
    said = asked(tmp_path, one_syncro, **{f"PROPOLIS_{name}": "" for name in names})
    assert said.err[-1].startswith("There is no account acme.")


def test_a_file_that_is_no_database_is_left_alone(tmp_path, one_syncro):
    file = tmp_path / "propolis.sqlite3"
    file.write_text("the minutes of a meeting, not a database at all " * 20)
    before = file.read_bytes()
    said = asked(tmp_path, one_syncro)
    sentence = f"{file} is not a database. Move it away, or put a copy of yours in its place."
    assert (said.code, said.out, said.err) == (1, [], [sentence])
    assert file.read_bytes() == before


def test_a_port_that_cannot_be(tmp_path, one_syncro):
    said = Shell(House(tmp_path, None), one_syncro).propolis("serve", "--port", "99999")
    assert (said.code, said.err[-1]) == (
        2,
        "Error: Invalid value for '--port': Input should be less than or equal to 65535",
    )
