"""What every command does before anything else takes no longer than it must."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.runs.harness import House

START = """
import gc, json, sys
from propolis.cli.database import _set_up
_set_up()
print(json.dumps([sorted({"nameparser", "phonenumbers", "requests"} & set(sys.modules)), gc.isenabled(),
    gc.get_freeze_count() > 10_000]))
"""


def test_what_only_odd_values_need_is_not_loaded_and_what_is_loaded_is_not_looked_through(
    tmp_path: Path,
) -> None:
    env = House(tmp_path, None).env
    said = subprocess.run([sys.executable, "-c", START], env=env, check=True, capture_output=True, text=True)
    assert json.loads(said.stdout) == [[], True, True]
