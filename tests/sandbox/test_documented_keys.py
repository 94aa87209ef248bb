"""Against the vendor's OpenAPI file, where PROPOLIS_SYNCRO_OPENAPI names it: every documented endpoint that
the sandbox has answers with the keys of its example, and refuses with the keys of its example."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from syncro_sandbox import Sandbox
from syncro_sandbox.fixtures import BRIGHTWATER, HARBOR, OFFICE_MOVE, PRIYA
from syncro_sandbox.routes import ROUTES
from tests.sandbox.asking import Asker

VARIABLE = "PROPOLIS_SYNCRO_OPENAPI"
NAMED = os.environ.get(VARIABLE)
pytestmark = pytest.mark.skipif(not NAMED, reason=f"{VARIABLE} names no OpenAPI file of the vendor")

FAX = {"number": "206-555-0177", "label": "Fax"}
PHONES = "/customers/{customer_id}/phones"
# (method, documented path, parameters or body, status)
GOOD: list[tuple[str, str, dict[str, Any]]] = [
    ("get", "/me", {}),
    ("get", "/users", {}),
    ("get", "/users/{id}", {}),
    ("get", "/settings", {}),
    ("get", "/settings/tabs", {}),
    ("get", "/tickets/settings", {}),
    ("get", "/customers", {}),
    ("get", "/customers/{id}", {}),
    ("get", "/customers/latest", {}),
    ("get", "/customers/autocomplete", {"query": "brightwater"}),
    ("get", PHONES, {}),
    ("get", "/contacts", {}),
    ("get", "/contacts/{id}", {}),
    ("get", "/leads", {}),
    ("get", "/leads/{id}", {}),
    ("get", "/search", {"query": "brightwater"}),
    ("post", "/customers", {"business_name": "Documented"}),
    ("put", "/customers/{id}", {"city": "Tacoma"}),
    ("post", PHONES, FAX),
    ("put", PHONES + "/{id}", FAX),
    ("delete", PHONES + "/{id}", {}),
    ("post", "/contacts", {"customer_id": HARBOR, "name": "Documented"}),
    ("put", "/contacts/{id}", {"name": "Documented"}),
    ("delete", "/contacts/{id}", {}),
    ("post", "/leads", {"first_name": "Documented"}),
    ("put", "/leads/{id}", {"status": "Pending"}),
    ("delete", "/customers/{id}", {}),
]
BAD: list[tuple[str, str, dict[str, Any]]] = [
    ("post", "/customers", {"email": "it is not an email"}),
    ("put", "/customers/{id}", {"email": "not an email"}),
    ("post", PHONES, {"number": ""}),
    ("put", PHONES + "/{id}", {"number": ""}),
    ("post", "/contacts", {"customer_id": HARBOR, "name": "Bad Email", "email": "xxx"}),
    ("put", "/contacts/{id}", {"customer_id": ""}),
    ("post", "/leads", {"from_check_in": True}),
    ("put", "/leads/{id}", {"ticket_description": ""}),
]


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(NAMED or "").read_text(encoding="utf-8"))
    return loaded


def example(method: str, path: str, status: str) -> Any:
    content = document()["paths"][path][method]["responses"][status].get("content", {})
    return next((media["example"] for media in content.values() if "example" in media), None)


def address(box: Sandbox, path: str) -> str:
    first = next(iter(box.customers[BRIGHTWATER].phones)).id
    ids = {"/users": 1041, "/contacts": PRIYA, "/leads": OFFICE_MOVE, "/customers": BRIGHTWATER}
    own = first if "phones/" in path else ids.get("/" + path.split("/")[1], 0)
    return path.replace("{customer_id}", str(BRIGHTWATER)).replace("{id}", str(own))


def ask(api: Asker, method: str, path: str, sent: dict[str, Any]) -> Any:
    how = {"params": sent} if method == "get" else {"json": sent}
    return api.ask(method.upper(), address(api.box, path), **how)


def missing(shown: Any, held: Any, where: str = "") -> list[str]:
    """Keys of the example that the answer has not, at every depth that both have."""
    if isinstance(shown, dict) and isinstance(held, dict):
        if where.endswith(("properties", "params")):
            return []
        gone = [f"{where}.{key}" for key in shown if key not in held]
        return gone + [
            miss for key in shown if key in held for miss in missing(shown[key], held[key], f"{where}.{key}")
        ]
    if isinstance(shown, list) and isinstance(held, list) and shown and held:
        return missing(shown[0], held[0], f"{where}[0]")
    kinds = (dict, list)
    wrong = isinstance(shown, kinds) != isinstance(held, kinds) and None not in (shown, held)
    return [f"{where} is {type(held).__name__}"] if wrong else []


@pytest.mark.parametrize(("method", "path", "sent"), GOOD)
def test_an_answer_has_the_documented_keys(api: Asker, method: str, path: str, sent: dict[str, Any]) -> None:
    answer = ask(api, method, path, sent)
    assert answer.status_code == 200, answer.text
    shown = example(method, path, "200")
    assert shown is None or missing(shown, answer.json()) == []


@pytest.mark.parametrize(("method", "path", "sent"), BAD)
def test_a_refusal_has_the_documented_keys(api: Asker, method: str, path: str, sent: dict[str, Any]) -> None:
    answer = ask(api, method, path, sent)
    assert answer.status_code == 422
    shown = example(method, path, "422")
    assert shown is not None
    assert missing(shown, answer.json()) == []
    assert set(answer.json()) == set(shown)


def test_every_endpoint_of_the_sandbox_is_documented_and_tried() -> None:
    documented = {
        (method.upper(), "/".join("#" if part.startswith("{") else part for part in path.split("/")))
        for path, methods in document()["paths"].items()
        for method in methods
    }
    tried = {
        (method.upper(), "/".join("#" if part.startswith("{") else part for part in path.split("/")))
        for method, path, _ in GOOD
    }
    assert set(ROUTES) - documented == {("GET", "/callerid")} - documented
    assert set(ROUTES) - tried == {("GET", "/callerid")}
