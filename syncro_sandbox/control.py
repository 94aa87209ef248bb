"""The control address /_sandbox: the same knobs over HTTP, and small pages to look at. Never counted or
logged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from re import sub
from typing import TYPE_CHECKING, Any

from . import pages
from .exchange import Reply, Request, answer
from .faults import Fault
from .fixtures import BRIGHTWATER
from .given import forms_of, typed
from .model import JSON, KINDS, Kind, whole_number
from .parameters import Params, Unreadable, read, words
from .seeding import SeedOptions
from .switches import Switches, UnknownSwitch
from .tokens import PERMISSIONS

if TYPE_CHECKING:
    from .sandbox import Sandbox

PREFIX = "/_sandbox"
_FAULT = forms_of(Fault, "kind", "ends_at", "number", "struck")
_SEED = forms_of(SeedOptions)
_USER = {"email": "str", "full_name": "str", "group": "str"}
_TOKEN = {
    "name": "str",
    "value": "str | None",
    "user_id": "int | None",
    "expires_in": "float | None",
    "only_customer": "int | None",
}


class _Wrong(Exception):
    """What was asked cannot be done; the message says why. Carries the status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def is_control(path: str) -> bool:
    return path == PREFIX or path.startswith(PREFIX + "/")


def respond(box: Sandbox, request: Request) -> Reply:
    path = sub(r"/+", "/", request.path[len(PREFIX) :]).rstrip("/") or "/"
    try:
        params = read(request.query, request.headers.get("content-type", ""), request.body)
        with box.lock:
            return _routed(box, request, path, params)
    except Unreadable as error:
        return answer({"error": str(error)}, 400)
    except _Wrong as wrong:
        return answer({"error": str(wrong)}, wrong.status)
    except (UnknownSwitch, ValueError, TypeError) as error:
        return answer({"error": str(error)}, 400)


def _routed(box: Sandbox, request: Request, path: str, params: Params) -> Reply:
    known = _ROUTES.get((request.method, path))
    if known is not None:
        return known(box, params)
    parts = path.strip("/").split("/")
    if request.method == "DELETE" and len(parts) == 2 and parts[0] == "tokens":
        return answer({"revoked": box.revoke_token(parts[1])})
    if request.method == "DELETE" and len(parts) == 2 and parts[0] == "faults":
        box.clear_faults(_number("a fault's number", parts[1]))
        return _faults(box, params)
    if request.method == "DELETE" and len(parts) == 2 and parts[0] == "users":
        return _leave(box, _number("a user's id", parts[1]))
    if parts[0] == "records" and len(parts) > 1:
        return _records(box, request, parts[1:], params)
    raise _Wrong(f"nothing answers {request.method} {PREFIX}{path}", 404)


# -- the account as a whole ---------------------------------------------------------------------------------


def _status(box: Sandbox, params: Params) -> Reply:
    counts = {kind: len(box.store.table(kind)) for kind in KINDS}
    return answer(
        {
            "counts": {**counts, "users": len(box.users)},
            "requests": box.served,
            "switches": box.switches.as_dict(),
            "faults": [fault.described() for fault in box.faults.waiting],
            "tokens": [token.described() for token in box.tokens],
            "fixture": BRIGHTWATER if BRIGHTWATER in box.customers else None,
        }
    )


def _dump(box: Sandbox, params: Params) -> Reply:
    return answer(box.dump())


def _requests(box: Sandbox, params: Params) -> Reply:
    since = _number("since", params.get("since") or 0)
    return answer({"requests": [entry for entry in box.log if entry["n"] > since]})


def _forget(box: Sandbox, params: Params) -> Reply:
    box.forget_requests()
    return answer({"requests": []})


def _reset(box: Sandbox, params: Params) -> Reply:
    box.reset(replace(box.seed, **typed("the seed", params, _SEED)))
    return _status(box, {})


