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


def test_nothing_but_the_project_is_spoken_of() -> None:
    """No paths of somebody's machine in any page."""
    said = [page.name for page in PAGES if re.search(r"/(home|root|work|tmp)/\w", page.read_text())]
    assert said == []
