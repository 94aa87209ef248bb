"""Looking through everything for duplicates, in the background, some thousand records a step.

Records are read in the order of one key after the other, each by its index, so those that share it come
together; companies also in the order of their names, each compared with the few behind it. The work grows
with the number of records, not with its square.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, Final

from propolis.accounts.models import Account, Membership
from propolis.crm import alike, duplicates
from propolis.crm.fields import Kind
from propolis.crm.kinds import MODELS
from propolis.crm.models import Duplicate
from propolis.runs.engine import Continue, Finish, Job, Lease, Step, holder, job_for, register, start
from propolis.runs.models import Run

DUPLICATES: Final = "duplicates"
READ = 3000  # records a step reads
CROWD = 20  # more of one e-mail or phone are a reception, not duplicates: only neighbours by name count
_CARDS: Final = {
    kind: namedtuple(f"{kind.name.title()}Keys", alike.COMPARED[kind]) for kind in alike.COMPARED
}


@dataclass(frozen=True)
class Pass:
    """All records of a kind in the order of one key. `near`: compared with their neighbours, not only
    with those of the same key. `also`: a second column in which the same key counts."""

    kind: Kind
    key: str
    near: bool = False
    also: str = ""


PASSES: Final = (
    Pass(Kind.COMPANY, "email_key"),
    Pass(Kind.COMPANY, "phone_key", also="mobile_key"),
    Pass(Kind.COMPANY, "mobile_key"),
    Pass(Kind.COMPANY, "domain"),
    Pass(Kind.COMPANY, "name_key", near=True),
    Pass(Kind.CONTACT, "email_key"),
    Pass(Kind.CONTACT, "phone_key", also="mobile_key"),
    Pass(Kind.CONTACT, "mobile_key"),
    Pass(Kind.CONTACT, "company_id"),
    Pass(Kind.CONTACT, "name_key"),
)
Keyed = list[tuple[Any, Any]]
Two = tuple[Any, Any]


class DuplicatesJob(Job):
    """One page of one pass a step; at the end, what was not seen again goes."""

    kind: ClassVar[str] = DUPLICATES
    slot: ClassVar[str] = DUPLICATES

    def step(self, run: Run, lease: Lease) -> Step:
        at, after = run.cursor.get("pass", 0), run.cursor.get("after")
        if at == len(PASSES):
            assert run.started_at is not None
            with lease.batch() as batch:
                Duplicate.objects.filter(seen_at__lt=run.started_at).delete()
                batch.save(counts={"found": Duplicate.objects.count()})
            return Finish(Run.State.COMPLETE)
        this = PASSES[at]
        keyed = _read(this, after)
        pairs, on = (_neighbours(keyed), _far(keyed, after)) if this.near else _sharing(this, keyed)
        with lease.batch() as batch:
            duplicates.store(this.kind, run.account_id, pairs)
            ended = len(keyed) < READ
            batch.save(
                state=Run.State.APPLYING,
                phase=this.key,
                cursor={"pass": at + 1} if ended else {"pass": at, "after": on},
                progress={"done": at + ended, "total": len(PASSES)},
            )
        return Continue()


def _read(this: Pass, after: Any) -> Keyed:
    """Key and columns of the next records that have the key, in its order."""
    past = "gte" if this.near and after else "gt"
    beyond = _alive(this).filter(**{f"{this.key}__{past}": after or (0 if this.key == "company_id" else "")})
    return _keyed(this, beyond.order_by(this.key, "pk")[:READ], this.key)


def _alive(this: Pass) -> Any:
    return MODELS[this.kind].objects.filter(deleted_at=None)


def _keyed(this: Pass, query: Any, key: str) -> Keyed:
    card, columns = _CARDS[this.kind], alike.COMPARED[this.kind]
    place = columns.index(key)
    return [(row[place], card(*row)) for row in query.values_list(*columns)]


def _sharing(this: Pass, keyed: Keyed) -> tuple[Iterator[Two], Any]:
    """Pairs of the same key, and after which key to go on: a group that the page cuts is read again whole."""
    groups = {key: [card for _key, card in group] for key, group in groupby(keyed, key=lambda each: each[0])}
    last = next(reversed(groups), None)
    if len(keyed) == READ and len(groups) > 1:
        del groups[last]
        last = next(reversed(groups))
    if this.also:
        others = _alive(this).filter(**{f"{this.also}__in": list(groups)})
        for key, card in _keyed(this, others, this.also):
            groups[key].append(card)
    return (pair for cards in groups.values() for pair in _within(cards, this)), last


def _within(cards: list[Any], this: Pass) -> Iterator[Two]:
    """Of a few all pairs; of many only those beside each other by name."""
    if len(cards) > CROWD and this.key in ("email_key", "domain"):
        return
    far = len(cards)
    if far > 2 * duplicates.WINDOW:
        cards, far = sorted(cards, key=lambda card: (card.name_key, card.pk)), duplicates.WINDOW
    for at, card in enumerate(cards):
        for other in cards[at + 1 : at + 1 + far]:
            if other.pk != card.pk:
                yield card, other


def _neighbours(keyed: Keyed) -> Iterator[Two]:
    for at, (_key, card) in enumerate(keyed):
        for _other, other in keyed[at + 1 : at + 1 + duplicates.WINDOW]:
            yield card, other


def _far(keyed: Keyed, after: Any) -> Any:
    """Where the next page begins: a few names back, so that neighbours across pages meet."""
    if len(keyed) < READ:
        return None
    back = keyed[-duplicates.WINDOW][0]
    return back if back != after else keyed[-1][0] + " "


def search(account: Account, *, by: Membership | None) -> tuple[Run, bool]:
    """Starts looking through everything, or answers the search that is under way and False."""
    return start(account, DUPLICATES, by=by, slot=DUPLICATES)


def under_way(account: Account) -> Run | None:
    return holder(account, DUPLICATES)


def last_search() -> Run | None:
    """The last one that came to its end."""
    return Run.objects.filter(kind=DUPLICATES, state=Run.State.COMPLETE).order_by("-id").first()


def is_stale(last: Run | None) -> bool:
    """Whether records came or went by the thousand since: by runs on the data, not by people's single edits."""
    if last is None:
        return any(MODELS[kind].objects.exists() for kind in duplicates.KINDS)
    since = Run.objects.filter(finished_at__gt=last.started_at).order_by()
    return any(job_for(kind).slot == Job.slot for kind in set(since.values_list("kind", flat=True)))


def install() -> None:
    """Makes the search known to whoever works on runs."""
    register(DuplicatesJob())
