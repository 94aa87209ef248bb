"""What planning and applying look at all the time, loaded once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from propolis.accounts.models import Account
from propolis.bridge import mapping
from propolis.bridge.kept_reviews import has_kept_review
from propolis.bridge.mapping import Raw
from propolis.bridge.models import Connection, Link, RemoteUser
from propolis.bridge.statuses import StatusMapper
from propolis.crm import comparing
from propolis.merge.decide import ConflictRule, Normalise
from propolis.runs.models import Run

_LOCAL = {"customer": "company", "customer_person": "contact", "contact": "contact", "lead": "opportunity"}


def local_of(link_kind: str) -> str:
    """Which kind of ours a Syncro record of this kind stands for."""
    return _LOCAL[link_kind]


class LinkRow(NamedTuple):
    """The columns of a Link that decide whether there is anything to do; read by the hundred."""

    id: int
    remote_id: int
    state: str
    local_id: int | None
    remote_hash: str
    remote_updated_at: datetime | None
    agreed_at: datetime | None
    reason: str
    parent_id: int | None
    deleted_at: datetime | None


class Seller(NamedTuple):
    """Who a Syncro user is here. `membership_id` only if linked *and* a Salesperson."""

    membership_id: int | None
    name: str


@dataclass
class Scene:
    """One account's choices during one run. `left_out`: by Link.Kind, Syncro's keys that do not come along."""

    account: Account
    connection: Connection
    run: Run
    region: str
    company_fields: frozenset[str]
    contact_fields: frozenset[str]
    custom: tuple[str, ...]
    left_out: dict[str, frozenset[str]]
    rules: dict[str, ConflictRule]
    default_rule: ConflictRule
    normalise: Normalise
    salt: str
    statuses: StatusMapper
    sellers: dict[int, Seller] = field(default_factory=dict)

    @cached_property
    def asked(self) -> dict[int, list[int]]:
        """Ids of ours that a person is asked about, by Link under review. Not of one whose "Needs review" is not kept
        with what Syncro sent: a restored backup brings such."""
        held = Link.objects.filter(has_kept_review(), state=Link.State.REVIEW)
        return {
            pk: [each["local_id"] for each in candidates]
            for pk, candidates in held.values_list("pk", "candidates")
        }

    def coming(self, kind: str, raw: Raw) -> Raw:
        """What of a raw record an Admin chose to have here; the rest is kept nowhere."""
        left_out = self.left_out.get(kind)
        return {key: value for key, value in raw.items() if key not in left_out} if left_out else raw

    def links(self, kind: str, remote_ids: Iterable[int]) -> dict[int, LinkRow]:
        local = local_of(kind)
        rows = Link.objects.filter(connection=self.connection, kind=kind, remote_id__among=remote_ids)
        columns = (
            *("id", "remote_id", "state", f"{local}_id", "remote_hash", "remote_updated_at", "agreed_at"),
            *("reason", "parent_id", f"{local}__deleted_at"),
        )
        return {row[1]: LinkRow(*row) for row in rows.values_list(*columns)}


def load_scene(run: Run, connection: Connection) -> Scene:
    """Call with the account in scope."""
    chosen: dict[str, Any] = connection.fields_chosen or {}
    company = frozenset(chosen.get("company") or set(mapping.COMPANY_FIELDS) - mapping.OFF_BY_DEFAULT)
    contact = frozenset(chosen.get("contact") or set(mapping.CONTACT_FIELDS) - mapping.OFF_BY_DEFAULT)
    custom = tuple(connection.custom_fields)
    return Scene(
        account=run.account,
        connection=connection,
        run=run,
        region=run.account.phone_region,
        company_fields=company,
        contact_fields=contact,
        custom=custom,
        left_out={
            Link.Kind.CUSTOMER.value: mapping.keys_left_out(mapping.COMPANY_TEXTS, company),
            Link.Kind.CONTACT.value: mapping.keys_left_out(mapping.CONTACT_TEXTS, contact),
            Link.Kind.PERSON.value: mapping.keys_left_out(mapping.PERSON_TEXTS, contact),
        },
        rules={name: ConflictRule(rule.replace("_", " ")) for name, rule in connection.field_rules.items()},
        default_rule=ConflictRule(connection.rule.replace("_", " ")),
        normalise=comparing.normaliser(run.account.phone_region),
        salt="|".join([*sorted(company), "-", *sorted(contact), "-", *custom]),
        statuses=StatusMapper(connection),
        sellers=_sellers(connection),
    )


def _sellers(connection: Connection) -> dict[int, Seller]:
    rows = RemoteUser.objects.filter(connection=connection).values_list(
        "remote_id", "name", "membership_id", "membership__is_salesperson"
    )
    return {rid: Seller(member if sells else None, name) for rid, name, member, sells in rows}
