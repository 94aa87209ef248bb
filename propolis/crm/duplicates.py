"""Suggested duplicates: kept up to date record by record, shown by the page, turned down by a person.

Whoever changes a record by hand calls `look_at`, a handful of questions to indexes. What an import brings by
the thousand is looked through in the background (duplicate_search.py). Every pair that is shown is compared
once more, so a suggestion that is out of date is never seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from propolis.accounts.models import Membership
from propolis.crm import alike, paging
from propolis.crm.fields import Kind
from propolis.crm.kinds import MODELS
from propolis.crm.models import Company, Contact, Duplicate, NotDuplicate
from propolis.crm.rows import kind_of
from propolis.history.undo import UndoItem

KINDS = (Kind.COMPANY, Kind.CONTACT)
PAGE = 15
FEW = 20  # candidates of one key that a single look considers
WINDOW = 5  # neighbours by name on either side
# A change of one of these may make or end a likeness.
WATCHED = frozenset(
    ["name", "residential", "website", "email", "phone", "mobile", "city", "first", "last", "company"]
)
_SORT = paging.Sort("score", "score", down=True)
Pair = tuple[int, int]


@dataclass(frozen=True)
class Twins:
    """Two records side by side; `pair`: the suggestion's id, 0 where a person turned it down."""

    pair: int
    one: Any
    other: Any
    reasons: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        return [alike.words(reason) for reason in self.reasons]

    @property
    def shares(self) -> bool:
        """One address, two people."""
        return "email" in self.reasons and not any(r.startswith(("name", "similar")) for r in self.reasons)


@dataclass(frozen=True)
class Shown:
    """One page of suggestions."""

    twins: list[Twins]
    page: paging.Page
    count: int


def shown(kind: Kind, params: Mapping[str, str]) -> Shown:
    """The likeliest first; four queries."""
    query = Duplicate.objects.filter(kind=kind)
    page = paging.page(query, _SORT, params, PAGE)
    rows = _living(kind, [pk for each in page.rows for pk in (each.a, each.b)])
    found = []
    for each in page.rows:
        one, other = rows.get(each.a), rows.get(each.b)
        if one is None or other is None:
            continue
        now = alike.likeness(kind, one, other)
        if now.score:
            found.append(Twins(each.pk, *_older_first(one, other), now.reasons))
    return Shown(found, page, paging.counted(query))


def _older_first(one: Any, other: Any) -> tuple[Any, Any]:
    return (one, other) if one.created_at <= other.created_at else (other, one)


def _living(kind: Kind, ids: Iterable[int]) -> dict[int, Any]:
    joined = ("salesperson", "company") if kind is Kind.CONTACT else ("salesperson",)
    alive = MODELS[kind].objects.filter(pk__in=set(ids), deleted_at=None)
    return {row.pk: row for row in alive.select_related(*joined)}


def turned_down(
    kind: Kind, params: Mapping[str, str]
) -> tuple[list[tuple[NotDuplicate, Any, Any]], paging.Page]:
    """What people said are two, the latest first, while both still live."""
    page = paging.page(
        NotDuplicate.objects.filter(kind=kind), paging.Sort("id", "id", down=True), params, PAGE
    )
    rows = _living(kind, [pk for each in page.rows for pk in (each.a, each.b)])
    found = [(each, rows[each.a], rows[each.b]) for each in page.rows if each.a in rows and each.b in rows]
    return found, page


def counts() -> dict[Kind, int]:
    """How many suggestions of each kind, exact up to `paging.COUNTED`."""
    return {kind: paging.counted(Duplicate.objects.filter(kind=kind)) for kind in KINDS}


def turn_down(kind: Kind, a: int, b: int, *, actor: Membership) -> NotDuplicate:
    """ "Not duplicates": remembered, and not suggested again."""
    low, high = sorted((a, b))
    with transaction.atomic():
        said, _new = NotDuplicate.objects.get_or_create(
            account_id=actor.account_id, kind=kind.value, a=low, b=high, defaults={"by": actor}
        )
        Duplicate.objects.filter(kind=kind, a=low, b=high).delete()
    return said


def ask_again(said: NotDuplicate) -> None:
    """Takes "Not duplicates" back."""
    kind = Kind(said.kind)
    with transaction.atomic():
        NotDuplicate.objects.filter(pk=said.pk).delete()
        rows = _living(kind, [said.a, said.b])
        if len(rows) == 2:
            store(kind, said.account_id, [(rows[said.a], rows[said.b])])


