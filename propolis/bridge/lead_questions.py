"""What is asked once, with numbers, before Syncro's leads come in: e-mails to a mailbox, and what closed long ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from propolis.bridge.choices import IMPORT, LEAVE
from propolis.bridge.models import Connection
from propolis.bridge.plan_leads import LONG_AGO, Tally
from propolis.runs.models import Run


@dataclass(frozen=True)
class Answer:
    """A button; the first one of a question is recommended."""

    value: str
    label: str


@dataclass(frozen=True)
class Sample:
    """One of the leads it is about. `at` None where Syncro does not say."""

    subject: str
    sender: str
    at: datetime | None


@dataclass(frozen=True)
class Question:
    """`key`: the field of the form. `says`: what the answers mean."""

    key: str
    sentence: str
    says: str
    answers: tuple[Answer, ...]
    samples: tuple[Sample, ...] = ()


def questions(connection: Connection | None, run: Run) -> list[Question]:
    """Those nobody has answered yet, about the leads this preview read."""
    tally = Tally.of(run.counts.get("opportunities", {}).get("leads"))
    if connection is None:
        return []
    found = [_mail(tally)] if tally.mail and not connection.mail_leads else []
    old = tally.old if connection.mail_leads == IMPORT else tally.old - tally.old_mail
    return found + ([_old(old)] if old and connection.old_leads_months is None else [])


def _mail(tally: Tally) -> Question:
    one = tally.mail == 1
    return Question(
        "mail",
        f"{tally.mail:,} of {tally.read:,} leads {'is an e-mail' if one else 'are e-mails'} to your mailbox.",
        "Syncro makes a lead of every e-mail that comes in. Most are no sales: this preview leaves them out.",
        (Answer(LEAVE, "Leave them out (recommended)"), Answer(IMPORT, "Import them")),
        tuple(
            Sample(subject, sender, datetime.fromisoformat(when) if when else None)
            for when, subject, sender in tally.samples
        ),
    )


def _old(count: int) -> Question:
    return Question(
        "months",
        f"Closed more than {LONG_AGO} months ago: {count:,}.",
        "Won or lost, and not touched in Syncro since. This preview imports them.",
        (Answer("0", "Import them"), Answer(str(LONG_AGO), "Leave them out")),
    )
