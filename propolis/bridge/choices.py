"""What an Admin chooses about imports: which fields come along, which side wins, which records stay out.

Kept on the Connection, changeable at any time, in force from the next plan on. What came before stays here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from propolis.accounts.models import Membership, audit
from propolis.bridge import mapping
from propolis.bridge.models import Connection, StatusMap
from propolis.merge.decide import ConflictRule
from propolis.syncro import SyncroClient
from propolis.syncro.parsing import BadRecord, parse_page
from propolis.syncro.resources import Resource

MOST_CUSTOM: Final = 5
MONTHS: Final = (0, 12, 24, 36, 60)
LEAVE, IMPORT = "leave", "import"
_ADDRESS: Final = ("address_1", "address_2", "city", "state", "zip")


@dataclass(frozen=True)
class Row:
    """One line of the page: one field of ours, or several that only make sense together.

    `kinds`: whose; `always`: records are recognised by it, so it cannot be left out; `why`: what to know.
    """

    key: str
    label: str
    names: tuple[str, ...]
    kinds: tuple[str, ...] = ("company", "contact")
    always: bool = False
    why: str = ""


ROWS: Final = (
    Row("name", "Name", ("name", "residential"), always=True),
    Row("email", "E-mail", ("email",), always=True),
    Row("phone", "Phone", ("phone",)),
    Row("mobile", "Mobile", ("mobile",)),
    Row("extension", "Extension", ("extension",), ("contact",)),
    Row("title", "Title", ("title",), ("contact",)),
    Row("address", "Address", _ADDRESS),
    Row("notes", "Notes", ("notes",), why="Technicians keep door codes and passwords in notes"),
)
STATUS: Final = Row("status", "Opportunity status", ("status",), ())
_OF: Final = {"company": mapping.COMPANY_FIELDS, "contact": mapping.CONTACT_FIELDS}
_RULES: Final = {rule.name.lower(): rule for rule in ConflictRule}


@dataclass(frozen=True)
class Choices:
    """`fields`: (kind, row key) of all that come. `rule`: who wins where both sides changed; `rules`: row key →
    rule where it differs. `custom`: Syncro's names. `mail`: "" until answered. `months`: None until answered,
    0 = however long ago."""

    fields: frozenset[tuple[str, str]]
    rule: str
    rules: tuple[tuple[str, str], ...]
    custom: tuple[str, ...]
    include_disabled: bool
    mail: str
    months: int | None

    def rule_of(self, key: str) -> str:
        return dict(self.rules).get(key, "")


def rule_choices() -> list[tuple[str, str]]:
    """Stored value and words of each rule."""
    return [(key, rule.label()) for key, rule in _RULES.items()]


def is_rule(value: str) -> bool:
    return value in _RULES


def choices_of(connection: Connection) -> Choices:
    """What holds now."""
    stored = connection.fields_chosen or {}
    coming = set()
    for kind, names in _OF.items():
        chosen = stored.get(kind) or set(names) - mapping.OFF_BY_DEFAULT
        coming |= {(kind, row.key) for row in ROWS if kind in row.kinds and row.names[0] in chosen}
    given = connection.field_rules
    return Choices(
        fields=frozenset(coming),
        rule=connection.rule,
        rules=tuple((row.key, given[row.names[0]]) for row in (*ROWS, STATUS) if row.names[0] in given),
        custom=tuple(connection.custom_fields),
        include_disabled=connection.include_disabled,
        mail=connection.mail_leads,
        months=connection.old_leads_months,
    )


def save(connection: Connection, chosen: Choices, by: Membership | None) -> bool:
    """True if anything is another choice than before. ValueError with a sentence for too many custom fields."""
    if len(chosen.custom) > MOST_CUSTOM:
        raise ValueError(f"Choose at most {MOST_CUSTOM} custom fields; {len(chosen.custom)} are ticked.")
    if chosen == choices_of(connection):
        return False
    connection.fields_chosen = {kind: _names(kind, chosen.fields) for kind in _OF}
    connection.rule = chosen.rule
    by_key = dict(chosen.rules)
    connection.field_rules = {
        name: by_key[row.key] for row in (*ROWS, STATUS) if row.key in by_key for name in row.names
    }
    connection.custom_fields = list(chosen.custom)
    connection.include_disabled = chosen.include_disabled
    connection.mail_leads, connection.old_leads_months = chosen.mail, chosen.months
    connection.save(
        update_fields=[
            *("fields_chosen", "rule", "field_rules", "custom_fields", "include_disabled"),
            *("mail_leads", "old_leads_months"),
        ]
    )
    audit(connection.account, by, "syncro.choices", connection=connection.pk)
    return True


def answer(
    connection: Connection, by: Membership | None, *, mail: str = "", months: int | None = None
) -> bool:
    """One of the two questions about leads answered; as `save`."""
    now = choices_of(connection)
    return save(
        connection, replace(now, mail=mail or now.mail, months=now.months if months is None else months), by
    )


def settle_questions(connection: Connection, by: Membership | None) -> None:
    """Whoever imports without answering has seen what is recommended: it is asked once."""
    now = choices_of(connection)
    months = 0 if now.months is None else now.months
    save(connection, replace(now, mail=now.mail or LEAVE, months=months), by)


def fingerprint(connection: Connection) -> str:
    """Changes whenever a choice does that a plan depends on; an answer that confirms what held changes nothing."""
    now = choices_of(connection)
    statuses = StatusMap.objects.filter(connection=connection).exclude(choice=StatusMap.Choice.UNMAPPED)
    rows = statuses.order_by("remote_status", "became_ticket", "pk")
    held = replace(now, mail=now.mail or LEAVE, months=now.months or 0)
    return _told(held, *rows.values_list("remote_status", "became_ticket", "choice", "status_id"))


def as_of(connection: Connection) -> str:
    """Changes with every choice of the page: to notice one made elsewhere since a form was shown."""
    return _told(choices_of(connection))


def _told(now: Choices, *more: Any) -> str:
    chosen = [sorted(now.fields), now.rule, sorted(now.rules), now.custom, now.include_disabled]
    return mapping.fingerprint({}, json.dumps([*chosen, now.mail, now.months, *more]))


def custom_fields_in_syncro(client: SyncroClient) -> list[str]:
    """Names of the custom fields of the first page of customers, most used first. Raises `SyncroError`."""
    page = client.page(Resource.CUSTOMERS, 1, {"include_disabled": "true"})
    return _custom_names(page.raw)


def _custom_names(raw: bytes) -> list[str]:
    filled: dict[str, int] = {}
    for item in parse_page(Resource.CUSTOMERS, raw):
        if isinstance(item, BadRecord) or not isinstance(item.properties, dict):
            continue
        for name, value in item.properties.items():
            filled[name] = filled.get(name, 0) + bool(mapping.plain(value))
    return sorted(filled, key=lambda name: (-filled[name], name.lower()))


def _names(kind: str, fields: Iterable[tuple[str, str]]) -> list[str]:
    """Our field names of the rows that come, those that always do included, in the mapping's order."""
    keys = {key for of, key in fields if of == kind} | {row.key for row in ROWS if row.always}
    coming = {name for row in ROWS if row.key in keys and kind in row.kinds for name in row.names}
    return [name for name in _OF[kind] if name in coming]


