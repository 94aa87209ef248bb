"""The four ways to pass a token, and what each permission opens."""

from __future__ import annotations

import httpx2
import pytest

from syncro_sandbox import Sandbox
from syncro_sandbox.fixtures import BRIGHTWATER, HARBOR, OFFICE_MOVE, PRIYA
from syncro_sandbox.tokens import CREATE, DELETE, EDIT, LEADS, LIST, PERMISSIONS, VIEW
from tests.sandbox.asking import BASE, Asker, Clock

NOT_AUTHORIZED = {"error": "Not authorized. Please ask account admin to update your group permissions."}
REFUSED = {"error": "Failed to authenticate account"}

NEEDS = [
    ("GET", "/me", None),
    ("GET", "/users", None),
    ("GET", "/users/1041", None),
    ("GET", "/settings", None),
    ("GET", "/settings/tabs", None),
    ("GET", "/tickets/settings", None),
    ("GET", "/customers", LIST),
    ("GET", "/customers/autocomplete", None),
    ("GET", "/customers/latest", EDIT),
    ("GET", f"/customers/{BRIGHTWATER}", VIEW),
    ("GET", f"/customers/{BRIGHTWATER}/phones", VIEW),
    ("GET", "/contacts", VIEW),
    ("GET", f"/contacts/{PRIYA}", VIEW),
    ("GET", "/leads", LEADS),
    ("GET", f"/leads/{OFFICE_MOVE}", LEADS),
    ("GET", "/search", None),
    ("POST", "/customers", CREATE),
    ("PUT", f"/customers/{BRIGHTWATER}", EDIT),
    ("POST", f"/customers/{BRIGHTWATER}/phones", EDIT),
    ("PUT", f"/customers/{BRIGHTWATER}/phones/1", EDIT),
    ("DELETE", f"/customers/{BRIGHTWATER}/phones/1", EDIT),
    ("POST", "/contacts", EDIT),
    ("PUT", f"/contacts/{PRIYA}", EDIT),
    ("DELETE", f"/contacts/{PRIYA}", EDIT),
    ("DELETE", f"/customers/{HARBOR}", DELETE),
    ("POST", "/leads", None),
    ("PUT", f"/leads/{OFFICE_MOVE}", None),
]


@pytest.mark.parametrize(("method", "path", "permission"), NEEDS)
def test_each_endpoint_needs_its_own_permission(
    box: Sandbox, api: Asker, method: str, path: str, permission: str | None
) -> None:
    api.token = box.add_token([name for name in PERMISSIONS if name != permission])
    without = api.ask(method, path)
    api.token = box.add_token([permission] if permission else [])
    with_it = api.ask(method, path)

    if permission is None:
        assert without.status_code != 401
    else:
        assert (without.status_code, without.json()) == (401, NOT_AUTHORIZED)
    assert with_it.status_code != 401


@pytest.mark.parametrize(
    "how",
    [
        {"headers": {"Authorization": "Bearer TOKEN"}},
        {"headers": {"Authorization": "bearer TOKEN"}},
        {"headers": {"Authorization": "TOKEN"}},
        {"params": {"page": "1", "api_key": "TOKEN"}},
        {"json": {"api_key": "TOKEN"}},
        {"data": {"api_key": "TOKEN"}},
    ],
)
def test_a_token_is_taken_from_header_query_and_body(
    box: Sandbox, api: Asker, how: dict[str, dict[str, str]]
) -> None:
    filled = {
        part: {name: value.replace("TOKEN", box.token) for name, value in values.items()}
        for part, values in how.items()
    }
    good = api.client.request("GET", BASE + "/customers", **filled)  # type: ignore[arg-type]
    bad = api.client.request("GET", BASE + "/customers", **how)  # type: ignore[arg-type]

    assert good.status_code == 200
    assert (bad.status_code, bad.json()) == (401, REFUSED)


def test_no_token_at_all_is_refused(api: Asker) -> None:
    answer = api.client.get(BASE + "/me")
    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_a_token_dies_by_revocation_by_time_and_with_its_user(box: Sandbox, clock: Clock) -> None:
    revoked, short = box.add_token(), box.add_token(expires_in=60)
    leaver = box.add_token(user_id=1052)
    askers = [Asker(box, token=token) for token in (revoked, short, leaver)]
    assert [asker.ask("GET", "/me").status_code for asker in askers] == [200, 200, 200]

    assert box.revoke_token(revoked) is True
    clock.now += 61
    box.user_leaves(1052)

    assert [asker.ask("GET", "/me").status_code for asker in askers] == [401, 401, 401]
    assert box.revoke_token(revoked) is False
    assert 1052 not in [user[0] for user in Asker(box).get("/users")["users"]]


def test_me_is_the_user_whom_the_token_belongs_to(box: Sandbox, api: Asker) -> None:
    api.token = box.add_token([], user_id=1052)
    assert api.get("/me")["user_name"] == "Dana Whitcomb"


def test_an_unknown_permission_is_a_mistake_in_the_test(box: Sandbox) -> None:
    with pytest.raises(ValueError, match="no such permission: Customers - Dance"):
        box.add_token(["Customers - Dance"])


def test_a_single_customer_user_sees_that_customer_only(box: Sandbox, api: Asker) -> None:
    api.token = box.add_token(only_customer=HARBOR)

    assert api.ids("customers") == [HARBOR]
    assert {box.contacts[row].customer_id for row in api.ids("contacts")} == {HARBOR}
    refused: list[httpx2.Response] = [
        api.ask("GET", f"/customers/{BRIGHTWATER}"),
        api.ask("GET", f"/contacts/{PRIYA}"),
        api.ask("GET", f"/leads/{OFFICE_MOVE}"),
    ]
    assert [answer.json() for answer in refused] == [{"message": "Not found"}] * 3
    assert api.get("/search", query="priya raman")["results"] == []


def test_tokens_look_like_syncros_and_stay_out_of_reprs_and_logs(box: Sandbox, api: Asker) -> None:
    api.get("/me", api_key=box.token)
    api.post("/leads", {"first_name": "x", "api_key": box.token})

    prefix, _, rest = box.token.partition("-")
    assert (prefix[0], len(prefix), len(rest)) == ("T", 18, 32)
    assert box.token not in repr(box.tokens.find(box.token, 0))
    assert box.token not in repr(box.requests)
