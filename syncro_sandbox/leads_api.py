"""/leads: list, one, create, change. There is no DELETE: a lead can only be disabled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .checks import chosen, not_found, refuse
from .exchange import Call, Refused, Reply, answer
from .finding import cut, in_default_order, matching, since_updated
from .model import CLOSED_STATUSES, JSON, LEAD_FIELDS, LEAD_HIDDEN, Lead
from .paging import asked, listed
from .parameters import Params, integers, text, truthy, words
from .refusals import DESCRIPTION_BLANK

if TYPE_CHECKING:
    from .sandbox import Sandbox

_WRITABLE = (*LEAD_FIELDS, *LEAD_HIDDEN)


def list_leads(box: Sandbox, call: Call) -> Reply:
    page = asked(box, "leads", call.params)
    box.between_pages("leads", call.params)
    fits, only = _filter(box, call.params), call.token.only_customer
    ids = [
        row_id
        for row_id in in_default_order(box, "leads")
        if fits(box.leads[row_id]) and only in (None, box.leads[row_id].customer_id)
    ]
    shown = cut(box, "leads", ids, page.start, page.stop, sorted_by_request=False)
    return listed(
        box, "leads", [box.renderer.lead_bytes(box.leads[row_id]) for row_id in shown], page, len(ids)
    )


def _filter(box: Sandbox, params: Params) -> Callable[[Lead], bool]:
    """Disabled leads are never listed."""
    tests: list[Callable[[Lead], bool]] = [lambda lead: not lead.disabled]
    statuses = frozenset(words(params.get("statuses")) + words(params.get("status_list")))
    if statuses:
        tests.append(lambda lead: lead.status in statuses)
    elif box.switches["leads_scope"] == "open":
        tests.append(lambda lead: lead.status not in CLOSED_STATUSES)
    if users := integers(params.get("users")):
        tests.append(lambda lead: lead.user_id in users)
    if mailboxes := integers(params.get("mailbox_ids")):
        tests.append(lambda lead: lead.mailbox_id in mailboxes)
    if has_ticket := text(params.get("has_ticket")):
        wanted = truthy(has_ticket)
        tests.append(lambda lead: (lead.ticket_id is not None) is wanted)
    if query := text(params.get("query")):
        found = matching(box, "leads", query)
        tests.append(lambda lead: lead.id in found)
    if (since := since_updated(box, params)) is not None:
        tests.append(lambda lead: lead.updated_ms >= since)
    return lambda lead: all(test(lead) for test in tests)


def get_lead(box: Sandbox, call: Call) -> Reply:
    lead = _lead(box, call)
    emails = [{"subject": lead.ticket_subject, "body": lead.ticket_description}] if lead.mailbox_id else []
    shown = {**box.renderer.lead(lead), "emails": emails, "attachments": [], "appointments": []}
    return answer({"lead": shown})


def create_lead(box: Sandbox, call: Call) -> Reply:
    if truthy(call.params.get("from_check_in")) and not text(call.params.get("ticket_description")):
        refuse(box, 1, [DESCRIPTION_BLANK], call.params)
    lead_id = box.create("leads", chosen(call.params, _WRITABLE))
    return answer({"lead": box.renderer.lead(box.leads[lead_id])})


def change_lead(box: Sandbox, call: Call) -> Reply:
    lead = box.leads.get(call.ids[0])
    if lead is None and box.switches["put_unknown_lead"] == "success_false":
        return answer({"success": False, "message": ["Lead not found"]})
    lead = _lead(box, call)
    if "ticket_description" in call.params and not text(call.params["ticket_description"]):
        refuse(box, 1, [DESCRIPTION_BLANK], call.params)
    fields: dict[str, JSON] = chosen(call.params, _WRITABLE)
    box.edit("leads", lead.id, fields)
    return answer({"lead": box.renderer.lead(lead)})


def _lead(box: Sandbox, call: Call) -> Lead:
    lead = box.leads.get(call.ids[0])
    if lead is None or call.token.only_customer not in (None, lead.customer_id):
        raise Refused(not_found(box))
    return lead