def look_at(row: Company | Contact) -> None:
    """Finds again what this living record may be a duplicate of; call in the transaction that changed it."""
    forget(row)
    if row.deleted_at is None:
        kind = kind_of(row)
        others = MODELS[kind].objects.filter(pk__in=_candidates(row), deleted_at=None)
        store(kind, row.account_id, [(row, other) for other in others])


def forget(row: Company | Contact) -> None:
    """Nothing is suggested for this record any more."""
    mine = Duplicate.objects.filter(kind=kind_of(row))
    mine.filter(a=row.pk).delete()
    mine.filter(b=row.pk).delete()


def _candidates(row: Company | Contact) -> set[int]:
    """Ids of whoever shares a key or stands beside it by name: one question to one index each."""
    alive = type(row).objects.filter(deleted_at=None).exclude(pk=row.pk)
    phones = [key for key in {row.phone_key, row.mobile_key} if key]
    asked: list[Any] = [alive.filter(email_key=row.email_key)] if row.email_key else []
    if phones:
        asked += [alive.filter(phone_key__in=phones), alive.filter(mobile_key__in=phones)]
    if row.name_key:
        asked += [alive.filter(name_key=row.name_key)]
    found: set[int] = set()
    for query in [*asked, *_beside(row, alive)]:
        found.update(query.values_list("pk", flat=True)[:FEW])
    return found


def _beside(row: Company | Contact, alive: Any) -> list[Any]:
    """The nearest by name: of a contact those of its company, of a company all; and its domain."""
    found: list[Any] = []
    if isinstance(row, Company):
        found = [alive.filter(domain=row.domain)] if row.domain else []
    else:
        alive = alive.filter(company=row.company_id) if row.company_id else alive.none()
    if row.name_key:
        before = alive.filter(name_key__lte=row.name_key).exclude(name_key="").order_by("-name_key")
        after = alive.filter(name_key__gt=row.name_key).order_by("name_key")
        found += [before[:WINDOW], after[:WINDOW]]
    return found


def store(kind: Kind, account_id: int, pairs: Iterable[tuple[Any, Any]]) -> int:
    """Keeps those that are alike and were not turned down; how many there were."""
    found: dict[Pair, alike.Likeness] = {}
    for one, other in pairs:
        likeness = alike.likeness(kind, one, other)
        if likeness.score:
            low, high = sorted((one.pk, other.pk))
            found[low, high] = likeness
    for pair in _said_not(kind, found):
        del found[pair]
    at = timezone.now()
    Duplicate.objects.bulk_create(
        [
            Duplicate(account_id=account_id, kind=kind.value, a=a, b=b, score=like.score,
                      reasons=list(like.reasons), seen_at=at)
            for (a, b), like in found.items()
        ],
        update_conflicts=True,
        unique_fields=["account", "kind", "a", "b"],
        update_fields=["score", "reasons", "seen_at"],
    )  # fmt: skip
    return len(found)


def after_undo(items: Sequence[UndoItem], actor: Membership | None) -> None:
    """What a person took back may be a duplicate again, or none any more; a whole run is searched instead."""
    touched: dict[Kind, set[int]] = {kind: set() for kind in KINDS}
    for item in items:
        if item.change.run_id is None and item.change.kind in KINDS:
            kind = Kind(item.change.kind)
            touched[kind] |= {item.change.local_id or 0, item.change.args.get("loser", 0)}
    for kind, ids in touched.items():
        for row in MODELS[kind].objects.filter(pk__in=ids):
            look_at(row)  # type: ignore[arg-type]


def _said_not(kind: Kind, pairs: Mapping[Pair, Any]) -> list[Pair]:
    if not pairs:
        return []
    said = NotDuplicate.objects.filter(kind=kind, a__in={a for a, _b in pairs})
    return [pair for pair in said.values_list("a", "b") if pair in pairs]


def of_record(row: Company | Contact, most: int = 3) -> list[Any]:
    """Living records this one may be a duplicate of, the likeliest first; two queries."""
    kind = kind_of(row)
    mine = Duplicate.objects.filter(Q(a=row.pk) | Q(b=row.pk), kind=kind).order_by("-score", "pk")
    ids = [each.b if each.a == row.pk else each.a for each in mine[:most]]
    rows = _living(kind, ids) if ids else {}
    return [rows[pk] for pk in ids if pk in rows]
