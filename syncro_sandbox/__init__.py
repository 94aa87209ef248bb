"""A stateful stand-in for a Syncro server, to develop and test against. See README.md in this folder."""

from .app import create_app
from .faults import Fault
from .sandbox import Sandbox
from .seeding import SeedOptions
from .server import Running, serve
from .switches import SWITCHES, UnknownSwitch

__all__ = [
    "SWITCHES",
    "Fault",
    "Running",
    "Sandbox",
    "SeedOptions",
    "UnknownSwitch",
    "create_app",
    "serve",
]