def _switches(box: Sandbox, params: Params) -> Reply:
    return answer(box.switches.as_dict())


def _set_switches(box: Sandbox, params: Params) -> Reply:
    """All of them or, if one cannot be, none."""
    Switches(params)
    for name, value in params.items():
        box.set(name, value)
    return _switches(box, {})


def _faults(box: Sandbox, params: Params) -> Reply:
    return answer({"faults": [fault.described() for fault in box.faults.waiting]})


def _add_fault(box: Sandbox, params: Params) -> Reply:
    how = dict(params)
    kind = how.pop("kind", "")
    return answer({"number": box.fault(kind, **typed("a fault", how, _FAULT))})


def _clear_faults(box: Sandbox, params: Params) -> Reply:
    box.clear_faults()
    return _faults(box, params)


def _tokens(box: Sandbox, params: Params) -> Reply:
    return answer({"tokens": [token.described() for token in box.tokens]})


def _add_token(box: Sandbox, params: Params) -> Reply:
    """`permissions`: a list of names, or "all" (the default)."""
    how = dict(params)
    permissions = how.pop("permissions", "all")
    chosen = PERMISSIONS if permissions == "all" else words(permissions)
    return answer({"token": box.add_token(chosen, **typed("a token", how, _TOKEN))})


def _users(box: Sandbox, params: Params) -> Reply:
    return answer({"users": [box.renderer.user(user) for user in box.users.values()]})


def _join(box: Sandbox, params: Params) -> Reply:
    how = typed("a user", params, _USER)
    if missing := {"email", "full_name"} - set(how):
        raise _Wrong(f"a user needs {', '.join(sorted(missing))}")
    return answer({"id": box.user_joins(**how)})


def _leave(box: Sandbox, user_id: int) -> Reply:
    """The one with the first token stays: nobody could ask anything any more."""
    if user_id not in box.users or user_id == box.owner.id:
        raise _Wrong(f"user {user_id} is not there, or has the token of the start", 404)
    box.user_leaves(user_id)
    return _users(box, {})


def _lose_next_answer(box: Sandbox, params: Params) -> Reply:
    return answer({"number": lose_next_answer(box)})


def lose_next_answer(box: Sandbox) -> int:
    """The next write is carried out, and its answer never arrives."""
    return box.fault("lost_reply", method="write")


# -- single records -----------------------------------------------------------------------------------------


def _records(box: Sandbox, request: Request, parts: list[str], params: Params) -> Reply:
    kind = _kind(parts[0])
    as_page = "text/html" in request.headers.get("accept", "") and not parts[-1].endswith(".json")
    parts = [part.removesuffix(".json") for part in parts]
    if len(parts) == 1:
        return _table(box, request, kind, params, as_page=as_page)
    row_id = _row_id(box, kind, parts[1])
    if request.method == "GET" and len(parts) == 2:
        return pages.record(box, kind, row_id, params) if as_page else answer(box.record(kind, row_id))
    if request.method == "DELETE" and len(parts) == 2:
        box.delete(kind, row_id)
        return answer({"deleted": row_id})
    if request.method != "POST" or len(parts) > 3:
        raise _Wrong(f"nothing answers {request.method} here", 404)
    verb = parts[2] if len(parts) == 3 else "edit"
    return _act(box, kind, row_id, verb, params, as_page=as_page)


def _table(box: Sandbox, request: Request, kind: Kind, params: Params, *, as_page: bool) -> Reply:
    if request.method == "POST":
        row_id = box.create(kind, params)
        return answer(box.record(kind, row_id))
    if as_page:
        return pages.table(box, kind, params)
    return answer({kind: [box.record(kind, row_id) for row_id in pages.found(box, kind, params)[:100]]})


