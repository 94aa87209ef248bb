"""What people ask of a run: start, pause, resume, stop, confirm."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from propolis.accounts.models import Account, Membership, audit
from propolis.accounts.scoping import in_account
from propolis.runs.jobs import Refused, UnknownJob, job_for, working_state
from propolis.runs.models import Run, next_number
from propolis.runs.rows import FREE, HELD, all_runs
from propolis.runs.tasks import ring_on_commit

State = Run.State
# Not under way by themselves, but not ended: a person can take them up again or stop them.
RESTING = frozenset({State.PAUSED, State.NEEDS_ATTENTION})
# Somebody else took the slot between our look and our insert, and gave it back: so often at most.
MAX_PRESSES = 20
# Why a run that was laid out waits.
CHOICES = "choices"
FRESH: dict[str, Any] = {
    "next_at": None,
    "stop_flag": "",
    "attempt": 0,
    "losses": 0,
    "error_code": "",
    "error_detail": "",
}


def start(
    account: Account,
    kind: str,
    *,
    options: dict[str, Any] | None = None,
    by: Membership | None = None,
    slot: str = "data",
    undoes: Run | None = None,
    bell: bool = True,
) -> tuple[Run, bool]:
    """Starts a run, or answers the one that holds the slot and False. Works at any number of presses at once.

    A bell rings as soon as the surrounding transaction is committed, unless the caller does the work (`bell`).
    """
    for press in range(MAX_PRESSES):
        busy = holder(account, slot)
        if busy is not None:
            return busy, False
        try:
            with in_account(account), transaction.atomic():
                run = Run(account=account, kind=kind, slot=slot, options=options or {}, by=by, undoes=undoes)
                run.number = next_number(account)
                run.save(force_insert=True)
                if bell:
                    ring_on_commit(run.pk)
        except IntegrityError:
            if press == MAX_PRESSES - 1:
                raise
        else:
            run.refresh_from_db()
            return run, True
    raise AssertionError("unreachable")


def lay_out(account: Account, kind: str, *, options: dict[str, Any], by: Membership | None) -> Run:
    """A run that begins with a person's choices: it waits like a preview, without a slot, for `begin`."""
    with in_account(account), transaction.atomic():
        run = Run(account=account, kind=kind, state=State.PLANNED, options=options, by=by)
        run.number = next_number(account)
        run.gate_reason, run.planned_at = CHOICES, timezone.now()
        run.save(force_insert=True)
    run.refresh_from_db()
    return run


def begin(run: Run, options: dict[str, Any]) -> bool:
    """Starts a run that was laid out, with these options. False if another run holds the slot.

    True as well when it was begun before (two presses).
    """
    fields = {**FRESH, "state": State.QUEUED, "slot": job_for(run.kind).slot, "options": options}
    fields |= {"gate_reason": "", "planned_at": None}
    waiting = all_runs().filter(pk=run.pk, state=State.PLANNED, gate_reason=CHOICES)
    try:
        with transaction.atomic():
            taken = waiting.update(**fields)
            if taken:
                ring_on_commit(run.pk)
    except IntegrityError:
        return False
    return bool(taken) or not waiting.exists()


def overtaken(run: Run) -> bool:
    """Another run has written since this one was planned: what it planned may not be true any more."""
    since = all_runs().filter(account=run.account, confirmed_at__gt=run.planned_at).exclude(pk=run.pk)
    ended = all_runs().filter(account=run.account, finished_at__gt=run.planned_at).exclude(pk=run.pk)
    return since.exists() or ended.filter(cursor__phase__in=["apply", "close"]).exists()


def holder(account: Account, slot: str = "data") -> Run | None:
    """The run that holds this slot of the account."""
    return all_runs().select_related("account").filter(account=account, slot=slot).first()


def pause(run: Run, by: Membership | None) -> bool:
    """Asks for a pause after the batch at hand; at once if nobody works on it. False: nothing to pause."""
    return _ask(run, by, "pause", at_once={"state": State.PAUSED, "stop_flag": "", "next_at": None})


def stop(run: Run, by: Membership | None) -> bool:
    """ "Stop and keep what is done": after the batch at hand, at once if nobody works on it or it rests."""
    if _end_resting(run):
        _audit(run, by, "stop")
        return True
    return _ask(run, by, "stop", at_once=None)


