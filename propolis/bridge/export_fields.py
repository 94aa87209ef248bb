"""What a record would be in Syncro after sending, field by field, beside what is there now. No queries.

A field is what a person ticks; each stands for one or more of Syncro's keys. Values are compared as an import
compares them, so a number that Syncro strips to digits, or an address it lower-cases, is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from propolis.bridge import mapping
from propolis.bridge.mapping import Raw, Values, fingerprint
from propolis.bridge.models import Connection, Link
from propolis.crm import cells, comparing, keys
from propolis.crm.fields import label_of
from propolis.crm.models import Company, Contact
from propolis.merge.record import Value
from propolis.syncro.records import UNSET, Customer, Lead
from propolis.syncro.records import Contact as SyncroContact

Record = Customer | SyncroContact | Lead
Normalise = Callable[[str, Value], Value]
NOTES: Final = "notes"
# A contact has it, and the reference lists it for neither POST nor PUT.
MAY_NOT_KEEP: Final = frozenset({"extension"})
_ALL_COMPANY: Final = frozenset(mapping.COMPANY_FIELDS)
_ALL_CONTACT: Final = frozenset(mapping.CONTACT_FIELDS)
_TEXTS: Final = {
    Link.Kind.CUSTOMER: mapping.COMPANY_TEXTS,
    Link.Kind.CONTACT: mapping.CONTACT_TEXTS,
    Link.Kind.PERSON: mapping.PERSON_TEXTS,
}
_NAME_KEYS: Final = {
    Link.Kind.CUSTOMER: ("business_name", "firstname", "lastname"),
    Link.Kind.CONTACT: ("name",),
    Link.Kind.PERSON: ("firstname", "lastname"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One field of the dialog. `to`: Syncro's keys and the values they would get. `now` and `after`: as shown.

    `seen`: changes whenever a value on either side does. `required`: a new record cannot do without it.
    """

    name: str
    label: str
    now: str
    after: str
    to: Mapping[str, Any]
    seen: str
    same: bool
    ticked: bool
    note: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """What a dialog compares with: the remote record and what both sides last agreed on, {} for neither.

    `newer`: fields the Link calls newer here. `hide_notes`: an Admin chose that notes do not come here.
    """

    kind: Link.Kind
    region: str
    raw: Raw = field(default_factory=dict)
    agreed: Mapping[str, Any] = field(default_factory=dict)
    updated_at: datetime | None = None
    newer: frozenset[str] = frozenset()
    hide_notes: bool = False
    creating: bool = False


def raw_of(kind: Link.Kind, record: Record, custom: tuple[str, ...] = ()) -> Raw:
    """The mapped keys of a remote record, as the import keeps them."""
    if isinstance(record, SyncroContact):
        return mapping.contact_raw(record)
    if isinstance(record, Lead):
        return mapping.lead_raw(record)
    if kind is Link.Kind.PERSON:
        return mapping.person_raw(record)
    return mapping.customer_raw(record, custom)


def values_of(kind: Link.Kind, raw: Mapping[str, Any], remote_id: int) -> Values:
    """Our values of a remote record, all fields that can be sent; blank where it has none."""
    if kind is Link.Kind.CUSTOMER:
        return mapping.company_values(raw, remote_id, _ALL_COMPANY)
    if kind is Link.Kind.PERSON:
        return mapping.person_values(raw, _ALL_CONTACT)
    return mapping.contact_values(raw, _ALL_CONTACT)


def ours_of(kind: Link.Kind, row: Company | Contact) -> Values:
    """The same of one of our rows."""
    values: Values = {name: getattr(row, name) for name in _TEXTS[kind]}
    if isinstance(row, Company):
        return {"name": row.name, "residential": row.residential, **values}
    return {"name": keys.join_name(row.first, row.last), **values}


def notes_hidden(connection: Connection, kind: Link.Kind) -> bool:
    """Whether an Admin keeps Syncro's notes out of this account."""
    chosen = (connection.fields_chosen or {}).get("company" if kind is Link.Kind.CUSTOMER else "contact")
    return NOTES not in (chosen or ())


