"""How companies, contacts and opportunities are taken back: what history asks of their kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from django.db.models import F, Model, Q
from django.utils import timezone

from propolis.accounts.models import Account, Membership
from propolis.accounts.scoping import TenantModel
from propolis.crm import rows
from propolis.crm.fields import Kind
from propolis.crm.models import Company, Contact, Entity, List, ListMember, Note, Opportunity, OppStatus
from propolis.history.kinds import register_kind
from propolis.history.models import Change
from propolis.runs.models import Run

MODELS: Mapping[str, type[Company] | type[Contact] | type[Opportunity]] = {
    Kind.COMPANY: Company,
    Kind.CONTACT: Contact,
    Kind.OPPORTUNITY: Opportunity,
}
_FIXED = {"id", "account", "uid", "created_at", "created_run"}
_ONE_NOT_MANY = {"contact": "a contact", "opportunity": "an opportunity", "note": "a note"}
_MANY = {"contact": "contacts", "opportunity": "opportunities", "note": "notes"}

# What a merge moves from one record to the other: name in `args["moved"]` → model and its reference.
MOVED: Mapping[str, Sequence[tuple[str, type[Model], str]]] = {
    Kind.COMPANY: (
        ("contacts", Contact, "company"),
        ("opportunities", Opportunity, "company"),
        ("notes", Note, "company"),
    ),
    Kind.CONTACT: (("opportunities", Opportunity, "contact"), ("notes", Note, "contact")),
}


def _close_as_status_says(deals: Sequence[Any]) -> None:
    """What a status counts as may have been changed since an opportunity was in it."""
    ids = {deal.status_id for deal in deals}
    is_open = set(OppStatus.objects.filter(pk__in=ids, outcome="open").values_list("pk", flat=True))
    for deal in deals:
        deal.closed_at = None if deal.status_id in is_open else deal.closed_at or timezone.now()


class EntityKind:
    """An Adapter for one of the three models."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.model: type[TenantModel] = MODELS[kind]
        # A won opportunity without a closing date, or an open one with one, is none.
        self.follows = {"closed_at": "status"} if kind is Kind.OPPORTUNITY else {}
        self._columns = [f.name for f in self.model._meta.concrete_fields if f.name not in _FIXED]

    def _all(self) -> Any:
        return self.model.objects.all()

    def values(self, row: Any) -> Mapping[str, Any]:
        return rows.values_of(row)

    def put(self, row: Any, fields: Mapping[str, Any], account: Account) -> None:
        rows.fill(row, fields, account.phone_region)

    def save(self, rows: Sequence[Any]) -> None:
        """Upserts: a bulk_update of rows this wide is many times slower."""
        if self.kind is Kind.OPPORTUNITY:
            _close_as_status_says(rows)
        for row in rows:
            row.rev += 1
        self.model.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["id"], update_fields=self._columns, batch_size=500
        )

    def in_use(self, rows: Sequence[Entity], going: Set[tuple[str, int]]) -> Mapping[int, str]:
        ids = [row.pk for row in rows]
        found: dict[int, str] = {}
        for what, query, column in self._dependants():
            many: dict[int, int] = {}
            for parent, child in query.filter(**{f"{column}__in": ids}).values_list(column, "pk"):
                if going.isdisjoint({(what, child), (f"{what}.{self.kind.value}", child)}):
                    many[parent] = many.get(parent, 0) + 1
            for parent, count in many.items():
                found.setdefault(parent, f"Has {_counted(count, what)}")
        if self.kind is Kind.CONTACT:
            by_hand = ListMember.objects.filter(contact__in=ids, state="in", run=None)
            for pk in by_hand.exclude(by=None).values_list("contact_id", flat=True):
                found.setdefault(pk, "Put on a list by hand")
        return found

    def _dependants(self) -> list[tuple[str, Any, str]]:
        found: list[tuple[str, Any, str]] = [
            ("note", Note.objects.filter(deleted_at=None), f"{self.kind.value}_id")
        ]
        if self.kind is not Kind.OPPORTUNITY:
            alive = Opportunity.objects.filter(deleted_at=None)
            found.append(("opportunity", alive, f"{self.kind.value}_id"))
        if self.kind is Kind.COMPANY:
            found.append(("contact", Contact.objects.filter(deleted_at=None), "company_id"))
        return found

    def bound(self, changes: Sequence[Change]) -> Mapping[int, str]:
        return {c.pk: "An unsubscribed address stays unsubscribed" for c in changes if "mail" in c.args}

    def unbind(self, done: Sequence[tuple[Change, Any]], actor: Membership | None) -> None:
        notes = [change.args["note"] for change, _row in done if "note" in change.args]
        if notes:
            Note.objects.filter(pk__in=notes).update(deleted_at=timezone.now())
        self._off_lists([change for change, _row in done if change.args.get("lists")])
        if self.kind == "contact":
            self._empty_lists({change.run_id for change, _row in done if change.run_id})
        for change, row in done:
            if change.action == Change.Action.COMBINE:
                self._part(change, row)

    def _off_lists(self, changes: Sequence[Change]) -> None:
        """A membership goes if the change's own run made it; one a person made or removed since stays."""
        by_run: dict[tuple[int | None, int], list[int]] = {}
        for change in changes:
            for list_id in change.args["lists"]:
                by_run.setdefault((change.run_id, list_id), []).append(change.local_id or 0)
        for (run_id, list_id), contacts in by_run.items():
            ListMember.objects.filter(list=list_id, contact__in=contacts, run=run_id, state="in").delete()

    def _empty_lists(self, runs: Set[int]) -> None:
        """Lists that these imports made go with the last of their contacts, unless a person put somebody on."""
        made = Run.objects.filter(pk__in=runs, cursor__has_key="made_lists").values_list("cursor", flat=True)
        ids = [pk for cursor in made for pk, new in cursor["made_lists"].values() if new]
        if ids:
            used = ListMember.objects.filter(
                Q(by__isnull=False) | Q(state=ListMember.State.IN, contact__deleted_at=None), list__in=ids
            )
            List.objects.filter(pk__in=ids, system_key=None).exclude(pk__in=used.values("list")).delete()

    def _part(self, change: Change, survivor: Any) -> None:
        """Two merged records are two again: what moved goes back unless it has moved on since."""
        loser = change.args["loser"]
        for name, model, column in MOVED[self.kind]:
            ids = change.args.get("moved", {}).get(name, [])
            back: dict[str, Any] = {f"{column}_id": loser}
            if model is not Note:
                back["rev"] = F("rev") + 1
            objects: Any = model._default_manager
            objects.filter(pk__in=ids, **{f"{column}_id": survivor.pk}).update(**back)
        self._all().filter(pk=loser, merged_into=survivor.pk).update(
            deleted_at=None, deleted_by=None, merged_into=None, rev=F("rev") + 1
        )


def _counted(count: int, what: str) -> str:
    return _ONE_NOT_MANY[what] if count == 1 else f"{count} {_MANY[what]}"


def register_kinds() -> None:
    for kind in Kind:
        register_kind(kind, EntityKind(kind))
