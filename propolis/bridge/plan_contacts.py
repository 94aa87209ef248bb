"""Planning contacts: Syncro's contacts, and the persons named on its customer records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from propolis.bridge import mapping
from propolis.bridge.mapping import Incoming, Values
from propolis.bridge.models import Link
from propolis.bridge.planning import Effects, unlinked
from propolis.bridge.scene import Scene
from propolis.crm import comparing, keys
from propolis.crm.comparing import contact_candidates
from propolis.crm.models import Contact
from propolis.history.models import Change
from propolis.merge.evidence import Evidence, Outcome, Rule, Strength, Sure
from propolis.merge.match import match_contact, same_person
from propolis.merge.record import ContactKeys, Record


@dataclass(frozen=True, slots=True)
class Parent:
    """What a Syncro customer stands for here: `company` by local id, if it is one already."""

    company: int | None
    name: str = ""


class Parents:
    """The customers a batch hangs on: linked ones, and those this run is about to link."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._known: dict[int, Parent] = {}

    def load(self, customer_ids: Iterable[int | None]) -> None:
        wanted = sorted({each for each in customer_ids if each is not None})
        links = Link.objects.filter(
            connection=self.scene.connection,
            kind=Link.Kind.CUSTOMER,
            remote_id__among=wanted,
            company__isnull=False,
        )
        rows = links.values_list("remote_id", "company_id", "company__name")
        self._known = {remote: Parent(company, name) for remote, company, name in rows}
        merging = Change.objects.filter(
            run_id=self.scene.run.pk,
            kind="company",
            remote_id__among=wanted,
            action=Change.Action.MERGE,
        )
        for remote, company in merging.values_list("remote_id", "local_id"):
            if remote is not None:
                self._known[remote] = Parent(company)

    def of(self, customer_id: int | None) -> Parent | None:
        return self._known.get(customer_id) if customer_id is not None else None


class ContactKind:
    link_kind = Link.Kind.CONTACT.value
    composed: ClassVar = frozenset({"name"})

    def __init__(self, scene: Scene) -> None:
        self.scene, self.rules = scene, scene.rules
        self.parents = Parents(scene)
        self.any_unlinked = any_unlinked_contacts()
        self._stand_ins: dict[int, Record] = {}
        self._replaces: dict[int, int] = {}

    def begin(self, batch: Sequence[Incoming]) -> None:
        self.parents.load(each.parent for each in batch)
        self._replaces.clear()
        self._stand_ins = _stand_ins(self.scene, {each.parent for each in batch if each.parent is not None})

    def values(self, incoming: Incoming, raw: Mapping[str, Any]) -> Values:
        return mapping.contact_values(raw, self.scene.contact_fields)

    def left_out(self, incoming: Incoming) -> str:
        return ""

    def held(self, incoming: Incoming) -> str:
        return ""

    def rows(self, ids: Sequence[int]) -> Mapping[int, Contact]:
        return Contact.objects.in_bulk(ids) if ids else {}

    def row_values(self, row: Contact) -> Values:
        values: Values = {name: getattr(row, name) for name in mapping.CONTACT_TEXTS}
        values["name"] = keys.join_name(row.first, row.last)
        return values

    def stored(self, field: str, before: Any, after: Any, why: str) -> Effects:
        if field != "name":
            return {field: [before, after, why]}
        was, becomes = keys.split_name(before or ""), keys.split_name(after or "")
        pairs = zip(("first", "last"), was, becomes, strict=True)
        return {name: [b if before is not None else None, a, why] for name, b, a in pairs if b != a}

    def extras(
        self, incoming: Incoming, agreed: Mapping[str, Any] | None, row: Any | None
    ) -> tuple[Effects, Any]:
        args: dict[str, Any] = {}
        if mapping.wants_no_mail(incoming.raw):
            known = agreed or {}
            # Whoever opted out stays so under a new address.
            if not mapping.wants_no_mail(known) or known.get("email") != incoming.raw.get("email"):
                args["unsubscribe"] = True
        if incoming.remote_id in self._replaces:
            args["replaces_person"] = self._replaces[incoming.remote_id]
        return self._moved(incoming, agreed, row), args

    def _moved(self, incoming: Incoming, agreed: Mapping[str, Any] | None, row: Any | None) -> Effects:
        """Its customer changed in Syncro, and nobody moved it here: it changes company."""
        if row is None or not agreed or "customer_id" not in incoming.raw:
            return {}
        old, new = agreed.get("customer_id"), incoming.raw["customer_id"]
        parent, was = self.parents.of(new), company_of(self.scene, old)
        if old == new or parent is None or parent.company is None or row.company_id not in (was, None):
            return {}
        if row.company_id == parent.company:
            return {}
        return {"company": [row.company_id, parent.company, "only syncro"]}

    def match(self, batch: Sequence[Incoming]) -> Mapping[int, Outcome]:
        if not (self.any_unlinked or self._stand_ins):
            return {}
        theirs = [self._record(each) for each in batch]
        parents = {each.remote_id: each.parent for each in batch}
        ours = candidates(theirs) if self.any_unlinked and theirs else []
        found: dict[int, Outcome] = {}
        for record in theirs:
            stands_in = self._stand_ins.get(parents[record.id] or 0)
            if stands_in is not None and same_person(stands_in, record):
                self._replaces[record.id] = int(parents[record.id] or 0)
                found[record.id] = _takes_over(stands_in)
                del self._stand_ins[int(parents[record.id] or 0)]
            elif ours:
                found[record.id] = match_contact(record, ours)
        return found

    def _record(self, incoming: Incoming) -> Record:
        values = self.values(incoming, incoming.raw)
        parent = self.parents.of(incoming.parent)
        keyed = comparing.contact_keys(values, parent.company if parent else None)
        return Record(incoming.remote_id, values, incoming.updated_at, keyed)


