"""Small pages to look at the account with a browser. All that is shown is escaped; no script."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from .exchange import Reply
from .finding import in_default_order, matching
from .model import JSON, KINDS, Contact, Customer, Kind, Lead, digits, whole_number
from .page_style import CSS
from .parameters import Params, text
from .switches import BY_NAME

if TYPE_CHECKING:
    from .sandbox import Sandbox

PREFIX = "/_sandbox"
_ROWS = 50
_SINGULAR = {"customers": "Customer", "contacts": "Contact", "leads": "Lead"}
_DONE = {
    "change-phone": "The phone was changed, as a technician in Syncro would.",
    "lose-next-answer": "The next change sent here will be carried out, and its answer will never arrive.",
    "archive": "The customer is disabled now.",
    "unarchive": "The customer is active again.",
}
_COLUMNS: dict[Kind, tuple[str, ...]] = {
    "customers": ("id", "business_then_name", "email", "phone", "city", "updated_at"),
    "contacts": ("id", "name", "email", "phone", "customer_id", "updated_at"),
    "leads": ("id", "ticket_subject", "business_then_name", "status", "customer_id", "updated_at"),
}


def page(title: str, *parts: str) -> Reply:
    links = "".join(f'<a href="{PREFIX}/records/{kind}">{kind.capitalize()}</a>' for kind in KINDS)
    body = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Syncro sandbox</title>"
        f'<link rel="stylesheet" href="{PREFIX}/style.css"></head>'
        f'<body><header><a class="brand" href="{PREFIX}/">Syncro sandbox</a>'
        f'<nav aria-label="Records">{links}</nav></header>'
        f"<main>{''.join(parts)}</main>"
        "<footer>A stand-in for a Syncro server. Nothing here is a real person.</footer></body></html>"
    )
    policy = (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = (("Content-Security-Policy", policy), ("Cache-Control", "no-store"))
    return Reply(200, body.encode(), "text/html; charset=utf-8", headers)


def style(box: Sandbox, params: Params) -> Reply:
    return Reply(200, CSS.encode(), "text/css; charset=utf-8")


def home(box: Sandbox, params: Params) -> Reply:
    """Counts, what is switched away from its default, and the latest requests."""
    counts = "".join(
        f'<a class="count" href="{PREFIX}/records/{kind}"><b>{len(box.store.table(kind)):,}</b> {kind}</a>'
        for kind in KINDS
    )
    moved = {name: value for name, value in box.switches.as_dict().items() if value != BY_NAME[name].default}
    return page(
        box.seed.subdomain,
        f"<h1>{escape(box.seed.subdomain)}</h1><div class='counts'>{counts}</div>",
        f"<section><h2>Switches away from their default</h2>{_facts(moved) or '<p>None.</p>'}</section>",
        f"<section><h2>Latest requests</h2>{_requests(list(box.log)[-15:][::-1])}</section>",
    )


def _requests(entries: list[dict[str, JSON]]) -> str:
    if not entries:
        return "<p>None yet.</p>"
    rows = (
        (
            entry["at"][11:23],
            entry["method"],
            entry["path"],
            entry["status"] or "no answer",
            entry["fault"] or "",
        )
        for entry in entries
    )
    return _rows(
        ("Time (UTC)", "Method", "Path", "Status", "Fault"), ([_cell(value) for value in row] for row in rows)
    )


def found(box: Sandbox, kind: Kind, params: Params) -> list[int]:
    """Ids that the search box finds, or all."""
    query = text(params.get("q"))
    ids = in_default_order(box, kind)
    if not query:
        return ids
    hits = matching(box, kind, query)
    return [row_id for row_id in ids if row_id in hits or str(row_id) == query]


def table(box: Sandbox, kind: Kind, params: Params) -> Reply:
    ids, query = found(box, kind, params), text(params.get("q"))
    number = max(1, whole_number(params.get("page")) or 1)
    shown = ids[(number - 1) * _ROWS : number * _ROWS]
    rows = ([_linked(kind, name, box.record(kind, row_id)) for name in _COLUMNS[kind]] for row_id in shown)
    titles = tuple(name.replace("_", " ") for name in _COLUMNS[kind])
    search = (
        f'<form class="search" method="get" role="search"><label for="q">Find {kind}</label>'
        f'<input id="q" name="q" type="search" value="{escape(query)}"><button>Find</button></form>'
    )
    return page(
        kind.capitalize(),
        f"<h1>{kind.capitalize()} <small>{len(ids):,}</small></h1>{search}",
        _rows(titles, rows) if shown else "<p>Nothing found.</p>",
        _pager(kind, query, number, -(-len(ids) // _ROWS)),
    )


def _pager(kind: Kind, query: str, number: int, pages: int) -> str:
    links = []
    for word, target in (("Previous", number - 1), ("Next", number + 1)):
        if 1 <= target <= pages:
            links.append(f'<a href="{PREFIX}/records/{kind}?q={quote(query)}&amp;page={target}">{word}</a>')
    return f'<p class="pager">Page {number} of {max(1, pages)} {" ".join(links)}</p>'


def _linked(kind: Kind, name: str, values: dict[str, JSON]) -> str:
    if name in {"id", "customer_id"} and values.get(name):
        target: Kind = kind if name == "id" else "customers"
        return f'<a href="{PREFIX}/records/{target}/{values[name]}">{values[name]}</a>'
    return _cell(values.get(name))


def record(box: Sandbox, kind: Kind, row_id: int, params: Params) -> Reply:
    """Every field of one record, with the two buttons."""
    values = box.record(kind, row_id)
    row = box.store.table(kind)[row_id]
    title = _title(row) or f"{_SINGULAR[kind]} #{row_id}"
    done = _DONE.get(text(params.get("done")))
    note = f'<p class="done" role="status">{escape(done)}</p>' if done else ""
    hidden = values.pop("hidden", None) or {}
    phones = values.pop("phones", None)
    return page(
        title,
        f'<p class="kind">{_SINGULAR[kind]} in Syncro, #{row_id}</p><h1>{escape(title)}</h1>{note}',
        _buttons(kind, row_id),
        _headline(box, values),
        _filled_and_blank(values),
        _section(
            "Phone numbers", {f"{phone['label']} #{phone['id']}": phone["number"] for phone in phones or ()}
        ),
        _section("Held by Syncro, never given back", hidden),
        _people(box, row) if isinstance(row, Customer) else "",
    )


def _title(row: Customer | Contact | Lead) -> str:
    if isinstance(row, Customer):
        return row.business_then_name
    return (row.name if isinstance(row, Contact) else row.ticket_subject or row.business_then_name) or ""


def _buttons(kind: Kind, row_id: int) -> str:
    here = f"{PREFIX}/records/{kind}/{row_id}"
    return (
        '<div class="buttons">'
        f'<form method="post" action="{here}/change-phone"><button>Change phone in Syncro</button></form>'
        f'<form method="post" action="{here}/lose-next-answer"><button class="risky" aria-describedby="lose">'
        "Lose the next answer</button></form>"
        '<p id="lose">The next change sent to Syncro is carried out, but its answer never arrives.</p></div>'
    )


def _people(box: Sandbox, customer: Customer) -> str:
    contacts = [box.contacts[contact_id] for contact_id in box.store.contacts_of.get(customer.id, ())][:100]
    if not contacts:
        return ""
    rows = (
        [
            f'<a href="{PREFIX}/records/contacts/{contact.id}">{contact.id}</a>',
            _cell(contact.name),
            _cell(contact.email),
        ]
        for contact in contacts
    )
    return f"<section><h2>Contacts</h2>{_rows(('id', 'name', 'e-mail'), rows)}</section>"


def _headline(box: Sandbox, values: dict[str, JSON]) -> str:
    """What one looks at while changing things, and how many answers are still to be lost."""
    names = ("phone", "email", "status", "updated_at")
    shown: dict[str, JSON] = {name: values[name] for name in names if name in values}
    if waiting := sum(fault.kind == "lost_reply" for fault in box.faults.waiting):
        shown["answers that will be lost"] = waiting
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{_cell(value)}</dd></div>" for name, value in shown.items()
    )
    return f'<dl class="headline">{facts}</dl>'


def _filled_and_blank(values: dict[str, JSON]) -> str:
    blank = {name: value for name, value in values.items() if value in (None, "", {}, [])}
    filled = {name: value for name, value in values.items() if name not in blank}
    folded = (
        f"<details><summary>{len(blank)} blank fields</summary>{_facts(blank)}</details>" if blank else ""
    )
    return f"<section><h2>Fields</h2>{_facts(filled)}{folded}</section>"


def _section(title: str, values: dict[str, JSON]) -> str:
    return f"<section><h2>{title}</h2>{_facts(values)}</section>" if values else ""


def _facts(values: dict[str, JSON]) -> str:
    if not values:
        return ""
    lines = (f"<dt>{escape(name)}</dt><dd>{_cell(value)}</dd>" for name, value in values.items())
    return f"<dl>{''.join(lines)}</dl>"


def _rows(titles: Iterable[str], rows: Iterable[list[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value: JSON) -> str:
    if value is None:
        return '<span class="none">null</span>'
    if value == "":
        return '<span class="none">empty</span>'
    return escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def back(kind: Kind, row_id: int, verb: str) -> Reply:
    target = f"{PREFIX}/records/{kind}" + (
        "" if verb in {"delete", "merge"} else f"/{row_id}?done={quote(verb)}"
    )
    return Reply(303, b"", "text/plain", (("Location", target),))


def change_phone(box: Sandbox, kind: Kind, row_id: int) -> JSON:
    """Another fictional number, as a technician would type it: `{"before": …, "after": …}`."""
    before = box.record(kind, row_id).get("phone")
    held = digits(before)[-2:]
    after = f"(206) 555-01{(int(held or 0) + 7) % 100:02d}"
    box.edit(kind, row_id, phone=after)
    return {"before": before, "after": box.record(kind, row_id).get("phone")}
