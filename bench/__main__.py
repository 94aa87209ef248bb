"""`python -m bench`: every measure but those that take minutes, printed.

`--list` names all, `--json NAME` takes one and prints one JSON line.
Nothing is asserted: a figure depends on the machine. What depends on nothing (requests, rows, differences) stands
beside what it should be.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

from bench.measures import MEASURES


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--list", action="store_true", help="the names")
    parser.add_argument(
        "--json", metavar="NAME", choices=sorted(MEASURES), help="one measure as one JSON line"
    )
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{name:<20} {each.says}" for name, each in MEASURES.items()))
        return 0
    if options.json:
        print(json.dumps({"name": options.json, **MEASURES[options.json].take()}))
        return 0
    failed = sum(_show(name) for name, each in MEASURES.items() if not each.alone)
    for name in (name for name, each in MEASURES.items() if each.alone):
        print(f"\n{name}: left out, it takes minutes; `python -m bench --json {name}` takes it")
    return failed


def _show(name: str) -> int:
    """Takes the measure in a process of its own; 1 if that failed."""
    began = time.monotonic()
    print(f"\n{name}: {MEASURES[name].says}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--json", name], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        print(f"  could not be taken (exit code {done.returncode})")
        return 1
    for key, value in json.loads(done.stdout.splitlines()[-1]).items():
        if key != "name":
            print(f"  {key.replace('_', ' '):<34} {_worded(value)}")
    print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return 0


def _worded(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_worded(each)}" for key, each in value.items())
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.exit(main())