def keys_of(kind: Link.Kind) -> dict[str, tuple[str, ...]]:
    """Field → Syncro's keys, of everything that can be sent; a lead goes whole."""
    if kind is Link.Kind.LEAD:
        return {}
    return {"name": _NAME_KEYS[kind], **{ours: (theirs,) for ours, theirs in _TEXTS[kind].items()}}


def same_values(kind: Link.Kind, name: str, ours: Values, theirs: Values, normalise: Normalise) -> bool:
    """Whether a field is the same on both sides; a company's name includes whether it is a business."""
    equal = (normalise(name, ours.get(name)) or "") == (normalise(name, theirs.get(name)) or "")
    if name == "name" and kind is Link.Kind.CUSTOMER and theirs:
        return equal and bool(ours.get("residential")) == bool(theirs.get("residential"))
    return equal


def lines(row: Company | Contact, side: Side, remote_id: int) -> list[Line]:
    """Every field that has a value on either side, in the order of the record's form."""
    normalise = comparing.normaliser(side.region)
    theirs = values_of(side.kind, side.raw, remote_id) if side.raw else {}
    agreed = values_of(side.kind, side.agreed, remote_id) if side.agreed else {}
    ours = ours_of(side.kind, row)
    found = []
    for name in keys_of(side.kind):
        both_blank = not ours.get(name) and not theirs.get(name)
        if both_blank or (name == NOTES and not ours.get(name) and side.hide_notes):
            continue
        found.append(_line(row, side, name, ours, theirs, agreed, normalise))
    return found


def _line(
    row: Company | Contact,
    side: Side,
    name: str,
    ours: Values,
    theirs: Values,
    agreed: Values,
    normalise: Normalise,
) -> Line:
    same = bool(side.raw) and same_values(side.kind, name, ours, theirs, normalise)
    ticked, note = (False, "") if same else _choice(row, side, name, ours, theirs, agreed, normalise)
    to = _to(row, side, name)
    kinds_differ = "residential" in theirs and bool(theirs["residential"]) != bool(ours["residential"])
    was, becomes = (_shown(name, values, kinds_differ) for values in (theirs, ours))
    required = side.creating and name == "name"
    return Line(
        name=name,
        label=label_of("company" if isinstance(row, Company) else "contact", name),
        now="Not shown: notes are not imported" if name == NOTES and side.hide_notes and was else was,
        after=becomes,
        to=to,
        seen=fingerprint({"now": {key: side.raw.get(key) for key in keys_of(side.kind)[name]}, "to": to}),
        same=same,
        ticked=ticked or required,
        note=note or _extension_note(side.kind, name, ours),
        required=required,
    )


def _shown(name: str, values: Values, with_kind: bool) -> str:
    text = str(values.get(name) or "")
    if name == "name" and with_kind and text:
        return f"{text} ({'private person' if values.get('residential') else 'business'})"
    return text


def _choice(
    row: Company | Contact,
    side: Side,
    name: str,
    ours: Values,
    theirs: Values,
    agreed: Values,
    normalise: Normalise,
) -> tuple[bool, str]:
    """Whether a field that differs starts ticked, and what is to be said beside it."""
    if name == NOTES:
        return False, "Technicians will see this."
    if side.creating:
        return True, ""
    blank = not ours.get(name)
    if name not in agreed:
        return _never_agreed(row, side, name, blank=blank, theirs_blank=not theirs.get(name))
    here = not same_values(side.kind, name, ours, agreed, normalise)
    there = not same_values(side.kind, name, theirs, agreed, normalise)
    when = f" on {cells.day(side.updated_at)}" if side.updated_at else ""
    if here and there:
        return False, f"Also changed in Syncro{when}. Sending replaces that change."
    if there:
        return False, f"Changed in Syncro{when}, not here: the next import brings it. Sending puts it back."
    return True, "Sending empties it in Syncro." if blank else ""


