"""A person's decision about a row that needs review: Link, Create new or Skip; changeable until it is imported.

Before the import the decision changes the plan; afterwards it is carried out at once, as part of the same run, so
that its undo takes it back too.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction

from propolis.accounts.models import Membership, audit
from propolis.crm.csv_import import keeping
from propolis.crm.csv_import.applying import Applier
from propolis.crm.csv_import.companies import Companies, found_here, key_of
from propolis.crm.csv_import.job import NOUNS, kind_of, rules_of
from propolis.crm.csv_import.planning import ACTIONS, WORDS, RowPlanner
from propolis.crm.csv_import.reading import SheetRow
from propolis.crm.csv_import.sentences import CsvRefused
from propolis.crm.csv_import.values import Incoming, incoming
from propolis.crm.kinds import MODELS
from propolis.history.models import Change
from propolis.merge.plan import Counts, Word
from propolis.runs.engine import holder
from propolis.runs.models import Run

LINK, CREATE, SKIP = "link", "create", "skip"
CHOICES: Final = (LINK, CREATE, SKIP)


def undecided(run: Run) -> list[int]:
    """The ids of the rows that need review, in the file's order."""
    waiting = Change.objects.filter(run=run, action=Change.Action.REVIEW).order_by("seq")
    return list(waiting.values_list("pk", flat=True))


def row_of(change: Change, run: Run) -> Incoming:
    """The row a Change was planned for, as the person chose its columns."""
    return incoming(SheetRow(change.args["line"], change.args["cells"]), rules_of(run))


def decide_row(run: Run, pk: int, choice: str, local_id: int | None, *, by: Membership) -> Word:
    """What the row has become; CsvRefused while something else is at work, or if the record is gone."""
    with transaction.atomic():
        run = Run.objects.select_for_update().select_related("account").get(pk=run.pk)
        if holder(run.account) is not None or not (run.ended or run.state == Run.State.PLANNED):
            raise CsvRefused("csv.busy")
        change = Change.objects.select_for_update(of=("self",)).get(
            pk=pk, run=run, action=Change.Action.REVIEW
        )
        word = _replan(run, change, choice, local_id)
        _recount(run, word)
        change.save()
        if run.ended:
            _carry_out(run, change, by)
        audit(run.account, by, "csv.review", run=run.pk, line=change.args["line"], choice=choice)
    return word


def _replan(run: Run, change: Change, choice: str, local_id: int | None) -> Word:
    """The Change as it would have been planned, had there been no doubt."""
    if choice == SKIP:
        change.action, change.reason = Change.Action.LEAVE_OUT, "csv.skipped"
        return Word.LEFT_OUT
    row, rules = row_of(change, run), rules_of(run)
    companies = _companies(run, row)
    planner = RowPlanner(run, rules, companies, run.options.get("list"))
    if choice == CREATE:
        planner.look_up_mailing([row], [])
        word, made = Word.NEW, planner.created(row)
    else:
        mine = MODELS[kind_of(run)].objects.filter(pk=local_id or 0, deleted_at=None).first()
        if mine is None:
            raise CsvRefused("csv.vanished")
        planner.look_up_lists([mine.pk])
        planner.look_up_mailing([row], [mine])
        word, found = planner.merged(row, mine, "by hand")
        made = found or planner.change(row, Word.MERGED, local_id=mine.pk, rule="by hand")
    change.action = (Change.Action.SAME if word is Word.SAME else ACTIONS[word]).value
    change.fields, change.local_id, change.reason = made.fields, made.local_id, ""
    change.args = {**made.args, "cells": change.args["cells"], "decided": choice}
    return word


def _companies(run: Run, row: Incoming) -> Companies:
    """Where the row belongs: as planned before the import; afterwards what was planned is a company of ours."""
    companies = Companies()
    if run.ended and any(row.company):
        places = found_here({key_of(row.company): row.company})
        companies.recall([[k, place.local, place.seq, place.unclear] for k, place in places.items()])
    elif any(row.company):
        for kept in keeping.load_all(run, keeping.COMPANIES):
            companies.recall(kept)
    return companies


def _recount(run: Run, word: Word) -> None:
    numbers = run.counts[NOUNS[kind_of(run)]]
    counts = Counts.from_dict(numbers["counts"])
    counts.add(Word.REVIEW, -1)
    counts.add(word)
    numbers["counts"] = counts.to_dict()
    run.save(update_fields=["counts"])


def _carry_out(run: Run, change: Change, by: Membership) -> None:
    change.actor, change.state = by, Change.State.PLANNED
    change.save(update_fields=["actor", "state"])
    applier = Applier(run)
    applier.apply([change])
    Run.objects.filter(pk=run.pk).update(counts=applier.counts, cursor=applier.cursor)


def word_of(change: Change) -> Word:
    return WORDS[Change.Action(change.action)]
