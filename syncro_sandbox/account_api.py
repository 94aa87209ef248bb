"""What an account says about itself: /me, /users, /settings, /settings/tabs, /tickets/settings, /callerid."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

from .checks import not_found
from .exchange import Call, Reply, answer
from .model import JSON
from .seed_words import STATUS_ANSWERS

if TYPE_CHECKING:
    from .sandbox import Sandbox

_READ_WRITE = {"read": True, "write": True, "delete": True}
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_TABS = (
    "msp_dashboard", "customers", "assets", "alerts", "contracts", "invoices", "customer_purchases",
    "refurbs", "estimates", "tickets", "parts", "products", "purchase_orders", "field_jobs",
    "kabuto_policies", "scripts", "sales", "leads", "domo", "marketr", "recur", "reports",
    "wiki", "app_center", "pax8",
)  # fmt: skip
_TABS_OFF = frozenset({"customer_purchases", "refurbs", "domo", "pax8"})
PROBLEM_TYPES = ("Virus", "TuneUp", "Hardware", "Software", "Other")


def me(box: Sandbox, call: Call) -> Reply:
    """The user's rights, not the token's. `user_token` is a secret, as in the real answer."""
    user = box.users.get(call.token.user_id) or box.owner
    secret = blake2b(f"{box.seed.seed}/{user.id}".encode(), digest_size=16).digest()
    rights = dict.fromkeys(("asset", "customer", "ticket", "invoice", "payment"), _READ_WRITE)
    return answer(
        {
            "user_token": str(UUID(bytes=secret)),
            "user_email": user.email,
            "user_name": user.full_name,
            "user_id": user.id,
            "admin": user.admin,
            "can_use_app": True,
            "two_factor_required": False,
            "subdomain": box.seed.subdomain,
            "default_location": None,
            "enable_multi_locations": False,
            "locations_allowed": [],
            "permissions": {
                **rights,
                "worksheet": {"add": True, "manage": True, "delete": True},
                "script": {"execute": user.admin},
            },
        }
    )


def list_users(box: Sandbox, call: Call) -> Reply:
    if box.switches["users_shape"] == "objects":
        return answer(
            {"users": [{"id": user.id, "full_name": user.full_name} for user in box.users.values()]}
        )
    return answer({"users": [[user.id, user.full_name] for user in box.users.values()]})


def get_user(box: Sandbox, call: Call) -> Reply:
    user = box.users.get(call.ids[0])
    return not_found(box) if user is None else answer({"user": box.renderer.user(user)})


def settings(box: Sandbox, call: Call) -> Reply:
    offset = datetime.fromtimestamp(box.now_ms() / 1000, box.renderer.zone).isoformat()[-6:]
    locale = {
        "iso_code": "en", "currency_symbol": "$", "date_format": "mm-dd-yy", "time_format": "hh:mm tt",
        "time_zone": box.switches["time_zone"], "time_offset": offset,
    }  # fmt: skip
    hours = [{"day": day, "start": "09:00", "end": "17:00", "closed": day in _DAYS[::6]} for day in _DAYS]
    return answer(
        {
            "customers": {
                "required_fields": None,
                "customer_fields": [
                    {"id": 5101, "name": "Managed Status", "field_type": "Dropdown"},
                    {"id": 5102, "name": "Seats", "field_type": "Text Field"},
                    {"id": 5103, "name": "Managed IT", "field_type": "Check Box"},
                ],
                "customer_field_answers": [
                    {"id": number, "value": value, "customer_field_id": 5101}
                    for number, value in STATUS_ANSWERS.items()
                ],
            },
            "assets": {"asset_types": [], "asset_type_fields": [], "asset_type_field_answers": []},
            "locale": locale,
            "ticket": {
                "ticket_types": [],
                "ticket_type_fields": [],
                "ticket_type_field_answers": [],
                "problem_types": list(PROBLEM_TYPES),
                "priorities": ["", "0 Urgent", "1 High", "2 Normal", "3 Low"],
            },
            "business_hours_enabled": True,
            "business_hours": hours,
            "default_holiday_calendar": "USA",
            "msp_addon": None,
        }
    )


def tabs(box: Sandbox, call: Call) -> Reply:
    return answer({"tabs": {name: name not in _TABS_OFF for name in _TABS}})


def ticket_settings(box: Sandbox, call: Call) -> Reply:
    lists = ("saved_searches", "ticket_types", "ticket_type_fields", "ticket_type_field_answers",
             "appointment_types", "worksheet_templates")  # fmt: skip
    nothing = ("default_labor_product_id", "ticket_timer_charge_by_default", "dashboard_settings",
               "require_ticket_type", "require_intake_form_with_ticket", "require_outtake_form_with_ticket",
               "ticket_workflow_default_id")  # fmt: skip
    shown: dict[str, JSON] = {
        "ticket_status_list": ["New", "In Progress", "Resolved", "Invoiced", "Waiting for Parts",
                               "Waiting on Customer", "Scheduled", "Customer Reply"],
        "users": [{"id": user.id, "name": user.full_name} for user in box.users.values()],
        **{name: [] for name in lists},
        **dict.fromkeys(nothing),
    }  # fmt: skip
    return answer(shown)


def caller_id(box: Sandbox, call: Call) -> Reply:
    """A 200 that is no JSON: what Syncro says while the feature is off."""
    return Reply(200, b"Disabled", "text/plain; charset=utf-8")