def discard(run: Run, by: Membership | None) -> bool:
    """ "Discard preview": as `stop`, but False, and nothing happens, where somebody has confirmed it meanwhile."""
    # From the gate one way only: whoever confirms has taken it from there.
    if _end(run, frozenset({State.PLANNED})):
        _audit(run, by, "stop")
        return True
    now = all_runs().select_related("account").get(pk=run.pk)
    return now.confirmed_at is None and (now.ended or stop(now, by))


def resume(run: Run, by: Membership | None) -> bool:
    """Takes a paused run, one that needed attention or one that waits up again, now."""
    fields = {**FRESH, "state": working_state(run)}
    back = all_runs().filter(FREE, pk=run.pk, state__in=RESTING | {State.WAITING}).update(**fields)
    if not back:
        back = all_runs().filter(pk=run.pk, stop_flag="pause").update(stop_flag="")
    if back:
        _audit(run, by, "resume")
        ring_on_commit(run.pk)
    return bool(back)


def confirm(run: Run, by: Membership | None) -> bool:
    """ "Import these": applies the plan at the gate. False if another run holds the slot.

    True as well when it was confirmed before (two presses). Raises Refused with the job's reason, e.g. when
    the preview is out of date.
    """
    run = all_runs().select_related("account").get(pk=run.pk)
    if run.state != State.PLANNED:
        return run.confirmed_at is not None and run.state != State.STOPPED
    job = job_for(run.kind)
    with in_account(run.account):
        why_not = job.may_confirm(run)
    if why_not:
        raise Refused(why_not)
    fields = {**FRESH, "state": State.APPLYING, "slot": job.slot, "confirmed_at": Now()}
    return _left_gate(run, by, "confirm", fields) is not False


def back(run: Run, by: Membership | None, *, cursor: dict[str, Any], phase: str) -> bool:
    """A run at the gate works on from this earlier cursor, its counts forgotten. False: it is not at the gate
    (any more), or another run holds the slot."""
    fields = {**FRESH, "state": State.READING, "slot": job_for(run.kind).slot, "cursor": cursor, "counts": {}}
    fields |= {"phase": phase, "progress": {}, "planned_at": None, "gate_reason": ""}
    return bool(_left_gate(run, by, "plan_again", fields))


def _left_gate(run: Run, by: Membership | None, verb: str, fields: dict[str, Any]) -> bool | None:
    """False: another run holds the slot. None: it is not at the gate any more."""
    try:
        with transaction.atomic():
            taken = all_runs().filter(pk=run.pk, state=State.PLANNED).update(**fields)
            if taken:
                ring_on_commit(run.pk)
    except IntegrityError:
        return False
    if taken:
        _audit(run, by, verb)
    return True if taken else None


def end(run: Run, state: State) -> None:
    """Inside the transaction that has ended the run: lets its job put things in order."""
    run.state = state
    try:
        job = job_for(run.kind)
    except UnknownJob:
        return
    with in_account(run.account):
        job.ended(run)


def ending(state: State) -> dict[str, Any]:
    """The fields of a run that has ended."""
    return {"state": state, "slot": None, "finished_at": Now(), "next_at": None, "stop_flag": ""}


def _ask(run: Run, by: Membership | None, what: str, *, at_once: dict[str, Any] | None) -> bool:
    """Done at once where nobody works on the run, else by a flag. Twice, for it may change hands between."""
    for _ in range(3):
        if at_once is None:
            done = _end_idle(run)
        else:
            idle = all_runs().filter(FREE, pk=run.pk, state__in=Run.WORKING)
            done = bool(idle.update(**at_once))
        busy = all_runs().filter(HELD, pk=run.pk, state__in=Run.WORKING)
        if done or busy.update(stop_flag=what):
            _audit(run, by, what)
            return True
    return False


def _end_idle(run: Run) -> bool:
    return _end(run, Run.WORKING)


def _end_resting(run: Run) -> bool:
    return _end(run, RESTING | {State.PLANNED})


def _end(run: Run, states: frozenset[State]) -> bool:
    with transaction.atomic():
        if not all_runs().filter(FREE, pk=run.pk, state__in=states).update(**ending(State.STOPPED)):
            return False
        end(all_runs().select_related("account").get(pk=run.pk), State.STOPPED)
    return True


def _audit(run: Run, by: Membership | None, what: str) -> None:
    with in_account(run.account):
        audit(run.account, by, f"run.{what}", run=run.pk)
