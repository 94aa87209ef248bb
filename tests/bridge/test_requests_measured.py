"""What `make bench` says of the requests an import makes: counted by the other side, beside how many they may be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.house import Size
from bench.importing import first_at_most, second_at_most

COUNT = """
import json
from bench.house import Size
from bench.importing import requests
print(json.dumps(requests(Size(companies=120, contacts=300, leads=60))))
"""


def test_how_many_they_may_be():
    sample = Size(companies=500, contacts=5000, leads=500)
    assert (first_at_most(sample, users=14), second_at_most(sample)) == (5 + 20 + 14 + 15, 5 + 20 + 6)
    odd = Size(companies=501, contacts=1, leads=26)
    assert (first_at_most(odd, users=1), second_at_most(odd)) == (6 + 2 + 1 + 15, 6 + 2 + 6)


def test_both_imports_are_counted_and_stay_within_it():
    command = [sys.executable, "-c", COUNT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["users"], found["first_by_list"]["users"]) == (14, 14 + 1)
    assert (found["first_at_most"], found["second_at_most"]) == (2 + 3 + 14 + 15, 2 + 3 + 6)
    assert found["first"] == sum(found["first_by_list"].values()) <= found["first_at_most"]
    assert found["second"] == sum(found["second_by_list"].values()) <= found["second_at_most"]
