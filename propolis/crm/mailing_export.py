"""The file for a mailing: only who may be mailed, one row per address, and where everybody else went.

Each contact has exactly one fate, so the numbers add up: the first that applies of deleted, without e-mail,
unsubscribed, bounced, of a disabled company.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, Count, Q, QuerySet, Value, When

from propolis.crm import paging
from propolis.crm.csv_columns import CsvColumn, columns_of, paths_of
from propolis.crm.csv_export import BATCH, encoded
from propolis.crm.fields import FIELDS, Kind
from propolis.crm.keys import KEY_LENGTH
from propolis.crm.models import Company, Contact, Suppression
from propolis.crm.paging import Sort, walked

_WORDS = {
    "unsubscribed": "unsubscribed",
    "bounced": "bounced",
    "no_email": "without e-mail",
    "disabled": "of companies disabled in Syncro",
    "deleted": "deleted",
}
_BY_ADDRESS = Sort("email", "email_key", False)
_COLUMNS = (*("email", "first", "last", "title", "company", "phone", "city", "state", "zip", "country"),)


@dataclass(frozen=True)
class MailingSum:
    """`contacts` = `rows` + everyone of `left_out`, which is (how many, the words after the number)."""

    contacts: int
    rows: int
    left_out: tuple[tuple[int, str], ...]

    @property
    def words(self) -> str:
        """ "5,202 contacts: 4,310 rows, 402 unsubscribed, 490 share an address with another"."""
        noun = "contact" if self.contacts == 1 else "contacts"
        row = "row" if self.rows == 1 else "rows"
        parts = [f"{self.rows:,} {row}", *(f"{count:,} {words}" for count, words in self.left_out)]
        return f"{self.contacts:,} {noun}: {', '.join(parts)}."


def mailing_sum(contacts: QuerySet[Any]) -> MailingSum:
    """What the file will hold; one query, which looks at every contact once."""
    told = _with_fate(contacts).order_by().values_list("fate")
    counted = told.annotate(Count("pk"), Count("email_key", distinct=True))
    fates = {fate: count for fate, count, _ in counted}
    rows = sum(addresses for fate, _, addresses in counted if not fate)
    may = fates.pop("", 0)
    left_out = [(fates[fate], words) for fate, words in _WORDS.items() if fates.get(fate)]
    if may > rows:
        left_out.append((may - rows, f"share{'s' * (may - rows == 1)} an address with another"))
    return MailingSum(may + sum(fates.values()), rows, tuple(left_out))


def mailing_sum_of_few(contacts: QuerySet[Any]) -> MailingSum | None:
    """The same of as many as are counted on a page, `paging.COUNTED`; None of more, at no more cost."""
    some = contacts.order_by().values("pk")[: paging.COUNTED + 1]
    told = mailing_sum(Contact.objects.filter(pk__in=some))
    return told if told.contacts <= paging.COUNTED else None


def mailing_export(contacts: QuerySet[Any]) -> Iterator[bytes]:
    """The file, sorted by address; of contacts sharing one the first added stands for all."""
    columns = _columns()
    yield encoded([[column.heading for column in columns]], first=True)
    before = ""
    for rows in walked(_with_fate(contacts).filter(fate=""), _BY_ADDRESS, paths_of(columns), BATCH):
        lines = []
        for row in rows:
            if row["email_key"] != before:
                lines.append([_address(row), *(column.cell(row) for column in columns[1:])])
            before = row["email_key"]
        yield encoded(lines)


def _address(row: Mapping[str, Any]) -> str:
    """The one address of what may be several or a whole sentence; a key that was cut short is none."""
    key = row["email_key"]
    return str(key if len(key) < KEY_LENGTH else row["email"])


def _columns() -> list[CsvColumn]:
    known = {column.heading: column for column in columns_of(Kind.CONTACT)}
    return [known[FIELDS[Kind.CONTACT][name].label] for name in _COLUMNS]


def _with_fate(contacts: QuerySet[Any]) -> QuerySet[Any]:
    """ "" for those who may be mailed; the truth is per address, whatever a contact's own copy says."""

    # Both sets are small: held once and looked into, rather than asked for contact by contact.
    def stopped(kind: Suppression.Kind) -> Q:
        standing = Suppression.objects.filter(kind=kind, lifted_at=None)
        return Q(email_key__in=standing.values("email_key"))

    disabled = Company.objects.filter(disabled_in_syncro=True).values("pk")
    states = Contact.MailState
    fated: QuerySet[Any] = contacts.annotate(
        fate=Case(
            When(deleted_at__isnull=False, then=Value("deleted")),
            When(email_key="", then=Value("no_email")),
            When(
                Q(mail_state=states.UNSUBSCRIBED) | stopped(Suppression.Kind.UNSUBSCRIBED),
                then=Value("unsubscribed"),
            ),
            When(Q(mail_state=states.BOUNCED) | stopped(Suppression.Kind.BOUNCED), then=Value("bounced")),
            When(company__in=disabled, then=Value("disabled")),
            default=Value(""),
            output_field=CharField(),
        )
    )
    return fated
