"""Putting planned records where they belong: rows, parents, lists, unsubscribes. One placer per kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.utils import timezone

from propolis.accounts import bulk
from propolis.bridge.links import remembered
from propolis.bridge.models import Link
from propolis.bridge.scene import Scene
from propolis.crm import keys, mailing, rows
from propolis.crm.models import Company, Contact, List, ListMember, Suppression
from propolis.history import door
from propolis.history.models import Change

GENERAL = "Syncro General"
GENERAL_KEY = "syncro_general"
WAITS = "waits_for_company"
UNKNOWN_CUSTOMER = "no_such_customer"
ALIVE = (Link.State.LINKED, Link.State.SECONDARY, Link.State.GONE, Link.State.HIDDEN, Link.State.FAILED)


_new_member = bulk.maker(ListMember)


class Placer:
    """What all kinds share; `model` is ours."""

    model: type[Any]
    columns: tuple[str, ...]

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._make = bulk.maker(self.model)

    def begin(self, batch: Sequence[Change]) -> None:
        """Looks up what the records of this batch hang on."""

    def fill(self, row: Any, values: Mapping[str, Any]) -> None:
        rows.fill(row, values, self.scene.region)

    def create(self, changes: Sequence[Change], now: datetime) -> None:
        """Makes the rows and tells each Change its id."""
        if not changes:
            return
        given = {
            "account_id": self.scene.account.pk,
            "created_run_id": self.scene.run.pk,
            "created_at": now,
        }
        made = [self._new(change, given) for change in changes]
        bulk.insert(made)
        for change, row in zip(changes, made, strict=True):
            change.local_id = row.pk

    def _new(self, change: Change, given: Mapping[str, Any]) -> Any:
        updated = change.args.get("updated")
        edited = datetime.fromisoformat(updated) if updated else given["created_at"]
        row = self._make(**given, edited_at=edited)
        self.fill(row, {name: effect[1] for name, effect in change.fields.items()})
        self.place(change, row)
        return row

    def place(self, change: Change, row: Any) -> None:
        """Attaches a new row to what it hangs on."""

    def lock(self, ids: Iterable[int]) -> dict[int, Any]:
        """Our rows by id, held against people's edits until the batch is committed; deleted ones left out."""
        query = self.model._default_manager.filter(pk__among=ids, deleted_at__isnull=True)
        if database.features.has_select_for_update:
            query = query.select_for_update().order_by("pk")
        return {row.pk: row for row in query}

    def change(self, change: Change, row: Any, fields: dict[str, list[Any]]) -> None:
        """Sets the decided fields on the row."""
        self.fill(row, {name: effect[1] for name, effect in fields.items()})

    def save(self, changed: Sequence[Any], names: set[str]) -> None:
        """Writes whole rows: an upsert by id, far faster than a CASE per column."""
        for row in changed:
            row.rev += 1
        self.model._default_manager.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[*self.columns, "rev", "edited_at"],
        )

    def waits(self, change: Change) -> str:
        return ""

    def finish(self, batch: Sequence[Change], now: datetime) -> None:
        """What follows once rows and Links are there."""


class CompanyPlacer(Placer):
    model = Company
    columns = (*rows.COMPANY_COLUMNS,)

    def finish(self, batch: Sequence[Change], now: datetime) -> None:
        arrived = {
            each.remote_id: each.local_id
            for each in batch
            if each.action in (Change.Action.CREATE, Change.Action.MERGE) and each.remote_id and each.local_id
        }
        if arrived:
            attach_waiting(self.scene, arrived)