# ---- in words


def summary(connection: Connection) -> dict[str, str]:
    """What holds, in a sentence or two for the page of each import step."""
    now = choices_of(connection)
    wins = f"Where both sides have something else, {_WINS[now.rule]}."
    disabled = "disabled customers too" if now.include_disabled else "disabled customers stay out"
    custom = f" Custom fields: {', '.join(now.custom)}." if now.custom else ""
    old = f" Closed more than {now.months} months ago: left out." if now.months else ""
    return {
        "companies": f"{_coming('company', now)}, {disabled}.{custom} {wins}",
        "contacts": f"{_coming('contact', now)}. {wins}",
        "opportunities": _MAIL[now.mail] + old,
    }


_WINS: Final = {
    "more_current": "the more current record stays",
    "syncro": "Syncro’s value comes",
    "propolis": "the value here stays",
    "only_if_blank": "the value here stays: Syncro fills blanks only",
}
_MAIL: Final = {
    "": "E-mails to your mailbox stay out, unless you choose otherwise when you see how many there are.",
    LEAVE: "E-mails to your mailbox stay out.",
    IMPORT: "E-mails to your mailbox come too.",
}


def _coming(kind: str, now: Choices) -> str:
    out = [row.label for row in ROWS if kind in row.kinds and (kind, row.key) not in now.fields]
    return f"All fields but {', '.join(out)} come" if out else "All fields come"
