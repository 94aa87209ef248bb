"""Fixtures for the commands: a house with a Syncro beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncro_sandbox import Running, Sandbox, SeedOptions, serve
from tests.cli.shell import Shell
from tests.runs.harness import House, open_house

SEED = SeedOptions(companies=20, contacts=60, leads=30, contacts_without_customer=0)


@pytest.fixture(scope="session")
def one_syncro() -> Iterator[Running]:
    with serve(Sandbox(SEED, rate_limit=0)) as syncro:
        yield syncro


@pytest.fixture
def syncro(one_syncro: Running) -> Running:
    """A Syncro of 20 companies, 60 contacts and 30 leads, as new."""
    one_syncro.sandbox.reset()
    return one_syncro


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory, one_syncro: Running) -> Path:
    """A data folder with the account acme in it: preparing a database takes seconds, copying it does not."""
    folder = tmp_path_factory.mktemp("founded")
    shell = Shell(House(folder, None), one_syncro)
    assert shell.found_acme().code == 0
    return folder


@pytest.fixture(scope="session")
def set_up(tmp_path_factory: pytest.TempPathFactory, founded: Path, one_syncro: Running) -> Path:
    """The same with Syncro connected and its users read."""
    folder = tmp_path_factory.mktemp("set-up") / "data"
    shutil.copytree(founded, folder)
    one_syncro.sandbox.reset()
    said = Shell(House(folder, None, PROPOLIS_PACE="6000"), one_syncro).connect()
    assert said.code == 0, said
    return folder


@pytest.fixture
def shell(tmp_path: Path, founded: Path, syncro: Running) -> Iterator[Shell]:
    """A shell in a house on SQLite with the account acme, not connected."""
    yield from _copy(founded, tmp_path, syncro)


@pytest.fixture
def connected(tmp_path: Path, set_up: Path, syncro: Running) -> Iterator[Shell]:
    """The same, connected to the Syncro."""
    yield from _copy(set_up, tmp_path, syncro)


def _copy(of: Path, folder: Path, syncro: Running) -> Iterator[Shell]:
    shutil.copytree(of, folder / "data")
    for opened in open_house("sqlite", folder / "data", PROPOLIS_PACE="6000"):
        yield Shell(opened, syncro)