class PersonKind(ContactKind):
    """The person on a customer record; `remote_id` is the customer's."""

    link_kind = Link.Kind.PERSON.value

    def __init__(self, scene: Scene, missing: Sequence[int] = ()) -> None:
        """`missing`: the ids of linked contacts that this reading did not show."""
        super().__init__(scene)
        self._missing = _by_customer(scene, missing)

    def begin(self, batch: Sequence[Incoming]) -> None:
        self.parents.load(each.parent for each in batch)

    def left_out(self, incoming: Incoming) -> str:
        """Whether their contact is gone is known at the end of this import; until then nobody is made beside it."""
        contacts = self._missing.get(incoming.parent or 0, ())
        person = person_record(incoming.raw, incoming.remote_id) if contacts else None
        return "contact_missing" if person and any(same_person(person, each) for each in contacts) else ""

    def values(self, incoming: Incoming, raw: Mapping[str, Any]) -> Values:
        return mapping.person_values(raw, self.scene.contact_fields)


def _by_customer(scene: Scene, contacts: Sequence[int]) -> dict[int, list[Record]]:
    """These linked contacts of Syncro, as they were last agreed on, by the customer they had then."""
    found: dict[int, list[Record]] = {}
    if contacts:
        links = Link.objects.filter(
            connection=scene.connection,
            kind=Link.Kind.CONTACT,
            contact__isnull=False,
            remote_id__among=contacts,
        )
        for remote_id, agreed in links.values_list("remote_id", "agreed"):
            found.setdefault(agreed.get("customer_id") or 0, []).append(contact_record(agreed, remote_id))
    return found


def any_unlinked_contacts() -> bool:
    return bool(unlinked(Contact, [Link.Kind.CONTACT, Link.Kind.PERSON], "contact").exists())


def company_of(scene: Scene, customer_id: int | None) -> int | None:
    """The local company a Syncro customer stands for, linked or secondary."""
    if customer_id is None:
        return None
    found = Link.objects.filter(
        connection=scene.connection, kind=Link.Kind.CUSTOMER, remote_id=customer_id, company__isnull=False
    )
    return found.values_list("company_id", flat=True).first()


def candidates(wanted: Sequence[Record]) -> list[Record]:
    """Our unlinked contacts with one of these e-mails, or of one of these names in the same company."""
    asked = [each.keys for each in wanted if isinstance(each.keys, ContactKeys)]
    return contact_candidates(unlinked(Contact, [Link.Kind.CONTACT, Link.Kind.PERSON], "contact"), asked)


def person_record(raw: Mapping[str, Any], id_: int) -> Record:
    """The person on a customer record as something to compare contacts with."""
    values = mapping.person_values(raw, frozenset(mapping.PERSON_TEXTS))
    return Record(id_, values, None, comparing.contact_keys(values, None))


def contact_record(raw: Mapping[str, Any], id_: int) -> Record:
    values = mapping.contact_values(raw, frozenset({"email"}))
    return Record(id_, values, None, comparing.contact_keys(values, None))


def _stand_ins(scene: Scene, customers: set[int]) -> dict[int, Record]:
    """Contacts imported from the person on a customer record, by customer: a real contact may take over."""
    links = Link.objects.filter(
        connection=scene.connection,
        kind=Link.Kind.PERSON,
        state=Link.State.LINKED,
        remote_id__among=customers,
        contact__deleted_at__isnull=True,
        contact__isnull=False,
    )
    rows = links.values_list("remote_id", "contact_id", "agreed")
    return {remote: person_record(agreed, local) for remote, local, agreed in rows}


def _takes_over(stand_in: Record) -> Sure:
    evidence = Evidence(stand_in.id, Rule.STORED, "the person on the customer record", Strength.STRONG, 100)
    return Sure(stand_in.id, Rule.STORED, evidence)
