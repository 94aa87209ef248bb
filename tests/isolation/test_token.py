"""The Syncro token is nowhere to be found: rows, files, backups, pages, mails, logs."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.db import connection

from tests.isolation.asking import asker
from tests.isolation.site import addresses
from tests.isolation.table import TABLE
from tests.isolation.test_matrix import form_of, url_of
from tests.isolation.world import World

pytestmark = pytest.mark.isolation


def forms_of(token: str) -> list[bytes]:
    """The token as it stands, and as it would look encoded."""
    plain = token.encode()
    return [plain, base64.b64encode(plain).rstrip(b"="), plain.hex().encode()]


def rows() -> Iterator[tuple[str, bytes]]:
    for model in apps.get_models(include_auto_created=True):
        for row in model._base_manager.values_list():
            yield (
                model._meta.label,
                repr([bytes(c) if isinstance(c, memoryview) else c for c in row]).encode(),
            )


def files() -> Iterator[tuple[str, bytes]]:
    for path in Path(settings.DATA_DIR).rglob("*"):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as packed:
                yield from ((f"{path.name}/{name}", packed.read(name)) for name in packed.namelist())
        elif path.is_file():
            yield path.name, path.read_bytes()


def answers(world: World) -> Iterator[tuple[str, bytes]]:
    """Every page of the account, and what every form of it says when it is sent."""
    alice, ids = asker(world.crew.alice), world.ids["acme"]
    for name, address in addresses().items():
        row = TABLE[name]
        for method in row.methods & {"GET", "POST"}:
            answer = alice.ask(method, url_of(address, row, "acme", ids), form_of(row, method, ids))
            yield f"{method} {name}", f"{answer.text} {answer.location}".encode()


def test_the_token_is_nowhere(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", logger="django.request")
    hidden = [each for token in world.tokens for each in forms_of(token)]
    found: list[str] = []
    seen: dict[str, int] = {}

    def look(kind: str, things: Iterator[tuple[str, bytes]]) -> None:
        for where, what in things:
            seen[kind] = seen.get(kind, 0) + 1
            found.extend(f"{kind}: {where}" for each in hidden if each in what)

    look("rows", rows())
    look("files", files())
    look("pages", answers(world))
    look("logs", iter([("log", caplog.text.encode())]))
    look("mails", ((str(m.to), m.message().as_bytes()) for m in mail.outbox))
    assert found == []
    # There was something to look through, and Syncro was talked to while the log listened.
    assert {kind: n > 0 for kind, n in seen.items()} == dict.fromkeys(seen, True)
    assert "/api/v1/customers/" in caplog.text


def test_it_would_be_found(world: World) -> None:
    from propolis.accounts.scoping import in_account
    from propolis.crm import notes
    from propolis.crm.models import Company

    with in_account(world.acme):
        row = Company.objects.get(pk=world.ids["acme"]["company"])
        notes.add_note(row, f"key {world.tokens[0]}", actor=world.crew.alice)
        assert [label for label, what in rows() if world.tokens[0].encode() in what] == ["crm.Note"]
    assert connection.in_atomic_block
