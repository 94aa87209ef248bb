"""Numbers read anew after an account moved to another country: whom they call and whom they are compared with.

The keys say nothing that a person has changed, so no revision rises and no history is kept.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from propolis.accounts import bulk
from propolis.accounts.founding import region_changed
from propolis.accounts.models import Account, Membership
from propolis.crm import duplicate_search, keys
from propolis.crm.fields import Kind
from propolis.crm.kinds import MODELS
from propolis.runs.engine import Continue, Finish, Job, Lease, Step, register, start, work
from propolis.runs.models import Run

PHONE_KEYS: Final = "phone_keys"
READ: Final = 1000  # records a step looks at
_KINDS: Final = (Kind.COMPANY, Kind.CONTACT)
_SECONDS: Final = 3.0  # of work within the request


class PhoneKeysJob(Job):
    """The cursor: `region` the numbers are read for, `kind` by its place, `after` which id."""

    kind: ClassVar[str] = PHONE_KEYS
    slot: ClassVar[str] = PHONE_KEYS

    def step(self, run: Run, lease: Lease) -> Step:
        region = Account.objects.values_list("phone_region", flat=True).get(pk=run.account_id)
        at = run.cursor
        if at.get("region") != region:  # it begins, or the account moved once more meanwhile
            at = {"region": region, "kind": 0, "after": 0}
        if at["kind"] == len(_KINDS):
            duplicate_search.search(run.account, by=run.by)
            return Finish(Run.State.COMPLETE)
        model: Any = MODELS[_KINDS[at["kind"]]]
        with lease.batch() as batch:
            last = _read_anew(model, at["after"], region)
            on = {**at, "after": last} if last else {**at, "kind": at["kind"] + 1, "after": 0}
            batch.save(state=Run.State.APPLYING, cursor=on)
        return Continue()


def _read_anew(model: Any, after: int, region: str) -> int:
    """The id of the last record looked at, 0 where there are no more."""
    columns = ("phone_key", "mobile_key", "pk", "phone", "mobile")
    # Held until they are written: a number somebody changes meanwhile has a key of its own.
    rows = model.objects.select_for_update().filter(pk__gt=after).order_by("pk")
    found = list(rows.values_list(*columns)[:READ])
    changed = []
    for phone_key, mobile_key, pk, phone, mobile in found:
        now = keys.phone_key(phone, region), keys.phone_key(mobile, region)
        if now != (phone_key, mobile_key):
            changed.append((*now, pk))
    bulk.update(model, ("phone_key", "mobile_key"), changed)
    return int(found[-1][2]) if found else 0


def _read_all_anew(account: Account, by: Membership, **_details: Any) -> None:
    run, new = start(account, PHONE_KEYS, by=by, slot=PHONE_KEYS)
    if new:
        work(run.pk, seconds=_SECONDS)


def install() -> None:
    """Makes the run known to whoever works on them, and listens to accounts that move."""
    register(PhoneKeysJob())
    region_changed.connect(_read_all_anew, dispatch_uid="crm.phone_keys")
