"""The audit log as an Admin reads it: narrowed by person, deed and day, a page at a time or as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date

from propolis.accounts.addressing import typed_id
from propolis.accounts.csv_cells import inert
from propolis.accounts.models import Audit, Membership

PAGE = 100
_AT_ONCE = 500
_PEOPLE = ("membership", "of", "to")  # what names a person by id
HEADINGS = ("When", "Who", "E-mail", "What", "Code", "Records")


@dataclass(frozen=True)
class Narrowing:
    """What the address asks for; "" where it asks nothing or something that cannot be."""

    who: str = ""
    what: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def of(cls, params: Mapping[str, str]) -> Narrowing:
        who = params.get("who", "")
        return cls(
            who if who == "nobody" or typed_id(who) is not None else "",
            params.get("what", "")[:60],
            *(_day(params.get(name, "")) for name in ("since", "until")),
        )

    @property
    def any(self) -> bool:
        return bool(self.who or self.what or self.since or self.until)

    def lines(self) -> QuerySet[Audit]:
        """The newest first."""
        found = Audit.objects.select_related("actor").order_by("-id")
        if self.who:
            found = found.filter(actor=None) if self.who == "nobody" else found.filter(actor=int(self.who))
        if self.what:
            found = found.filter(verb=self.what)
        if self.since:
            found = found.filter(at__gte=_midnight(self.since))
        if self.until:
            found = found.filter(at__lt=_midnight(self.until) + timedelta(days=1))
        return found


def _day(text: str) -> str:
    """Of years in which something can have happened: the first and the last there are end outside the calendar."""
    try:
        day = parse_date(text)
    except ValueError:
        return ""
    return text if day and 1900 <= day.year < 3000 else ""


def _midnight(day: str) -> datetime:
    found = parse_date(day)
    assert found is not None
    return timezone.make_aware(datetime.combine(found, time()))


def deeds() -> list[str]:
    """Every verb that is in the log."""
    return sorted(Audit.objects.order_by().values_list("verb", flat=True).distinct())


def people() -> QuerySet[Membership]:
    return Membership.objects.order_by("name")


def words(verb: str) -> str:
    """An audit verb as words: "user.invitation_revoked" → "User: invitation revoked"."""
    about, _, done = verb.partition(".")
    return f"{about.replace('_', ' ').capitalize()}: {done.replace('_', ' ')}" if done else about.capitalize()


def told(lines: Sequence[Audit]) -> list[tuple[Audit, str]]:
    """Each line with what it is about in words, people by their names; one query."""
    ids = {each.objects_ids.get(name) for each in lines for name in _PEOPLE}
    names = {
        row.pk: str(row)
        for row in Membership.objects.filter(pk__in=[pk for pk in ids if isinstance(pk, int)])
    }

    def words_of(name: str, value: object) -> str:
        if isinstance(value, bool):
            return ("" if value else "not ") + name.replace("_", " ")
        if name not in _PEOPLE or not isinstance(value, int) or (value and value not in names):
            return f"{name} {value}"
        who = names.get(value, "nobody")
        return who if name == "membership" else f"{name} {who}"

    return [(each, ", ".join(words_of(*pair) for pair in _in_order(each.objects_ids))) for each in lines]


def as_csv(lines: QuerySet[Audit]) -> Iterator[bytes]:
    """The file in parts, with a mark that makes spreadsheets read it as UTF-8; no cell is ever a formula."""
    yield b"\xef\xbb\xbf" + _rows([HEADINGS])
    batch: list[Audit] = []
    for line in lines.iterator(_AT_ONCE):
        batch.append(line)
        if len(batch) == _AT_ONCE:
            yield _rows([_cells(*each) for each in told(batch)])
            batch = []
    yield _rows([_cells(*each) for each in told(batch)])


def _cells(line: Audit, records: str) -> tuple[str, ...]:
    who = (str(line.actor), line.actor.email_key) if line.actor else ("Propolis", "")
    at = timezone.localtime(line.at).isoformat(sep=" ", timespec="seconds")
    return tuple(inert(cell) for cell in (at, *who, words(line.verb), line.verb, records))


def _rows(rows: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _in_order(ids: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What, then who, short words first: SQLite then has the order PostgreSQL's JSON keeps."""
    return sorted(ids.items(), key=lambda pair: (pair[0] in _PEOPLE, len(pair[0]), pair[0]))