def _act(box: Sandbox, kind: Kind, row_id: int, verb: str, params: Params, *, as_page: bool) -> Reply:
    act = _ACTS.get(verb)
    if act is None:
        raise _Wrong(f"there is no {verb!r}; there are {', '.join(_ACTS)}", 404)
    said = act(box, kind, row_id, params)
    if as_page:
        return pages.back(kind, row_id, verb)
    gone = row_id not in box.store.table(kind)
    return answer({"done": said} if gone else {"done": said, "record": box.record(kind, row_id)})


def _edit(box: Sandbox, kind: Kind, row_id: int, params: Params) -> JSON:
    return "changed" if box.edit(kind, row_id, params) else "unchanged"


def _delete(box: Sandbox, kind: Kind, row_id: int, params: Params) -> JSON:
    box.delete(kind, row_id)
    return "deleted"


def _archive(box: Sandbox, kind: Kind, row_id: int, params: Params) -> JSON:
    if kind == "contacts":
        raise _Wrong("only customers and leads can be disabled")
    box.edit(kind, row_id, disabled=True)
    return "archived"


def _unarchive(box: Sandbox, kind: Kind, row_id: int, params: Params) -> JSON:
    box.edit(kind, row_id, disabled=False)
    return "brought back"


def _merge(box: Sandbox, kind: Kind, row_id: int, params: Params) -> JSON:
    """`into`: the customer that stays."""
    if kind != "customers":
        raise _Wrong("only customers are merged")
    winner = _row_id(box, kind, str(params.get("into", "")))
    box.merge_customers(winner, row_id)
    return f"merged into {winner}"


def _distort(box: Sandbox, kind: Kind, row_id: int, params: Params) -> JSON:
    """`values`: raw values to answer with. `drop`: keys to leave out."""
    given = typed("a distortion", params, {"values": "Mapping", "drop": "tuple"})
    box.distort(kind, row_id, given.get("values", {}), given.get("drop", ()))
    return "distorted"


def _change_phone(box: Sandbox, kind: Kind, row_id: int, params: Params) -> JSON:
    return pages.change_phone(box, kind, row_id)


def _lose(box: Sandbox, kind: Kind, row_id: int, params: Params) -> JSON:
    return lose_next_answer(box)


def _number(name: str, value: JSON) -> int:
    number = whole_number(value)
    if number is None:
        raise _Wrong(f"{name} is a whole number, not {value!r}")
    return number


def _kind(word: str) -> Kind:
    word = word.removesuffix(".json")
    if word not in KINDS:
        raise _Wrong(f"there are records of {', '.join(KINDS)}", 404)
    return word


def _row_id(box: Sandbox, kind: Kind, word: str) -> int:
    number = whole_number(word)
    if number is None or number not in box.store.table(kind):
        raise _Wrong(f"there is no {kind[:-1]} {word}", 404)
    return number


_ACTS: dict[str, Callable[[Any, Kind, int, Params], JSON]] = {
    "edit": _edit,
    "delete": _delete,
    "archive": _archive,
    "unarchive": _unarchive,
    "merge": _merge,
    "distort": _distort,
    "change-phone": _change_phone,
    "lose-next-answer": _lose,
}
_ROUTES: dict[tuple[str, str], Callable[[Any, Params], Reply]] = {
    ("GET", "/"): pages.home,
    ("GET", "/style.css"): pages.style,
    ("GET", "/status"): _status,
    ("GET", "/dump"): _dump,
    ("GET", "/requests"): _requests,
    ("DELETE", "/requests"): _forget,
    ("POST", "/reset"): _reset,
    ("GET", "/switches"): _switches,
    ("POST", "/switches"): _set_switches,
    ("GET", "/faults"): _faults,
    ("POST", "/faults"): _add_fault,
    ("DELETE", "/faults"): _clear_faults,
    ("GET", "/tokens"): _tokens,
    ("POST", "/tokens"): _add_token,
    ("GET", "/users"): _users,
    ("POST", "/users"): _join,
    ("POST", "/lose-next-answer"): _lose_next_answer,
}
