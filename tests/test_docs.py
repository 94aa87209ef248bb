"""The pages in docs/ that are made from the code say what the code says, and links between pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])


def test_every_error_has_its_sentence_in_the_docs() -> None:
    from propolis.bridge.sentences import page

    assert (ROOT / "docs" / "errors.md").read_text() == page()


@pytest.mark.parametrize("page", PAGES, ids=lambda each: each.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    missing = [each for each in targets if "://" not in each and not (page.parent / each).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda each: each.name)
def test_files_that_are_named_whole_are_there(page: Path) -> None:
    named = re.findall(r"`((?:propolis|tests|syncro_sandbox)/[\w/.-]+\.\w+)`", page.read_text())
    assert [each for each in named if not (ROOT / each).exists()] == []


def test_every_setting_is_explained_to_the_operator() -> None:
    sources = [ROOT / "propolis" / "settings.py", *ROOT.glob("propolis/runs/*.py")]
    asked = {name for each in sources for name in re.findall(r'"(PROPOLIS_[A-Z_]+)"', each.read_text())}
    explained = set(re.findall(r"PROPOLIS_[A-Z_]+", (ROOT / "docs" / "operating.md").read_text()))
    assert asked - explained == set()


def test_every_command_is_explained_to_the_operator() -> None:
    from typer.core import TyperGroup
    from typer.main import get_command

    from propolis.cli import build

    group = get_command(build())
    assert isinstance(group, TyperGroup)
    commands = set(group.commands)
    page = (ROOT / "docs" / "operating.md").read_text()
    assert {each for each in commands if not re.search(rf"`(propolis )?{each}\b", page)} == set()


def test_the_two_commands_of_the_readme_are_there() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"^make (\w+)|`make (\w+)", "".join(page.read_text() for page in PAGES), re.MULTILINE)
    assert {one or other for one, other in named} - set(targets) == set()


def test_nothing_but_the_project_is_spoken_of() -> None:
    """No paths of somebody's machine in any page."""
    said = [page.name for page in PAGES if re.search(r"/(home|root|work|tmp)/\w", page.read_text())]
    assert said == []
