"""What the control address is given, as Python wants it: a form sends nothing but text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .model import JSON, whole_number
from .parameters import Params, truthy

Forms = Mapping[str, str]


def forms_of(kind: type[Any], *without: str) -> Forms:
    """What each field of a dataclass is declared to be."""
    return {field.name: str(field.type) for field in fields(kind) if field.name not in without}


def typed(noun: str, given: Params, forms: Forms) -> dict[str, JSON]:
    """The same values in their declared forms. Raises ValueError for a name or a value that cannot be."""
    if unknown := set(given) - set(forms):
        raise ValueError(f"{noun} has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(forms))}")
    return {name: _formed(name, value, forms[name]) for name, value in given.items()}


def _formed(name: str, value: JSON, form: str) -> JSON:
    if value in (None, "") and form.endswith("None"):
        return None
    word = form.partition("[")[0].partition(" ")[0]
    made: JSON
    match word:
        case "int":
            made = whole_number(value)
        case "float":
            made = _fraction(value)
        case "bool":
            made = truthy(value)
        case "tuple":
            made = tuple(value) if isinstance(value, list) else (str(value),)
        case "Mapping":
            made = value if isinstance(value, dict) else None
        case "str":
            made = value if isinstance(value, str) else None
        case _:
            return value
    if made is None:
        raise ValueError(f"{name} cannot be {value!r}")
    return made


def _fraction(value: JSON) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
