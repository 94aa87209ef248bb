"""Two people at one record: what each changed is kept; only where both changed one field is the second one asked."""

from __future__ import annotations

from typing import Any

from propolis.crm import edit as editing
from propolis.crm import rows
from propolis.crm.fields import Kind
from propolis.crm.forms import RecordForm, record_form
from propolis.crm.profile import facts_of


def touched(form: RecordForm) -> set[str]:
    """The fields the person changed on the form; where the form does not tell what was on it, all of them."""
    told = {name for name in form.names if form.add_initial_prefix(name) in form.data}
    return {name for name in form.names if name not in told or name in form.changed_data}


def disputed(kind: Kind, form: RecordForm, row: Any) -> set[str]:
    """Those of them that have another value now than the form was filled with."""
    mine = touched(form)
    seen = {name: form.data[key] for name in mine if (key := form.add_initial_prefix(name)) in form.data}
    first = record_form(kind, row, seen, names=form.names)
    first.is_valid()
    was = {name: value for name, value in first.values().items() if name in seen and name not in first.errors}
    now = rows.values_of(row)
    return {name for name in mine if name not in was or was[name] != now[name]}


def again(kind: Kind, form: RecordForm, clash: editing.ChangedMeanwhile) -> RecordForm:
    """What the person changed, on top of the record as it is now, and a sentence for each field both changed."""
    mine, both = touched(form), disputed(kind, form, clash.row)
    shown = record_form(kind, clash.row, names=form.names)
    data = {name: shown[name].value() for name in form.names}
    first = {form.add_initial_prefix(name): value for name, value in data.items()}
    typed = {name: form.data.get(name, "") for name in mine}
    filled = {name: "" if value is None else value for name, value in {**first, **data, **typed}.items()}
    asked = record_form(kind, clash.row, {**filled, "rev": str(clash.row.rev)}, names=form.names)
    asked.is_valid()
    asked.add_error(
        None, "Somebody changed this meanwhile. Nothing of yours is lost: look through it and save again."
    )
    for each in clash.clashes:
        if each.field.name in both:
            words = facts_of(clash.row, [each.field.name])[0].words or "empty"
            asked.add_error(each.field.name, f"{each.field.label} is now: {words}")
    return asked
