"""Forms made from the list of fields, so that pages and history never disagree about what a record has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.db.models import Q

from propolis.accounts.addressing import typed_id
from propolis.accounts.models import Membership
from propolis.crm import rows, typed
from propolis.crm.fields import FIELDS, ORDER, REFERENCES, Field, Kind, Shape
from propolis.crm.keys import clean, email_key, fold, name_key, person_key
from propolis.crm.models import Company, Contact, OppStatus

MOST = 10_000  # characters of one value; notes may be longer
MOST_NOTES = 200_000
NEXT_STEP = ("next_step", "next_step_on", "next_step_by")
_SOME_OF = ("first", "last", "email")  # a contact has at least one of them
_NAMELESS = {
    Kind.COMPANY: "Enter the company's name.",
    Kind.OPPORTUNITY: "Enter a name, for example what it is about.",
}
_WHOLE_LINE = {"name", "notes", "website", "next_step"}


class RecordForm(forms.Form):
    """`values()` after validation: plain values of the fields shown, ready for `propolis.crm.edit`."""

    use_required_attribute = False  # our sentences, not the browser's
    rev = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, kind: Kind, names: Iterable[str], *args: Any, row: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.row = kind, row
        self.names = [name for name in names if FIELDS[kind][name].by_hand]
        for name in self.names:
            self.fields[name] = _form_field(FIELDS[kind][name])
            if row is not None:
                # What the form was filled with comes back with it: what a person changed is told from what they saw.
                self.fields[name].show_hidden_initial = True
            if row is not None and FIELDS[kind][name].shape in REFERENCES:
                _keep(self.fields[name], getattr(row, name))
            if name == "name":
                self.fields[name].required = True
                self.fields[name].error_messages["required"] = _NAMELESS[kind]
            if name in _WHOLE_LINE:
                self.fields[name].widget.attrs["class"] = "whole"

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if set(_SOME_OF) <= set(self.names) and not any(found.get(name) for name in _SOME_OF):
            self.add_error("first", "Enter a name or an e-mail address.")
        for name in self.names:
            given = str(found.get(name) or "")
            odd = FIELDS[self.kind][name].shape is Shape.EMAIL and given and not email_key(given)
            if odd and _lines(given) != _lines(str(getattr(self.row, name, ""))):
                # What an import brought stays as it is; nobody is left out of mailings by a slip of the keys.
                self.add_error(name, "Enter an e-mail address, such as jo@firm.com, or leave it empty.")
        return found

    def values(self) -> dict[str, Any]:
        """Those of the fields that are sound."""
        return {
            name: _as_it_was(rows.plain(_id_of(self.cleaned_data[name])), getattr(self.row, name, None))
            for name in self.names
            if name in self.cleaned_data
        }


def record_form(
    kind: Kind,
    row: Any = None,
    data: Mapping[str, Any] | None = None,
    *,
    names: Iterable[str] | None = None,
    initial: Mapping[str, Any] | None = None,
    rev: int | None = None,
) -> RecordForm:
    """The form of a record, or of some of its fields; filled from `row`, or for a new one from `initial`."""
    shown = list(names) if names is not None else [n for n in ORDER[kind] if FIELDS[kind][n].by_hand]
    start: dict[str, Any] = dict(initial or {})
    if row is not None:
        start |= {name: getattr(row, name) for name in shown} | {"rev": row.rev if rev is None else rev}
    return RecordForm(kind, shown, data, initial=start, row=row)


def _keep(field: Any, now: Any) -> None:
    """What a record refers to may stay when it is offered no more: a person who left, an archived status, a
    company that was deleted. Otherwise saving something else would take it away."""
    if isinstance(field, _Pick):
        field.kept = now
    elif now is not None:
        field.queryset = field.queryset | type(now).objects.filter(pk=now.pk)


def _as_it_was(new: Any, old: Any) -> Any:
    """A form ends lines its own way and takes off spaces around: that alone is no change of a person's."""
    same = isinstance(new, str) and isinstance(old, str) and _lines(new) == _lines(old)
    return old if same else new


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _id_of(value: Any) -> Any:
    return getattr(value, "pk", value)


class _Line(forms.CharField):
    """Text without NUL, so that no database refuses it."""

    def to_python(self, value: Any) -> str:
        return clean(super().to_python(value) or "")


class _Pick(forms.CharField):
    """A record named by its name; "Brightwater #12" where several have it."""

    def __init__(self, find: Callable[[str], list[Any]], noun: str, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=MOST, **kwargs)
        self.find, self.noun = find, noun
        self.kept: Any = None

    def prepare_value(self, value: Any) -> Any:
        return picked_words(value) if hasattr(value, "pk") else value

    def clean(self, value: Any) -> Any:
        text = clean(super().clean(value) or "").strip()
        if not text:
            return None
        if self.kept is not None and text == picked_words(self.kept):
            return self.kept
        found = self.find(text)
        if len(found) == 1:
            return found[0]
        if not found:
            raise forms.ValidationError(f"There is no {self.noun} “{text[:80]}”. Choose one from the list.")
        shown = ", ".join(picked_words(row) for row in found[:4])
        raise forms.ValidationError(f"Several have this name: {shown}. Choose one from the list.")


