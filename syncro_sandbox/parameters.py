"""What a request says, read the way Rails reads it: query string, form or JSON body, merged; `a[b]=c`,
`a[]=c`.
"""

from __future__ import annotations

import json
from itertools import pairwise
from re import findall, fullmatch
from urllib.parse import parse_qsl

from .model import JSON

Params = dict[str, JSON]


class Unreadable(ValueError):
    """The body says it is JSON and is not."""


def read(query: str, content_type: str, body: bytes) -> Params:
    """The body's values win over the query's, also in a GET. Raises Unreadable."""
    params = nested(parse_qsl(query, keep_blank_values=True))
    form = content_type.split(";")[0].strip().lower()
    if not body:
        return params
    if form == "application/x-www-form-urlencoded":
        return {**params, **nested(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))}
    if form == "application/json" or form.endswith("+json"):
        return {**params, **_json(body)}
    return params


def _json(body: bytes) -> Params:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise Unreadable("the body is not JSON") from error
    return value if isinstance(value, dict) else {"_json": value}


def nested(pairs: list[tuple[str, str]]) -> Params:
    """`a=1` · `a[]=1` → list · `a[b]=1` and `a[0]=1` → object, as in Rails."""
    params: Params = {}
    for name, value in pairs:
        if not fullmatch(r"[^\[\]]+(\[[^\[\]]*\])+", name):
            params[name] = value
            continue
        head, rest = name.split("[", 1)
        _place(params, [head, *findall(r"([^\[\]]*)\]", rest)], value)
    return params


def _place(params: Params, keys: list[str], value: str) -> None:
    here: Params = params
    for key, following in pairwise(keys):
        if following == "":
            held = here.setdefault(key, [])
            if isinstance(held, list):
                held.append(value)
            return
        held = here.get(key)
        if not isinstance(held, dict):
            held = here[key] = {}
        here = held
    here[keys[-1]] = value


def integers(value: JSON) -> list[int] | None:
    """A list of ids from `[1, "2"]` or `"1,2"`; None if nothing usable was sent (an object is ignored)."""
    parts = (
        value if isinstance(value, list) else str(value).split(",") if isinstance(value, str | int) else []
    )
    found = [int(str(part)) for part in parts if str(part).strip().isdigit()]
    return found if found or isinstance(value, list) else None


def words(value: JSON) -> list[str]:
    """Words from a list or a comma list; nothing sent gives none."""
    parts = value if isinstance(value, list) else str(value).split(",") if value else []
    return [str(part).strip() for part in parts if str(part).strip()]


def truthy(value: JSON) -> bool:
    return str(value).strip().lower() in {"true", "1", "t", "yes", "on"}


def text(value: JSON) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)