def _never_agreed(
    row: Company | Contact, side: Side, name: str, *, blank: bool, theirs_blank: bool
) -> tuple[bool, str]:
    if theirs_blank or name in side.newer:
        return True, ""
    if blank:
        return False, "Empty here. Sending empties it in Syncro."
    newer = side.updated_at is None or row.edited_at > side.updated_at
    return newer, "" if newer else "Syncro's record was changed later than yours."


# ---- what travels


def _to(row: Company | Contact, side: Side, name: str) -> dict[str, Any]:
    if name == "name":
        return _name_to(row, side)
    theirs = _TEXTS[side.kind][name]
    value = getattr(row, name).strip()
    if name in ("phone", "mobile") and side.kind is not Link.Kind.CONTACT:
        value = _without_extension(value)
    return {theirs: value}


def _name_to(row: Company | Contact, side: Side) -> dict[str, Any]:
    if isinstance(row, Contact):
        if side.kind is Link.Kind.CONTACT:
            return {"name": keys.join_name(row.first, row.last)}
        return {"firstname": row.first.strip(), "lastname": row.last.strip()}
    if not row.residential:
        return {"business_name": row.name.strip()}
    first, last = keys.split_name(row.name)
    person = {"firstname": first, "lastname": last}
    return {"business_name": "", **person} if side.raw.get("business_name") else person


def _extension(value: str) -> str:
    import phonenumbers

    try:
        return phonenumbers.parse(value, "US").extension or ""
    except phonenumbers.NumberParseException:
        return ""


def _without_extension(value: str) -> str:
    """Syncro keeps a customer's number as bare digits: an extension would become part of the number."""
    extension = _extension(value)
    if not extension:
        return value
    head = value[: value.rindex(extension)].rstrip(" .,;:#()-")
    return head.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ").rstrip(" .,;:#()-")


def _extension_note(kind: Link.Kind, name: str, ours: Values) -> str:
    numbered = name in ("phone", "mobile") and kind is not Link.Kind.CONTACT
    if not numbered or not _extension(str(ours.get(name) or "")):
        return ""
    return "Syncro keeps the number without its extension."


def body_of(
    kind: Link.Kind, to: Mapping[str, Any], record: Record | None = None, parent: int | None = None
) -> dict[str, Any]:
    """The body of a POST (`record` None) or PUT: exactly these keys, and what Syncro cannot do without.

    A contact's title lives in `properties`, which is sent whole [B]; its name is required [A], so the one it
    has in Syncro goes along where no other is sent.
    """
    body = dict(to)
    if kind is not Link.Kind.CONTACT:
        return body
    if "title" in body:
        kept = record.properties if isinstance(record, SyncroContact) else None
        body["properties"] = {**(kept if isinstance(kept, dict) else {}), "title": body.pop("title")}
    if isinstance(record, SyncroContact) and "name" not in body and record.name is not UNSET:
        body["name"] = record.name
    if record is None:
        body["customer_id"] = parent
    return body


def differing(kind: Link.Kind, to: Mapping[str, Any], raw: Raw, region: str) -> list[str]:
    """Of what was sent, the keys that are not what the record holds; keys it does not tell are none of them.

    Nothing of a lead: Syncro gives back only some of it.
    """
    if kind is Link.Kind.LEAD:
        return []
    normalise = comparing.normaliser(region)
    ours = {theirs: name for name, names in keys_of(kind).items() for theirs in names}
    return [
        key
        for key, value in to.items()
        if key in raw and (normalise(ours[key], value) or "") != (normalise(ours[key], raw[key]) or "")
    ]


def has_arrived(
    kind: Link.Kind, to: Mapping[str, Any], raw: Raw, region: str, before: Mapping[str, Any] | None = None
) -> bool:
    """Whether the record holds what was sent; of the keys Syncro may not keep, what it held `before` will do."""
    left = differing(kind, to, raw, region)
    dropped = [
        key for key in left if key in MAY_NOT_KEEP and (raw[key] or "") == ((before or {}).get(key) or "")
    ]
    return not left or (left == dropped and len(left) < len(to))
