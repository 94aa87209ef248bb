"""Planning companies: Syncro's customers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from propolis.bridge import mapping
from propolis.bridge.mapping import Incoming, Values
from propolis.bridge.models import Link
from propolis.bridge.planning import Effects, unlinked
from propolis.bridge.scene import Scene
from propolis.crm import comparing
from propolis.crm.comparing import company_candidates, name_counts
from propolis.crm.models import Company
from propolis.merge.evidence import Outcome
from propolis.merge.match import match_company
from propolis.merge.record import CompanyKeys, Record


class CompanyKind:
    """`name_counts`: how many Syncro customers have each normalised name (by hash), over everything read."""

    link_kind = Link.Kind.CUSTOMER.value
    composed: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, scene: Scene, name_counts: Mapping[int, int]) -> None:
        self.scene, self.rules = scene, scene.rules
        self._name_counts = name_counts
        self.any_unlinked = any_unlinked_companies()

    def begin(self, batch: Sequence[Incoming]) -> None:
        """Companies hang on nothing."""

    def values(self, incoming: Incoming, raw: Mapping[str, Any]) -> Values:
        return mapping.company_values(raw, incoming.remote_id, self.scene.company_fields)

    def left_out(self, incoming: Incoming) -> str:
        hidden = incoming.raw.get("disabled") is True and not self.scene.connection.include_disabled
        return "disabled_in_syncro" if hidden else ""

    def held(self, incoming: Incoming) -> str:
        return ""

    def rows(self, ids: Sequence[int]) -> Mapping[int, Company]:
        return Company.objects.in_bulk(ids) if ids else {}

    def row_values(self, row: Company) -> Values:
        return {name: getattr(row, name) for name in mapping.COMPANY_FIELDS}

    def stored(self, field: str, before: Any, after: Any, why: str) -> Effects:
        return {field: [before, after, why]}

    def extras(
        self, incoming: Incoming, agreed: Mapping[str, Any] | None, row: Any | None
    ) -> tuple[Effects, Any]:
        effects: Effects = {}
        disabled = incoming.raw.get("disabled") is True
        if disabled != (row.disabled_in_syncro if row else False):
            effects["disabled_in_syncro"] = [not disabled, disabled, "syncro says"]
        # None chosen any more: what came of them goes; not told this time: it stays.
        facts = incoming.raw.get("custom") if self.scene.custom else {}
        before = row.facts if row else {}
        if facts is not None and facts != before:
            effects["facts"] = [before, facts, "syncro says"]
        return effects, {}

    def match(self, batch: Sequence[Incoming]) -> Mapping[int, Outcome]:
        if not self.any_unlinked or not batch:
            return {}
        theirs = [self._record(each) for each in batch]
        ours = candidates([keys_of(each) for each in theirs])
        counts = name_counts({keys_of(each).name for each in theirs} - {""})
        found: dict[int, Outcome] = {}
        for record in theirs:
            name = keys_of(record).name
            found[record.id] = match_company(
                record,
                ours,
                name_count_theirs=self._name_counts.get(hash_of(name), 1),
                name_count_ours=counts.get(name, 0),
            )
        return found

    def _record(self, incoming: Incoming) -> Record:
        values = self.values(incoming, incoming.raw)
        keys = comparing.company_keys(values, self.scene.region)
        return Record(incoming.remote_id, values, incoming.updated_at, keys)


def any_unlinked_companies() -> bool:
    return bool(unlinked(Company, [Link.Kind.CUSTOMER], "company").exists())


def keys_of(record: Record) -> CompanyKeys:
    assert isinstance(record.keys, CompanyKeys)
    return record.keys


def candidates(wanted: Sequence[CompanyKeys]) -> list[Record]:
    """Our unlinked companies that share a domain, e-mail, phone or name with any of these."""
    return company_candidates(unlinked(Company, [Link.Kind.CUSTOMER], "company"), wanted)


def hash_of(name: str) -> int:
    """Stable within a process, small in memory."""
    return hash(name)


def count_names(names: Iterable[str]) -> Counter[int]:
    return Counter(hash_of(name) for name in names if name)
