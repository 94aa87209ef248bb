"""The audit log as Alice reads it: filtered, page by page, as a file no spreadsheet can run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import pytest

from propolis.accounts.models import Audit, audit
from propolis.accounts.scoping import in_account
from tests.people import Crew, client_of

LOG = "/acme/settings/audit/"


@pytest.fixture
def acme(crew: Crew) -> Iterator[Crew]:
    with in_account(crew.account):
        yield crew


def some_lines(crew: Crew) -> None:
    for person, verb, day in (
        (crew.alice, "user.invited", "2026-11-02T10:00:00Z"),
        (crew.bob, "syncro.send", "2026-11-03T10:00:00Z"),
        (None, "user.made_admin", "2026-11-04T10:00:00Z"),
    ):
        audit(crew.account, person, verb, membership=7)
        Audit.objects.filter(verb=verb).update(at=day)


def shown(crew: Crew, query: str) -> list[tuple[str, str]]:
    """Who and what, the newest first."""
    page = client_of(crew.alice).get(LOG + query).content.decode()
    return re.findall(r'nowrap num">[^<]*</td><td>([^<]*)</td><td>([^<]*)</td>', page)


def test_alice_narrows_the_log_by_person_deed_and_day(acme: Crew) -> None:
    some_lines(acme)
    invited, sent, made = (
        ("Alice Moreau", "User: invited"),
        ("Bob Tanaka", "Syncro: send"),
        ("Propolis", "User: made admin"),
    )
    assert shown(acme, "") == [made, sent, invited]
    assert shown(acme, f"?who={acme.bob.pk}") == [sent]
    assert shown(acme, "?who=nobody") == [made]
    assert shown(acme, "?what=user.invited") == [invited]
    assert shown(acme, "?since=2026-11-03&until=2026-11-03") == [sent]
    assert shown(acme, f"?who={acme.alice.pk}&what=syncro.send") == []
    assert shown(acme, "?who=x&since=2026-02-31&before=x") == [made, sent, invited]
    assert shown(acme, "?since=0001-01-01&until=9999-12-31") == [made, sent, invited]


def test_older_lines_keep_the_filters(acme: Crew) -> None:
    for _ in range(101):
        audit(acme.account, acme.alice, "user.invited")
    page = client_of(acme.alice).get(f"{LOG}?what=user.invited").content.decode()
    older = re.findall(r'href="(\?what=user\.invited&amp;before=\d+)"', page)
    assert len(shown(acme, older[0].replace("&amp;", "&"))) == 1


def test_the_file_holds_what_the_filters_leave_and_no_formula(acme: Crew) -> None:
    some_lines(acme)
    acme.bob.name = '=HYPERLINK("x")'
    acme.bob.save()
    answer = client_of(acme.alice).get(f"{LOG}?as=csv&who={acme.bob.pk}")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["When", "Who", "E-mail", "What", "Code", "Records"],
        ["2026-11-03 10:00:00+00:00", "'=HYPERLINK(\"x\")", "bob@acme.example", "Syncro: send", "syncro.send",
         "membership 7"],
    ]  # fmt: skip
    assert Audit.objects.filter(verb="audit.exported", actor=acme.alice).count() == 1


def test_people_stand_in_the_file_by_their_names(acme: Crew) -> None:
    audit(acme.account, acme.alice, "user.disabled", membership=acme.bob.pk)
    audit(acme.account, acme.alice, "records.hand_over", run=5, of=acme.bob.pk, to=acme.mia.pk)
    audit(acme.account, acme.alice, "records.give", run=6, what="company", to=0)
    text = b"".join(client_of(acme.alice).get(f"{LOG}?as=csv&who={acme.alice.pk}")).decode("utf-8-sig")
    records = [row[-1] for row in csv.reader(io.StringIO(text)) if row[-2] in DEEDS]
    assert records == [
        "run 6, what company, to nobody", "run 5, of Bob Tanaka, to Mia Okafor", "Bob Tanaka",
    ]  # fmt: skip


DEEDS = ("user.disabled", "records.hand_over", "records.give")


def test_only_an_admin_reads_or_exports_it_and_only_of_this_account(acme: Crew) -> None:
    some_lines(acme)
    for person, status in ((acme.bob, 403), (acme.mia, 403), (acme.charlie, 404)):
        client = client_of(person)
        assert [client.get(LOG + end).status_code for end in ("", "?as=csv")] == [status, status]
