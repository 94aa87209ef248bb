"""From Syncro's bytes to records, as fast as it goes and never more broken than the odd record itself.

A page is decoded as a whole, typed. Only where that fails is it taken apart, each record decoded by itself,
then *mended* where the meaning is plain (an id in quotes, a number as a postcode), and otherwise returned
as a `BadRecord` in its place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar, overload

import msgspec

from propolis.syncro.errors import CutOff, Garbled
from propolis.syncro.records import UNSET, Contact, Customer, Id, Lead, Phone, SearchHit, UserRef
from propolis.syncro.resources import Resource

Record = Customer | Contact | Lead
_R = TypeVar("_R", bound=msgspec.Struct)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_TYPES: Final[dict[Resource, type[Record]]] = {
    Resource.CUSTOMERS: Customer,
    Resource.CONTACTS: Contact,
    Resource.LEADS: Lead,
}


@dataclass(frozen=True)
class BadRecord:
    """One record of a page that could not be read; the others could. `raw` is its JSON; `index` counts from
    0."""

    index: int
    id: int | None
    reason: str
    raw: bytes


@dataclass(frozen=True)
class Outline:
    """What a page says of itself. `count` includes records without a readable id; None: not told."""

    ids: tuple[int, ...]
    count: int
    page_size: int | None
    total_pages: int | None
    total_entries: int | None


@overload
def parse_page(resource: Literal[Resource.CUSTOMERS], raw: bytes) -> list[Customer | BadRecord]: ...
@overload
def parse_page(resource: Literal[Resource.CONTACTS], raw: bytes) -> list[Contact | BadRecord]: ...
@overload
def parse_page(resource: Literal[Resource.LEADS], raw: bytes) -> list[Lead | BadRecord]: ...
@overload
def parse_page(resource: Resource, raw: bytes) -> list[Customer | Contact | Lead | BadRecord]: ...
def parse_page(resource: Resource, raw: bytes) -> Any:
    """The records of one page, in its order, one item each. Raises `Garbled` only if it is no page at all."""
    if b"\\u0000" not in raw:  # a NUL is legal in JSON and nowhere storable: those pages go the careful way
        try:
            return getattr(_PAGE[resource].decode(raw), resource.value)
        except _UNREADABLE:
            pass
    items = _taken_apart(resource, raw)[0]
    return [_parse_item(_TYPES[resource], item, index) for index, item in enumerate(items)]


def parse_record(kind: type[_R], raw: bytes, *, under: str = "", id: int | None = None) -> _R:
    """One record, bare or wrapped in `{under: …}`, with this `id` if given. Raises `Garbled` if it is not
    one."""
    value = load(raw)
    if isinstance(value, dict) and under and isinstance(value.get(under), dict):
        value = value[under]
    if not isinstance(value, dict):
        raise Garbled(detail=f"an object was expected, {_json_name(value)} came")
    if id is not None and _id_of(value) != id:
        raise Garbled(detail=f"record {id} was asked for, another came")
    try:
        return _mended(kind, value)
    except _Odd as odd:
        raise Garbled(detail=str(odd)) from None


def parse_users(raw: bytes) -> list[UserRef]:
    """Pairs of id and name, or objects. Raises `Garbled` if one is neither: who is missing counts as having
    left."""
    answer = load(raw)
    users = answer.get("users") if isinstance(answer, dict) else None
    if not isinstance(users, list):
        raise Garbled(detail='an answer without a list of "users"')
    return [_user_ref(one) for one in users]


def _user_ref(one: object) -> UserRef:
    if isinstance(one, dict):
        one = [one.get("id"), one.get("full_name") or one.get("name")]
    if isinstance(one, list) and len(one) >= 2:
        number, name = _id_of({"id": one[0]}), one[1]
        if number is not None and isinstance(name, str | None):
            return UserRef(number, str(_clean(name or "")))
    raise Garbled(detail="a user that is neither a pair of id and name nor an object")


def parse_search(raw: bytes) -> list[SearchHit]:
    """Hits that name their kind and id; a hit that does not leads nowhere and is left aside."""
    answer = load(raw)
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list):
        raise Garbled(detail='an answer without a list of "results"')
    hits = (_hit(one) for one in results)
    return [hit for hit in hits if hit is not None]


def _hit(one: object) -> SearchHit | None:
    table = _within(one, "table")
    source = _within(_within(table, "_source"), "table")
    number, kind = _id_of({"id": table.get("_id")}), table.get("_type")
    if number is None or not isinstance(kind, str):
        return None
    customer = _id_of({"id": source.get("customer_id")})
    return SearchHit(kind=kind, id=number, customer_id=customer, fields=source)


def _within(outer: object, key: str) -> dict[str, Any]:
    inner = outer.get(key) if isinstance(outer, dict) else None
    return inner if isinstance(inner, dict) else {}


def outline(resource: Resource, raw: bytes) -> Outline:
    """The ids and numbers of a page, without decoding its records. Raises `Garbled` if it is no page."""
    try:
        page = _OUTLINE[resource].decode(raw)
        ids = tuple(item.id for item in getattr(page, resource.value))
        return _outlined(ids, len(ids), page.meta)
    except _UNREADABLE:
        items, meta = _taken_apart(resource, raw)
    found = [_id_of(_loosely(item)) for item in items]
    return _outlined((one for one in found if one is not None), len(items), meta)


def load(raw: bytes) -> Any:
    """JSON as plain values; lone surrogates and other liberties are tolerated. Raises `CutOff` otherwise."""
    try:
        return msgspec.json.decode(raw)
    except _UNREADABLE:
        pass
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise CutOff(detail=f"not JSON: {error}") from None


def _outlined(ids: Iterable[int], count: int, meta: object) -> Outline:
    told = meta if isinstance(meta, dict) else {}
    size, pages, entries = (_count(told.get(key)) for key in ("per_page", "total_pages", "total_entries"))
    if entries is not None and entries < count:
        # Fewer than stand on this very page: believed, the pages after it would never be asked for.
        pages = entries = None
    return Outline(tuple(ids), count, size or None, pages, entries)


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _taken_apart(resource: Resource, raw: bytes) -> tuple[list[bytes], object]:
    """Each record's own bytes, and the page's `meta`."""
    try:
        page = _PARTS[resource].decode(raw)
        return [bytes(item) for item in getattr(page, resource.value)], _loosely(bytes(page.meta or b"null"))
    except _UNREADABLE:
        page = load(raw)
    items = page.get(resource.value) if isinstance(page, dict) else None
    if not isinstance(items, list):
        raise Garbled(detail=f'a page without a list of "{resource.value}"')
    return [json.dumps(item).encode() for item in items], page.get("meta")


def _loosely(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _id_of(item: object) -> int | None:
    if not isinstance(item, dict):
        return None
    try:
        return msgspec.convert(item.get("id"), Id, strict=False)
    except msgspec.ValidationError:
        return None


def _parse_item(kind: type[Record], raw: bytes, index: int) -> Record | BadRecord:
    value = _loosely(raw)
    try:
        raw.decode()
        if value is None:
            raise _Odd("it is empty or unreadable")
        return _mended(kind, value)
    except UnicodeDecodeError:
        reason = "its text is not valid Unicode"
    except _Odd as odd:
        reason = str(odd)
    return BadRecord(index, _id_of(value), f"Syncro's record could not be read: {reason}.", raw)


class _Odd(Exception):
    """Why one record cannot be read: the end of a sentence."""


def _mended(kind: type[_R], value: object) -> _R:
    if not isinstance(value, dict):
        raise _Odd(f"it is {_json_name(value)}, not a record")
    known: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        given = value.get(field.encode_name, UNSET)
        if given is not UNSET:
            known[field.name] = _mended_field(field, given)
        elif field.required:
            raise _Odd(f'it has no "{field.encode_name}"')
    return kind(**known)


def _mended_field(field: msgspec.structs.FieldInfo, given: Any) -> Any:
    if field.name in _NESTED:
        return _mended_list(_NESTED[field.name], given)
    for attempt in (_clean(given), _respelled(given)):
        try:
            return msgspec.convert(attempt, field.type, strict=False)
        except msgspec.ValidationError:
            continue
    raise _Odd(f'its "{field.encode_name}" is {_json_name(given)} that cannot be understood')


def _mended_list(kind: type[_R], given: object) -> Any:
    """A nested list that cannot be read in full counts as not told: a shorter list would look complete."""
    if given is None:
        return None
    try:
        return [_mended(kind, one) for one in given] if isinstance(given, list) else UNSET
    except _Odd:
        return UNSET


def _clean(given: Any) -> Any:
    """Without NULs; text that no database takes (half of a surrogate pair) is refused."""
    if isinstance(given, str):
        if any("\ud800" <= char <= "\udfff" for char in given):
            raise _Odd("its text is not valid Unicode")
        return given.replace("\x00", "")
    if isinstance(given, float) and not math.isfinite(given):
        raise _Odd("it holds a number without end")
    if isinstance(given, dict):
        return {_clean(key): _clean(value) for key, value in given.items()}
    return [_clean(value) for value in given] if isinstance(given, list) else given


def _respelled(given: Any) -> Any:
    """A second reading: numbers as text, blank text and empty lists as null, a time without its zone as
    unknown."""
    if isinstance(given, int | float | Decimal) and not isinstance(given, bool):
        return str(given)
    if given == [] or (isinstance(given, str) and not given.strip()):
        return None
    if isinstance(given, str):
        try:
            when = datetime.fromisoformat(given.strip())
        except ValueError:
            return given
        return when if when.tzinfo else None
    return given


def _json_name(value: object) -> str:
    names = {type(None): "null", bool: "a true/false", int: "a number", float: "a number", str: "text"}
    return names.get(type(value), "a list" if isinstance(value, list) else "an object")


_NESTED: Final[dict[str, type[msgspec.Struct]]] = {"contacts": Contact, "phones": Phone}


class _Numbered(msgspec.Struct, frozen=True):
    id: Id


def _decoders(items: Mapping[Resource, Any], meta: Any) -> dict[Resource, msgspec.json.Decoder[Any]]:
    made = {}
    for resource, item in items.items():
        listed: Any = list.__class_getitem__(item)
        fields: list[Any] = [(resource.value, listed), ("meta", meta, None)]
        made[resource] = msgspec.json.Decoder(msgspec.defstruct(f"_{resource.value}", fields))
    return made


_PAGE: Final = _decoders(_TYPES, Any)
_OUTLINE: Final = _decoders(dict.fromkeys(Resource, _Numbered), Any)
_PARTS: Final = _decoders(dict.fromkeys(Resource, msgspec.Raw), msgspec.Raw | None)
