"""Measures: how fast and how large. `make bench` prints them all, `python -m bench --json NAME` one."""