def picked_words(row: Any) -> str:
    """How a record is written in a field that names it."""
    return f"{row.name} #{row.pk}"


def _numbered(text: str, alive: Any) -> list[Any]:
    """The record written as `picked_words`. "Studio #2" may as well be a name: then it is none whose number that is."""
    words, mark, number = text.rpartition("#")
    pk = typed_id(number) if mark else None
    found = alive.filter(pk=pk).first() if pk is not None else None
    return [found] if found is not None and fold(words) in ("", fold(found.name)) else []


def _companies_named(text: str) -> list[Any]:
    alive = Company.objects.filter(deleted_at=None)
    named = alive.filter(Q(name=text) | Q(name_key=name_key(text)))
    return _numbered(text, alive) or list(named[:5])


def _contacts_named(text: str) -> list[Any]:
    alive = Contact.objects.filter(deleted_at=None)
    return _numbered(text, alive) or list(alive.filter(name_key=person_key(text))[:5])


def people() -> Any:
    """Who may be given records: everyone who can sign in."""
    return Membership.objects.filter(state=Membership.State.ACTIVE).order_by("name")


def _picked_by(page: str) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", "data-pick": page, "placeholder": "Type to search"})


def _text(field: Field) -> forms.Field:
    kinds = {Shape.EMAIL: "email", Shape.PHONE: "tel", Shape.WEBSITE: "url"}
    widget = forms.TextInput(attrs={"inputmode": kinds.get(field.shape, "text"), "autocomplete": "off"})
    return _Line(label=field.label, required=False, max_length=MOST, widget=widget)


class _Amount(forms.DecimalField):
    """Money as people type it, "$1,200.50" or "1200,50"; never below nothing."""

    _SAY = "Enter an amount, such as 1200 or 1,200.50."

    def __init__(self, label: str) -> None:
        super().__init__(
            label=label,
            required=False,
            max_digits=14,
            decimal_places=2,
            widget=forms.TextInput(attrs={"inputmode": "decimal"}),
            error_messages={"invalid": self._SAY, "max_decimal_places": self._SAY},
        )

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip():
            value = typed.amount(value)
            if value is None:
                raise forms.ValidationError(self._SAY, code="invalid")
        return super().to_python(value)


class _Day(forms.DateField):
    """A browser takes "26" for the year 26."""

    def to_python(self, value: Any) -> date | None:
        day = super().to_python(value)
        if day is not None and day.year < 1900:
            raise forms.ValidationError("Write the year with four digits, such as 2026.", code="invalid")
        return day


_PERCENT = "Enter a whole number from 0 to 100."


_MADE: Mapping[Shape, Callable[[Field], forms.Field]] = {
    Shape.LONG: lambda f: _Line(
        label=f.label,
        required=False,
        max_length=MOST_NOTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    ),
    Shape.YES_NO: lambda f: forms.BooleanField(label=f.label, required=False),
    Shape.DATE: lambda f: _Day(
        label=f.label, required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    ),
    Shape.MONEY: lambda f: _Amount(f.label),
    Shape.PERCENT: lambda f: forms.IntegerField(
        label=f"{f.label} in %",
        required=False,
        min_value=0,
        max_value=100,
        error_messages={"invalid": _PERCENT, "min_value": _PERCENT, "max_value": _PERCENT},
    ),
    Shape.COMPANY: lambda f: _Pick(
        _companies_named, "company", label=f.label, widget=_picked_by("companies")
    ),
    Shape.CONTACT: lambda f: _Pick(_contacts_named, "contact", label=f.label, widget=_picked_by("contacts")),
    Shape.PERSON: lambda f: forms.ModelChoiceField(
        people(), label=f.label, required=False, empty_label="Nobody"
    ),
    Shape.STATUS: lambda f: forms.ModelChoiceField(
        OppStatus.objects.filter(archived=False), label=f.label, empty_label=None
    ),
}


def _form_field(field: Field) -> forms.Field:
    return _MADE.get(field.shape, _text)(field)


class NoteForm(forms.Form):
    """A note, or a call that took place."""

    _EMPTY = "Write something first."
    body = _Line(
        label="Note",
        max_length=MOST_NOTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _EMPTY},
    )

    def clean_body(self) -> str:
        """Spaces alone are no note."""
        body = str(self.cleaned_data["body"]).strip()
        if not body:
            raise forms.ValidationError(self._EMPTY)
        return body


class ListForm(forms.Form):
    name = _Line(label="Name", max_length=200)
    leads = forms.BooleanField(
        label="LEADS", required=False, help_text="People on this list are leads: not customers yet."
    )
