"""What a request says, read the way Rails reads it: query string, form or JSON body, merged; `a[b]=c`,
`a[]=c`.
"""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from itertools import pairwise
from re import findall, fullmatch
from urllib.parse import parse_qsl

from .model import JSON, whole_number

Params = dict[str, JSON]


class Unreadable(ValueError):
    """The body says it is JSON and is not, or holds what no database stores."""


def read(query: str, content_type: str, body: bytes) -> Params:
    """The body's values win over the query's, also in a GET. Raises Unreadable."""
    params = nested(parse_qsl(query, keep_blank_values=True))
    form = content_type.split(";")[0].strip().lower()
    if not body:
        return params
    if form == "application/x-www-form-urlencoded":
        return {**params, **nested(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))}
    if form == "multipart/form-data":
        return {**params, **nested(_parts(content_type, body))}
    if form == "application/json" or form.endswith("+json"):
        return {**params, **_json(body)}
    return params


def _parts(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """The named fields of a multipart form, which curl -F and PHP send; files are left aside."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    found = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str) and part.get_filename() is None:
            content = part.get_payload(decode=True)
            found.append((name, content.decode("utf-8", "replace") if isinstance(content, bytes) else ""))
    return found


def _json(body: bytes) -> Params:
    try:
        value = json.loads(body)
        # Half a surrogate pair, or a number without end: once stored it would spoil every answer.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
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
    found = [number for part in parts if (number := whole_number(part)) is not None]
    return found if found or isinstance(value, list) else None


def words(value: JSON) -> list[str]:
    """Words from a list or a comma list; nothing sent gives none."""
    parts = value if isinstance(value, list) else str(value).split(",") if value else []
    return [str(part).strip() for part in parts if str(part).strip()]


def truthy(value: JSON) -> bool:
    return str(value).strip().lower() in {"true", "1", "t", "yes", "on"}


def text(value: JSON) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)