class ContactPlacer(Placer):
    model = Contact
    columns = (*rows.CONTACT_COLUMNS, "mail_state")

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.list = general_list(scene)
        self._companies: dict[int, int] = {}
        self._customers: set[int] = set()
        self._quiet: dict[str, str] = {}

    def begin(self, batch: Sequence[Change]) -> None:
        self._companies, self._customers = companies_of(
            self.scene, (each.args.get("parent") for each in batch)
        )
        emails = {keys.email_key(each.fields["email"][1] or "") for each in batch if "email" in each.fields}
        self._quiet = mailing.states(emails - {""})

    def place(self, change: Change, row: Any) -> None:
        row.company_id = self._companies.get(change.args.get("parent") or 0)
        row.mail_state = self._mail_state(row)

    def change(self, change: Change, row: Any, fields: dict[str, list[Any]]) -> None:
        company = self._companies.get(change.args.get("parent") or 0)
        if change.action == Change.Action.MERGE and row.company_id is None and company is not None:
            fields["company"] = [None, company, "blank here"]
        super().change(change, row, fields)
        if "email" in fields:
            row.mail_state = self._mail_state(row)

    def _mail_state(self, row: Contact) -> str:
        """What is true of its address; whoever changes address takes nothing of the old one along."""
        return str(self._quiet.get(row.email_key, Contact.MailState.SUBSCRIBED))

    def waits(self, change: Change) -> str:
        parent = change.args.get("parent")
        if parent is None or parent in self._companies:
            return ""
        return WAITS if parent in self._customers else UNKNOWN_CUSTOMER

    def finish(self, batch: Sequence[Change], now: datetime) -> None:
        coming = [each for each in batch if each.local_id and each.action in ARRIVING]
        self._enlist(coming, now)
        self._unsubscribe([each for each in batch if each.local_id and each.args.get("unsubscribe")], now)
        replaced = [each.args["replaces_person"] for each in batch if "replaces_person" in each.args]
        if replaced:
            Link.objects.filter(
                connection=self.scene.connection, kind=Link.Kind.PERSON, remote_id__in=replaced
            ).update(state=Link.State.SECONDARY)

    def _enlist(self, coming: Sequence[Change], now: datetime) -> None:
        merged = [each.local_id or 0 for each in coming if each.action == Change.Action.MERGE]
        there = ListMember.objects.filter(list=self.list, contact_id__in=merged)
        known = set(there.values_list("contact_id", flat=True)) if merged else set()
        new = [each for each in coming if each.local_id not in known]
        given = {
            "account_id": self.scene.account.pk,
            "list_id": self.list.pk,
            "run_id": self.scene.run.pk,
            "at": now,
        }
        members = [_new_member(**given, contact_id=each.local_id or 0) for each in new]
        fresh = {each.local_id for each in new if each.action == Change.Action.CREATE}
        bulk.insert([each for each in members if each.contact_id in fresh])
        ListMember.objects.bulk_create(
            [each for each in members if each.contact_id not in fresh], ignore_conflicts=True
        )
        for change in new:
            if change.action == Change.Action.MERGE:
                change.args["lists"] = [self.list.pk]

    def _unsubscribe(self, changes: Sequence[Change], now: datetime) -> None:
        """Per address, for every contact that has it; an address a person re-subscribed stays so."""
        ids = [each.local_id or 0 for each in changes]
        found = Contact.objects.filter(pk__among=ids).exclude(email_key="") if ids else Contact.objects.none()
        emails = set(found.values_list("email_key", flat=True)) if ids else set()
        mailing.stop_mailing(
            self.scene.account, emails, Suppression.Kind.UNSUBSCRIBED, source="Syncro", at=now
        )


ARRIVING = frozenset({Change.Action.CREATE, Change.Action.MERGE})


def general_list(scene: Scene) -> List:
    """The list every contact from Syncro is put on."""
    found = (
        List.objects.filter(system_key=GENERAL_KEY).first()
        or List.objects.filter(name_key=keys.list_key(GENERAL)).first()
    )
    if found is not None:
        return found
    return List.objects.create(
        account=scene.account,
        name=GENERAL,
        name_key=keys.list_key(GENERAL),
        system_key=GENERAL_KEY,
        leads=False,
    )


def companies_of(scene: Scene, customer_ids: Iterable[int | None]) -> tuple[dict[int, int], set[int]]:
    """Syncro customer → our company, as far as linked; and those that are known at all."""
    wanted = sorted({each for each in customer_ids if each is not None})
    links = Link.objects.filter(connection=scene.connection, kind=Link.Kind.CUSTOMER, remote_id__among=wanted)
    found = list(links.values_list("remote_id", "company_id", "state", "company__deleted_at"))
    companies = {
        remote: company
        for remote, company, state, deleted in found
        if company and state in ALIVE and not deleted
    }
    return companies, {row[0] for row in found}


def attach_waiting(scene: Scene, arrived: Mapping[int, int]) -> int:
    """Contacts and opportunities that came before their company are attached to it now; how many."""
    waiting = list(
        Link.objects.filter(
            connection=scene.connection,
            kind__in=[Link.Kind.CONTACT, Link.Kind.PERSON, Link.Kind.LEAD],
            parent_id__among=arrived,
            reason__in=[WAITS, UNKNOWN_CUSTOMER],
        ).select_related("contact", "opportunity")
    )
    changes = []
    for link in waiting:
        row = link.contact or link.opportunity
        before = remembered(link)
        link.reason = ""
        link.rev += 1
        if row is None or row.company_id is not None:
            continue
        company = arrived[link.parent_id or 0]
        type(row)._default_manager.filter(pk=row.pk).update(company=company, rev=row.rev + 1)
        changes.append(
            Change(
                account_id=scene.account.pk,
                run_id=scene.run.pk,
                kind=rows.kind_of(row).value,
                local_id=row.pk,
                action=Change.Action.UPDATE,
                state=Change.State.APPLIED,
                fields={"company": [None, company, "waited for it"]},
                link_id=link.pk,
                link_before=before,
                args={"follows": True},
                at=timezone.now(),
            )
        )
    for link in waiting:
        link.save(update_fields=["reason", "rev"])
    door.keep(changes)
    return len(changes)


def placer_for(remote_kind: str, scene: Scene) -> Placer:
    from propolis.bridge.placing_leads import OpportunityPlacer

    if remote_kind == Link.Kind.CUSTOMER:
        return CompanyPlacer(scene)
    return OpportunityPlacer(scene) if remote_kind == Link.Kind.LEAD else ContactPlacer(scene)
