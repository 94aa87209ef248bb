"""Forms made from the list of fields, so that pages and history never disagree about what a record has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import Q

from propolis.accounts.models import Membership
from propolis.crm import rows
from propolis.crm.fields import FIELDS, Field, Kind, Shape
from propolis.crm.keys import clean, name_key, person_key
from propolis.crm.models import Company, Contact, OppStatus

MOST = 10_000  # characters of one value; notes may be longer
MOST_NOTES = 200_000
_ORDER = {
    Kind.COMPANY: [
        "name",
        "residential",
        "website",
        "email",
        "phone",
        "mobile",
        "address_1",
        "address_2",
        "city",
        "state",
        "zip",
        "country",
        "salesperson",
        "notes",
    ],
    Kind.CONTACT: [
        "first",
        "last",
        "title",
        "company",
        "email",
        "phone",
        "extension",
        "mobile",
        "address_1",
        "address_2",
        "city",
        "state",
        "zip",
        "country",
        "salesperson",
        "notes",
    ],
    Kind.OPPORTUNITY: [
        "name",
        "status",
        "company",
        "contact",
        "salesperson",
        "amount",
        "likelihood",
        "expected_close",
        "prospect_name",
        "prospect_email",
        "prospect_phone",
        "notes",
    ],
}
NEXT_STEP = ("next_step", "next_step_on", "next_step_by")
_SOME_OF = ("first", "last", "email")  # a contact has at least one of them
_WHOLE_LINE = {"name", "notes", "website", "next_step"}


class RecordForm(forms.Form):
    """`values()` after validation: plain values of the fields shown, ready for `propolis.crm.edit`."""

    rev = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, kind: Kind, names: Iterable[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.names = [name for name in names if FIELDS[kind][name].by_hand]
        for name in self.names:
            self.fields[name] = _form_field(FIELDS[kind][name])
            if name in _WHOLE_LINE:
                self.fields[name].widget.attrs["class"] = "whole"

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if self.kind is Kind.COMPANY and "name" in self.names and not found.get("name"):
            self.add_error("name", "Enter the company's name.")
        elif self.kind is Kind.OPPORTUNITY and "name" in self.names and not found.get("name"):
            self.add_error("name", "Enter a name, for example what it is about.")
        elif set(_SOME_OF) <= set(self.names) and not any(found.get(name) for name in _SOME_OF):
            self.add_error("first", "Enter a name or an e-mail address.")
        return found

    def values(self) -> dict[str, Any]:
        return {name: rows.plain(_id_of(self.cleaned_data[name])) for name in self.names}


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
    shown = list(names) if names is not None else _ORDER[kind]
    start: dict[str, Any] = dict(initial or {})
    if row is not None:
        start |= {name: getattr(row, name) for name in shown} | {"rev": row.rev if rev is None else rev}
    return RecordForm(kind, shown, data, initial=start)


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

    def prepare_value(self, value: Any) -> Any:
        return picked_words(value) if hasattr(value, "pk") else value

    def clean(self, value: Any) -> Any:
        text = clean(super().clean(value) or "").strip()
        if not text:
            return None
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


def _numbered(text: str) -> int | None:
    _words, mark, number = text.rpartition("#")
    return int(number) if mark and number.isdigit() and len(number) < 19 else None


def _companies_named(text: str) -> list[Any]:
    alive = Company.objects.filter(deleted_at=None)
    number = _numbered(text)
    if number is not None and (found := list(alive.filter(pk=number))):
        return found
    return list(alive.filter(Q(name=text) | Q(name_key=name_key(text)))[:5])


def _contacts_named(text: str) -> list[Any]:
    alive = Contact.objects.filter(deleted_at=None)
    number = _numbered(text)
    if number is not None and (found := list(alive.filter(pk=number))):
        return found
    return list(alive.filter(name_key=person_key(text))[:5])


def people() -> Any:
    """Who may be given records: everyone who can sign in."""
    return Membership.objects.filter(state=Membership.State.ACTIVE).order_by("name")


def _picked_by(page: str) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", "data-pick": page, "placeholder": "Type to search"})


def _text(field: Field) -> forms.Field:
    kinds = {Shape.EMAIL: "email", Shape.PHONE: "tel", Shape.WEBSITE: "url"}
    widget = forms.TextInput(attrs={"inputmode": kinds.get(field.shape, "text"), "autocomplete": "off"})
    return _Line(label=field.label, required=False, max_length=MOST, widget=widget)


def _amount(field: Field) -> forms.Field:
    return forms.DecimalField(
        label=field.label,
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )


_MADE: Mapping[Shape, Callable[[Field], forms.Field]] = {
    Shape.LONG: lambda f: _Line(
        label=f.label,
        required=False,
        max_length=MOST_NOTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    ),
    Shape.YES_NO: lambda f: forms.BooleanField(label=f.label, required=False),
    Shape.DATE: lambda f: forms.DateField(
        label=f.label, required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    ),
    Shape.MONEY: _amount,
    Shape.PERCENT: lambda f: forms.IntegerField(
        label=f"{f.label} in %", required=False, min_value=0, max_value=100
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

    body = _Line(label="Note", max_length=MOST_NOTES, strip=False, widget=forms.Textarea(attrs={"rows": 3}))


class ListForm(forms.Form):
    name = _Line(label="Name", max_length=200)
    leads = forms.BooleanField(
        label="LEADS", required=False, help_text="People on this list are leads: not customers yet."
    )
