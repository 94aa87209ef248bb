"""Fixtures of the kill tests."""

from tests.runs.harness import house

__all__ = ["house"]
