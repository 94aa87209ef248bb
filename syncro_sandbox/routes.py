"""Which address is answered by what, and the token permission it needs (None: any living token)."""

from __future__ import annotations

from collections.abc import Callable
from re import fullmatch, sub
from typing import TYPE_CHECKING

from . import account_api, contacts_api, customers_api, leads_api, phones_api, search_api
from .exchange import Call, Reply
from .tokens import CREATE, DELETE, EDIT, LEADS, LIST, VIEW

if TYPE_CHECKING:
    from .sandbox import Sandbox

Handler = Callable[["Sandbox", Call], Reply]
BASE = "/api/v1"
_ID = r"[0-9]{1,19}"

ROUTES: dict[tuple[str, str], tuple[str | None, Handler]] = {
    ("GET", "/me"): (None, account_api.me),
    ("GET", "/users"): (None, account_api.list_users),
    ("GET", "/users/#"): (None, account_api.get_user),
    ("GET", "/settings"): (None, account_api.settings),
    ("GET", "/settings/tabs"): (None, account_api.tabs),
    ("GET", "/tickets/settings"): (None, account_api.ticket_settings),
    ("GET", "/callerid"): (None, account_api.caller_id),
    ("GET", "/customers"): (LIST, customers_api.list_customers),
    ("POST", "/customers"): (CREATE, customers_api.create_customer),
    ("GET", "/customers/autocomplete"): (None, customers_api.autocomplete),
    ("GET", "/customers/latest"): (EDIT, customers_api.latest),
    ("GET", "/customers/#"): (VIEW, customers_api.get_customer),
    ("PUT", "/customers/#"): (EDIT, customers_api.change_customer),
    ("DELETE", "/customers/#"): (DELETE, customers_api.delete_customer),
    ("GET", "/customers/#/phones"): (VIEW, phones_api.list_phones),
    ("POST", "/customers/#/phones"): (EDIT, phones_api.create_phone),
    ("PUT", "/customers/#/phones/#"): (EDIT, phones_api.change_phone),
    ("DELETE", "/customers/#/phones/#"): (EDIT, phones_api.delete_phone),
    ("GET", "/contacts"): (VIEW, contacts_api.list_contacts),
    ("POST", "/contacts"): (EDIT, contacts_api.create_contact),
    ("GET", "/contacts/#"): (VIEW, contacts_api.get_contact),
    ("PUT", "/contacts/#"): (EDIT, contacts_api.change_contact),
    ("DELETE", "/contacts/#"): (EDIT, contacts_api.delete_contact),
    ("GET", "/leads"): (LEADS, leads_api.list_leads),
    ("POST", "/leads"): (None, leads_api.create_lead),
    ("GET", "/leads/#"): (LEADS, leads_api.get_lead),
    ("PUT", "/leads/#"): (None, leads_api.change_lead),
    ("GET", "/search"): (None, search_api.search),
}


def tidy(path: str) -> str | None:
    """The path below /api/v1, without double and trailing slashes and `.json`; None if it is outside."""
    path = sub(r"/+", "/", path).rstrip("/").removesuffix(".json")
    if path != BASE and not path.startswith(BASE + "/"):
        return None
    return path[len(BASE) :] or "/"


def find(method: str, path: str) -> tuple[str | None, Handler, tuple[int, ...]] | None:
    """Permission, handler and the ids in a tidied path; None if there is no such route."""
    parts = path.split("/")
    ids = tuple(int(part) for part in parts if fullmatch(_ID, part))
    pattern = "/".join("#" if fullmatch(_ID, part) else part for part in parts)
    known = ROUTES.get(("GET" if method == "HEAD" else method, pattern))
    return None if known is None else (*known, ids)
